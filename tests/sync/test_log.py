"""The log: redacted, one line an event, quiet, and unbreakable."""

from __future__ import annotations

import base64
import io
import json
import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest

from sync.log import BURST, LEVELS, Log, Redactor, Style
from sync.ports import RealClock

CANARY = 'kanarie/"Geheim+nis&4711'
PERSON = "erika.mustermann@example.org"


class Book:
    """A log on paper, with a clock that a test moves."""

    def __init__(self, style: Style | None = Style.JSON, level: int = logging.DEBUG, redactor: Redactor | None = None):
        self.paper = io.StringIO()
        self.counted: list[tuple[str, str]] = []
        self.clock = MovedClock()
        self.log = Log(
            self.paper,
            self.clock,
            redactor or Redactor(),
            style=style,
            level=level,
            count=lambda event, connection: self.counted.append((event, connection)),
        )

    @property
    def text(self) -> str:
        return self.paper.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.split("\n")[:-1]]


class MovedClock(RealClock):
    at = 0.0

    def monotonic(self) -> float:
        return self.at


def test_a_line_is_one_json_object() -> None:
    book = Book()
    book.log.tell("connection_down", connection="support", why="no answer", tries=5, since=None)
    (line,) = book.lines
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "warning",
        "event": "connection_down",
        "connection": "support",
        "why": "no answer",
        "tries": 5,
        "since": None,
    }


def test_a_terminal_gets_words_instead() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    paper = Terminal()
    Log(paper, RealClock(), Redactor()).tell("connection_down", connection="support", why="no answer", tries=5)
    at, rest = paper.getvalue().split(" ", 1)
    assert at.endswith("Z")
    assert rest == 'warning  connection_down connection=support why="no answer" tries=5\n'


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize(
    "planted",
    [
        CANARY,
        quote(CANARY, safe=""),
        quote(CANARY),
        json.dumps(CANARY),
        repr(CANARY),
        base64.b64encode(CANARY.encode()).decode(),
    ],
)
def test_a_registered_secret_is_never_shown_however_it_is_written(style: Style, planted: str) -> None:
    redactor = Redactor()
    redactor.register(CANARY)
    book = Book(style, redactor=redactor)
    try:
        raise ValueError(f"cannot connect with {planted}")
    except ValueError as error:
        book.log.tell("worker_failed", worker="poll:1", why=f"x{planted}y", error=error, nested={"t": [planted]})
    assert "***" in book.text
    for piece in ("Geheim", "kanarie", base64.b64encode(CANARY.encode()).decode()[:12]):
        assert piece not in book.text


@pytest.mark.parametrize(
    "planted",
    [
        "Authorization: Bearer {}",
        "{{'Authorization': 'Basic {}', 'accept': 'x'}}",
        '{{"authorization":"{}"}}',
        "(b'authorization', b'Basic {}')",
        "x-zendesk-webhook-signature: {}",
        "https://agent:{}@example.zendesk.com/api",
        "refresh_token={}&grant_type=refresh_token",
        '{{"access_token": "{}"}}',
        "client_secret: {}",
        "api_token='{}'",
        "Cookie: {}",
        "password={}",
    ],
)
def test_credentials_are_known_by_where_they_stand(planted: str) -> None:
    book = Book()
    book.log.tell("library", library="urllib3", says=planted.format("kanarieGeheim4711abc"))
    assert "kanarieGeheim4711abc" not in book.text
    assert "***" in book.text


def test_a_signed_token_is_not_shown() -> None:
    book = Book()
    book.log.tell("webhook_rejected", why="jwt eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrYW5hcmllIn0.c2lnbmF0dXJl is expired")
    assert "eyJ" not in book.text
    assert "is expired" in book.text


def test_an_e_mail_address_is_not_shown() -> None:
    book = Book()
    book.log.tell("webhook_not_understood", why=f"the requester {PERSON} is unknown")
    assert PERSON not in book.text
    assert "the requester <e-mail> is unknown" in book.text


def test_a_raw_body_is_shown_by_its_length_only() -> None:
    book = Book()
    book.log.tell("webhook_not_understood", body=f'{{"from": "{PERSON}"}}'.encode())
    assert book.lines[0]["body"] == "<40 bytes>"


def test_a_word_that_is_too_short_to_be_a_secret_stays() -> None:
    redactor = Redactor()
    redactor.register("", "a", "\n")
    assert redactor.clean("a banana") == "a banana"


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize(
    "planted",
    [
        "a\r\nlevel=critical event=forged",
        "\x1b[2J\x1b[31mred",
        "\x9b31m",
        "a\u2028b",
        "\u202egnp.exe",
        "\x00",
        "\ud800",
        "\x7f",
    ],
)
def test_no_value_makes_a_line_or_moves_a_terminal(style: Style, planted: str) -> None:
    book = Book(style)
    book.log.tell("webhook_rejected", why=planted)
    assert book.text.count("\n") == 1
    line = book.text[:-1]
    assert line.isprintable()
    line.encode()  # whatever collects it can encode it
    if style is Style.JSON:
        assert json.loads(line)["why"] == planted


def test_a_huge_value_is_cut() -> None:
    book = Book()
    book.log.tell("webhook_rejected", why="x" * 50_000_000)
    assert len(book.text) < 3_000
    assert book.lines[0]["why"].endswith("... (50000000 characters)")


def test_an_error_carries_its_trace_in_the_same_line() -> None:
    book = Book()
    try:
        _ = dict[str, str]()["status"]
    except KeyError as error:
        book.log.tell("worker_failed", worker="settle", error=error)
    assert book.lines[0]["error"] == "KeyError: 'status'"
    assert "test_log.py" in book.lines[0]["trace"]


def test_what_happens_for_each_record_is_counted_and_not_shown() -> None:
    book = Book(level=logging.INFO)
    for _ in range(1000):
        book.log.tell("answered", connection="dev")
    assert book.text == ""
    assert book.counted == [("answered", "dev")] * 1000


def test_a_flood_of_one_event_is_cut_and_its_rest_told_later() -> None:
    most, seconds = BURST
    book = Book()
    for _ in range(1000):
        book.log.tell("webhook_rejected", connection="support")
    book.log.tell("webhook_rejected", connection="dev")
    assert len(book.lines) == most + 1
    assert len(book.counted) == 1001
    book.clock.at = seconds
    book.log.tell("webhook_rejected", connection="support")
    assert book.lines[-1]["unshown"] == 1000 - most


def test_a_name_that_no_code_would_choose_is_not_counted_by_itself() -> None:
    book = Book()
    book.log.tell("Event with\nwords")
    assert book.counted == [("other", "")]


@pytest.mark.parametrize("fact", ["event", "level", "at", "error", "exc_info", "stack_info"])
def test_no_name_of_a_fact_breaks_a_line(fact: str) -> None:
    book = Book()
    book.log.tell("connection_down", **{fact: "x"})
    assert book.lines[0]["event"] == "connection_down"
    assert book.lines[0]["level"] == "warning"


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("I/O operation on closed file"), OSError(28, "full")])
def test_a_stream_that_fails_stops_nothing(error: Exception) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise error

    Log(Broken(), RealClock(), Redactor(), style=Style.TEXT).tell("connection_down")


@contextmanager
def taken_over(book: Book) -> Generator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    with warnings.catch_warnings():
        book.log.take_over_libraries()
        try:
            yield
        finally:
            logging.captureWarnings(False)
            root.handlers[:], root.level = before, level


def test_what_libraries_log_is_redacted_and_one_line_too() -> None:
    book = Book()
    with taken_over(book):
        logging.getLogger("urllib3").warning("retry with\n%s", "Authorization: Bearer kanarieGeheim4711")
        logging.getLogger("urllib3").info("connection pool")
        logging.getLogger("broken").warning("%d", "no number")
    first, second = book.lines
    assert (first["event"], first["library"], first["severity"]) == ("library", "urllib3", "warning")
    assert first["says"] == "retry with\nAuthorization: ***"
    assert second["says"] == "%d"


def test_every_level_is_one_of_the_five() -> None:
    assert set(LEVELS.values()) <= {logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL}
