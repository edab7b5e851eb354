"""The words that templates may ask for: of a link, and of an item or record."""

from __future__ import annotations

from sync.model import Feedback, LinkView

CREATE_NAMES = (
    "title", "body", "status", "severity", "urgency", "type", "category", "source_class", "tags", "reporter",
    "reporter_email", "owner", "key", "id", "url", "system", "connection", "route", "marker",
)  # fmt: skip
NOTE_NAMES = ("key", "id", "url", "title", "system", "connection")


def words_of_link(link: LinkView) -> dict[str, str]:
    """What a note may say of the record it names."""
    return {
        "key": link.key or link.id,
        "id": link.id,
        "url": link.url,
        "title": link.title,
        "system": link.system,
        "connection": link.connection,
    }


def words_of_view(view: Feedback, route: str, marker: str, source: LinkView | None) -> dict[str, str]:
    """What a title or text may say of the item it is for."""
    words = {
        "title": view.title,
        "body": view.body,
        "status": view.status or "",
        "severity": view.severity or "",
        "urgency": view.urgency or "",
        "type": view.type,
        "category": view.category,
        "source_class": view.source_class,
        "tags": ", ".join(tag.text for tag in view.tags),
        "reporter": (view.reporter.name or view.reporter.email) if view.reporter else "",
        "reporter_email": view.reporter.email if view.reporter else "",
        "owner": (view.owner.name or view.owner.email) if view.owner else "",
        "route": route,
        "marker": marker,
    }
    source_words = words_of_link(source) if source is not None else {}
    return {**{name: source_words.get(name, "") for name in ("key", "id", "url", "system", "connection")}, **words}
