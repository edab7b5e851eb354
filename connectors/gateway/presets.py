"""How each gateway writes a call: formats, field names, units. Values only.

The names and units are those that the gateways' sources emit, which their documentation sometimes contradicts.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Unit = Literal["s", "ms", "us", "ns"]
TimeUnit = Literal["s", "ms", "us", "ns", "iso", "clf"]


class GenericMapping(Struct, frozen=True, kw_only=True):
    """The lines of any gateway. fields: canonical name -> paths, the first that has a value is taken.

    format: `json` (a document may hold an object, an array, or an object a line), or `regex` with named groups.
    Paths go through objects by dots; a name that itself has dots is tried first. The canonical names are `FIELDS`.
    units: of `latency` and `upstream_latency`. time_unit: of `time`. lists: which element of a list or of a
    comma list is a status (`last` or the largest); times in such lists are summed.
    """

    fields: dict[str, tuple[str, ...]]
    format: Literal["json", "regex"] = "json"
    pattern: str = ""
    time_unit: TimeUnit = "iso"
    units: dict[str, Unit] = {}
    lists: Literal["last", "max"] = "last"
    base: str = ""


class Preset(Struct, frozen=True, kw_only=True):
    """One gateway's way of writing calls: a name (the `source` in signature ids) and its mapping."""

    name: str
    mapping: GenericMapping


PRESETS: tuple[str, ...] = ("apinto", "apipark", "kong", "nginx", "nginx_combined", "envoy", "traefik", "aws")
"""The names `preset` knows, besides a mapping of one's own."""


def preset(which: str | GenericMapping) -> Preset:
    """The preset of that name, or one made of a mapping. Raises ValueError naming the nearest right word."""
    raise NotImplementedError
