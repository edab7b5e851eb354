"""Templates, and how a text is made harmless for its target."""

from __future__ import annotations

from sync.mapping.texts import Markup, clean, cut, encode, one_line, sentence


def test_a_template_fills_in_names_and_keeps_all_else() -> None:
    read = sentence("$$5 for ${key}s by $reporter, {code}")
    assert read.names == ("key", "reporter")
    assert read.fill({"key": "A-1", "reporter": "Ada"}, Markup.JIRA_WIKI) == "$5 for A-1s by Ada, {code}"


def test_a_dollar_before_no_name_stands_for_itself() -> None:
    assert sentence("5$ is $ 5 and $1").fill({}, Markup.PLAIN) == "5$ is $ 5 and $1"


def test_a_value_is_never_read_as_a_template() -> None:
    assert sentence("$title").fill({"title": "$body", "body": "secret"}, Markup.PLAIN) == "$body"


def test_wiki_text_fires_no_mention_macro_or_image() -> None:
    assert encode("[~admin] {code} !x! |a|", Markup.JIRA_WIKI) == "\\[~admin\\] \\{code\\} \\!x\\! \\|a\\|"


def test_their_backslash_does_not_undo_ours() -> None:
    assert "\\\\" not in encode("\\[~admin] \\\\[~admin]", Markup.JIRA_WIKI)


def test_placeholders_are_taken_apart_however_many_braces_there_are() -> None:
    for hostile in ("{{ticket.id}}", "{{{x}}}", "{{{{x}}}}", "{%x%}"):
        shown = encode(hostile, Markup.PLAIN)
        assert "{{" not in shown
        assert "{%" not in shown
        assert shown.replace("\u200b", "") == hostile


def test_an_address_stays_an_address_and_a_mention_is_none() -> None:
    assert encode("ada@example.com and @ada", Markup.PLAIN) == "ada@example.com and @\u200bada"


def test_controls_overrides_and_lone_surrogates_go() -> None:
    assert clean("a\x00b\r\nc\rd\x1b\u202e\u2066e\ud800\tf\x85") == "ab\nc\nde\ufffd\tf"


def test_a_title_is_one_line() -> None:
    assert one_line(" a\r\n\tb  c ", 99) == "a b c"


def test_a_cut_leaves_no_half_escape() -> None:
    assert cut("abc\\[d", 5) == "abc…"
    assert cut("abcde", 5) == "abcde"


def test_a_line_of_which_nothing_is_known_is_left_out() -> None:
    read = sentence("$body\n\nReported by $reporter in $url\nTags: $tags")
    assert read.fill({"body": "It fails.", "url": "https://a.example"}, Markup.PLAIN) == (
        "It fails.\n\nReported by  in https://a.example"
    )
    assert read.fill({"body": "It fails."}, Markup.PLAIN) == "It fails."
    assert read.fill({"tags": "a"}, Markup.PLAIN) == "Tags: a"


def test_a_title_of_several_lines_is_one() -> None:
    assert sentence("[$key]\n$title").fill_line({"key": "A-1", "title": "x"}, 99) == "[A-1] x"
