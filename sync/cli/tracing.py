"""Values through a mapping as a page for people: aligned, the rule beside each, what needs a look in colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import PurePath
from shutil import get_terminal_size
from textwrap import wrap

from sync.cli.show import ago, say, styled
from sync.cli.trying import Trial
from sync.mapping.trace import Rule, Traced
from sync.mapping.trial import RouteTried, TargetTried

_NARROW, _WIDE = 80, 120
"""Columns: with fewer than the first the page is as for that many; more than the second are left empty."""

_DIM, _HEAD, _LOOK, _GOOD = "dim", "bold", "yellow", "green"


def page(trial: Trial, now: datetime) -> None:
    """A trial."""
    tried = trial.tried
    item = f", item {trial.item}" if trial.item else ", of no item"
    styled((f"{tried.connection}:{tried.record}", _HEAD), (f" ({tried.system}){item}, as read {_ago(trial, now)}", ""))
    say()
    styled(("What it means", _HEAD))
    _values(tried.values)
    if tried.not_named:
        for line in _folded(f"not read: {', '.join(tried.not_named)}"):
            styled((line, _DIM))
    say()
    styled(("What that means back here", _HEAD))
    _values(tried.back)
    say()
    styled(("Routes", _HEAD))
    if not tried.routes:
        styled(("  none: nothing is ever created", _DIM))
    for route in tried.routes:
        _route(route)
    for target in tried.targets:
        say()
        _target(target)


def _ago(trial: Trial, now: datetime) -> str:
    return ago(trial.read_at, now) or "now"


def _route(route: RouteTried) -> None:
    where = f"  {_short(route.rule)}" if route.rule is not None else ""
    if route.takes:
        does = {
            "create": f"creates one on {route.target}",
            "propose": f"proposes one on {route.target}",
            "attach": f"joins it to {route.record} on {route.target}",
        }[route.act]
        styled((f"  {route.name}", _GOOD), (f" takes it: {does}", ""), (where, _DIM))
    else:
        why = route.why if "`" in route.why or " " in route.why else f"`{route.why}` does not fit"
        styled((f"  {route.name}: ", ""), (why, ""), (where, _DIM))


def _target(target: TargetTried) -> None:
    name = f"{target.connection}:{target.record}" if target.record else target.connection
    if target.record:
        rest = ", of the same item, would show"
    elif target.created_by:
        rest = f" would get a record by the route `{target.created_by}`"
    else:
        rest = ": no record of this item; one would show"
    styled((name, _HEAD), (f" ({target.system}){rest}" if target.record or target.created_by else rest, ""))
    _values(target.values)


# --- rows ------------------------------------------------------------------------------------------------------------


def _values(values: Sequence[Traced]) -> None:
    width = min(max(get_terminal_size().columns, _NARROW), _WIDE)
    absent = list(dict.fromkeys(one.field for one in values if _is_absent(one)))
    values = [one for one in values if not _is_absent(one)]
    fields = [one.field or one.remote for one in values]
    rules = [_short(one.rule) for one in values]
    first, last = max(map(len, fields), default=0), max(map(len, rules), default=0)
    room = width - first - last - 10  # two spaces before and between, and the arrow
    given = min(max((len(one.given) for one in values), default=0), room // 2)
    result = min(max((len(_result(one)) for one in values), default=0), room - given)
    before = ""
    for one, field, rule in zip(values, fields, rules, strict=True):
        shown = _result(one)
        style = "" if one.result else _LOOK if one.given else _DIM
        styled(
            (f"  {field if field != before else '':<{first}}  ", ""),
            (f"{_cut(one.given, given):<{given}}", ""),
            (" -> ", _DIM),
            (f"{_cut(shown, result):<{result}}", style),
            (f"  {rule}", _DIM),
        )
        for line in _folded(one.why, indent=first + 4, width=width):
            styled((line, _DIM))
        before = field
    for line in _folded(f"no value on the record: {', '.join(absent)}" if absent else ""):
        styled((line, _DIM))


def _is_absent(one: Traced) -> bool:
    return not one.given and not one.result and bool(one.remote)


def _result(one: Traced) -> str:
    return one.result or "nothing"


def _short(rule: Rule | None) -> str:
    """Where a rule stands, as short as it is clear: the folder is the mappings folder."""
    return f"{PurePath(rule.file).name}:{rule.line}" if rule is not None else ""


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def _folded(text: str, indent: int = 2, width: int = _NARROW) -> Iterable[str]:
    pad = " " * indent
    return wrap(text, width, initial_indent=pad, subsequent_indent=pad) if text else ()
