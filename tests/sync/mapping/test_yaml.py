"""Plain data with the place of every value, without YAML's surprises."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from sync.mapping.yaml import SIZE_LIMIT, Malformed, Problem, compose, nearest, path_of, problems_of


def test_every_scalar_is_text() -> None:
    read = compose("a: no\nb: 012\nc: 2026-03-01\nd: 1.0\ne: null\nf: ~\n", "f.yaml")
    assert read.data == {"a": "no", "b": "012", "c": "2026-03-01", "d": "1.0", "e": "null", "f": "~"}


def test_keys_are_text_too() -> None:
    assert compose("no: a\n1: b\n", "f.yaml").data == {"no": "a", "1": "b"}


def test_a_value_has_its_line_and_column() -> None:
    read = compose("a:\n  - b: c\n    d: e\n", "f.yaml")
    assert read.place(("a", 0, "d")) == (3, 8)
    assert read.place(("a", 0, "d"), key=True) == (3, 5)


def test_what_is_missing_is_placed_at_what_it_is_missing_from() -> None:
    assert compose("a:\n  b: c\n", "f.yaml").place(("a", "nothing", "there")) == (1, 1)
    assert compose("a:\n  b: {c: d}\n", "f.yaml").place(("a", "b", "e")) == (2, 3)


def test_an_empty_file_is_empty_text_at_its_beginning() -> None:
    read = compose("# nothing\n", "f.yaml")
    assert (read.data, read.place(())) == ("", (1, 1))


def test_a_byte_order_mark_moves_no_column() -> None:
    assert compose("\ufeffa: b\n", "f.yaml").place(("a",)) == (1, 4)


def test_a_file_of_just_the_limit_is_read() -> None:
    assert compose("a: b\n#" + "x" * (SIZE_LIMIT - 6), "f.yaml").data == {"a": "b"}


def test_a_bomb_of_aliases_is_refused_without_being_unfolded() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    with pytest.raises(Malformed) as refused:
        compose("\n".join(lines), "f.yaml")
    assert len(refused.value.problems) == 60 + 59 * 2


def test_problems_come_in_the_order_of_files_and_lines() -> None:
    late, early = Problem("b.yaml", 1, 1, "", "b"), Problem("a.yaml", 9, 1, "x", "a", "do this")
    assert str(Malformed([late, early, late])) == "a.yaml:9:1: x: a; do this\nb.yaml:1:1: b"


def test_a_way_reads_as_people_write_it() -> None:
    assert path_of(("routes", 0, "when", "tags")) == "routes[0].when.tags"


@pytest.mark.parametrize(
    ("word", "meant"),
    [("In-Progress", "in_progress"), ("statsu", "status"), ("zzz", ""), ("IN PROGRESS", "in_progress")],
)
def test_a_near_word_is_named(word: str, meant: str) -> None:
    assert nearest(word, ["status", "in_progress"]) == (f"did you mean `{meant}`?" if meant else "")


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    port: int = Field(default=1, examples=[1])


class Token(BaseModel):
    model_config = ConfigDict(extra="forbid")
    method: Literal["token"]
    token: SecretStr = Field(examples=["x"])


class OAuth(BaseModel):
    model_config = ConfigDict(extra="forbid")
    method: Literal["oauth"]
    client_id: str = Field(examples=["hub"])


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    auth: Annotated[Token | OAuth, Field(discriminator="method")] | None = None
    retries: int = Field(default=1, ge=1)
    inner: dict[str, Inner] = {}
    share: float = 0.5


def test_the_settings_file_can_be_reported_in_the_same_way() -> None:
    read = compose("inner:\n  a: {prt: 8}\n  b: {port: many}\nshare: half\n", "hypercare.yaml")
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(read.data)
    assert sorted(str(problem) for problem in problems_of(refused.value, read, Settings)) == [
        "hypercare.yaml:1:1: name: is missing; add it",
        "hypercare.yaml:2:7: inner.a.prt: is not a key that is known here; did you mean `port`?",
        "hypercare.yaml:3:13: inner.b.port: must be a whole number, and is `many`",
        "hypercare.yaml:4:8: share: must be a number, and is `half`",
    ]


def test_without_the_model_an_unknown_key_is_named_all_the_same() -> None:
    read = compose("name: a\nnmae: b\n", "hypercare.yaml")
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(read.data)
    assert [str(problem) for problem in problems_of(refused.value, read)] == [
        "hypercare.yaml:2:1: nmae: is not a key that is known here"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("auth: {token: x}", "hypercare.yaml:2:7: auth: says no method; add it: it decides which keys may stand here"),
        (
            "auth: {method: oath}",
            "hypercare.yaml:2:7: auth: method `oath` is not one of token and oauth; did you mean `oauth`?",
        ),
        ("auth: {method: token}", "hypercare.yaml:2:1: auth.token: is missing; add it, for example `token: x`"),
        (
            "auth: {method: oauth, client_id: a, clientid: b}",
            "hypercare.yaml:2:37: auth.clientid: is not a key that is known here; did you mean `client_id`?",
        ),
        ("auth: {method: token, token: [a]}", "hypercare.yaml:2:30: auth.token: must be a text, and is a list"),
        ("retries: 0", "hypercare.yaml:2:10: retries: must be greater than or equal to 1"),
    ],
)
def test_choices_and_bounds_are_told_in_plain_words(text: str, said: str) -> None:
    read = compose(f"name: a\n{text}\n", "hypercare.yaml")
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(read.data)
    assert [str(problem) for problem in problems_of(refused.value, read, Settings)] == [said]
