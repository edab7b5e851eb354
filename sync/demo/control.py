"""The control face of a running stand-in over HTTP: what people do there, what is really there, what goes wrong.

Standard library only: the verdict stands on this module, and shares nothing with the hub.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 10.0
"""Seconds that an answer may take."""


class ControlError(Exception):
    """A stand-in did not answer, or refused an act. The message says which one and why."""


class Control:
    """The control face at `url` (`http://host:port`)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._address = urlsplit(url).netloc

    def state(self) -> dict[str, Any]:
        """Everything as it really is."""
        found: dict[str, Any] = self._call("GET", "state")
        return found

    def act(self, act: str, **given: Any) -> dict[str, Any]:
        """What a person does. Raises ControlError when it cannot be done."""
        answer: dict[str, Any] = self._call("POST", "act", {"act": act, **given})
        return dict(answer.get("result") or {})

    def switch(self, **settings: Any) -> None:
        """Change switches."""
        self._call("POST", "settings", settings)

    def fault(self, kind: str, operation: str, *, count: int | None = 1, **more: Any) -> int:
        """Let calls go wrong, as `connectors.sandbox.faults` says. Returns the rule's place in `fired`."""
        given = {"kind": kind, "operation": operation, "count": count, **more}
        return len(self._call("POST", "faults", given)) - 1

    def fired(self, place: int) -> int:
        """How often a fault rule has fired."""
        return int(self._call("GET", "faults")[place]["fired"])

    def _call(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=TIMEOUT)
        try:
            connection.request(method, f"/_sandbox/{name}", None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ControlError(f"the stand-in at {self.url} does not answer ({error})") from error
        finally:
            connection.close()
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ControlError(f"the stand-in at {self.url} answered something else than JSON to {name}") from error
        if answer.status != http.client.OK:
            raise ControlError(f"{self.url}: {found.get('error', answer.status)}")
        return found
