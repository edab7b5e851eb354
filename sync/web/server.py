"""The web face's thread: a listening socket, uvicorn's loop, and a stop that waits for open calls."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from sync.ports import Running, Spawn
from sync.web.limits import Doorkeeper, LimitedProtocol
from sync.web.settings import WebSettings


class CannotListen(Exception):
    """The address of the web face cannot be taken. The text is for people."""


class _Server(uvicorn.Server):
    """Uvicorn's server, which looks ten times a second whether it is to stop: this one is told, and looks once."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = asyncio.Event()

    async def main_loop(self) -> None:
        """Keep the date header and wait to be stopped."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), 1.0)

    def ask_to_stop(self) -> None:
        """Stop taking calls. From any thread."""
        self.should_exit = True
        if self._loop is not None:
            # A loop that is closed has stopped already.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._asked.set)


class WebFace:
    """Listens from the moment it is made (so that a taken port is found at once); answers once it is started."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._socket = _listen(settings)
        self._server: _Server | None = None
        self._running: Running | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port it listens on."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        """Where it is reached on this machine, without a slash at the end."""
        host, port = self.address
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(
        self, app: ASGIApp, door: Doorkeeper, spawn: Spawn, on_end: Callable[[str], None] = lambda why: None
    ) -> None:
        """Answer calls, in a thread of its own. on_end: called from it if it ends without being asked to."""
        protocol = type("DoorProtocol", (LimitedProtocol,), {"door": door})
        server = self._server = _Server(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=max(1, round(self._settings.idle_seconds)),
                timeout_graceful_shutdown=max(1, round(self._settings.stop_seconds)),
            )
        )

        def serve() -> None:
            try:
                server.run(sockets=[self._socket])
            finally:
                if not server.should_exit:
                    on_end("the web face ended")

        self._running = spawn("web", serve)

    def alive(self) -> bool:
        """It answers calls."""
        return self._running is not None and self._running.alive()

    def stop(self) -> None:
        """Take no new calls; open ones may end. Returns at once."""
        if self._server is not None:
            self._server.ask_to_stop()

    def join(self, seconds: float) -> bool:
        """Wait at most so long for its end. True: it has ended, and the port is free."""
        if self._running is not None and not self._running.join(seconds):
            return False
        self._socket.close()
        return True


def _listen(settings: WebSettings) -> socket.socket:
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        do = {
            errno.EADDRINUSE: "another program uses it (a second daemon?): stop that one or set another `web.port`",
            errno.EACCES: "ports below 1024 need privileges: set another `web.port`",
            errno.EADDRNOTAVAIL: "this machine has no such address: set `web.host` to one it has",
        }.get(error.errno or 0, "set another `web.host` or `web.port`")
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}; {do}") from error
    return listener
