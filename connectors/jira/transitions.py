"""PURE: the workflow steps an issue offers now, from Jira's answer to the model's `Move`."""

from __future__ import annotations

from collections.abc import Sequence

from sync.model import Json, Move


def moves(transitions: Sequence[Json]) -> tuple[Move, ...]:
    """The steps of a `transitions` list, ordered by id. Steps without a target, or marked unavailable, are left out.

    `to` is the *name* of the target status, which is what a mapping speaks of; the step itself is named by its id,
    since names of transitions repeat. Required are the fields of the step's screen without a default. [Atlassian REST
    v2/v3, "Get transitions": `required`, `hasDefaultValue`]
    """
    found: dict[str, Move] = {}
    for raw in transitions:
        if not isinstance(raw, dict) or raw.get("isAvailable") is False:
            continue
        target = raw.get("to")
        name = target.get("name") if isinstance(target, dict) else None
        if raw.get("id") is None or not name:
            continue
        step = str(raw["id"])  # a number in some recordings, a text in others
        category = target.get("statusCategory") if isinstance(target, dict) else None
        found[step] = Move(
            id=step,
            name=str(raw.get("name") or ""),
            to=str(name),
            required=_required(raw.get("fields")),
            category=str(category.get("key") or "") if isinstance(category, dict) else "",
        )
    return tuple(found[step] for step in sorted(found, key=lambda text: (len(text), text)))


def fields_unknown(transitions: Sequence[Json]) -> bool:
    """Whether a step may have a screen whose fields this answer does not show (it was not expanded)."""
    return any(
        isinstance(raw, dict) and raw.get("hasScreen") is not False and not isinstance(raw.get("fields"), dict)
        for raw in transitions
    )


def pick(moves: Sequence[Move], *, step: str, to: str) -> Move | None:
    """The move to the status named `to`: the one with id `step` if it is offered and still leads there.

    Names of statuses are compared as people do, whatever their capital letters. With several ways to one status, one
    that demands no fields is taken before one that does.
    """
    ways = [move for move in moves if move.to.casefold() == to.casefold()]
    for move in ways:
        if move.id == step:
            return move
    return min(ways, key=lambda move: (len(move.required), len(move.id), move.id)) if ways else None


def _required(fields: Json) -> tuple[str, ...]:
    if not isinstance(fields, dict):
        return ()
    return tuple(
        sorted(
            name
            for name, meta in fields.items()
            if isinstance(meta, dict) and meta.get("required") is True and meta.get("hasDefaultValue") is not True
        )
    )
