"""Ten thousand random mappings, and as many pairs: what is accepted is exactly what an oracle finds lawful.

The oracle is written from the text of the group rules alone, as a table of what a record would be made to show, and
tries every value under every status; it shares no code with `sync.core.lens`, `laws` and `pairs`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from sync.core.laws import Law, violations
from sync.core.pairs import losses, ping_pong
from sync.core.state import StatusRules
from sync.mapping import schema
from sync.mapping.between import party
from sync.mapping.compiled import Mapping as CompiledMapping
from sync.mapping.findings import Problems
from sync.mapping.load import MappingErrors, load
from sync.mapping.statuses import status_rules
from sync.mapping.yaml import Document
from sync.model import Direction, Status
from tests.sync.mapping.records import mapping as mapping_of

OPEN, DONE = ("new", "in_progress", "waiting"), ("resolved", "closed")
NEAR = {
    "new": ("new", "in_progress", "waiting"),
    "in_progress": ("in_progress", "new", "waiting"),
    "waiting": ("waiting", "in_progress", "new"),
    "resolved": ("resolved", "closed"),
    "closed": ("closed", "resolved"),
}
RAWS: tuple[str, ...] = ("a", "b", "c", "d", "e")
Entry = Mapping[str, Any]


def random_entry(rng: random.Random, *, tame: bool) -> dict[str, Any]:
    """The status of a mapping file. tame: mostly sensible, so that lawful ones are common."""
    raws = list(RAWS[: rng.randint(2, 5)])
    values = {raw: rng.choice((*OPEN, *DONE)) for raw in raws}
    values[raws[0]], values[raws[-1]] = rng.choice(OPEN), rng.choice(DONE)
    frozen = [raw for raw in raws if rng.random() < 0.1]

    def fitting(meaning: str) -> list[str]:
        same = [raw for raw in raws if (values[raw] in OPEN) == (meaning in OPEN)]
        return same if tame and rng.random() < 0.97 else raws

    write = {meaning: rng.choice(fitting(meaning)) for meaning in (*OPEN, *DONE) if rng.random() < 0.7}
    accept = {meaning: [rng.choice(fitting(meaning))] for meaning in (*OPEN, *DONE) if rng.random() < 0.15}
    keep = [raw for raw in raws if values[raw] in OPEN and rng.random() < 0.15]
    archived = ["z"] if rng.random() < 0.15 else []
    if archived and rng.random() < 0.1:
        write[rng.choice(OPEN)] = "z"
    return {
        "field": "status",
        "values": values,
        "write": write,
        "accept": accept,
        "keep": keep,
        "frozen": frozen,
        "archived": archived,
        "collapses": rng.random() < 0.3,
    }


# --- the oracle ------------------------------------------------------------------------------------------------------


def made(entry: Entry, wanted: str, shown: str) -> str:
    """What a record showing a value is made to show: group-rules, "Defaults of put"."""
    if shown in entry["frozen"] or shown in entry["archived"]:
        return shown
    reads = entry["values"].get(shown)
    if reads == wanted or (reads in DONE and wanted in DONE):
        return shown
    for meaning in NEAR[wanted]:
        if meaning != wanted and meaning not in entry["write"]:
            continue  # only what can be written stands in for another
        if reads == meaning or (wanted in OPEN and shown in entry["keep"]) or shown in entry["accept"].get(meaning, ()):
            return shown
        if meaning in entry["write"]:
            return str(entry["write"][meaning])
    return shown


def lawful(entry: Entry) -> bool:
    """L1 and G1, L4 and G2, G3, and nothing written that cannot be undone; both sides can be written."""
    values, out = entry["values"], {*entry["frozen"], *entry["archived"]}
    if not entry["write"] or any(raw in out for raw in entry["write"].values()):
        return False
    if not any(meaning in OPEN for meaning in entry["write"]) or not any(meaning in DONE for meaning in entry["write"]):
        return False
    for shown in (*values, *entry["archived"]):
        for wanted in (*OPEN, *DONE):
            then = made(entry, wanted, shown)
            if values.get(shown) == wanted and then != shown:
                return False
            if made(entry, wanted, then) != then:
                return False
            if {shown, then} & out:
                continue
            if (values.get(then) in OPEN) != (wanted in OPEN) or then not in values:
                return False
    return True


def loses(speaker: Entry, listener: Entry) -> bool:
    """Some meaning of the speaker's values, written on a record of the listener, reads as another."""
    if listener["collapses"]:
        return False
    for meaning in speaker["values"].values():
        raw = next((listener["write"][near] for near in NEAR[meaning] if near in listener["write"]), None)
        if raw is not None and listener["values"].get(raw) != meaning:
            return True
    return False


def circles(one: Entry, other: Entry) -> bool:
    """Following each other's readings, some pair of values is left and met again."""
    for mine in one["values"]:
        for theirs in other["values"]:
            seen = []
            at = (mine, theirs)
            while at not in seen:
                seen.append(at)
                a, b = at
                b = made(other, one["values"][a], b) if a in one["values"] else b
                a = made(one, other["values"][b], a) if b in other["values"] else a
                at = (a, b)
            if at != seen[-1]:
                return True
    return False


def idle(entry: Entry) -> bool:
    """Some entry of `accept` lets a value rest that rests anyway; that is refused too, and no matter of the laws."""
    return any(
        entry["values"].get(raw) == meaning or (raw in entry["keep"] and meaning in OPEN)
        for meaning, raws in entry["accept"].items()
        for raw in raws
    )


# --- what the product says -------------------------------------------------------------------------------------------


def accepted(entry: Entry) -> bool:
    problems = Problems(Document(file="m.yaml", data={}, values={}, keys={}))
    status_rules(schema.StatusField.model_validate(entry), problems)
    return not problems.found


def rules(entry: Entry) -> StatusRules:
    problems = Problems(Document(file="m.yaml", data={}, values={}, keys={}))
    return status_rules(schema.StatusField.model_validate(entry), problems)


@cache
def _like() -> CompiledMapping:
    return mapping_of("title: {field: subject}\n")


def as_party(entry: Entry) -> Any:
    own = replace(
        _like(),
        status_field="status",
        status_direction=Direction.BOTH,
        status=rules(entry),
        collapses=entry["collapses"],
    )
    return party(own)


def test_what_is_accepted_of_ten_thousand_is_what_the_oracle_finds_lawful() -> None:
    rng = random.Random(20260301)
    kept = 0
    for n in range(10_000):
        entry = random_entry(rng, tame=n % 4 != 0)
        answer = accepted(entry)
        assert answer == lawful(entry), entry
        kept += answer
    assert 1_500 < kept < 8_500  # both answers are common


def test_a_violation_s_counterexample_is_one() -> None:
    rng = random.Random(7)
    for _ in range(1_000):
        entry = random_entry(rng, tame=False)
        for found in violations(rules(entry)):
            if found.law is not Law.FINAL:
                assert found.law is Law.G3
                assert made(entry, found.status, found.raw) == found.written
                assert found.reads is None or found.reads.side is not Status(found.status).side


def test_what_is_accepted_of_ten_thousand_pairs_is_what_the_oracle_finds_lawful() -> None:
    rng = random.Random(20260302)
    answers = []
    pool: list[tuple[Entry, Any]] = []
    while len(pool) < 400:
        entry = random_entry(rng, tame=True)
        if len(pool) % 4 == 0:  # circles need mappings that write each meaning as another one
            turned = dict(zip(OPEN, rng.sample("abc", 3), strict=True))
            meant = {"a": "new", "b": "in_progress", "c": "waiting", "d": "resolved"}
            entry = {
                **entry,
                "values": meant,
                "write": {**turned, "resolved": "d"},
                "frozen": [],
                "keep": [],
                "accept": {},
            }
        if lawful(entry):
            pool.append((entry, as_party(entry)))
    for _ in range(10_000):
        (one, first), (other, second) = rng.choice(pool), rng.choice(pool)
        assert bool(losses(first, second)) == loses(one, other), (one, other)
        assert (ping_pong(first, second) is not None) == circles(one, other), (one, other)
        answers.append((loses(one, other), circles(one, other)))
    assert len(set(answers)) >= 3


def test_whole_files_are_judged_like_their_statuses() -> None:
    rng = random.Random(11)
    for _ in range(300):
        one, other = random_entry(rng, tame=True), random_entry(rng, tame=True)
        texts = {
            f"{system}.yaml": json.dumps({"system": system, "kind": "x", "fields": {"status": entry}}, default=str)
            for system, entry in (("jira", one), ("zendesk", other))
        }
        try:
            load({name: text.replace("true", "'true'").replace("false", "'false'") for name, text in texts.items()})
            answer = True
        except MappingErrors:
            answer = False
        wanted = lawful(one) and lawful(other) and not idle(one) and not idle(other)
        wanted = wanted and not loses(one, other) and not loses(other, one) and not circles(one, other)
        assert answer == wanted, texts
