"""The switches of the gateway stand-in: how it lags, what it loses, and its habits.

Every switch has today's habit of APIPark and Apinto as its default; the README's table says which
checklist line it serves.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    """What can be switched. Seconds are vendor seconds: `time_factor` divides them. Traffic is in real seconds.

    clock_skew: seconds by which the gateway's clock is ahead of ours. zone_hours: the server's local time, which its
    zone-less texts are in. session_hours: how long a login lasts. api_key: of `/openapi/v1`.
    approval_reset: a service that is edited without `approval_type` becomes `manual`. data_plane_up: false: the data
    plane cannot be reached, so that edits that publish fail, after the login and with a 200.

    lossy_logs: APIPark's own log table copies at most `log_cap` lines of the last minute every `log_seconds`.
    loki_cap: lines of a Loki answer without a limit. calls_kept: how many calls are remembered.
    most_at_once: calls that one look at the clock may make up for.

    queue_depth, senders, output_timeout: of an `http_output`. queue_blocks: a full queue holds requests up; else it
    drops. duplicates, late: chances that an entry is sent twice, or `late_within` seconds after its time; as a replayed
    Kafka partition or a shipped file does, so only for outputs of the kind `file`, unless `http_repeats`.

    kong_read_only: Kong runs without a database, so its admin API changes nothing. kong_page: rows of its lists.
    """

    time_factor: float = 1.0
    clock_skew: float = 0.0
    zone_hours: float = 8.0
    session_hours: float = 72.0
    api_key: str = "system-key"
    approval_reset: bool = True
    data_plane_up: bool = True

    lossy_logs: bool = True
    log_cap: int = 100
    log_seconds: float = 10.0
    loki_cap: int = 100
    calls_kept: int = 50_000
    most_at_once: int = 5_000

    queue_depth: int = 25
    senders: int = 5
    output_timeout: float = 30.0
    queue_blocks: bool = True
    duplicates: float = 0.0
    late: float = 0.0
    late_within: float = 120.0
    http_repeats: bool = False

    kong_read_only: bool = False
    kong_page: int = 100

    def scaled(self, seconds: float) -> float:
        """Vendor seconds as they pass here."""
        return seconds / self.time_factor


def with_switches(settings: Settings, changes: dict[str, Any]) -> Settings:
    """A copy of `settings` with some switches moved. Raises ValueError that names the wrong switch or value."""
    known = set(Settings.__struct_fields__)
    unknown = sorted(set(changes) - known)
    if unknown:
        raise ValueError(f"no such switch: {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    try:
        moved = msgspec.convert({**msgspec.to_builtins(settings), **changes}, Settings)
    except msgspec.ValidationError as error:
        raise ValueError(f"a switch has a wrong value: {error}") from error
    if moved.time_factor <= 0:
        raise ValueError("time_factor must be above 0: vendor delays are divided by it")
    if min(moved.queue_depth, moved.senders, moved.log_cap, moved.kong_page) < 1 or moved.log_seconds <= 0:
        raise ValueError("queue_depth, senders, log_cap, kong_page and log_seconds must be above 0")
    return moved
