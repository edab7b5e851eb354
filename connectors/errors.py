"""What can go wrong with a remote system, named by what the hub does next.

    RemoteError
    ├── Unavailable        timeout, connection, 5xx           read: retried with backoff; write: in doubt
    ├── RateLimited        429 and the vendors' other forms   the budget's scope waits as told; not an attempt
    ├── AuthRejected       401; 403 on `check`                the connection is held, an administrator asked
    ├── Forbidden          403 on one record                  the record is unreachable; nothing is propagated
    ├── RecordMissing      404, 410 on one record             confirmed by a second path before it is believed
    ├── VersionConflict    409, 412, or the record moved      the delivery is dropped, the item decided again
    ├── WriteRejected      400, 413, 422                      the delivery is parked with the remote's own words
    ├── CursorExpired      the page token is too old          the poll restarts from the last safe time
    └── UnexpectedAnswer   a body that is not understood      counted as ours; the cursor does not move
    WebhookRejected        bad signature, stale, malformed    answered 401 or 400; nothing is stored
    IntakeFull             no room for what is pushed to us    answered 503 at once; counted

An error of a *write* says in `applied` whether the request may have taken effect: False only when that is certain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.model import Snapshot


class RemoteError(Exception):
    """A remote system did not do what was asked. `message` is for people: what, where, what to do.

    applied: whether a write may have taken effect all the same (False: certainly not).
    """

    def __init__(self, message: str, *, applied: bool = False, status: int | None = None) -> None:
        if not message.isprintable():  # a remote's own words may be in it: they start no new line, and hide nothing
            message = "".join(c if c.isprintable() else " " for c in message)
        super().__init__(message)
        self.message = message
        self.applied = applied
        self.status = status


class Unavailable(RemoteError):
    """No usable answer: timeout, broken connection, 5xx. A write that ended so is in doubt if `applied`.

    retry_after: seconds the remote asked us to stay away (a 503 in maintenance), where it said so.
    """

    def __init__(
        self, message: str, *, applied: bool = False, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, applied=applied, status=status)
        self.retry_after = retry_after


class RateLimited(RemoteError):
    """The remote asks for patience. scope: the budget that is used up (`account`, `export`, `record:<id>`, ...)."""

    def __init__(self, message: str, *, retry_after: float | None = None, scope: str = "account") -> None:
        super().__init__(message, status=429)
        self.retry_after = retry_after
        self.scope = scope


class AuthRejected(RemoteError):
    """The credentials are refused."""


class Forbidden(RemoteError):
    """The credentials are good, but not for this record or this act."""


class RecordMissing(RemoteError):
    """The record is not there, or is not shown to us; this alone does not tell which."""


class VersionConflict(RemoteError):
    """The record moved between our read and our write. snapshot: the newer state, where it is known."""

    def __init__(self, message: str, *, snapshot: Snapshot | None = None) -> None:
        super().__init__(message, status=409)
        self.snapshot = snapshot


class WriteRejected(RemoteError):
    """The remote refuses what was asked, and will refuse it again. field: the culprit, where it is named."""

    def __init__(self, message: str, *, field: str = "", status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.field = field


class CursorExpired(RemoteError):
    """The place to read on from is no longer known to the remote."""


class UnexpectedAnswer(RemoteError):
    """An answer that is not what the contract promises: HTML for JSON, a cut body, a missing field."""


class WebhookRejected(Exception):
    """A call that is not believed. status: the HTTP answer (401 bad or missing signature, 400 malformed)."""

    def __init__(self, message: str, *, status: int = 401) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class IntakeFull(Exception):
    """What was pushed to a feed cannot be kept: its room is used up, or the disk is full."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
