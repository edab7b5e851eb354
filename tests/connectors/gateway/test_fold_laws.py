"""Laws of the fold: cutting, restarting and (but for windows that are over) order change nothing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.gateway.fold import Fold, FoldRow
from connectors.gateway.presets import preset
from connectors.gateway.rules import FoldRules
from tests.connectors.gateway.written import apinto, block, failed, refused

RULES = FoldRules(slo_ms=500.0, max_signatures_per_route=4, exact_consumers=5, min_count=2)

line = st.builds(
    lambda make, number, seconds, route, consumer, millis, words, method: make(
        number,
        seconds=seconds,
        api=route,
        application=consumer,
        request_time=millis,
        response_body=json.dumps({"message": words}) if words else "",
        request_method=method,
    ),
    st.sampled_from([apinto, apinto, failed, lambda *a, **f: refused(*a, **{**f, "status": 503})]),
    st.integers(0, 400),
    st.integers(-900, 900),
    st.sampled_from(["orders", "pay", ""]),
    st.sampled_from([f"app-{at}" for at in range(9)] + [""]),
    st.integers(0, 2_000),
    st.sampled_from(["", "broke", "lost", "no credit", "too old", "gone", "again"]),
    st.sampled_from(["GET", "POST"]),
)
lines = st.lists(line, min_size=1, max_size=40)


def seen_of(fold: Fold) -> dict[str, Any]:
    """Everything that can be asked of a fold."""
    return {name: (one, fold.figures(name)) for name, one in fold.signatures().items()} | {"at": fold.watermark}


@settings(max_examples=60, deadline=None)
@given(lines, st.data())
def test_blocks_cut_anywhere_fold_to_the_same(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    whole, cut = Fold(RULES, preset("apinto")), Fold(RULES, preset("apinto"))
    taken = whole.take(block(*rows))
    at, folded, failures = 0, 0, 0
    while at < len(rows):
        size = data.draw(st.integers(1, len(rows) - at))
        part = cut.take(block(*rows[at : at + size]))
        folded, failures = folded + part.folded, failures + part.failed
        at += size
    assert (folded, failures) == (taken.folded, taken.failed)
    assert seen_of(cut) == seen_of(whole)
    assert cut.changed() == whole.changed()


@settings(max_examples=60, deadline=None)
@given(lines, lines, st.booleans())
def test_a_restart_anywhere_changes_nothing(
    before: list[dict[str, Any]], after: list[dict[str, Any]], ask: bool
) -> None:
    straight = Fold(RULES, preset("apinto"))
    straight.take(block(*before))
    straight.take(block(*after))
    first = Fold(RULES, preset("apinto"))
    first.take(block(*before))
    if ask:
        seen_of(first)
    stored = {(row.kind, row.key): row for row in first.changed()}
    second = Fold(RULES, preset("apinto"))
    second.restore(stored.values())
    assert seen_of(second) == seen_of(first)
    assert second.changed() == ()
    second.take(block(*after))
    assert seen_of(second) == seen_of(straight)
    stored |= {(row.kind, row.key): row for row in second.changed()}
    third = Fold(RULES, preset("apinto"))
    third.restore(stored.values())
    assert seen_of(third) == seen_of(straight)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(line, min_size=1, max_size=40, unique_by=lambda row: row["request_id"]), st.randoms(use_true_random=False)
)
def test_the_order_of_lines_changes_no_figure(rows: list[dict[str, Any]], rng: Any) -> None:
    mixed = list(rows)
    rng.shuffle(mixed)
    rules = FoldRules(slo_ms=500.0)
    one, two = Fold(rules, preset("apinto")), Fold(rules, preset("apinto"))
    one.take(block(*rows))
    two.take(block(*mixed))
    assert seen_of(one) == seen_of(two)


@settings(max_examples=60, deadline=None)
@given(lines)
def test_reading_quickly_and_reading_carefully_fold_to_the_same(rows: list[dict[str, Any]]) -> None:
    quick, careful = Fold(RULES, preset("apinto")), Fold(RULES, preset("apinto"))
    careful._read = None
    assert quick.take(block(*rows)) == careful.take(block(*rows))
    assert seen_of(quick) == seen_of(careful)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=60), line.map(lambda row: json.dumps(row).encode())), max_size=20))
def test_no_line_is_lost_and_none_raises(rows: list[bytes]) -> None:
    body = b"\n".join(rows)
    expected = sum(bool(row.strip()) for row in body.split(b"\n"))
    fold = Fold(RULES, preset("apinto"))
    taken = fold.take(body)
    assert taken.lines == expected == taken.folded + taken.poisoned + taken.repeated
    fold.changed()


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=10,
    ),
    st.sampled_from(sorted(apinto())),
)
def test_any_value_in_any_field_is_folded_or_poisoned(value: Any, name: str) -> None:
    fold = Fold(RULES, preset("apinto"))
    taken = fold.take(block(failed(1), {**failed(2), name: value}, apinto(3)))
    assert taken.lines == 3
    assert taken.poisoned <= 1
    seen_of(fold)
    again = Fold(RULES, preset("apinto"))
    again.restore(fold.changed())
    assert seen_of(again) == seen_of(fold)


@settings(max_examples=40, deadline=None)
@given(
    st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\"\\'&;,}]<>"),
        min_size=8,
        max_size=30,
    ),
    st.sampled_from(["password", "access_token", "Authorization"]),
)
def test_no_secret_of_a_body_is_in_what_is_stored_or_shown(secret: str, name: str) -> None:
    hidden = f"!{secret}!"
    fold = Fold(RULES, preset("apinto"))
    fold.take(
        block(
            failed(1, response_body=json.dumps({"message": "broke", name: hidden})),
            failed(2, response_body=f"{name}={hidden}"),
        )
    )
    shown = repr(seen_of(fold))
    rows: tuple[FoldRow, ...] = fold.changed()
    assert hidden not in shown
    assert hidden.lower() not in shown
    assert all(hidden.encode() not in row.body and hidden.lower().encode() not in row.body for row in rows)
