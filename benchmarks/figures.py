"""What a benchmark found: figures with their definition, aim and floor; as a table for people and JSON for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from os import cpu_count
from statistics import median
from typing import Any


class WrongResult(Exception):
    """The daemon did something wrong while it was measured: its speed is of no interest. The text says what."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure. aim: the bound it should keep, `most` unless it is a rate. runs: each run's own value.

    floor: the same work without the hub, measured in the same run; None where nothing comparable exists.
    """

    name: str
    unit: str
    value: float
    aim: float | None = None
    more_is_better: bool = False
    floor: float | None = None
    floor_is: str = ""
    runs: tuple[float, ...] = ()

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached; None without an aim."""
        if self.aim is None:
            return None
        return self.value >= self.aim if self.more_is_better else self.value <= self.aim


@dataclass(kw_only=True)
class Result:
    """One benchmark's outcome. checked: what was proven right before any speed was told. notes: what to know."""

    name: str
    definition: str
    figures: list[Figure] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def of_runs(values: Sequence[float]) -> float:
    """The median of the runs."""
    return float(median(values))


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that `share` (0 to 1) of the values do not exceed. Raises ValueError for none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values to take a percentile of")
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def shown(value: float | None) -> str:
    """A figure with three digits that matter."""
    if value is None:
        return ""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(results: Sequence[Result]) -> str:
    """All figures, one a line, with what they mean below."""
    rows = [("benchmark", "figure", "value", "unit", "aim", "", "floor", "floor is")]
    for result in results:
        for one in result.figures:
            aim = "" if one.aim is None else f"{'>=' if one.more_is_better else '<='} {shown(one.aim)}"
            verdict = {True: "ok", False: "MISSED", None: ""}[one.reached]
            rows.append(
                (result.name, one.name, shown(one.value), one.unit, aim, verdict, shown(one.floor), one.floor_is)
            )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    for result in results:
        lines += ["", f"{result.name} ({result.seconds:.0f} s): {result.definition}"]
        lines += [f"  right: {each}" for each in result.checked]
        lines += [f"  note: {each}" for each in result.notes]
    return "\n".join(lines)


def as_json(results: Sequence[Result], *, quick: bool) -> str:
    """All figures with their runs, and the kind of machine."""
    told: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {"cores": cpu_count(), "kind": platform.machine(), "python": platform.python_version()},
        "benchmarks": [
            {**asdict(result), "figures": [{**asdict(one), "reached": one.reached} for one in result.figures]}
            for result in results
        ],
    }
    return json.dumps(told, indent=2)
