"""What pydantic found in the settings, told by the place of each value. Secrets never get into a message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails

from config.catalogue import Way, models_at, secret_names, variant_of
from config.settings import CONNECTION_MODELS, Settings
from config.sources import Fault, Kind, Source
from sync.mapping.yaml import Document, Loc, Problem, path_of, problems_of

_HIDDEN = "***"
_AUTH = "auth"
"""Where people paste a credential instead of naming the kind of it."""
_CHOICE = re.compile("[a-z_]*")


class SettingsErrors(Exception):
    """The settings cannot be used. problems: everything that is wrong, one line each, in order.

    texts: the mapping files by name, to show the lines; never the settings, in which secrets may stand.
    """

    def __init__(self, problems: Iterable[Problem | Fault], texts: Mapping[str, str] | None = None) -> None:
        self.texts: Mapping[str, str] = texts or {}
        found = list(problems)
        in_file = sorted({one for one in found if isinstance(one, Problem)})
        outside = sorted({one for one in found if isinstance(one, Fault)})
        self.problems: tuple[Problem | Fault, ...] = (*in_file, *outside)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def told(
    error: ValidationError, document: Document, tree: Mapping[str, Any], origins: Mapping[Way, Source]
) -> list[Problem | Fault]:
    """All of it, at the places of the values. tree: the merged values. origins: where each of them came from."""
    ways = _ways(tree, document)
    seen = Document(file=document.file, data=dict(tree), values=ways, keys=document.keys)
    found: list[Problem | Fault] = []
    for prefix, model, part, details in _groups(error, tree, seen):
        rewritten = ValidationError.from_exception_data("settings", details)
        for problem in problems_of(rewritten, part, model):
            path = path_of(prefix) + ("." if prefix and problem.path else "") + problem.path
            found.append(_placed(problem, path, origins))
    return _without_secrets(found, tree)


def _ways(tree: Mapping[str, Any], document: Document) -> dict[Loc, tuple[int, int]]:
    """A place for every value of the merged tree: its own in the file, else of what is around it."""
    places = dict(document.values)

    def walk(value: Any, way: Loc) -> None:
        places.setdefault(way, document.place(way))
        pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, part in pairs:
            walk(part, (*way, name))

    walk(tree, ())
    return places


def _groups(
    error: ValidationError, tree: Mapping[str, Any], document: Document
) -> list[tuple[Loc, type[BaseModel], Document, list[InitErrorDetails]]]:
    """The findings by variant (a connection on its system, a way to sign in), so that only its keys are proposed."""
    groups: dict[Loc, tuple[type[BaseModel], list[InitErrorDetails]]] = {}
    for detail in error.errors(include_url=False):
        loc, prefix, model = _without_tags(tuple(detail["loc"]), tree)
        groups.setdefault(prefix, (model, []))[1].append(_rewritten(detail, loc[len(prefix) :]))
    return [(prefix, model, _below(document, prefix), details) for prefix, (model, details) in groups.items()]


def _below(document: Document, prefix: Loc) -> Document:
    """The same document, seen from one of its parts."""
    size = len(prefix)
    return Document(
        file=document.file,
        data=_at(document.data, prefix),
        values={way[size:]: place for way, place in document.values.items() if way[:size] == prefix},
        keys={way[size:]: place for way, place in document.keys.items() if way[:size] == prefix},
    )


def _without_tags(loc: Loc, tree: Mapping[str, Any]) -> tuple[Loc, Loc, type[BaseModel]]:
    """The way to a value, without the names of variants that pydantic puts in; the innermost variant and its model."""
    way: Loc = ()
    prefix: Loc = ()
    model: type[BaseModel] = Settings
    for part in loc:
        here = _at(tree, way)
        if isinstance(here, dict) and part not in here and part in (here.get("system"), here.get("kind")):
            prefix, model = way, _variant(model, way[len(prefix) :], str(part))
            continue
        way = (*way, part)
    return way, prefix, model


def _variant(model: type[BaseModel], way: Loc, tag: str) -> type[BaseModel]:
    """The model that a tag chooses, below another one."""
    if model is Settings:
        return CONNECTION_MODELS[tag]
    return next(one for one in models_at(model, str(way[0])) if variant_of(one) == tag)


def _rewritten(detail: Any, loc: Loc) -> InitErrorDetails:
    """One finding as it is to be told. A variant that is missing or unknown is told at the key that names it."""
    context = dict(detail.get("ctx") or {})
    kind, given = detail["type"], detail["input"]
    key = str(context.get("discriminator", "")).strip("'")
    if kind == "union_tag_not_found" and not isinstance(given, dict):
        return InitErrorDetails(type="dict_type", loc=loc, input=given)
    if kind == "union_tag_not_found":
        misspelt = get_close_matches(key, list(given), n=1)
        if misspelt:
            return InitErrorDetails(type="extra_forbidden", loc=(*loc, misspelt[0]), input=given)
        return InitErrorDetails(type="missing", loc=(*loc, key), input=given)
    if kind == "union_tag_invalid":
        expected = " or ".join(context["expected_tags"].rsplit(", ", 1))
        return InitErrorDetails(type="literal_error", loc=(*loc, key), input=context["tag"], ctx={"expected": expected})
    if kind == "string_pattern_mismatch":
        error = ValueError(f"is not of the form that is asked for ({context['pattern']})")
        return InitErrorDetails(type="value_error", loc=loc, input=given, ctx={"error": error})
    if kind in ("value_error", "assertion_error") or context:
        return InitErrorDetails(type=kind, loc=loc, input=given, ctx=context)
    return InitErrorDetails(type=kind, loc=loc, input=given)


def _at(tree: Any, way: Sequence[str | int]) -> Any:
    for part in way:
        if isinstance(tree, dict):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree


def _placed(problem: Problem, path: str, origins: Mapping[Way, Source]) -> Problem | Fault:
    """At its line; or, for a value from elsewhere, at the variable, flag or secret file it came from."""
    for way, origin in origins.items():
        outer = path_of(way)
        if origin.kind is not Kind.FILE and (path == outer or path.startswith((f"{outer}.", f"{outer}["))):
            return Fault(origin.where, path, problem.message, problem.hint)
    return Problem(problem.file, problem.line, problem.column, path, problem.message, problem.hint)


def _without_secrets(found: Iterable[Problem | Fault], tree: Mapping[str, Any]) -> list[Problem | Fault]:
    secrets = sorted(set(secrets_in(tree)), key=len, reverse=True)

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, _HIDDEN)
        return text

    kept: list[Problem | Fault] = []
    for one in found:
        if isinstance(one, Problem):
            kept.append(Problem(one.file, one.line, one.column, one.path, clean(one.message), clean(one.hint)))
        else:
            kept.append(Fault(one.where, one.path, clean(one.message), clean(one.hint)))
    return kept


def secrets_in(tree: Mapping[str, Any]) -> list[str]:
    """The texts that stand where a secret stands, in whatever shape; those of a few letters hide nothing else."""
    names = secret_names()
    found: list[str] = []

    def walk(value: Any, *, secret: bool) -> None:
        if isinstance(value, dict):
            for name, part in value.items():
                pasted = name == _AUTH and isinstance(part, str) and not _CHOICE.fullmatch(part)
                walk(part, secret=secret or name in names or pasted)
        elif isinstance(value, list):
            for part in value:
                walk(part, secret=secret)
        elif secret and isinstance(value, str) and len(value) > 3:
            found.append(str(value))

    walk(tree, secret=False)
    return found
