"""Checklist: cursors, over all small lists with many equal values."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.sentry.sandbox.search import Slice, cut_by_key


@dataclass(frozen=True)
class Row:
    id: int
    value: int


@settings(max_examples=200, deadline=None)
@given(values=st.lists(st.integers(0, 3), max_size=14), limit=st.integers(1, 5))
def test_pages_cover_every_row_once_and_lead_back_the_same_way(values: list[int], limit: int) -> None:
    rows = [Row(number, value) for number, value in enumerate(values)]

    def cut(cursor: str) -> Slice:
        return cut_by_key(rows, lambda row: row.value, cursor, limit)

    pages = [cut("")]
    while pages[-1].has_after:
        pages.append(cut(pages[-1].after))
    assert [row for page in pages for row in page.rows] == sorted(rows, key=lambda row: (-row.value, -row.id))
    assert [page.has_before for page in pages] == [place > 0 for place in range(len(pages))]
    for place in range(len(pages) - 1, 0, -1):
        back = cut(pages[place].before)
        assert back.rows == pages[place - 1].rows
        assert (back.has_before, back.has_after) == (place > 1, True)
        assert cut(back.after).rows == pages[place].rows
