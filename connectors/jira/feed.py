"""PURE: the change feed's cursor and its windows. What to ask Jira for next, and what of the answer is new.

Search filters by `updated` in whole minutes, in the time zone of the account that asks, and its index lags. So a window
starts a little before the last change that was seen, and what comes again because of it is known by (id, version).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import msgspec
from msgspec import Struct, structs

from connectors.errors import CursorExpired, UnexpectedAnswer
from connectors.jira.records import version_of
from sync.model import Snapshot

LEAST_OVERLAP = timedelta(minutes=2)
"""Search counts in whole minutes, so anything shorter would leave a gap."""

_REMEMBERED = 2000
"""Records of the overlap that are remembered; of more, some come twice, which costs time and nothing else."""

_TOKENS = 16
"""Page tokens remembered to notice a walk in circles."""


class Feed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the feed stands.

    since: the window starts here, less the overlap. seen: the latest `updated` read so far. Both as versions.
    asked: the start of the window under way as it stands in the query; "" when a new window begins.
    token: the next page (Cloud). start: the next row (Data Center). recent: id -> version of what the overlap repeats.
    """

    since: str
    seen: str = ""
    asked: str = ""
    token: str = ""
    start: int = 0
    recent: dict[str, str] = {}
    tokens: tuple[str, ...] = ()


def read(cursor: str | None, since: datetime) -> Feed:
    """The feed of a stored cursor, or a new one from `since`. Raises CursorExpired for a text that is no cursor."""
    if cursor is None:
        return Feed(since=version_of(since))
    try:
        feed = msgspec.json.decode(cursor, type=Feed)
        datetime.fromisoformat(feed.since)
    except (msgspec.DecodeError, ValueError):
        raise CursorExpired("The stored place in Jira's change feed cannot be read; the feed starts anew.") from None
    return feed


def write(feed: Feed) -> str:
    """The cursor to store."""
    return msgspec.json.encode(feed).decode()


def overlap(index_lag_seconds: float) -> timedelta:
    """How far each window reaches back."""
    return max(LEAST_OVERLAP, timedelta(seconds=index_lag_seconds))


def wall_clock(at: datetime, zone: tzinfo) -> str:
    """The minute of `at` as a query names it in `zone`, never later than `at` however the text may be read.

    An hour before clocks are set back, one text names two instants and Jira's choice is its own: then the text of an
    earlier moment is taken.
    """
    local = at.astimezone(zone)
    for _ in range(8):
        naive = local.replace(tzinfo=None, fold=0)
        later = max(naive.replace(tzinfo=zone).astimezone(UTC), naive.replace(tzinfo=zone, fold=1).astimezone(UTC))
        if later <= at:
            break
        local = (local.astimezone(UTC) - timedelta(minutes=30)).astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M}"


def begin(feed: Feed, zone: tzinfo, reach: timedelta) -> Feed:
    """The feed with a window under way; one that is under way already goes on."""
    if feed.asked:
        return feed
    return structs.replace(feed, asked=wall_clock(datetime.fromisoformat(feed.since) - reach, zone))


def query(projects: Sequence[str], asked: str) -> str:
    """The JQL of a window. It is bounded by projects and by time, as Cloud demands; oldest change first."""
    names = ", ".join(f'"{project}"' for project in projects)
    return f'project in ({names}) AND updated >= "{asked}" ORDER BY updated ASC, key ASC'


def fresh(feed: Feed, snapshots: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
    """The snapshots that an earlier page did not show in the same version."""
    return tuple(snap for snap in snapshots if feed.recent.get(snap.ref.id) != snap.version)


def after_tokens(
    feed: Feed, snapshots: Sequence[Snapshot], *, token: str, reach: timedelta, now: datetime
) -> tuple[Feed, bool]:
    """The feed after a page of Cloud, and whether there is more to read at once. token: the next page's, "" for none.

    A token that was given before means a walk in circles: the window ends there and a new one begins at the last change
    seen. Raises UnexpectedAnswer if that would not get any further either.
    """
    feed = _with(feed, snapshots, reach, now)
    if not token:
        return _next_window(feed, now), False
    digest = hashlib.sha256(token.encode()).hexdigest()[:12]
    if digest in feed.tokens:
        following = _next_window(feed, now)
        if following.since <= feed.since:
            raise UnexpectedAnswer("Jira's search gave the same page token twice; the feed would go round in circles.")
        return following, True
    return structs.replace(feed, token=token, tokens=(*feed.tokens, digest)[-_TOKENS:]), True


def after_rows(
    feed: Feed, snapshots: Sequence[Snapshot], *, total: int, zone: tzinfo, reach: timedelta, now: datetime
) -> tuple[Feed, bool]:
    """The feed after a page of Data Center, and whether there is more to read at once. total: rows of the whole window.

    Rows shift while they are paged (an edited issue moves to the end, the rest moves up), so paging goes by time: the
    next window begins at the last minute read. Only within one minute rows are counted, in half steps.
    """
    read_so_far = feed.start + len(snapshots)
    feed = _with(feed, snapshots, reach, now)
    if not snapshots or read_so_far >= total:
        return _next_window(feed, now), False
    asked = wall_clock(datetime.fromisoformat(feed.seen), zone)
    if asked > feed.asked:
        return structs.replace(feed, asked=asked, start=0), True
    return structs.replace(feed, start=feed.start + max(1, len(snapshots) // 2)), True


def _with(feed: Feed, snapshots: Sequence[Snapshot], reach: timedelta, now: datetime) -> Feed:
    seen = max((feed.seen, *(snap.version for snap in snapshots)))
    recent = {**feed.recent, **{snap.ref.id: snap.version for snap in snapshots}}
    if seen:
        # What lies before the next window cannot come again. One minute more, since windows begin on whole minutes.
        bound = min(datetime.fromisoformat(seen), now) - reach - timedelta(minutes=1)
        oldest = version_of(bound)
        recent = {number: version for number, version in recent.items() if version >= oldest}
    if len(recent) > _REMEMBERED:
        recent = dict(sorted(recent.items(), key=lambda entry: entry[1])[-_REMEMBERED:])
    return structs.replace(feed, seen=seen, recent=recent)


def _next_window(feed: Feed, now: datetime) -> Feed:
    """A window from the last change seen, but never from the future: one issue dated wrongly would hide all others."""
    since = max(feed.since, min(feed.seen, version_of(now)))
    return Feed(since=since, seen=feed.seen, recent=feed.recent)
