"""What a person does to a signature at the command line: the ledger is its home, so there is no other screen for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import structs
from sqlalchemy import Connection

from connectors.gateway import ledger
from connectors.gateway.entries import PERSON, Edit, Entry
from connectors.gateway.lifecycle import Mute, SignatureState, State, acknowledge, mute, reopen, resolve
from connectors.gateway.records import KEY_LENGTH, key_of
from sync.model import Json

DEEDS = ("acknowledge", "resolve", "reopen", "mute")


def act(
    conn: Connection, connection_id: int, reference: str, deed: str, args: Mapping[str, Json], now: datetime
) -> str:
    """Do one of `DEEDS` to a signature, inside a step. Returns what was done, for people. Raises ValueError.

    args: `by`, who; of `resolve` `fixed_in`; of `mute` `until` (ISO text), `count` with `per`, `until_escalating`.
    """
    entry = _entry(conn, connection_id, reference)
    name, by = key_of(entry.signature.id), str(args.get("by") or "a person")
    state = _after(entry, deed, args, by, now)
    if state == entry.state:
        return f"{name} is {state.state.value} already"
    edit = Edit(
        at=now, by=PERSON, actor=by, field="status", old=entry.state.state.value, new=state.state.value, why=_why(state)
    )
    ledger.keep(conn, connection_id, [(structs.replace(entry, state=state), [edit])], now)
    return f"{name} is {state.state.value}{_form(state)}"


def _entry(conn: Connection, connection_id: int, reference: str) -> Entry:
    start = reference.removeprefix("GW-").lower()
    if len(start) < KEY_LENGTH or not all(sign in "0123456789abcdef" for sign in start):
        raise ValueError(f"{reference!r} names no signature: write GW- and its {KEY_LENGTH} digits, or its id")
    found = ledger.begins_with(conn, connection_id, start)
    if len(found) != 1:
        raise ValueError(f"{'several signatures begin' if found else 'no signature begins'} with {start}")
    return ledger.some(conn, connection_id, found)[found[0]].entry


def _after(entry: Entry, deed: str, args: Mapping[str, Json], by: str, now: datetime) -> SignatureState:
    match deed:
        case "acknowledge":
            return acknowledge(entry.state, now)
        case "resolve":
            return resolve(entry.state, now, by, str(args.get("fixed_in") or ""))
        case "reopen":
            return reopen(entry.state, now)
        case "mute":
            return mute(entry.state, now, _mute(entry, args, now))
        case _:
            raise ValueError(f"{deed!r} is none of {', '.join(DEEDS)}")


def _mute(entry: Entry, args: Mapping[str, Json], now: datetime) -> Mute:
    until = datetime.fromisoformat(str(args["until"])) if args.get("until") else None
    if until is not None and until <= now:
        raise ValueError(f"the time {until:%Y-%m-%d %H:%M} UTC is over already")
    count = int(args["count"]) if args.get("count") else None
    if count is not None and count < 1:
        raise ValueError("a number of calls is 1 or more")
    return Mute(
        until=until,
        count=count,
        per="day" if args.get("per") == "day" else "hour",
        since_count=entry.figures.count,
        until_escalating=bool(args.get("until_escalating")),
    )


def _form(state: SignatureState) -> str:
    return f" {_why(state)}" if state.state is State.MUTED else ""


def _why(state: SignatureState) -> str:
    """How long a mute lasts, or in which version it is fixed."""
    if state.mute is None:
        return f"fixed in {state.fixed_in}" if state.fixed_in else ""
    ends = [
        text
        for text, is_so in (
            (f"until {state.mute.until:%Y-%m-%d %H:%M} UTC" if state.mute.until else "", state.mute.until is not None),
            (f"until {state.mute.count} more calls within one {state.mute.per}", state.mute.count is not None),
            ("until it escalates", state.mute.until_escalating),
        )
        if is_so
    ]
    return " or ".join(ends) or "until somebody reopens it"
