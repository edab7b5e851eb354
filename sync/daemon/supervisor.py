"""What the daemon tells the service manager that started it: systemd's notify protocol, where there is one."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Supervisor:
    """Sends states to the socket that `NOTIFY_SOCKET` names; without one it does nothing (sd_notify(3))."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        env = os.environ if environment is None else environment
        address = env.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog = env.get("WATCHDOG_USEC", "")
        mine = env.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self.watchdog_seconds = int(watchdog) / 1e6 if watchdog.isdecimal() and mine else None
        """Seconds within which `alive` must be said again and again; None: nobody watches."""

    def ready(self) -> None:
        """The daemon does its work."""
        self._say("READY=1")

    def stopping(self) -> None:
        """It has been told to stop, and does."""
        self._say("STOPPING=1")

    def alive(self) -> None:
        """Every worker is well."""
        if self.watchdog_seconds is not None:
            self._say("WATCHDOG=1")

    def _say(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.setblocking(False)
                sock.sendto(state.encode(), self._address)
        except OSError:
            # The manager is gone or slow: the work matters more than telling of it.
            return
