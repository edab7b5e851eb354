"""Sentry's issues as the hub's values, and the hub's changes as Sentry's bodies. Pure.

Raw fields have the names the mapping uses: `status` (with its substatus or its resolution, see `raw_status`), `state`
(Sentry's own `unresolved`, `resolved`, `ignored`), `tags`, `title`, `description`, `culprit`, `priority`, `level`,
`type`, `category`, `assignee` and `reporter` ({id, name, email}), `project`, `platform`, `release`, `count`,
`user_count`, `request_ids` and `trace_ids` (of its events). A field without a value is absent.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import unescape
from urllib.parse import parse_qs, quote, unquote, urlsplit

from connectors.errors import UnexpectedAnswer, WriteRejected
from connectors.http import excerpt
from connectors.sentry.activity import done_by_itself, moment, version_of
from connectors.sentry.settings import SentrySettings
from sync.model import Changes, FieldEdit, Json, LinkShown, LinkVia, LinkView, Origin, RecordRef, Snapshot

KIND = "issue"

RESOLVED = ("resolved", "resolved_in_release", "resolved_in_next_release", "resolved_in_commit", "resolved_deployed")
OPEN = ("new", "ongoing", "escalating", "regressed")
ARCHIVED = ("archived_until_escalating", "archived_until_condition_met", "archived_forever")
STATUSES = (*OPEN, *RESOLVED, *ARCHIVED)
PRIORITIES = ("high", "medium", "low")

_LONGEST_TAG = 60
_PENDING = frozenset({"pending_deletion", "deletion_in_progress", "pending_merge"})
_SHORT_ID = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]*)-([0-9A-Za-z]{1,13})")


# --- reading ----------------------------------------------------------------------------------------------------------


def is_pending(issue: Mapping[str, Json]) -> bool:
    """Whether an issue is on its way out: being merged or deleted. It is no record any more, and no fact yet."""
    status = issue.get("status")
    return isinstance(status, str) and status in _PENDING


def id_of(issue: Mapping[str, Json]) -> str:
    """An issue's immutable id. Raises UnexpectedAnswer."""
    text = str(issue.get("id") if issue.get("id") is not None else "")
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise UnexpectedAnswer(f"an issue came with the id {excerpt(text, 30)!r}, which is no number")
    return text


def raw_status(issue: Mapping[str, Json], *, deployed: bool, beyond: bool = False) -> str:
    """Status, substatus and resolution as the one value that the mapping names. Raises UnexpectedAnswer.

    Without a substatus (GlitchTip, older versions) an open issue reads `ongoing`, an archived one `archived_forever`.
    deployed: the release that it is resolved in is known to be out. beyond: it is resolved in a release after the one
    that it names.
    """
    status, substatus = issue.get("status"), issue.get("substatus")
    if not isinstance(status, str) or not status:
        raise UnexpectedAnswer(f"issue {excerpt(str(issue.get('id')), 30)} came without a status")
    if status == "resolved":
        details = _object(issue.get("statusDetails"))
        if deployed:
            return "resolved_deployed"
        if details.get("inNextRelease") or details.get("inUpcomingRelease"):
            return "resolved_in_next_release"
        if details.get("inRelease"):
            return "resolved_in_next_release" if beyond else "resolved_in_release"
        return "resolved_in_commit" if details.get("inCommit") else "resolved"
    if status in {"ignored", "muted"}:
        return str(substatus) if substatus else "archived_forever"
    if status in {"unresolved", "reprocessing"}:
        return str(substatus) if substatus and not str(substatus).startswith("archived") else "ongoing"
    return status


def release_of(issue: Mapping[str, Json]) -> str:
    """The release in which an issue is resolved, or "" where none is named."""
    details = _object(issue.get("statusDetails"))
    release = details.get("inRelease")
    return release if issue.get("status") == "resolved" and isinstance(release, str) else ""


def ref_of(issue: Mapping[str, Json], settings: SentrySettings) -> RecordRef:
    """An issue's identity. Its id never changes; people say `SHOP-1A`."""
    number = id_of(issue)
    link = issue.get("permalink")
    # A remote chooses the address: only one that a browser opens as a page is handed on.
    url = link if isinstance(link, str) and link.startswith(("https://", "http://")) else ""
    if not url:
        url = f"{settings.base_url}/organizations/{settings.organization}/issues/{number}/"
    return RecordRef(kind=KIND, id=number, key=str(issue.get("shortId") or ""), url=url)


def snapshot(
    issue: Mapping[str, Json],
    settings: SentrySettings,
    *,
    origin: Origin,
    activity: Sequence[Mapping[str, Json]] | None = None,
    tags: Sequence[str] = (),
    deployed: bool = False,
    beyond: bool = False,
    links: tuple[LinkShown, ...] | None = None,
    asked: str = "",
    overwrote: tuple[FieldEdit, ...] = (),
    ids: Mapping[str, list[str]] = {},
) -> Snapshot:
    """An issue as a snapshot. Raises UnexpectedAnswer when it has no id, no status or no times.

    activity: its log, oldest first; None where this way of reading does not show it. Then the version is empty: older
    than every other, so that a list's copy never stands in for a direct read. ids: `request_ids` and `trace_ids`.
    """
    status = raw_status(issue, deployed=deployed, beyond=beyond)
    state = "unresolved" if status in OPEN else str(issue.get("status"))
    fields: dict[str, Json] = {"status": status, "state": state, "tags": list(tags)}
    metadata = _object(issue.get("metadata"))
    texts = {
        "title": issue.get("title"),
        "description": _description(issue, metadata),
        "culprit": issue.get("culprit"),
        "priority": issue.get("priority"),
        "level": issue.get("level"),
        "type": issue.get("issueType") or issue.get("type"),
        "category": issue.get("issueCategory"),
        "platform": issue.get("platform"),
        "project": _object(issue.get("project")).get("slug"),
        "release": release_of(issue),
    }
    fields.update({name: str(text) for name, text in texts.items() if text not in (None, "")})
    for name, count in (("count", issue.get("count")), ("user_count", issue.get("userCount"))):
        if count is not None and str(count).isdigit():
            fields[name] = int(str(count))
    assignee = _object(issue.get("assignedTo"))
    if assignee.get("id") is not None:
        fields["assignee"] = _person(assignee)
    if metadata.get("contact_email") or (metadata.get("name") and issue.get("issueCategory") == "feedback"):
        email, name = str(metadata.get("contact_email") or ""), str(metadata.get("name") or "")
        fields["reporter"] = {"id": "", "name": name, "email": email}
    first, last = moment(issue.get("firstSeen")), moment(issue.get("lastSeen"))
    fields.update(ids)
    ref = ref_of(issue, settings)
    return Snapshot(
        ref=ref,
        version=version_of(activity, last) if activity is not None else "",
        created_at=first,
        updated_at=last,
        fields=fields,
        origin=origin,
        aliases=(asked,) if asked and asked not in (ref.id, ref.key) else (),
        links=links,
        overwrote=overwrote,
        automatic=_is_automatic(issue, activity),
    )


def _is_automatic(issue: Mapping[str, Json], activity: Sequence[Mapping[str, Json]] | None) -> bool:
    """Whether Sentry itself set the status that is shown: it says so, or the log does. Without a log nobody knows."""
    if issue.get("status") != "resolved":
        return False
    return bool(_object(issue.get("statusDetails")).get("autoResolved")) or bool(activity and done_by_itself(activity))


def _description(issue: Mapping[str, Json], metadata: Mapping[str, Json]) -> str:
    """What is known of an issue's text: a person's words, or the exception and where it comes from."""
    if issue.get("issueCategory") == "feedback":
        return str(metadata.get("message") or metadata.get("value") or "")
    kind, value = str(metadata.get("type") or ""), str(metadata.get("value") or metadata.get("message") or "")
    first = f"{kind}: {value}" if kind and value else kind or value
    return "\n".join(part for part in (first, str(issue.get("culprit") or "")) if part)


def _person(value: Mapping[str, Json]) -> dict[str, str]:
    number = str(value["id"])
    return {
        "id": f"team:{number}" if value.get("type") == "team" else number,
        "name": str(value.get("name") or ""),
        "email": str(value.get("email") or ""),
    }


def tag_texts(rows: Sequence[Mapping[str, Json]], keys: Sequence[str], most: int) -> list[str]:
    """Event tags as tags: KEY-VALUE, the most frequent values of the chosen keys. rows: of `…/tags/`."""
    by_key = {str(row.get("key") or ""): row for row in rows}
    found: list[str] = []
    for key in keys:
        values = _object(by_key.get(key)).get("topValues")
        shown = [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []
        ranked = sorted(shown, key=lambda one: (-_number(one.get("count")), str(one.get("value"))))
        for one in ranked[:most]:
            text = "_".join(f"{key}-{one.get('value')}".split())
            if one.get("value") not in (None, "") and len(text) <= _LONGEST_TAG:
                found.append(text)
    return list(dict.fromkeys(found))


def external_links(rows: Sequence[Mapping[str, Json]]) -> tuple[LinkShown, ...]:
    """Links that apps put on an issue, ours among them. rows: of `…/external-issues/`."""
    return tuple(
        LinkShown(target=str(row["webUrl"]), via=LinkVia.APP, handle=str(row.get("id") or ""))
        for row in rows
        if row.get("webUrl")
    )


def integration_links(rows: Sequence[Mapping[str, Json]]) -> tuple[LinkShown, ...]:
    """Links of installed integrations (Sentry's own for Jira). Followed, never touched. rows: of `…/integrations/`."""
    found: list[LinkShown] = []
    for row in rows:
        issues = row.get("externalIssues")
        found.extend(
            LinkShown(target=str(one.get("url") or one["key"]), via=LinkVia.REMOTE_LINK)
            for one in (issues if isinstance(issues, list) else ())
            if isinstance(one, dict) and (one.get("url") or one.get("key"))
        )
    return tuple(found)


def annotation_urls(issue: Mapping[str, Json]) -> tuple[str, ...]:
    """The addresses in an issue's annotations: objects in newer versions, HTML anchors in older ones."""
    found = []
    annotations = issue.get("annotations")
    for one in annotations if isinstance(annotations, list) else ():
        if isinstance(one, dict) and one.get("url"):
            found.append(str(one["url"]))
        elif isinstance(one, str) and (anchor := re.search(r"""href=["']([^"']{1,2000})["']""", one)):
            found.append(unescape(anchor.group(1)))
    return tuple(found)


def digest_of(issue: Mapping[str, Json]) -> str:
    """What a list's copy shows of an issue beside its counts and times, as a short text: it differs when that did."""
    shown = [
        issue.get("status"),
        issue.get("substatus"),
        issue.get("statusDetails"),
        issue.get("priority"),
        issue.get("assignedTo"),
        sorted(annotation_urls(issue)),
        _ids(issue.get("integrationIssues")),
        _ids(issue.get("sentryAppIssues")),
    ]
    return hashlib.blake2b(repr(shown).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _ids(rows: Json) -> list[str]:
    return sorted(str(row.get("id")) for row in rows if isinstance(row, dict)) if isinstance(rows, list) else []


def seen_at(issue: Mapping[str, Json], name: str) -> datetime:
    """`lastSeen` or `firstSeen` of a list's copy. Raises UnexpectedAnswer."""
    return moment(issue.get(name))


# --- writing ----------------------------------------------------------------------------------------------------------

_BODIES: dict[str, dict[str, Json]] = {
    "resolved": {"status": "resolved"},
    "resolved_in_release": {"status": "resolved", "statusDetails": {"inRelease": "latest"}},
    "resolved_in_next_release": {"status": "resolved", "statusDetails": {"inNextRelease": True}},
    # An explicit substatus, since without one a reopened issue is taken for a regression.
    "ongoing": {"status": "unresolved", "substatus": "ongoing"},
    "archived_until_escalating": {"status": "ignored", "substatus": "archived_until_escalating"},
    "archived_forever": {"status": "ignored", "substatus": "archived_forever"},
}


def update_body(changes: Changes, *, plain: bool) -> dict[str, Json]:
    """The body of one update: only what changes. plain: the remote has statuses and nothing beside (GlitchTip).

    Raises WriteRejected for a value that cannot be written.
    """
    body: dict[str, Json] = {}
    if changes.status is not None:
        raw = changes.status.raw
        known = _BODIES.get(raw)
        if known is None:
            raise WriteRejected(
                f"Sentry takes no status {raw!r} from outside: the mapping may write {', '.join(_BODIES)}",
                field="status",
            )
        body.update({"status": known["status"]} if plain else known)
    for name, value in changes.set.items():
        if plain:
            raise WriteRejected(f"GlitchTip has no {name}: take it out of the mapping", field=name)
        if name == "priority":
            if value not in PRIORITIES:
                raise WriteRejected(f"Sentry has no priority {value!r}: {', '.join(PRIORITIES)}", field=name)
            body["priority"] = value
        elif name == "assignee":
            body["assignedTo"] = _assignee(value)
        else:
            raise WriteRejected(f"{name} of a Sentry issue cannot be written: status, priority, assignee", field=name)
    return body


def _assignee(value: Json) -> str:
    """A person as Sentry takes one: by address where there is one, since ids of other systems mean nothing here."""
    if isinstance(value, dict):
        number, email = str(value.get("id") or ""), str(value.get("email") or "")
        if number.startswith("team:"):
            return number
        return email or (f"user:{number}" if number else "")
    text = str(value or "")
    return f"user:{text}" if text.isascii() and text.isdigit() else text  # else a number is taken for a name


def link_body(issue_id: str, link: LinkView) -> dict[str, Json]:
    """The body that links an issue to a record through our own app. Sentry shows it as `project#identifier`."""
    name = link.key or link.id
    project, dash, _ = name.rpartition("-")
    return {
        "issueId": int(issue_id),
        "webUrl": link.url,
        "project": project if dash else link.connection or link.system,
        "identifier": name,
    }


# --- references -------------------------------------------------------------------------------------------------------


def parse_reference(settings: SentrySettings, text: str) -> str | None:
    """The id or short id that `text` names in this organisation, else None.

    Understood: a numeric id, `SHOP-1A` for the configured projects (texts are full of things like UTF-8), and
    addresses of the organisation's issues and feedback, on its own host or under `/organizations/`.
    """
    text = text.strip()
    if re.fullmatch(r"[1-9][0-9]{0,18}", text):
        return text
    if "://" in text:
        return _reference_in_url(settings, text)
    return _short_id(settings, text)


def _short_id(settings: SentrySettings, text: str) -> str | None:
    found = _SHORT_ID.fullmatch(text)
    if found is None or found[1].lower() not in {project.lower() for project in settings.projects}:
        return None
    return text.upper()


def _reference_in_url(settings: SentrySettings, text: str) -> str | None:
    try:
        ours, theirs = urlsplit(settings.base_url), urlsplit(text)
        host, base, port = (theirs.hostname or "").lower(), (ours.hostname or "").lower(), theirs.port
        if theirs.scheme.lower() not in {"http", "https"} or port != ours.port:
            return None
    except ValueError:
        return None
    parts = [unquote(part) for part in theirs.path.removeprefix(ours.path).split("/") if part]
    if parts[:2] == ["api", "0"]:
        parts = parts[2:]
    org = settings.organization.lower()
    hosted = _is_hosted(base)
    own_host = hosted and host == f"{org}.sentry.io"
    if not own_host:
        if host != base and not (hosted and _is_hosted(host)):
            return None
        if parts[:1] == ["organizations"]:
            parts = parts[1:]
        if not parts or parts[0].lower() != org:
            # A host of one's own with one organisation may leave it out.
            if parts[:1] != ["issues"] or hosted:
                return None
        else:
            parts = parts[1:]
    if len(parts) >= 2 and parts[0] == "issues" and re.fullmatch(r"[1-9][0-9]{0,18}", parts[1]):
        return parts[1]
    if len(parts) >= 2 and parts[0] == "issues":
        return _short_id(settings, parts[1])
    if parts[:1] == ["feedback"]:
        for slug in parse_qs(theirs.query, max_num_fields=50).get("feedbackSlug", ()):
            number = slug.rpartition(":")[2]
            if re.fullmatch(r"[1-9][0-9]{0,18}", number):
                return number
    return None


def _is_hosted(host: str) -> bool:
    """Whether a host is Sentry's own: its regions and its customers' names are one service."""
    return host == "sentry.io" or host.endswith(".sentry.io")


def is_short_id(text: str) -> bool:
    """Whether a text looks like a short id."""
    return _SHORT_ID.fullmatch(text) is not None


def path_part(value: str) -> str:
    """A text as one part of a path: versions hold `@`, `+` and `/`."""
    return quote(value, safe="")


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _number(value: Json) -> int:
    text = str(value if value is not None else "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
