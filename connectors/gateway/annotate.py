"""Showing a gateway's people what is open: tags of the hub's own on services or routes. Off unless switched on.

Pure is what a service should carry (`wanted`) and how it joins what others put there (`with_ours`). `bring` makes at
most one changing request, and looks again: these interfaces answer well and may have changed nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from connectors.contract import Ports
from connectors.errors import RecordMissing, WriteRejected
from connectors.gateway.apinto import Apinto
from connectors.gateway.apipark import ApiPark, Service
from connectors.gateway.interfaces import ApintoAccess, ApiParkAccess, KongAccess, WriteBack
from connectors.gateway.kong import Kong
from connectors.http import Limits

PREFIX = "fb:"
"""Tags that begin so are the hub's; every other tag is somebody else's and stays."""

MOST_KEYS = 5
"""Tracker issues that are named on one service; a longer list helps nobody."""

FIELD = "tags"
LABEL = "feedback"

_ODD = re.compile(r"[^A-Za-z0-9_.-]+")


class Evidence(Struct, frozen=True, kw_only=True):
    """One signature as write-back sees it. issues: the keys of the tracker issues that its item has."""

    service: str
    route: str
    is_open: bool
    issues: tuple[str, ...] = ()


def wanted(known: Iterable[Evidence], *, by_route: bool = False) -> dict[str, tuple[str, ...]]:
    """What every service (or route) should carry: how many signatures are open, and their issues' keys; sorted.

    A target whose signatures are all done is in the answer with nothing, so that what it carries is taken away.
    """
    counts: dict[str, int] = {}
    keys: dict[str, set[str]] = {}
    for one in known:
        target = one.route if by_route else one.service
        if not target:
            continue
        counts[target] = counts.get(target, 0) + one.is_open
        keys.setdefault(target, set()).update(one.issues if one.is_open else ())
    return {
        target: tuple(sorted([f"{PREFIX}open-{count}", *(f"{PREFIX}jira-{key}" for key in _named(keys[target]))]))
        if count
        else ()
        for target, count in counts.items()
    }


def _named(keys: Iterable[str]) -> list[str]:
    clean = (_ODD.sub("-", key) for key in sorted(keys))
    return [key for key in clean if key.strip("-")][:MOST_KEYS]


def with_ours(shown: Iterable[str], ours: Iterable[str]) -> tuple[str, ...]:
    """What is to stand there: everybody else's tags in their order, then ours."""
    return (*(tag for tag in shown if not tag.startswith(PREFIX)), *ours)


def ours_of(shown: Iterable[str]) -> tuple[str, ...]:
    """Our tags among the ones shown, sorted."""
    return tuple(sorted({tag for tag in shown if tag.startswith(PREFIX)}))


class Place(Protocol):
    """Where tags are shown. shown: what a target carries now; raises RecordMissing where it is unknown.

    put: replaces what a target carries, by one changing request; it follows a `shown` of the same target.
    by_route: targets are routes, not services.
    """

    by_route: bool

    def shown(self, target: str) -> tuple[str, ...]: ...
    def put(self, target: str, tags: tuple[str, ...]) -> None: ...
    def close(self) -> None: ...


class Brought(Struct, frozen=True, kw_only=True):
    """What became of one target. missing: the gateway does not know it (any more)."""

    target: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    is_missing: bool = False

    @property
    def changed(self) -> bool:
        """Whether something was written."""
        return self.before != self.after


def bring(place: Place, target: str, ours: tuple[str, ...]) -> Brought:
    """Let a target carry exactly these tags of ours. Reads; writes once where they differ; reads again.

    Raises as `connectors.errors`; WriteRejected where the write was answered well and the tags are not there.
    """
    try:
        shown = place.shown(target)
    except RecordMissing:
        return Brought(target=target, is_missing=True)
    before, ours = ours_of(shown), tuple(sorted(set(ours)))
    if before == ours:
        return Brought(target=target, before=before, after=before)
    place.put(target, with_ours(shown, ours))
    after = ours_of(place.shown(target))
    if after != ours:
        raise WriteRejected(
            f"{target}: the tags were written, and it shows {', '.join(after) or 'none of them'} instead of "
            f"{', '.join(ours) or 'none'}. Is another program replacing its tags?",
            field="tags",
        )
    return Brought(target=target, before=before, after=after)


def differing(known: Mapping[str, tuple[str, ...]], last: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The targets to bring up to date: those whose wanted tags are not the ones brought last, or that were not looked
    at: what was brought before a start may still be there.
    """
    return tuple(sorted(target for target, tags in known.items() if last.get(target) != tags))


# --- the places -------------------------------------------------------------------------------------------------------


class ApiParkTags:
    """The tags of services in APIPark."""

    by_route = False

    def __init__(self, apipark: ApiPark) -> None:
        self._apipark = apipark
        self._read: Service | None = None

    def shown(self, target: str) -> tuple[str, ...]:
        """The service's tags; keeps what a change must say again."""
        self._read = self._apipark.service(target)
        return self._read.tags

    def put(self, target: str, tags: tuple[str, ...]) -> None:
        """Replace the tags, saying again what would be lost."""
        service = self._read if self._read is not None and self._read.id == target else self._apipark.service(target)
        self._apipark.put_tags(service, tags)

    def close(self) -> None:
        """Close the connections."""
        self._apipark.close()


class ApintoHash:
    """One text by route in Apinto's replicated map `feedback:ROUTE`."""

    by_route = True

    def __init__(self, apinto: Apinto) -> None:
        self._apinto = apinto

    def shown(self, target: str) -> tuple[str, ...]:
        """The tags in the text."""
        return tuple(self._apinto.hash(f"feedback:{target}").get(FIELD, "").split())

    def put(self, target: str, tags: tuple[str, ...]) -> None:
        """Write the text, or remove it."""
        key = f"feedback:{target}"
        if tags:
            self._apinto.put_field(key, FIELD, " ".join(tags))
        else:
            self._apinto.drop_field(key, FIELD)

    def close(self) -> None:
        """Close the connections."""
        self._apinto.close()


class ApintoLabels:
    """One label by route, which later log lines can show. The next release removes it, so it is brought again."""

    by_route = True

    def __init__(self, apinto: Apinto) -> None:
        self._apinto = apinto

    def shown(self, target: str) -> tuple[str, ...]:
        """The tags in the label."""
        return tuple(self._apinto.router(target).labels.get(LABEL, "").split())

    def put(self, target: str, tags: tuple[str, ...]) -> None:
        """Set the label among the others, or remove it."""
        labels = {key: value for key, value in self._apinto.router(target).labels.items() if key != LABEL}
        if tags:
            labels[LABEL] = " ".join(tags)
        self._apinto.put_labels(target, labels)

    def close(self) -> None:
        """Close the connections."""
        self._apinto.close()


class KongTags:
    """The tags of services in Kong."""

    by_route = False

    def __init__(self, kong: Kong) -> None:
        self._kong = kong

    def shown(self, target: str) -> tuple[str, ...]:
        """The service's tags."""
        return self._kong.service(target).tags

    def put(self, target: str, tags: tuple[str, ...]) -> None:
        """Replace the tags."""
        self._kong.put_tags(target, tags)

    def close(self) -> None:
        """Close the connections."""
        self._kong.close()


def places(
    mode: WriteBack,
    ports: Ports,
    *,
    apipark: ApiParkAccess | None = None,
    apinto: ApintoAccess | None = None,
    kong: KongAccess | None = None,
    limits: Limits | None = None,
) -> tuple[Place, ...]:
    """The places that a mode writes to; none for `off`. Raises ValueError where the interface it needs is not set."""
    match mode:
        case WriteBack.OFF:
            return ()
        case WriteBack.APIPARK if apipark is not None:
            return (ApiParkTags(ApiPark(apipark, ports, limits)),)
        case WriteBack.APINTO_HASH if apinto is not None:
            return (ApintoHash(Apinto(apinto, ports, limits)),)
        case WriteBack.APINTO_LABELS if apinto is not None:
            return (ApintoHash(Apinto(apinto, ports, limits)), ApintoLabels(Apinto(apinto, ports, limits)))
        case WriteBack.KONG if kong is not None:
            return (KongTags(Kong(kong, ports, limits)),)
        case _:
            raise ValueError(f"write_back: {mode.value} needs the settings of that interface")
