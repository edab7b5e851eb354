"""Takes what gateways push (`POST /feeds/{connection}`): believed by a static token, put into the spool, not folded.

None of the gateways signs what it sends, so a token in a header and a list of senders are all there is.
"""

from __future__ import annotations

import hmac
from ipaddress import ip_address, ip_network
from pathlib import Path

import msgspec

from connectors.contract import WebhookRequest
from connectors.errors import IntakeFull, WebhookRejected
from connectors.gateway.settings import GatewaySettings
from connectors.gateway.spool import Spool, as_lines

MEGABYTE = 1024 * 1024


class GatewayIntake:
    """`contract.Intake` for one gateway. refused: calls for which there was no room; kept: lines' bytes kept."""

    def __init__(self, settings: GatewaySettings, folder: Path) -> None:
        self._tokens = [token.encode() for token in settings.receiver_tokens]
        self._header = settings.receiver_header.lower()
        self._networks = [ip_network(text, strict=False) for text in settings.receiver_sources]
        self._folder = folder
        self._limit = settings.spool_mb * MEGABYTE
        self._spool: Spool | None = None
        self.refused = 0
        self.malformed = 0
        self.kept = 0

    def admit(self, request: WebhookRequest, sender: str) -> None:
        """Raises WebhookRejected: 403 from an address that is not listed, 401 for a token that is not ours."""
        if self._networks and not self._is_listed(sender):
            raise WebhookRejected("this address may not send logs (`receiver_sources`)", status=403)
        given = request.headers.get(self._header, "")
        if given[:7].lower() == "bearer ":
            given = given[7:]
        said = given.strip().encode()
        # Every token is compared, and each in constant time: how long it takes tells nothing.
        if not sum(hmac.compare_digest(said, token) for token in self._tokens):
            raise WebhookRejected(f"the token in the header `{self._header}` is not the connection's", status=401)

    def keep(self, body: bytes) -> None:
        """Put the lines of a body into the spool. Raises WebhookRejected(400) for no JSON, IntakeFull."""
        try:
            lines = as_lines(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.malformed += 1
            raise WebhookRejected(
                "this is no JSON: set the output's `type` to json; an object, an array of objects, or an object a line",
                status=400,
            ) from None
        if not lines:
            return
        try:
            if self._spool is None:
                self._spool = _opened(self._folder, self._limit)
            self._spool.append(lines)
        except IntakeFull:
            self.refused += 1
            raise
        self.kept += len(lines)

    def close(self) -> None:
        """End the segment that is being written."""
        if self._spool is not None:
            self._spool.close()

    def _is_listed(self, sender: str) -> bool:
        try:
            found = ip_address(sender)
        except ValueError:
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found in network for network in self._networks)


def _opened(folder: Path, limit: int) -> Spool:
    try:
        return Spool(folder, limit=limit)
    except OSError as error:
        raise IntakeFull(f"pushed lines cannot be kept in {folder}: {error.strerror or error}") from error
