"""Whether the release that an issue is resolved in is out: the difference between "done" and "fixed for the customer".

Out means: a finished deploy of it, or of a later release of the project, in the chosen environment; where no deploy is
recorded at all, a release date. Of an issue that is resolved in whatever comes after a release, only the later ones
count. Being out is for ever; not being out is asked again after a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.contract import Clock
from connectors.errors import Forbidden, RecordMissing, UnexpectedAnswer
from connectors.sentry.activity import moment
from connectors.sentry.calls import Calls
from connectors.sentry.memory import Memory
from connectors.sentry.records import id_of, path_part, release_of
from connectors.sentry.settings import SentrySettings
from sync.model import Json

_AFTER = ">"
"""Before a version: in whatever comes after it. No version begins so."""

LATER = 20
"""Releases of a project, the newest ones, among which a later one is looked for."""

DEPLOYS_READ = 5
"""Releases whose deploys are read one by one, at most, for one answer."""

AT_ONCE = 5
"""Releases that the end of a round looks at."""


class Releases:
    """The releases of one organisation, as far as issues are resolved in them."""

    def __init__(self, settings: SentrySettings, calls: Calls, memory: Memory, clock: Clock) -> None:
        self._settings = settings
        self._calls = calls
        self._memory = memory
        self._clock = clock

    def known_out(self, issue: Mapping[str, Json]) -> bool:
        """Whether an issue's release is known to be out, without a call."""
        name = self._name(issue)
        return bool(name) and self._memory.get("out", name) is True

    def is_out(self, issue: Mapping[str, Json]) -> bool:
        """Whether an issue's release is out; False where it is resolved in none. Waits for it, if not."""
        name = self._name(issue)
        if not name:
            return False
        out = self._is_out(name)
        self._memory.put("awaiting", id_of(issue), "" if out else name)
        return out

    def newly_out(self) -> list[str]:
        """The issues whose release came out since they were read; some releases at a time, in turn."""
        found: list[str] = []
        waiting: dict[str, list[str]] = {}
        for number in self._memory.keys("awaiting"):
            name = self._memory.get("awaiting", number)
            if name:
                waiting.setdefault(name, []).append(number)
        for name in sorted(waiting, key=lambda one: self._memory.get("asked", one) or 0.0)[:AT_ONCE]:
            if self._is_out(name):
                found += waiting[name]
                for number in waiting[name]:
                    self._memory.put("awaiting", number, "")
        return found

    def _is_out(self, name: str) -> bool:
        if self._memory.get("out", name) is True:
            return True
        asked = self._memory.get("asked", name)
        if asked is not None and self._clock.monotonic() - asked < self._settings.deploy_check_seconds:
            return False
        project, _, version = name.partition(" ")
        try:
            out = self._look(project, version.removeprefix(_AFTER), only_later=version.startswith(_AFTER))
        except (Forbidden, RecordMissing, UnexpectedAnswer):
            out = False  # an issue without this knowledge is still an issue
        self._memory.put("asked", name, self._clock.monotonic())
        if out:
            self._memory.put("out", name, True)
        return out

    def _look(self, project: str, version: str, *, only_later: bool) -> bool:
        org = self._calls.org
        own = self._calls.get(f"{org}/releases/{path_part(version)}/")
        made = moment(own.get("dateCreated"))
        rows = self._calls.rows(f"{org}/releases/", [("project", project), ("per_page", str(LATER))]).rows
        later = [row for row in rows if row.get("version") != version and moment(row.get("dateCreated")) >= made]
        bringing = later if only_later else [own, *later]
        deployed = [row for row in bringing if row.get("deployCount") or row.get("lastDeploy")]
        if not deployed:
            return any(row.get("dateReleased") for row in (bringing if only_later else [own]))
        if any(_is_finished(row.get("lastDeploy"), self._settings.deploy_environment) for row in deployed):
            return True
        return any(self._deploys(str(row.get("version"))) for row in deployed[:DEPLOYS_READ])

    def _name(self, issue: Mapping[str, Json]) -> str:
        """A project's id and a version, one text; "" where an issue is resolved in no release."""
        version, project = release_of(issue), issue.get("project")
        number = str(project.get("id") or "") if isinstance(project, dict) else ""
        after = _AFTER if self._memory.get("beyond", id_of(issue)) is True else ""
        return f"{number} {after}{version}" if version and number else ""

    def _deploys(self, version: str) -> bool:
        rows: Sequence[Mapping[str, Json]] = self._calls.rows(
            f"{self._calls.org}/releases/{path_part(version)}/deploys/"
        ).rows
        return any(_is_finished(row, self._settings.deploy_environment) for row in rows)


def _is_finished(deploy: Json, environment: str) -> bool:
    if not isinstance(deploy, dict) or not deploy.get("dateFinished"):
        return False
    return not environment or str(deploy.get("environment") or "").casefold() == environment.casefold()
