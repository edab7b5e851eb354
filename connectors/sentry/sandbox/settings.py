"""The switches of the Sentry stand-in: which product it is, which era it is from, how it lags, and its habits.

Every switch has the value of today's SaaS as its default; the README's table says which checklist line it serves.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct, field


class Edition(StrEnum):
    """Which product is stood in for."""

    SAAS = "saas"
    SELF_HOSTED = "self_hosted"
    GLITCHTIP = "glitchtip"


class Annotations(StrEnum):
    """How an issue's links are shown without `expand`: both shapes are in the wild [V]."""

    OBJECTS = "objects"
    ANCHORS = "anchors"


class ArchivedAction(StrEnum):
    """The action of a call about an archived issue: `ignored` on the wire, `archived` in the documentation."""

    IGNORED = "ignored"
    ARCHIVED = "archived"
    BOTH = "both"


class AgeResolution(StrEnum):
    """How an issue that nobody saw for long is resolved: with a webhook, without one, or only in what is shown [I]."""

    TOLD = "told"
    SILENT = "silent"
    LAZY = "lazy"


class SecondLink(StrEnum):
    """What becomes of a second external issue of the same app on one issue: versions differ [V]."""

    FAILS = "fails"
    REPLACES = "replaces"


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    """What can be switched. Seconds are vendor seconds: `time_factor` divides them. Rate limits stay in real seconds.

    edition: fixed when the stand-in is made. organization: the slug. region: shown in `links` of the organisation.
    index_lag: seconds until the issue list sees an event. page_cap: most rows of a page, whatever is asked.
    issue_lists: `issue:[A,B]` is understood. group_filter: `group=` selects ids. unknown_short_ids_refused: a search
    for a short id that is not there is a 400, not an empty list. All three are undocumented.
    unscoped_gone: `/api/0/issues/{id}/` is 410, as in a brown-out before it is removed.
    substatuses: issues have one (older self-hosted do not). annotations: their shape.
    extra_issue_keys: added to every issue, as a later version may. missing_issue_keys: left out of every issue.
    activity_cut: rows that the activity log shows.
    integrations: the plan has issue links of installed integrations.

    reopen_substatus: what reopening a resolved issue infers: `regressed`, or `ongoing` in older versions.
    reads_semver: versions are semantic: resolved in the next release reads back as in the current one.
    regression_guard: seconds after its first sighting or a regression in which no issue regresses.
    ongoing_after: seconds until a new, regressed or escalating issue is ongoing.
    resolve_age: hours without an event until an issue resolves itself (0: never), for projects without their own.
    age_resolution: how that shows.
    merge_seconds, delete_seconds: how long a merge or a deletion is pending. note_repeat: seconds in which the same
    comment is refused. second_link: what a second external issue of one app does.
    bulk_falls_through: ids that match nothing fall through to the search, which updates all it finds.

    rate_limits: limits and their headers; None: as the edition has them. limits: operation -> [calls, seconds], in
    place of the built-in ones. concurrent_limit: shown. concurrent_refusals: so many next calls are refused for it.

    hook_delay: seconds before a call. hook_drops, hook_duplicates, hook_reorder: chances. hook_reorder_within:
    seconds. hook_timeout: real seconds the sender waits. hook_timeouts_allowed: timeouts in 24 hours until the app is
    unsubscribed. hook_retries, hook_retry_spacing: of a published app; an internal one has none.
    hook_breaker: newer versions drop the calls of an app that fails all the time. hook_breaker_failures: how many
    failures in a row trip it; hook_breaker_rest: seconds it stays so.
    archived_action: of archived issues. unresolved_hooks: false as of apps saved before May 2024.
    regression_hooks, age_hooks, sync_hooks, other_issue_hooks: whether the era tells of regressions (2024), of resolves
    by age (October 2024), of resolves by an integration's sync (April 2025), and of new performance and feedback issues
    (a feature). error_hooks: `error.created` for every event (a plan).
    reassign_hooks: re-assignment is told too. links_in_hooks: later actions carry `url`, `web_url`, `project_url`.
    hook_hides_email: enhanced privacy: no e-mail address in a call.
    """

    edition: Edition = Edition.SAAS
    time_factor: float = 1.0
    organization: str = "acme"
    region: str = "us"
    clock_skew: float = 0.0

    index_lag: float = 0.0
    page_cap: int = 100
    issue_lists: bool = True
    group_filter: bool = True
    unknown_short_ids_refused: bool = False
    unscoped_gone: bool = False
    substatuses: bool = True
    annotations: Annotations = Annotations.OBJECTS
    extra_issue_keys: dict[str, Any] = field(default_factory=dict)
    missing_issue_keys: list[str] = field(default_factory=list)
    activity_cut: int = 100
    integrations: bool = True

    reopen_substatus: str = "regressed"
    reads_semver: bool = False
    regression_guard: float = 5.0
    ongoing_after: float = 7 * 86_400.0
    resolve_age: int = 0
    age_resolution: AgeResolution = AgeResolution.TOLD
    merge_seconds: float = 2.0
    delete_seconds: float = 2.0
    note_repeat: float = 3600.0
    second_link: SecondLink = SecondLink.FAILS
    bulk_falls_through: bool = True

    rate_limits: bool | None = None
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)
    concurrent_limit: int = 25
    concurrent_refusals: int = 0

    hook_delay: float = 0.0
    hook_drops: float = 0.0
    hook_duplicates: float = 0.0
    hook_reorder: float = 0.0
    hook_reorder_within: float = 30.0
    hook_timeout: float = 1.0
    hook_timeouts_allowed: int = 1000
    hook_retries: int = 3
    hook_retry_spacing: float = 300.0
    hook_breaker: bool = False
    hook_breaker_failures: int = 10
    hook_breaker_rest: float = 300.0
    archived_action: ArchivedAction = ArchivedAction.IGNORED
    unresolved_hooks: bool = True
    regression_hooks: bool = True
    age_hooks: bool = True
    sync_hooks: bool = True
    other_issue_hooks: bool = False
    error_hooks: bool = False
    reassign_hooks: bool = False
    links_in_hooks: bool = False
    hook_hides_email: bool = False

    def scaled(self, seconds: float) -> float:
        """Vendor seconds as they pass here."""
        return seconds / self.time_factor

    @property
    def is_glitchtip(self) -> bool:
        """Whether GlitchTip is stood in for."""
        return self.edition is Edition.GLITCHTIP

    @property
    def limits_rates(self) -> bool:
        """Whether calls are limited: only SaaS does, unless switched; the others send no headers at all [V]."""
        return self.edition is Edition.SAAS if self.rate_limits is None else self.rate_limits


FIXED = frozenset({"edition", "organization"})
"""What can only be chosen when the stand-in is made."""


def with_switches(settings: Settings, changes: dict[str, Any]) -> Settings:
    """A copy of `settings` with some switches moved. Raises ValueError that names the wrong switch or value."""
    known = set(Settings.__struct_fields__)
    unknown = sorted(set(changes) - known)
    if unknown:
        raise ValueError(f"no such switch: {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    try:
        moved = msgspec.convert({**msgspec.to_builtins(settings), **changes}, Settings)
    except msgspec.ValidationError as error:
        raise ValueError(f"a switch has a wrong value: {error}") from error
    if moved.time_factor <= 0:
        raise ValueError("time_factor must be above 0: vendor delays are divided by it")
    if moved.reopen_substatus not in {"regressed", "ongoing"}:
        raise ValueError("reopen_substatus is regressed or ongoing")
    return moved
