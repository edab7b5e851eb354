from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.errors import CursorExpired, UnexpectedAnswer
from connectors.jira import feed as feeds
from connectors.jira.feed import Feed
from connectors.jira.records import snapshot, version_of
from sync.model import Origin, Snapshot
from tests.connectors.jira.made import NOW, issue

REACH = timedelta(minutes=5)
BERLIN = ZoneInfo("Europe/Berlin")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def snap(number: int, seconds: float) -> Snapshot:
    raw = issue(number, f"SHOP-{number}", updated=at(seconds).isoformat(timespec="milliseconds"))
    return snapshot(raw, site="https://example.atlassian.net", origin=Origin.LIST)


def new(since: datetime = NOW) -> Feed:
    return feeds.begin(feeds.read(None, since), UTC, REACH)


def tokens(
    feed: Feed, snaps: list[Snapshot], token: str = "", now: datetime = NOW + timedelta(hours=1)
) -> tuple[Feed, bool]:
    return feeds.after_tokens(feed, snaps, token=token, reach=REACH, now=now)


def test_a_window_reaches_back_over_the_index_lag_in_whole_minutes() -> None:
    assert new().asked == "2026-01-02 02:59"


def test_the_overlap_is_never_below_two_minutes() -> None:
    assert feeds.overlap(0) == timedelta(minutes=2)
    assert feeds.overlap(600) == timedelta(minutes=10)


def test_a_window_is_asked_in_the_accounts_own_zone() -> None:
    assert feeds.begin(feeds.read(None, NOW), ZoneInfo("Asia/Tokyo"), REACH).asked == "2026-01-02 11:59"


def test_a_query_is_bounded_and_oldest_first() -> None:
    assert feeds.query(["SHOP", "APP"], "2026-01-02 02:59") == (
        'project in ("SHOP", "APP") AND updated >= "2026-01-02 02:59" ORDER BY updated ASC, key ASC'
    )


@pytest.mark.parametrize("minutes", range(0, 240, 15))
def test_a_text_is_never_later_than_the_moment_however_a_fold_is_read(minutes: int) -> None:
    # In Berlin clocks went back from 03:00 to 02:00 on 25 October 2026, at 01:00 UTC: 02:00 to 03:00 exists twice.
    moment = datetime(2026, 10, 24, 23, 0, tzinfo=UTC) + timedelta(minutes=minutes)
    text = datetime.strptime(feeds.wall_clock(moment, BERLIN), "%Y-%m-%d %H:%M")  # noqa: DTZ007  a wall clock has none
    readings = [text.replace(tzinfo=BERLIN, fold=fold).astimezone(UTC) for fold in (0, 1)]
    assert max(readings) <= moment
    assert min(readings) >= moment - timedelta(hours=2)


def test_a_spring_gap_does_not_matter() -> None:
    moment = datetime(2026, 3, 29, 1, 10, tzinfo=UTC)
    assert feeds.wall_clock(moment, BERLIN) == "2026-03-29 03:10"


def test_a_cursor_survives_being_stored() -> None:
    feed, _ = tokens(new(), [snap(1, 10), snap(2, 20)], "t1")
    assert feeds.read(feeds.write(feed), NOW) == feed


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"since":"soon"}', '{"since":5}'])
def test_a_text_that_is_no_cursor_counts_as_expired(text: str) -> None:
    with pytest.raises(CursorExpired):
        feeds.read(text, NOW)


def test_the_last_page_begins_a_new_window_at_the_last_change() -> None:
    feed, more = tokens(new(), [snap(1, 600), snap(2, 900)])
    assert not more
    assert feed.since == version_of(at(900))
    assert (feed.asked, feed.token) == ("", "")


def test_an_empty_window_stays_where_it_is() -> None:
    feed, more = tokens(new(), [])
    assert not more
    assert feed.since == version_of(NOW)


def test_what_the_overlap_shows_again_is_left_out_until_it_changes() -> None:
    first, second = snap(1, 10), snap(2, 20)
    feed, _ = tokens(new(), [first, second])
    feed = feeds.begin(feed, UTC, REACH)
    assert feeds.fresh(feed, [first, snap(2, 25), snap(3, 25)]) == (snap(2, 25), snap(3, 25))


def test_what_is_older_than_the_overlap_is_forgotten() -> None:
    feed, _ = tokens(new(), [snap(1, 10), snap(2, 3000)])
    assert set(feed.recent) == {"2"}


def test_the_memory_of_the_overlap_is_bounded() -> None:
    feed, _ = tokens(new(), [snap(number, 10 + number / 1000) for number in range(1, 2600)])
    assert len(feed.recent) == 2000
    assert "2599" in feed.recent


def test_pages_go_on_with_the_same_question() -> None:
    before = new()
    feed, more = tokens(before, [snap(1, 600)], "t1")
    assert more
    assert (feed.asked, feed.token) == (before.asked, "t1")
    assert feeds.begin(feed, BERLIN, REACH) == feed


def test_a_repeated_token_ends_the_window_and_a_new_one_goes_on_from_the_last_change() -> None:
    feed, _ = tokens(new(), [snap(1, 600)], "t1")
    feed, _ = tokens(feed, [snap(2, 700)], "t2")
    feed, more = tokens(feed, [snap(1, 600)], "t1")
    assert more
    assert feed.since == version_of(at(700))
    assert feed.token == ""


def test_a_repeated_token_without_any_progress_is_an_error() -> None:
    feed, _ = tokens(new(), [], "t1")
    with pytest.raises(UnexpectedAnswer, match="same page token twice"):
        tokens(feed, [], "t1")


def test_an_issue_dated_in_the_future_hides_no_others() -> None:
    now = at(60)
    feed, _ = tokens(new(), [snap(1, 10), snap(2, 86_400 * 365)], now=now)
    assert feed.since == version_of(now)
    assert feeds.fresh(feed, [snap(2, 86_400 * 365)]) == ()


def test_a_window_never_goes_back() -> None:
    feed, _ = tokens(new(), [snap(1, -200)])
    assert feed.since == version_of(NOW)


# --- Data Center -----------------------------------------------------------------------------------------------------


def rows(feed: Feed, snaps: list[Snapshot], total: int) -> tuple[Feed, bool]:
    return feeds.after_rows(feed, snaps, total=total, zone=UTC, reach=REACH, now=NOW + timedelta(hours=1))


def test_rows_are_paged_by_time() -> None:
    feed, more = rows(new(), [snap(1, 0), snap(2, 120)], 10)
    assert more
    assert (feed.asked, feed.start) == ("2026-01-02 03:06", 0)


def test_within_one_minute_rows_are_counted_in_half_steps() -> None:
    feed, _ = rows(new(), [snap(1, 120), snap(2, 121), snap(3, 122), snap(4, 123)], 10)
    feed, more = rows(feed, [snap(1, 120), snap(2, 121), snap(3, 122), snap(4, 123)], 10)
    assert more
    assert (feed.asked, feed.start) == ("2026-01-02 03:06", 2)


def test_rows_that_shift_while_they_are_paged_are_not_lost() -> None:
    """A site of 60 rows, 10 a page; an issue that was read already is edited between any two pages."""
    site: dict[int, float] = {number: number * 7.0 for number in range(60)}
    got: dict[str, str] = {}
    feed, more, clock = new(), True, 1000.0
    pages = 0
    while more:
        feed = feeds.begin(feed, UTC, REACH)
        bound = datetime.strptime(feed.asked, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        matching = sorted((when, number) for number, when in site.items() if at(when) >= bound)
        page = [snap(number + 1, when) for when, number in matching[feed.start : feed.start + 10]]
        for found in feeds.fresh(feed, page):
            got[found.ref.id] = found.version
        feed, more = rows(feed, page, len(matching))
        edited = min(site, key=lambda number: (site[number], number))
        if more and pages < 20:
            site[edited] = clock
            clock += 1
        pages += 1
        assert pages < 100
    assert got == {str(number + 1): version_of(at(when)) for number, when in site.items()}


def test_the_last_rows_begin_a_new_window() -> None:
    feed, more = rows(new(), [snap(1, 10)], 1)
    assert not more
    assert feed.since == version_of(at(10))


def test_a_page_without_rows_ends_the_window_whatever_the_total_says() -> None:
    assert rows(new(), [], 100)[1] is False


def test_a_new_feed_begins_where_it_is_told() -> None:
    given: Any = feeds.read(None, datetime(2025, 1, 1, tzinfo=UTC))
    assert given.since == "2025-01-01T00:00:00.000Z"
