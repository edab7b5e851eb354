"""The page about every reason that people are shown, as Markdown. `docs/reasons.md` is kept fresh by a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

from sync.core.reasons import CONFLICT, HOLD, PARK, Reason

_Name = TypeVar("_Name", bound=StrEnum)

_TOP = """# Reasons

What `hypercare holds`, `hypercare parked` and `hypercare conflicts` show, what each reason means and what to do. Made
from `sync/core/reasons.py` by `python -m tests.sync.core.refresh`; do not edit it here.

The last two lines of each say how it is brought about in the stand-ins (see the README of each connector's sandbox) and
which test reaches it.
"""

_PARKED = """
## Parked

One field of one record, or a create, waits for a person. Everything else goes on. `hypercare parked` lists, tries again
and skips.
"""

_HELD = """
## Held

A connection, or one field of one record, is not written to. What is planned waits and goes out afterwards.
`hypercare holds` lists and resumes.
"""

_SETTLED = """
## Conflicts

Two sides changed the same thing between two looks. A rule settled it at once; nothing waits. Both values are kept and
shown by `hypercare conflicts`.
"""


def page() -> str:
    """The whole page."""
    return "".join((_TOP, _PARKED, *_each(PARK), _HELD, *_each(HOLD), _SETTLED, *_each(CONFLICT)))


def _each(reasons: Mapping[_Name, Reason]) -> Iterator[str]:
    for name, reason in reasons.items():
        yield (
            f"\n### `{name.value}`\n\n{reason.means}\n\n**What to do.** {reason.do}\n\n"
            f"- brought about by: {reason.switch}\n- shown by: `{reason.test}`\n"
        )
