"""The administrators' guide: each of its examples does what the guide says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sync.mapping import schema, words
from sync.mapping.load import MappingErrors, load

GUIDE = (Path(__file__).parents[2] / "docs" / "mappings.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(yaml|yaml wrong|text)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
RIGHT = [text for kind, text in BLOCKS if kind == "yaml"]
WRONG = [(text, BLOCKS[at + 1]) for at, (kind, text) in enumerate(BLOCKS) if kind == "yaml wrong"]


def file_of(block: str) -> dict[str, str]:
    """The first line of an example is a comment that names its file; `---` stands between two files."""
    return {part.partition("\n")[0].removeprefix("# "): part for part in block.split("---\n")}


@pytest.mark.parametrize("block", RIGHT)
def test_an_example_of_the_guide_is_accepted(block: str) -> None:
    loaded = load(file_of(block))
    assert block.startswith("# mappings/")
    assert loaded.mappings or loaded.routes or block.startswith(("# mappings/rules.yaml", "# mappings/people.yaml"))


@pytest.mark.parametrize(("block", "answer"), WRONG)
def test_a_wrong_example_of_the_guide_gets_the_message_shown(block: str, answer: tuple[str, str]) -> None:
    with pytest.raises(MappingErrors) as refused:
        load(file_of(block))
    assert answer == ("text", str(refused.value) + "\n")


def test_the_guide_has_examples_of_both_kinds() -> None:
    assert len(RIGHT) >= 9
    assert len(WRONG) >= 3


def test_the_guide_names_every_key_and_every_name_of_a_template() -> None:
    models = [part for part in vars(schema).values() if isinstance(part, type) and issubclass(part, schema.Strict)]
    keys = {name for model in models for name in model.model_fields}
    assert {key for key in keys if not re.search(rf"\b{key}\b", GUIDE)} == set()
    assert all(f"${name}" in GUIDE for name in (*words.NOTE_NAMES, *words.CREATE_NAMES) if name != "marker")


def test_every_key_has_its_description_and_an_example() -> None:
    models = [part for part in vars(schema).values() if isinstance(part, type) and issubclass(part, schema.Strict)]
    assert len(models) > 20
    for model in models:
        assert model.__doc__
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} has no description"
            assert field.examples, f"{model.__name__}.{name} has no example"
