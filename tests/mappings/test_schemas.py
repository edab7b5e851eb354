"""The schemas for editors: every key explained, right files unmarked, wrong ones marked where they are wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest

from sync.mapping import jsonschema, reference
from sync.mapping.load import MappingErrors, load
from tests.mappings.editor import as_read, marks
from tests.mappings.refresh import REFERENCE
from tests.mappings.test_docs import RIGHT, file_of
from tests.sync.mapping.records import shipped_texts
from tests.sync.mapping.wrong_files import WRONG

SCHEMAS: Mapping[str, Any] = {
    name: json.loads(files("mappings").joinpath(name).read_text(encoding="utf-8")) for name in jsonschema.FILES
}


def schema_of(name: str) -> Any:
    """The schema that a file of that name has."""
    base = name.rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
    return SCHEMAS[
        f"{base}.schema.json" if f"{base}.schema.json" in SCHEMAS and base != "mapping" else "mapping.schema.json"
    ]


def properties(part: Any, way: str = "") -> Iterator[tuple[str, Any]]:
    """Every key that a schema knows, with what it says of it."""
    if isinstance(part, dict):
        for name, one in part.get("properties", {}).items():
            if isinstance(one, dict) and "const" not in one:
                yield f"{way}.{name}", one
        for name, one in part.items():
            if name not in ("examples", "default", "if", "then", "else"):
                yield from properties(one, f"{way}.{name}")
    elif isinstance(part, list):
        for one in part:
            yield from properties(one, way)


def demands(part: Any) -> Iterator[list[str]]:
    """What is required, anywhere in a schema."""
    if isinstance(part, dict):
        yield from (part["required"],) if isinstance(part.get("required"), list) else ()
        for one in part.values():
            yield from demands(one)
    elif isinstance(part, list):
        for one in part:
            yield from demands(one)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_has_a_text_to_hover_over_and_an_example(name: str) -> None:
    found = dict(properties(SCHEMAS[name]))
    assert found
    assert [way for way, one in found.items() if not one.get("description")] == []
    assert [way for way, one in found.items() if "examples" not in one] == []
    demanded = {name for one in demands(SCHEMAS[name]) for name in one}
    bare = [way for way, one in found.items() if "default" not in one and "$ref" not in one]
    assert [way for way in bare if way.rpartition(".")[2] not in demanded] == []


@pytest.mark.parametrize("name", shipped_texts())
def test_an_editor_marks_nothing_in_a_shipped_file_and_is_told_which_schema_it_has(name: str) -> None:
    text = shipped_texts()[name]
    assert marks(schema_of(name), as_read(text)) == []
    wanted = f"{name.removesuffix('.yaml')}.schema.json"
    first = text.partition("\n")[0]
    assert first == f"# yaml-language-server: $schema={wanted if wanted in SCHEMAS else 'mapping.schema.json'}"


@pytest.mark.parametrize("block", RIGHT)
def test_an_editor_marks_nothing_in_an_example_of_the_guide(block: str) -> None:
    for name, text in file_of(block).items():
        assert marks(schema_of(name), as_read(text)) == [], name


def test_what_an_editor_marks_the_hub_refuses_too_and_it_marks_most_of_what_has_a_wrong_shape() -> None:
    """Otherwise people would learn to overlook the marks. What only laws and other files tell, no schema can."""
    marked = 0
    for title, (texts, _) in WRONG.items():
        found = [one for name, text in texts.items() for one in marks(schema_of(name), as_read(text))]
        if found:
            marked += 1
            with pytest.raises(MappingErrors):
                load(texts)
        assert title
    assert marked >= 30


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("system: zendesk\nkind: ticket\nfields: {titel: {field: subject}}\n", ("fields.titel", "unknown")),
        ("system: zendesk\nfields: {title: {field: subject}}\n", ("", "required kind")),
        ("kind: ticket\nfields: {}\n", ("", "required system")),
        (
            "system: z\nkind: t\nfields: {status: {field: s, values: {open: opened}}}\n",
            ("fields.status", "anyOf"),
        ),
        ("system: z\nkind: t\nfields: {title: {field: s, direction: to}}\n", ("fields.title.direction", "enum")),
        ("system: z\nkind: t\nfields: {title: subject}\n", ("fields.title", "type")),
        ("system: z\nkind: t\nfields: {}\nmarkup: html\n", ("markup", "enum")),
        ("system: z\nkind: t\nfields: {}\ntransitions: {Done: {avoid: maybe}}\n", ("transitions.Done.avoid", "type")),
    ],
)
def test_a_mistake_is_marked_where_it_is(text: str, mark: tuple[str, str]) -> None:
    assert mark in marks(SCHEMAS["mapping.schema.json"], as_read(text))
    with pytest.raises(MappingErrors):
        load({"m.yaml": text})


def test_a_text_may_look_like_a_number_or_a_truth_value() -> None:
    text = "system: z\nkind: t\nfields:\n  tags: {field: tags, include: [2024, true, 1.5]}\n  title: {field: 7}\n"
    assert marks(SCHEMAS["mapping.schema.json"], as_read(text)) == []
    assert load({"m.yaml": text}).mappings["z"].accepts("2024")


def test_a_file_of_stock_needs_no_more_than_its_system() -> None:
    assert marks(SCHEMAS["mapping.schema.json"], as_read("system: jira\nstock: true\n")) == []


# --- the reference ---------------------------------------------------------------------------------------------------


def test_the_reference_is_fresh() -> None:
    """To write it anew: python -m tests.mappings.refresh."""
    assert REFERENCE.read_text(encoding="utf-8") == reference.text()


def test_the_reference_has_every_key_with_its_words() -> None:
    page = reference.text()
    for model in jsonschema.FILES.values():
        found = list(reference.keys(model))
        assert len(found) > 2
        for way, field in found:
            key = way.rpartition(".")[2]
            assert f"| `{key}` |" in page, way
            assert " ".join((field.description or "").split()).replace("|", "\\|") in page, way


def test_the_reference_shows_what_may_stand_there_and_the_default() -> None:
    page = reference.text()
    assert "| `direction` | `both`, `in`, `out`, `enforce`, `off` | `both` |" in page
    assert "### `fields.status.by_category`" in page
    assert "### `routes[].when.severity`" in page
    assert '| `include` | list of text | `["*"]` |' in page
