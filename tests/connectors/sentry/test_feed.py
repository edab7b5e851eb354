"""The place in the feed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import CursorExpired
from connectors.sentry import feed

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
T = NOW.timestamp()


def test_a_round_goes_on_while_there_is_a_next_page_above_the_mark() -> None:
    place = feed.begin(NOW - timedelta(hours=1))
    second, more = feed.after(place, [T, T - 60], "a", now=NOW, with_feedback=False)
    assert (second.at, second.top, more) == ("a", T, True)
    third, more = feed.after(second, [T - 120, T - 4000], "b", now=NOW, with_feedback=False)
    assert (third.at, third.mark, third.rounds, more) == ("", T, 1, False)


def test_a_list_that_names_the_same_page_again_ends_the_round() -> None:
    place = feed.read(feed.text(feed.begin(NOW - timedelta(hours=1))))
    place, _ = feed.after(place, [T], "a", now=NOW, with_feedback=False)
    _, more = feed.after(place, [T], "a", now=NOW, with_feedback=False)
    assert not more


def test_feedback_is_read_after_the_issues_and_shares_the_mark() -> None:
    place = feed.begin(NOW - timedelta(hours=1))
    second, more = feed.after(place, [T - 10], "", now=NOW, with_feedback=True)
    assert (second.listing, more) == (feed.FEEDBACK, True)
    third, more = feed.after(second, [T - 5], "", now=NOW, with_feedback=True)
    assert (third.listing, third.mark, more) == (feed.ISSUES, T - 5, False)


def test_an_empty_round_keeps_the_mark_and_the_mark_is_never_in_the_future() -> None:
    place = feed.begin(NOW)
    ended, _ = feed.after(place, [], "", now=NOW, with_feedback=False)
    assert ended.mark == T
    ended, _ = feed.after(ended, [T + 90_000], "", now=NOW, with_feedback=False)
    assert ended.mark == T


@pytest.mark.parametrize(
    ("since", "period"),
    [(timedelta(0), "1h"), (timedelta(hours=3), "4h"), (timedelta(days=5), "6d"), (timedelta(days=400), "90d")],
)
def test_the_period_covers_the_round(since: timedelta, period: str) -> None:
    assert feed.period(feed.begin(NOW - since), NOW) == period


@pytest.mark.parametrize("cursor", ["", "{}", "nonsense", '{"mark": "x", "top": 1}', "[]"])
def test_what_is_no_place_of_ours_is_expired(cursor: str) -> None:
    with pytest.raises(CursorExpired):
        feed.read(cursor)
