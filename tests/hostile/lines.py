"""Lines of access logs, of every preset, among them spoilt ones; and bodies that are pushed to the receiver.

One case is one block (or one body) from a seed. Whatever stands in it: nothing is raised, each line is folded,
counted as poisoned or known as repeated, the good ones are folded, what is kept can be stored, read back and shown, and
no secret of a good line is in any of it.
"""

from __future__ import annotations

import json
import random
import time
import unicodedata
from collections.abc import Mapping as Facts
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.contract import WebhookRequest
from connectors.errors import WebhookRejected
from connectors.gateway import records
from connectors.gateway.entries import Entry, Row
from connectors.gateway.fold import Fold
from connectors.gateway.intake import GatewayIntake
from connectors.gateway.lifecycle import SignatureState, State, judge
from connectors.gateway.presets import PRESETS, preset
from connectors.gateway.rules import FoldRules
from connectors.gateway.settings import GatewaySettings
from connectors.gateway.spool import SpoolReader
from sync.mapping.compiled import Mapping
from tests.connectors.gateway.test_presets import AWS, COMBINED, ENVOY, KONG, NGINX, TRAEFIK
from tests.connectors.gateway.written import NOON, failed
from tests.hostile.answers import mapping_of, usable_snapshot
from tests.hostile.corpus import RAW, spoil_tree

SECRET = "kX9-correct-horse-battery"
TOKEN = "a-long-random-token-of-ours"
SLOW = 2.0
"""Seconds of the processor that one case may take."""

RULES = FoldRules()
SETTINGS = GatewaySettings.model_validate(
    {"console_url": "http://127.0.0.1:8288", "receiver_token": TOKEN, "receiver_sources": ["10.0.0.0/8"]}
)

_PLAIN: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "apinto": (failed(), ("request_id",)),
    "apipark": (failed(), ("request_id",)),
    "kong": (KONG, ("request", "id")),
    "nginx": (NGINX, ("request_id",)),
    "envoy": (ENVOY, ("request_id",)),
    "traefik": (TRAEFIK, ("request_X-Request-Id",)),
    "aws": (AWS, ("requestId",)),
}
"""A failed call by preset, and where its request id is."""


@dataclass
class LineTally:
    """What a run saw."""

    cases: int = 0
    lines: int = 0
    spoilt: int = 0
    folded: int = 0
    poisoned: int = 0
    refused: int = 0
    signatures: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)


def line_of(which: str, number: int) -> bytes:
    """A good line of a failed call, with a secret in what it carried where the preset shows that."""
    if which == "nginx_combined":
        return COMBINED
    plain, place = _PLAIN[which]
    line: dict[str, Any] = json.loads(json.dumps(plain))
    node = line
    for name in place[:-1]:
        node = node[name]
    node[place[-1]] = f"id-{number}"
    if which in ("apinto", "apipark"):
        line["response_body"] = json.dumps({"error": {"code": "E1"}, "password": SECRET})
    return json.dumps(line).encode()


def _spoilt(rng: random.Random, which: str) -> bytes:
    """A bad line; it may be several, and holds no secret of ours."""
    good = line_of(which, rng.randrange(10**6, 10**9)).replace(SECRET.encode(), b"none")
    if which != "nginx_combined" and rng.random() < 0.6:
        tree, _ = spoil_tree(rng, json.loads(good))
        good = json.dumps(tree).encode()
        if rng.random() < 0.7:
            return good
    return RAW[rng.choice(tuple(RAW))](rng, good)


def play(seed: int, tally: LineTally, mapping: Mapping, folder: Path) -> None:
    """One case. folder: for the spool of pushed bodies."""
    rng = random.Random(seed)
    which = rng.choice(PRESETS)
    tally.cases += 1
    began = time.process_time()
    where = f"lines, seed {seed}, {which}"
    try:
        for wrong in _case(rng, which, tally, mapping, folder / str(seed)):
            tally.wrong.append(f"{where}: {wrong}")
    except Exception as error:  # noqa: BLE001  whatever it is, it must not have left
        tally.wrong.append(f"{where}: {type(error).__name__}: {str(error)[:200]}")
    took = time.process_time() - began
    tally.slowest = max(tally.slowest, took)
    if took > SLOW:
        tally.wrong.append(f"{where}: took {took:.2f} s")


def _case(rng: random.Random, which: str, tally: LineTally, mapping: Mapping, folder: Path) -> list[str]:
    fold = Fold(RULES, preset(which))
    fold.tick(NOON + timedelta(minutes=1))
    wrong: list[str] = []
    for _ in range(rng.choice((1, 1, 2, 4))):
        rows = [line_of(which, rng.getrandbits(60)) for _ in range(rng.choice((1, 3, 30)))]
        good = len(rows)
        for _ in range(rng.choice((1, 1, 2, 10))):
            rows.insert(rng.randrange(len(rows) + 1), _spoilt(rng, which))
            tally.spoilt += 1
        block = b"\n".join(rows)
        pushed = _pushed(block, folder) if rng.random() < 0.2 else block
        if pushed is None:
            tally.refused += 1
            continue
        wrong += _taken(fold, pushed, good, tally)
    return [*wrong, *_kept(fold, which, mapping, tally)]


def _pushed(body: bytes, folder: Path) -> bytes | None:
    """A body's way through the receiver and the spool: the lines that come out; None where it was refused."""
    intake = GatewayIntake(SETTINGS, folder)
    try:
        intake.keep(body)
    except WebhookRejected as error:
        if error.status != 400 or not error.message.isprintable():
            raise
        return None
    finally:
        intake.close()
    found, reader = b"", SpoolReader("received", folder)
    while (piece := reader.read(2**20)) is not None:
        found += piece.data
    return found


def _taken(fold: Fold, block: bytes, good: int, tally: LineTally) -> list[str]:
    """What is wrong with how a block was taken."""
    expected = sum(bool(row.strip()) for row in block.split(b"\n"))
    taken = fold.take(block)
    tally.lines += taken.lines
    tally.folded += taken.folded
    tally.poisoned += taken.poisoned
    wrong = []
    # Two objects in one line may count as two lines, and are no call.
    if not expected <= taken.lines == taken.folded + taken.poisoned + taken.repeated or taken.folded > expected:
        wrong.append(f"{expected} lines, and counted were {taken}")
    if taken.folded < good:
        wrong.append(f"{good} good lines, and folded were {taken.folded}")
    if bool(taken.poisoned) != bool(taken.samples):
        wrong.append(f"{taken.poisoned} poisoned lines with {len(taken.samples)} samples")
    wrong += [f"a sample nobody can read: {one!r}" for one in taken.samples if len(one) > 400 or _hidden(one)]
    if any(SECRET in one for one in taken.samples):
        wrong.append("a sample shows a secret")
    return wrong


def _hidden(text: str) -> bool:
    """Whether a text holds what nobody sees and a terminal obeys."""
    seen = (one for one in text if not "\u0600" <= one <= "\u08ff")  # what is unseen there by category is not by looks
    return any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in seen)


def _kept(fold: Fold, which: str, mapping: Mapping, tally: LineTally) -> list[str]:
    """What is wrong with what the fold keeps and shows."""
    rows = fold.changed()
    again = Fold(RULES, preset(which))
    again.restore(rows)
    wrong = []
    if any(SECRET.encode() in row.body for row in rows):
        wrong.append("a secret is stored")
    for id_, signature in fold.signatures().items():
        tally.signatures += 1
        figures = fold.figures(id_)
        judge(None, signature, figures, RULES, NOON + timedelta(minutes=2))
        state = SignatureState(state=State.OPEN, since=NOON)
        entry = Entry(signature=signature, figures=figures, state=state, published_at=NOON)
        row = Row(id=id_, version=1, entry=entry, opened_at=NOON, updated_at=NOON)
        usable_snapshot(records.snapshot(SETTINGS, row), mapping)
        if SECRET in repr(entry):
            wrong.append("a secret is shown")
        if again.figures(id_) != figures:
            wrong.append(f"restored, {id_} has other figures")
    if len(rows) > 2_000:
        wrong.append(f"{len(rows)} rows of one block")
    return wrong


def run(seeds: range, tally: LineTally, folder: Path) -> LineTally:
    """One case for each seed."""
    mapping = mapping_of("gateway")
    for seed in seeds:
        play(seed, tally, mapping, folder)
    return tally


# --- who may push -----------------------------------------------------------------------------------------------------

SENDERS = ("10.0.0.7", "::ffff:10.0.0.7")
_STRANGERS = ("192.0.2.1", "::1", "", "10.0.0.7, 192.0.2.1", "10.0.0", "٣.0.0.1", "10.0.0.7/8", "\x00", "a" * 9000)
_TOKENS = ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), TOKEN[::-1], "Bearer", "é" * 20, "\udcff", "A" * 30_000, "null")


def headers_of(token: str) -> Facts[str, str]:
    return {SETTINGS.receiver_header.lower(): token}


def believed(intake: GatewayIntake, token: str, sender: str) -> bool:
    """Whether a pushed call is. Raises nothing but the refusals that the receiver answers."""
    try:
        intake.admit(WebhookRequest(headers=headers_of(token), body=b"", query={}), sender)
    except WebhookRejected as error:
        if error.status not in (401, 403):
            raise
        return False
    return True


def forged(rng: random.Random) -> tuple[str, str]:
    """A token and a sender of which one at least is wrong."""
    token, sender = f"Bearer {TOKEN}", rng.choice(SENDERS)
    if rng.random() < 0.6:
        token = rng.choice(("", "Bearer ", "Basic ")) + rng.choice((*_TOKENS, f"{rng.getrandbits(128):032x}"))
    else:
        sender = rng.choice(_STRANGERS)
    return token, sender
