"""What changes between two versions of the mapping files, key by key, with what it means in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from typing import Any, TypeGuard

from msgspec import Struct
from pydantic import BaseModel

from sync.mapping import schema
from sync.mapping.difference_words import in_words
from sync.mapping.load import PEOPLE, ROUTES, RULES
from sync.mapping.trace import whole
from sync.mapping.yaml import Loc, compose, path_of

_NOTHING: Any = object()


class Difference(Struct, frozen=True, kw_only=True):
    """One change. about: whose it is (`zendesk`, `jira (support-eu)`, `routes`, `rules`, `people`); group: which part.

    path: the dotted way to the key, by the newer file where it stands there. old, new: the values, None where the key
    does not stand. words: what it means.
    """

    about: str
    group: str
    path: str
    old: Any
    new: Any
    words: str


def differences(old: MappingOf[str, str], new: MappingOf[str, str]) -> tuple[Difference, ...]:
    """Every difference between two sets of files: file name -> text. Both must be right by themselves (`load`).

    Files are paired by whom they speak for, not by their names. A key that only says the default is none.
    """
    before, after = _read(old), _read(new)
    found: list[Difference] = []
    for about in dict.fromkeys((*after, *before)):
        one, other = before.get(about), after.get(about)
        if one is None or other is None:
            word = "is gone" if other is None else "is new"
            what = f"the mapping {word}" if about not in _LISTS else f"the file {word}"
            full = _dump(one or other)
            found.append(
                Difference(
                    about=about, group="", path="", old=full if other is None else None,
                    new=full if one is None else None, words=what,
                )
            )  # fmt: skip
            continue
        for way, was, now in _walk((), _dump(one), _dump(other)):
            found.append(
                Difference(
                    about=about, group=_group(about, way), path=path_of(way), old=_plain(was), new=_plain(now),
                    words=in_words(way, _plain(was), _plain(now)),
                )
            )  # fmt: skip
    return tuple(found)


_LISTS = ("routes", "rules", "people")
_MODELS: MappingOf[str, type[BaseModel]] = {
    ROUTES: schema.RoutesFile, RULES: schema.RulesFile, PEOPLE: schema.PeopleFile,
}  # fmt: skip


def _read(texts: MappingOf[str, str]) -> dict[str, BaseModel]:
    """The files by whom they speak for. `routes`, `rules` and `people` are always there: without a file, as empty."""
    mappings: dict[str, BaseModel] = {}
    lists: dict[str, BaseModel] = {name.removesuffix(".yaml"): model() for name, model in _MODELS.items()}
    for name in sorted(texts):
        base = name.rpartition("/")[2].replace(".yml", ".yaml")
        data = compose(texts[name], name).data or {}
        if base in _MODELS:
            lists[base.removesuffix(".yaml")] = _MODELS[base].model_validate(data)
            continue
        file = schema.MappingFile.model_validate(whole(compose(texts[name], name)).data)
        own = f" ({', '.join(sorted(file.connections))})" if file.connections else ""
        mappings[f"{file.system}{own}"] = file
    return {**dict(sorted(mappings.items())), **lists}


def _dump(model: BaseModel | None) -> Any:
    """Its content. `stock` alone changes nothing: what stands behind a file is in it by then."""
    if model is None:
        return None
    return model.model_dump(mode="json", exclude={"stock"} if isinstance(model, schema.MappingFile) else None)


def _plain(value: Any) -> Any:
    return None if value is _NOTHING else value


def _walk(way: Loc, old: Any, new: Any) -> Iterator[tuple[Loc, Any, Any]]:
    """The places at which two values differ, as far down as both have the same shape."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _walk((*way, key), old.get(key, _NOTHING), new.get(key, _NOTHING))
        return
    if _named(old) and _named(new):
        yield from _walk_named(way, old, new)
        return
    if (old is _NOTHING and new in (None, "", [], {})) or (new is _NOTHING and old in (None, "", [], {})):
        return
    yield way, old, new


def _named(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list) and all(isinstance(one, dict) and "name" in one for one in value)


def _walk_named(way: Loc, old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[Loc, Any, Any]]:
    """Lists of entries with names (routes): paired by name; their order counts, since the first that fits is taken."""
    before, after = {one["name"]: one for one in old}, {one["name"]: one for one in new}
    for name in dict.fromkeys((*after, *before)):
        yield from _walk((*way, str(name)), before.get(name, _NOTHING), after.get(name, _NOTHING))
    kept = [name for name in before if name in after]
    order = [name for name in after if name in before]
    if kept != order:
        yield (*way, "order"), kept, order


def _group(about: str, way: Loc) -> str:
    if about in _LISTS:
        return about
    if way[:1] == ("fields",):
        return str(way[1])
    return str(way[0])
