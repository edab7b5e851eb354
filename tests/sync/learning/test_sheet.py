"""What is written into a mapping file is read back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.learning.sheet import Sheet, flow, scalar, table
from sync.mapping.yaml import compose

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        ["no", "012", "- x", "a: b", "a:", "a # b", "'", '"', "*a", "{x}", "~", "a, b", "[", " x", "x ", "a\nb"]
    ),
)


@given(texts=st.lists(TEXTS, max_size=4), names=st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=4), comment=TEXTS)
def test_every_text_is_read_back_as_it_was(texts: list[str], names: dict[str, str], comment: str) -> None:
    sheet = Sheet()
    sheet.remark(comment)
    sheet.entry(0, "one", scalar("".join(texts)), comment=comment)
    sheet.entry(0, "list", flow(texts), unsure=comment)
    sheet.entry(0, "table", table(names))
    sheet.entry(0, "below", comment=comment)
    for name, text in names.items():
        sheet.entry(1, name, scalar(text), comment=comment)
    if not names:
        sheet.entry(1, "x", "y")
    data = compose(sheet.text(), "f.yaml").data
    assert data["one"] == "".join(texts)
    assert data["list"] == texts
    assert data["table"] == names
    assert data["below"] == (names or {"x": "y"})


def test_half_a_sign_is_shown_as_what_cannot_be_read() -> None:
    assert compose(f"a: {scalar(chr(0xD800))}\n", "f.yaml").data == {"a": "\ufffd"}


def test_comments_of_lines_that_follow_one_another_stand_below_one_another() -> None:
    sheet = Sheet()
    sheet.entry(0, "a", "b", comment="one")
    sheet.entry(0, "longer", "value", comment="two")
    sheet.entry(0, "plain", "value")
    assert sheet.text() == "a: b           # one\nlonger: value  # two\nplain: value\n"
    assert sheet.doubts == 0
