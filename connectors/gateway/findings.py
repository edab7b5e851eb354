"""What `check` says of a gateway connection: what it reads, what it cannot write, and what stands in its way."""

from __future__ import annotations

import os
from collections.abc import Iterator

from connectors.contract import Finding, Level
from connectors.gateway.interfaces import WriteBack
from connectors.gateway.settings import GatewaySettings


def of(settings: GatewaySettings) -> tuple[Finding, ...]:
    """The findings of a connection."""
    return (*_files(settings), *_receiver(settings), *_writing(settings))


def _files(settings: GatewaySettings) -> Iterator[Finding]:
    for path in settings.log_files:
        if not path.parent.is_dir() or not os.access(path.parent, os.R_OK | os.X_OK):
            yield Finding(
                level=Level.WARNING,
                what=f"the folder of {path} cannot be read",
                do="let the user of the daemon read it; rotated files are looked for there",
            )
        elif not path.exists():
            yield Finding(
                level=Level.WARNING,
                what=f"{path} is not there yet",
                do="nothing, if the gateway is about to write it; it is read from its first line",
            )
        elif not os.access(path, os.R_OK):
            yield Finding(
                level=Level.WARNING,
                what=f"{path} cannot be read",
                do="let the user of the daemon read it, and what it is rotated to (logrotate: `create` with a group)",
            )
        else:
            yield Finding(level=Level.INFO, what=f"{path} is followed")


def _receiver(settings: GatewaySettings) -> Iterator[Finding]:
    if not settings.receiver_tokens:
        return
    yield Finding(
        level=Level.INFO,
        what=f"lines are received at /feeds/CONNECTION with the token in the header `{settings.receiver_header}`",
        do="Apinto's http_output sends each line once and drops it on any other answer than 200, so counts are lower "
        "bounds; a log file is more reliable",
    )


def _writing(settings: GatewaySettings) -> Iterator[Finding]:
    if settings.write_back is WriteBack.OFF:
        yield Finding(
            level=Level.INFO,
            what="nothing is written into the gateway, which has no issues: the hub keeps the state of signatures",
            do="switch `write_back` on to show open signatures there",
        )
        return
    where = {
        WriteBack.APIPARK: "as tags of the service (`fb:…`)",
        WriteBack.APINTO_HASH: "in Apinto's hash, which no screen shows",
        WriteBack.APINTO_LABELS: "in Apinto's hash and as a label of the route, which the next release takes away",
        WriteBack.KONG: "as tags of the service (`fb:…`)",
    }[settings.write_back]
    yield Finding(
        level=Level.INFO,
        what=f"open signatures are shown {where}; status and links have no other place in a gateway",
    )
