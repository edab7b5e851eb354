"""What `check` finds out about a connection beside its credentials: scopes, projects, the installation, the lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.contract import Finding, Level
from connectors.errors import AuthRejected, Forbidden, RateLimited, RecordMissing, UnexpectedAnswer
from connectors.sentry.calls import Calls, Params
from connectors.sentry.settings import SentrySettings

UNKNOWN_SELF = Finding(
    level=Level.WARNING,
    what="the hub cannot tell its own changes from people's: the server shows neither its user nor its integration",
    do="use the token of an internal integration, and set `installation` where the organisation has several",
)

_NEEDED = (
    (("event:read", "event:write", "event:admin"), Level.ERROR, "issues cannot be read", "event:read"),
    (("event:write", "event:admin"), Level.ERROR, "nothing can be written", "event:write"),
    (("project:read", "project:write", "project:admin"), Level.WARNING, "projects are not seen", "project:read"),
    (
        ("project:releases", "project:read", "project:write", "project:admin"),
        Level.WARNING,
        "deploys are not seen, so a fix is never `deployed`",
        "project:releases",
    ),
)


def of_scopes(scopes: frozenset[str] | None, has_apps: bool) -> Iterator[Finding]:
    """What the token may not do; nothing where the server does not tell its scopes."""
    if scopes is None:
        return
    for any_of, level, consequence, wanted in _NEEDED:
        if not scopes & set(any_of):
            yield Finding(
                level=level,
                what=f"the token lacks the scope {wanted}: {consequence}",
                do=f"give the integration the scope {wanted} (Settings, Developer settings)",
            )
    if has_apps and "event:admin" not in scopes:
        yield Finding(
            level=Level.INFO,
            what="the token lacks event:admin: links that the hub made on issues cannot be taken away again",
            do="add the scope, or remove such links by hand",
        )


def of_projects(settings: SentrySettings, known: Mapping[str, str]) -> Iterator[Finding]:
    """The configured projects that the organisation does not have, or does not show."""
    missing = [slug for slug in settings.projects if slug not in known]
    if missing:
        shown = ", ".join(sorted(known)[:20]) or "none"
        yield Finding(
            level=Level.ERROR,
            what=f"the organisation shows no project {' and no project '.join(missing)} (it shows {shown})",
            do="correct `projects`, or give the token access",
        )


def of_installation(settings: SentrySettings, shown: Sequence[str], chosen: str) -> Iterator[Finding]:
    """Whether links can be put on issues: only an installed integration's own token may."""
    if settings.installation and settings.installation not in shown:
        yield Finding(
            level=Level.WARNING,
            what=f"the organisation shows no installation {settings.installation}",
            do="correct `installation`, or leave it out",
        )
    elif not chosen:
        what = "the organisation has several installed integrations" if shown else "no installed integration is shown"
        yield Finding(
            level=Level.WARNING,
            what=f"{what}, so links cannot be put on issues",
            do="set `installation` to the uuid of the hub's own, or let the mapping say `links: {show: note}`",
        )


def of_list(calls: Calls, params: Params) -> Iterator[Finding]:
    """Whether the issue list can be read."""
    try:
        calls.rows(f"{calls.org}/issues/", [*params, ("limit", "1")])
    except (Forbidden, RecordMissing, AuthRejected) as error:
        yield Finding(
            level=Level.ERROR,
            what=f"the issue list is refused: {error.message}",
            do="give the token the scope event:read",
        )
    except UnexpectedAnswer as error:
        yield Finding(
            level=Level.ERROR,
            what=f"the issue list is not understood: {error.message}",
            do="is this GlitchTip? Then set flavour: glitchtip",
        )
    except RateLimited:
        yield Finding(level=Level.INFO, what="the issue list's budget is used up just now, so it was not tried")


def of_writing(has_fields: bool, has_apps: bool) -> Finding:
    """What the hub can and cannot write."""
    can = [
        "status",
        *(["assignee", "priority"] if has_fields else []),
        "comments",
        *(["one link an issue"] if has_apps else []),
    ]
    return Finding(
        level=Level.INFO,
        what=f"written are {', '.join(can[:-1])} and {can[-1]}; tags belong to events and issues come of them, so no "
        "tag is written and no issue created",
    )


def of_glitchtip() -> Iterator[Finding]:
    """What GlitchTip cannot do."""
    yield Finding(
        level=Level.INFO,
        what="GlitchTip keeps no change history and tells no changes: who resolved an issue is not known, and changes "
        "are found by polling alone",
    )
