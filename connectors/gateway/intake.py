"""Takes what gateways push (`POST /feeds/{connection}`) and puts it into the spool, from where the feed folds it."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from connectors.contract import WebhookRequest
from connectors.errors import IntakeFull, WebhookRejected
from connectors.gateway.settings import GatewaySettings
from connectors.gateway.spool import Spool
from connectors.gateway.webhook import as_lines, believe

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
        """See `webhook.believe`."""
        believe(request, sender, header=self._header, tokens=self._tokens, networks=self._networks)

    def keep(self, body: bytes) -> None:
        """Put the lines of a body into the spool. Raises WebhookRejected(400) for no JSON, IntakeFull."""
        try:
            lines = as_lines(body)
        except WebhookRejected:
            self.malformed += 1
            raise
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


def _opened(folder: Path, limit: int) -> Spool:
    try:
        return Spool(folder, limit=limit)
    except OSError as error:
        raise IntakeFull(f"pushed lines cannot be kept in {folder}: {error.strerror or error}") from error
