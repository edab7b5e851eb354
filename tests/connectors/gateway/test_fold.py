"""Lines become signatures with figures: identity, windows, rates, samples, caps, bad lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from connectors.gateway.fold import Fold, FoldRow
from connectors.gateway.presets import preset
from connectors.gateway.rules import FoldRules, Group
from connectors.gateway.signature import OTHER, Kind
from sync.model import Severity
from tests.connectors.gateway.written import NOON, apinto, block, failed, fold_of, judged, only, refused

# --- identity ---------------------------------------------------------------------------------------------------------


def test_good_calls_make_no_signature_and_are_counted() -> None:
    fold = Fold(FoldRules(), preset("apinto"))
    taken = fold.take(block(*(apinto(at, seconds=at) for at in range(300))))
    assert (taken.lines, taken.folded, taken.failed, taken.late) == (300, 300, 0, 0)
    assert not fold.signatures()


def test_the_title_names_method_route_code_class_and_the_errors_words() -> None:
    signature, _ = only(fold_of(failed(1)))
    assert signature.title == "GET orders → 500 upstream_5xx: e_saldo"
    assert signature.tags == ("class:upstream_5xx", "route:orders", "service:shop")
    assert (signature.kind, signature.version) == (Kind.ERROR, "v1")
    assert len(signature.id) == 64


@pytest.mark.parametrize(
    "differs",
    [
        {"src_ip": "10.9.9.9"},
        {"application": "app-9"},
        {"uri": "/v1/orders/1?x=1"},
        {"host": "other"},
        {"node": "node-9"},
        {"request_time": 900},
    ],
)
def test_address_consumer_query_host_and_node_are_no_part_of_it(differs: dict[str, Any]) -> None:
    assert len(fold_of(failed(1), failed(2, **differs)).signatures()) == 1


@pytest.mark.parametrize(
    "differs",
    [
        {"provider": "other"},
        {"api": "other"},
        {"request_method": "POST"},
        {"status": 505},
        {"response_body": '{"error":{"code":"E_OTHER"}}'},
    ],
)
def test_service_route_method_code_and_words_are_each_a_part_of_it(differs: dict[str, Any]) -> None:
    assert len(fold_of(failed(1), failed(2, **differs)).signatures()) == 2


def test_one_route_with_ids_in_its_path_is_one_route() -> None:
    lines = [failed(at, api="", uri=f"/v1/orders/{at}") for at in range(5)]
    signature, figures = only(fold_of(*lines))
    assert (signature.route, figures.count) == ("/v1/orders/{id}", 5)


def test_the_id_depends_on_the_source_and_on_nothing_of_this_process() -> None:
    signature, _ = only(fold_of(failed(1)))
    key = "2:v1|6:apinto|4:shop|6:orders|3:GET|12:upstream_5xx|3:500|7:e_saldo"
    assert signature.id == sha256(key.encode()).hexdigest()
    assert signature.id != only(fold_of(failed(1), which="apipark"))[0].id


# --- windows and figures ----------------------------------------------------------------------------------------------


def test_the_rate_is_of_all_calls_of_the_route_and_method() -> None:
    lines = [apinto(at, seconds=at) for at in range(90)] + [failed(100 + at, seconds=at) for at in range(10)]
    lines += [apinto(200 + at, seconds=at, request_method="POST") for at in range(500)]
    _, figures = only(fold_of(*lines))
    assert (figures.window_count, figures.window_total, figures.window_rate) == (10, 100, 0.1)
    assert (figures.count_1h, figures.route_1h, figures.rate_1h) == (10, 100, 0.1)


def test_counts_of_the_hour_and_the_day_leave_out_what_is_older() -> None:
    ages = [0, 50 * 60, 70 * 60, 20 * 3_600, 30 * 3_600]
    _, figures = only(fold_of(*(failed(at, seconds=-age) for at, age in enumerate(reversed(ages)))))
    assert (figures.count, figures.count_1h, figures.count_24h) == (5, 2, 4)
    assert figures.first_seen_at == NOON - timedelta(hours=30)
    assert figures.last_seen_at == NOON


def test_a_line_that_is_too_late_counts_but_is_in_no_window() -> None:
    fold = fold_of(apinto(1))
    taken = fold.take(block(*(failed(10 + at, seconds=-900) for at in range(20))))
    assert (taken.late, taken.folded) == (20, 20)
    _, figures = only(fold)
    assert (figures.count, figures.window_count) == (20, 0)


def test_a_line_within_the_allowed_lateness_is_in_its_window() -> None:
    fold = fold_of(apinto(1))
    taken = fold.take(block(*(failed(10 + at, seconds=-290) for at in range(20))))
    assert taken.late == 0
    assert only(fold)[1].window_count == 20


def test_percentiles_are_of_the_signatures_own_calls() -> None:
    lines = [apinto(at, request_time=1) for at in range(100)] + [
        failed(200 + at, request_time=100 + at) for at in range(100)
    ]
    _, figures = only(fold_of(*lines))
    assert figures.p50_ms == pytest.approx(149, rel=0.02)
    assert figures.p95_ms == pytest.approx(194, rel=0.02)
    assert figures.p99_ms == pytest.approx(198, rel=0.02)


def test_consumers_are_counted_once_each_and_the_busiest_are_named() -> None:
    lines = [failed(at, application=f"app-{min(at, 4)}") for at in range(10)]
    _, figures = only(fold_of(*lines))
    assert figures.consumers == 5
    assert figures.consumers_top[0] == ("app-4", 6)


@pytest.mark.parametrize(
    ("failures", "of", "consumers", "severity"),
    [
        (50, 100, 100, Severity.HIGH),
        (100, 100, 60, Severity.CRITICAL),
        (50, 100, 2, Severity.MEDIUM),
        (1, 100, 1, Severity.LOW),
    ],
)
def test_severity_is_the_rate_times_the_consumers(failures: int, of: int, consumers: int, severity: Severity) -> None:
    lines = [failed(at, application=f"a-{at % consumers}") for at in range(failures)]
    lines += [apinto(1_000 + at) for at in range(of - failures)]
    assert only(fold_of(*lines))[1].severity is severity


def test_counts_of_a_feed_that_drops_are_lower_bounds() -> None:
    assert only(fold_of(failed(1), rules=FoldRules(at_least=True)))[1].at_least
    assert not only(fold_of(failed(1)))[1].at_least


# --- latency ----------------------------------------------------------------------------------------------------------


def test_without_an_objective_no_call_is_too_slow() -> None:
    assert not fold_of(apinto(1, request_time=900_000)).signatures()


def test_a_success_over_its_routes_objective_is_of_class_latency() -> None:
    rules = FoldRules(slo_ms=1_000.0, route_slo_ms={"shop/reports": 60_000.0})
    lines = [apinto(at, request_time=1_000) for at in range(90)] + [
        apinto(100 + at, request_time=1_500) for at in range(10)
    ]
    lines += [apinto(200 + at, api="reports", request_time=30_000) for at in range(10)]
    signature, figures = only(fold_of(*lines, rules=rules))
    assert (signature.kind, signature.cause, signature.code, signature.route) == (
        Kind.LATENCY,
        "latency",
        200,
        "orders",
    )
    assert (figures.window_count, figures.window_total) == (10, 100)
    assert figures.p95_ms == pytest.approx(1_500, rel=0.02)
    assert figures.p50_ms == pytest.approx(1_000, rel=0.02)


def test_a_slow_failure_is_a_failure_only() -> None:
    assert only(fold_of(failed(1, request_time=9_000), rules=FoldRules(slo_ms=1.0)))[0].cause == "upstream_5xx"


# --- samples ----------------------------------------------------------------------------------------------------------


def test_the_first_the_last_and_the_slowest_call_are_kept_with_their_request_ids() -> None:
    lines = [failed(at, seconds=at, request_time=1_000 if at == 3 else 10) for at in range(9)]
    _, figures = only(fold_of(*lines))
    assert {one.why: one.request_id[-1] for one in figures.samples} == {"first": "0", "last": "8", "slowest": "3"}


def test_a_record_keeps_ten_samples() -> None:
    fold = fold_of(failed(0))
    fold.keep([only(fold)[0].id])
    fold.take(block(*(failed(at, seconds=at) for at in range(1, 200))))
    _, figures = only(fold)
    assert 8 <= len(figures.samples) <= 10
    assert len({one.request_id for one in figures.samples}) == len(figures.samples)


def test_a_sample_holds_no_secret_and_at_most_two_kilobytes() -> None:
    body = json.dumps(
        {
            "error": {"code": "E_X"},
            "authorization": "Bearer topsecret",
            "mail": "someone@example.org",
            "pad": "x y " * 2_000,
        }
    )
    fold = fold_of(failed(0, response_body=body))
    fold.keep(fold.signatures())
    fold.take(block(failed(1, seconds=1, response_body=body)))
    stored = b"".join(row.body for row in fold.changed())
    [sample, *_] = only(fold)[1].samples
    assert "topsecret" not in sample.body
    assert "example.org" not in sample.body
    assert len(sample.body) <= 2_048
    assert b"topsecret" not in stored
    assert b"example.org" not in stored


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_what_is_over_a_routes_cap_falls_into_one_signature() -> None:
    words = "".join(chr(97 + at) for at in range(26))
    lines = [failed(at, response_body=f"{words[at % 26]}{words[at // 26]} broke") for at in range(200)]
    fold = fold_of(*lines, rules=FoldRules(max_signatures_per_route=50))
    named = {one.discriminator: fold.figures(one.id).count for one in fold.signatures().values()}
    assert len(named) == 51
    assert named[OTHER] == 150


def test_a_full_gateway_keeps_counting_in_a_handful_of_signatures() -> None:
    lines = [failed(at, api=f"route-{chr(97 + at % 26)}{chr(97 + at // 26)}") for at in range(600)]
    fold = fold_of(*lines, rules=FoldRules(max_signatures=100, max_routes=200))
    assert len(fold.signatures()) == 101
    assert sum(fold.figures(name).count for name in fold.signatures()) == 600


def test_routes_over_the_cap_share_one() -> None:
    fold = fold_of(*(apinto(at, api=f"r{at}") for at in range(500)), rules=FoldRules(max_routes=100))
    assert sum(row.kind == "route" for row in fold.changed()) == 101


def test_a_signature_that_is_no_record_is_forgotten_after_a_day_and_a_record_never() -> None:
    fold = fold_of(failed(1), failed(2, api="kept"))
    kept = next(name for name, one in fold.signatures().items() if one.route == "kept")
    fold.keep([kept])
    fold.changed()
    fold.take(block(apinto(3, seconds=26 * 3_600)))
    fold.changed()
    assert list(fold.signatures()) == [kept]
    assert [kind for kind, _ in fold.dropped()] == ["signature"]
    assert not fold.dropped()


def test_silent_routes_and_families_that_are_off_make_no_signatures_but_traffic() -> None:
    rules = FoldRules(silent_routes=frozenset({"shop/health"}), off=frozenset({Group.AUTH}))
    fold = fold_of(failed(1, api="health"), refused(2, status=401), rules=rules)
    assert not fold.signatures()
    assert sum(row.kind == "route" for row in fold.changed()) == 2


# --- bad lines --------------------------------------------------------------------------------------------------------


def test_a_poisoned_line_is_counted_and_sampled_scrubbed_and_the_others_are_folded() -> None:
    lines = [json.dumps(failed(at)).encode() for at in range(2_000)]
    lines[700] = b'{"authorization":"Bearer topsecret", broken'
    lines[1_500] = b"\x00\xff garbage"
    fold = Fold(FoldRules(), preset("apinto"))
    taken = fold.take(b"\n".join(lines))
    assert (taken.lines, taken.folded, taken.poisoned, taken.failed) == (2_000, 1_998, 2, 1_998)
    assert len(taken.samples) == 2
    assert "topsecret" not in "".join(taken.samples)
    assert taken.samples[0].startswith("no JSON")


@pytest.mark.parametrize("msec", [0, -5, 10**15, 10**30])
def test_a_time_that_is_none_is_poisoned_also_on_a_route_that_is_known(msec: int) -> None:
    fold = fold_of(apinto(1), apinto(2))
    taken = fold.take(block(apinto(3), {**apinto(4), "msec": msec}))
    assert (taken.folded, taken.poisoned) == (1, 1)
    assert fold.watermark == NOON


def test_a_client_that_went_away_is_no_failure_and_no_poison() -> None:
    fold = Fold(FoldRules(), preset("apinto"))
    taken = fold.take(block(apinto(1, status=0), apinto(2, status=0)))
    assert (taken.folded, taken.failed, taken.poisoned) == (2, 0, 0)


def test_a_consumer_that_is_a_persons_address_is_shown_by_its_hash_only() -> None:
    fold = fold_of(failed(1, application="jane@example.org"), failed(2, application="jane@example.org"))
    _, figures = only(fold)
    [(name, calls)] = figures.consumers_top
    assert (name[:9], len(name), calls, figures.consumers) == ("consumer-", 17, 2, 1)
    assert b"example.org" not in b"".join(row.body for row in fold.changed())


def test_only_a_few_poisoned_lines_are_shown() -> None:
    taken = Fold(FoldRules(), preset("apinto")).take(b"x\n" * 500)
    assert (taken.poisoned, len(taken.samples)) == (500, 3)


def test_blank_lines_are_none_and_move_no_line_to_another_ones_place() -> None:
    body = b"\n\n" + block(apinto(1)) + b"\n \n" + block(failed(2, seconds=1)) + b"\r\n\n" + block(failed(3, seconds=2))
    fold = Fold(FoldRules(), preset("apinto"))
    assert fold.take(body).lines == 3
    assert {one.request_id[-1] for one in only(fold)[1].samples} == {"2", "3"}


def test_a_line_out_of_the_future_is_poisoned_and_does_not_move_the_clock() -> None:
    fold = Fold(FoldRules(), preset("apinto"))
    fold.tick(NOON)
    taken = fold.take(block(apinto(1), apinto(2, seconds=3_600), failed(3, seconds=86_400), apinto(4, seconds=240)))
    assert (taken.folded, taken.poisoned) == (2, 2)
    assert fold.watermark == NOON + timedelta(minutes=4)


def test_without_allowed_lateness_the_minute_that_just_began_is_not_the_future() -> None:
    fold = Fold(FoldRules(lateness_minutes=0), preset("apinto"))
    fold.tick(NOON + timedelta(seconds=59))
    taken = fold.take(block(apinto(1, seconds=60), apinto(2, seconds=120)))
    assert (taken.folded, taken.poisoned) == (1, 1)


def test_a_clock_that_a_line_moved_into_the_future_is_put_right_once_the_time_is_told() -> None:
    fold = fold_of(apinto(1, seconds=86_400 * 365))
    fold.tick(NOON)
    assert fold.watermark == NOON
    fold.take(block(*(failed(at) for at in range(10, 20))))
    assert judged(fold) is not None


def test_when_all_is_read_time_goes_on_without_lines() -> None:
    fold = fold_of(failed(1))
    fold.tick(NOON + timedelta(hours=3))
    assert only(fold)[1].count_1h == 1
    fold.tick(NOON + timedelta(hours=3), caught_up=True)
    assert only(fold)[1].count_1h == 0
    assert fold.watermark == NOON + timedelta(hours=2, minutes=55)


@pytest.mark.parametrize("field", ["provider", "api", "request_method", "application", "node", "response_body", "uri"])
def test_hostile_texts_are_shown_in_one_line_without_unseen_characters(field: str) -> None:
    fold = fold_of({**failed(1), field: "a\n\x1b[31m\u202eb\u0000" * 500})
    signature, _ = only(fold)
    assert signature.title.isprintable()
    assert len(signature.title) < 500
    assert all(tag.isprintable() for tag in signature.tags)


# --- repeated lines ---------------------------------------------------------------------------------------------------


def test_a_replayed_line_is_counted_once() -> None:
    lines = block(*(failed(at) for at in range(50)), *(apinto(100 + at) for at in range(50)))
    fold = Fold(FoldRules(), preset("apinto"))
    fold.take(lines)
    again = fold.take(lines)
    assert (again.repeated, again.folded, again.failed) == (100, 0, 0)
    mixed = fold.take(lines + block(failed(900), failed(900)))
    assert (mixed.repeated, mixed.folded) == (101, 1)
    assert only(fold)[1].count == 51
    assert only(fold)[1].route_1h == 101


def test_lines_without_an_id_are_never_taken_for_repeated() -> None:
    lines = [failed(0, request_id="") for _ in range(30)] + [apinto(0, request_id="") for _ in range(30)]
    fold = fold_of(*lines)
    assert fold.take(block(failed(1), failed(2, request_id=""))).repeated == 0
    assert only(fold)[1].count == 32


def test_repeated_lines_are_known_across_a_restart() -> None:
    lines = block(*(failed(at) for at in range(50)))
    fold = Fold(FoldRules(), preset("apinto"))
    fold.take(lines)
    later = Fold(FoldRules(), preset("apinto"))
    later.restore(fold.changed())
    assert later.take(lines).repeated == 50


def test_the_memory_of_ids_has_a_bound() -> None:
    fold = Fold(FoldRules(dedup_ids=100), preset("apinto"))
    first = block(*(apinto(at) for at in range(50)))
    fold.take(first)
    fold.take(block(*(apinto(1_000 + at) for at in range(200))))
    assert fold.take(first).repeated == 0


# --- documents --------------------------------------------------------------------------------------------------------


@dataclass
class Posted:
    body: bytes
    lines: int


@pytest.mark.parametrize(
    "posted",
    [
        Posted(json.dumps(failed(1)).encode(), 1),
        Posted(json.dumps(failed(1), indent=2).encode(), 1),
        Posted(json.dumps([failed(1), failed(2)], indent=1).encode(), 2),
        Posted(block(failed(1), failed(2)), 2),
        Posted(b"  [] ", 0),
        Posted(b"", 0),
    ],
)
def test_an_object_an_array_and_an_object_a_line_are_all_taken(posted: Posted) -> None:
    taken = Fold(FoldRules(), preset("apinto")).take_document(posted.body)
    assert (taken.folded, taken.poisoned) == (posted.lines, 0)


@pytest.mark.parametrize("body", [b"[1,2", b"[1, null]", b"{", b"\xff", b"[" * 9_000, b'"text"'])
def test_a_document_that_is_none_is_poisoned_and_never_raises(body: bytes) -> None:
    taken = Fold(FoldRules(), preset("apinto")).take_document(body)
    assert taken.folded == 0
    assert taken.poisoned >= 1


# --- rows -------------------------------------------------------------------------------------------------------------


def test_only_what_changed_is_given_out() -> None:
    fold = fold_of(failed(1), failed(2, api="other"))
    assert {row.kind for row in fold.changed()} == {"route", "signature", "state"}
    assert fold.changed() == ()
    fold.take(block(failed(3, seconds=1)))
    assert sorted(row.kind for row in fold.changed()) == ["route", "signature", "state"]


def test_rows_have_short_keys() -> None:
    fold = fold_of(failed(1, api="x" * 5_000, provider="y" * 5_000))
    assert all(0 < len(row.key) <= 64 for row in fold.changed())


@pytest.mark.parametrize(
    "row",
    [
        FoldRow("signature", "x", b"\x93\x01"),
        FoldRow("route", "x", b""),
        FoldRow("state", "x", b"{}"),
        FoldRow("what", "x", b""),
    ],
)
def test_a_row_that_is_none_of_ours_is_named(row: FoldRow) -> None:
    with pytest.raises(ValueError, match=f"{row.kind}/x"):
        Fold(FoldRules(), preset("apinto")).restore([row])


def test_signatures_worth_judging_are_those_with_calls_enough_records_and_single_hit_routes() -> None:
    rules = FoldRules(min_count=3, single_hit_routes=frozenset({"pay"}))
    fold = fold_of(
        *(failed(at) for at in range(3)),
        failed(10, api="rare"),
        failed(11, api="pay"),
        failed(12, api="kept"),
        rules=rules,
    )
    by_route = {one.route: name for name, one in fold.signatures().items()}
    fold.keep([by_route["kept"]])
    assert fold.touched() == {by_route["orders"], by_route["pay"], by_route["kept"]}
    fold.changed()
    assert fold.touched() == frozenset()
