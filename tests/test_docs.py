"""The documents say what is there: links lead somewhere, commands, events, metrics and tests that are named exist."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer.main
from sqlalchemy import insert

import config
import connectors
import sync
from config.catalogue import common
from config.load import load
from config.problems import SettingsErrors
from connectors.contract import Home, Ports
from connectors.gateway.feed import GatewayFeed
from connectors.gateway.settings import GatewaySettings
from connectors.registry import CONNECTORS
from sync.cli.ending import Exit
from sync.cli.main import app
from sync.daemon import figures
from sync.daemon.frame import Frame, Worker
from sync.daemon.process import ExitCode
from sync.log import LEVELS
from sync.mapping.load import load as load_mapping_texts
from sync.ports import Bells, RealClock, RealRng, spawn_thread
from sync.store import driver
from sync.store.migrate import open_store
from sync.store.tables import connections
from sync.web.metrics import Metrics

ROOT = Path(__file__).parent.parent
PARTS = ("benchmarks", "config", "connectors", "deploy", "docs", "mappings", "sync", "tests")
OPERATIONS = (ROOT / "docs/operations.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")


def pages() -> list[Path]:
    """Every Markdown file of the project."""
    return [*sorted(ROOT.glob("*.md")), *(path for part in PARTS for path in sorted((ROOT / part).rglob("*.md")))]


def names(found: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in found]


def without_code(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def section(text: str, title: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, flags=re.DOTALL | re.MULTILINE)
    assert found, f"there is no section {title!r}"
    return found[1]


# --- links -----------------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The headings of a page, as links name them."""
    titles = re.findall(r"^#+ (.+)$", without_code(path.read_text("utf-8")), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", names(pages()))
def test_every_link_leads_somewhere(page: str) -> None:
    path = ROOT / page
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        aim = (path.parent / place).resolve() if place else path
        if not aim.exists() or (anchor and aim.suffix == ".md" and anchor not in anchors(aim)):
            dead.append(target)
    assert dead == []


def test_the_pages_that_people_are_told_of_are_there() -> None:
    for name in ("README.md", "CHANGELOG.md", "docs/operations.md", "docs/mappings.md", "docs/settings.md"):
        assert (ROOT / name).is_file(), name
    for name in ("docs/requirements.md", "sync/README.md", "connectors/README.md", "NOTICE", "LICENSE"):
        assert (ROOT / name).is_file(), name


FOREIGN = re.compile(
    r"(?<![\w.~])/(?:work|home|root|Users)/\w|\b(?:pypi\.org|files\.pythonhosted|test\.pypi|artifactory|devpi)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("page", [*names(pages()), "Makefile", ".ci/run", "pyproject.toml"])
def test_no_page_names_a_place_on_a_machine_or_a_package_index(page: str) -> None:
    assert FOREIGN.findall((ROOT / page).read_text("utf-8")) == []


AMERICAN = re.compile(
    r"\b(?:normaliz|synchroniz|recogniz|organiz|serializ|summariz|prioritiz|authoriz|initializ|behavior|favorite|cancel(?:ed|ing)\b)\w*",
    re.IGNORECASE,
)


@pytest.mark.parametrize("page", names(pages()))
def test_the_spelling_is_british(page: str) -> None:
    text = re.sub(r"`[^`\n]+`", "", without_code((ROOT / page).read_text("utf-8")))
    assert AMERICAN.findall(text) == []


# --- commands --------------------------------------------------------------------------------------------------------


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command by its words. Typer's commands have no public type."""
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(words), command
        return
    if words and command.invoke_without_command:
        yield " ".join(words), command
    for name in below:
        yield from commands(below[name], (*words, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_every_command_is_in_the_table_of_commands() -> None:
    told = re.findall(
        r"`([^`]+)`", "\n".join(re.findall(r"^\| (.+?) \|", section(OPERATIONS, "Commands"), re.MULTILINE))
    )
    assert len(COMMANDS) > 15
    assert [name for name in COMMANDS if not any(each == name or each.startswith(f"{name} ") for each in told)] == []


def test_every_command_that_a_page_tells_people_to_type_exists() -> None:
    wrong = []
    for path in pages():
        for typed in re.findall(r"\bhypercare ((?:[a-z]+ ?)+)", "\n".join(_typed(path.read_text("utf-8")))):
            words = typed.split()
            if not any(" ".join(words[:count]) in COMMANDS for count in (1, 2)):
                wrong.append(f"{path.relative_to(ROOT)}: hypercare {typed}")
    assert wrong == []


def _typed(text: str) -> Iterator[str]:
    yield from re.findall(r"`(hypercare [^`\n]+)`", without_code(text))
    for block in blocks(text, "(?:sh|console|bash)?"):
        yield from re.findall(r"^(?:\$ )?(?:\S*/bin/)?(hypercare (?!is|are|runs)[^#\n]+)", block, re.MULTILINE)


def test_every_option_of_the_table_of_commands_exists() -> None:
    for cell in re.findall(r"^\| (.+?) \|", section(OPERATIONS, "Commands"), re.MULTILINE):
        for told in re.findall(r"`([^`]+)`", cell):
            words = re.findall(r"^[a-z]+(?: [a-z]+)?", told)
            known = {*COMMANDS} & {words[0], words[0].split()[0]} if words else set()
            if not known:
                continue
            options = {name for each in known for one in COMMANDS[each].params for name in one.opts}
            assert set(re.findall(r"--[a-z-]+", told)) - options == set(), told


def test_every_exit_code_is_told() -> None:
    text = section(OPERATIONS, "Commands").split("Exit codes:")[1]
    assert {int(code) for code in Exit} == {int(number) for number in re.findall(r"\b(\d+) [a-z]", text)}
    told = {int(number) for number in re.findall(r"^\| (\d+) \|", section(OPERATIONS, "As a service"), re.MULTILINE)}
    assert {int(code) for code in ExitCode} <= told


# --- events and metrics ----------------------------------------------------------------------------------------------


def told_events() -> set[str]:
    """The first argument of every `tell(...)` in the code."""
    found = set()
    for package in (sync, connectors, config):
        for path in sorted(Path(str(package.__file__)).parent.rglob("*.py")):
            if "sandbox" in path.parts or "demo" in path.parts or "simulation" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    if name in ("tell", "_tell") and isinstance(node.args[0].value, str):
                        found.add(node.args[0].value)
    return found


def documented_events() -> dict[str, str]:
    """Event -> level, as the table of the log says."""
    return {
        event: level
        for cells, level in re.findall(r"^\| (`.+?) \| (\w+) \|", section(OPERATIONS, "The log"), re.MULTILINE)
        for event in re.findall(r"`(\w+)`", cells)
    }


def test_every_event_that_is_told_is_in_the_table_of_the_log() -> None:
    assert len(told_events()) > 30
    assert told_events() == set(documented_events())


def test_the_table_of_the_log_names_each_level_as_it_is() -> None:
    levels = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "critical"}
    wrong = {name: level for name, level in documented_events().items() if levels[LEVELS.get(name, 20)] != level}
    assert wrong == {}


def test_every_metric_is_in_the_table_of_metrics(tmp_path: Path) -> None:
    metrics, clock = Metrics(), RealClock()
    worker = Worker(name="settle", topic="settle", run=lambda: False)
    frame = Frame(workers=[worker], clock=clock, bells=Bells(), spawn=spawn_thread, tell=lambda event, /, **facts: None)
    frame.start()
    store = open_store(tmp_path / "hypercare.db", clock=clock, inline=True)
    gateway = {"console_url": "http://127.0.0.1:1", "log_files": [tmp_path / "access.log"]}
    ports = Ports(clock=clock, rng=RealRng(), meter=lambda reading: None, home=Home(connection_id=1, store=store))
    feed = GatewayFeed(GatewaySettings.model_validate(gateway), ports)
    try:
        row = {
            "name": "support",
            "system": "zendesk",
            "role": "helpdesk",
            "created_at": datetime(2026, 3, 1, tzinfo=UTC),
        }
        store.step(lambda conn: conn.execute(insert(connections).values(**row)).close())
        metrics.add(lambda: figures.of_store(store, clock))
        metrics.add(lambda: figures.of_frame(frame))
        metrics.add(lambda: figures.of_feeds([("gateway", feed)]))
        metrics.count_event("started", "")
        metrics.count_hook("support", 202)
        metrics.count_feed("gateway", 200)
        shown = set(re.findall(r"^# TYPE (hypercare_\w+)", metrics.text().decode(), re.MULTILINE))
    finally:
        frame.stop()
        frame.drain(10.0)
        store.close()
    shown = {name for name in shown if not name.endswith("_created")}
    told = set(
        re.findall(r"`(hypercare_\w+)(?:\{[^}]*\})?`", section(OPERATIONS, "Metrics").split("Worth an alarm")[0])
    )
    assert "hypercare_deliveries" in shown
    assert shown - told == set()
    assert told - shown == {"hypercare_poll_age_seconds"}  # shown once a feed is open


# --- what messages and pages say of each other -----------------------------------------------------------------------


def test_the_page_and_section_that_an_error_names_are_there() -> None:
    named = re.search(r"\((docs/\w+\.md), (\w+)\)", driver.RESTORE)
    assert named
    assert named[2].lower() in anchors(ROOT / named[1])
    assert {"-wal", "-shm"} <= set(re.findall(r"-wal|-shm", section(OPERATIONS, "Restore")))


def test_every_connector_has_the_same_first_files() -> None:
    assert CONNECTORS
    for name in CONNECTORS:
        folder = ROOT / "connectors" / name
        for file in ("README.md", "settings.py", "client.py", "records.py", "webhook.py"):
            assert (folder / file).is_file(), f"{name}: {file}"
        assert (folder / "sandbox/README.md").is_file(), name
        assert (ROOT / "mappings" / f"{name}.yaml").is_file(), name
        assert f"]({name}/README.md)" in (ROOT / "connectors/README.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_a_connector_says_its_scopes_its_limits_and_what_it_cannot_do(name: str) -> None:
    titles = anchors(ROOT / "connectors" / name / "README.md")
    assert {"limits", "what-cannot-be-shown-or-written"} <= titles
    assert any("scopes" in title or "needs" in title for title in titles)


def test_the_settings_of_the_readme_are_accepted(tmp_path: Path) -> None:
    text = next(block for block in blocks(README, "yaml") if block.startswith("connections:"))
    (tmp_path / "config").mkdir()
    place = tmp_path / "config/hypercare.yaml"
    place.write_text(text, "utf-8")
    with pytest.raises(SettingsErrors) as missing:
        load(place, {})
    assert len(missing.value.problems) == 2  # the two secret files, which the steps before have made
    secrets = tmp_path / "var/secrets"
    secrets.mkdir(parents=True)
    for file in re.findall(r"var/secrets/([\w-]+)", text):
        (secrets / file).write_text("a-secret-of-yours\n", "utf-8")
        (secrets / file).chmod(0o600)
    loaded = load(place, {})
    assert loaded.systems == {"support": "zendesk", "engineering": "jira"}
    assert str(loaded.data_dir) == str(tmp_path / "var")


def test_the_route_of_the_readme_is_accepted() -> None:
    text = next(block for block in blocks(README, "yaml") if block.startswith("routes:"))
    files = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "mappings").glob("*.yaml"))}
    loaded = load_mapping_texts({**files, "routes.yaml": text}, {"support": "zendesk", "engineering": "jira"})
    assert [route.name for route in loaded.routes] == ["launch problems"]


@pytest.mark.parametrize("page", names(pages()))
def test_every_setting_that_a_page_names_exists(page: str) -> None:
    known = {".".join(setting.way) for setting in common()}
    named = set(re.findall(r"`((?:engine|web|log)\.[a-z_.]+)`", (ROOT / page).read_text("utf-8")))
    assert {name for name in named if name not in known and name.rsplit(".", 1)[-1] not in ("py", "md")} == set()


@pytest.mark.parametrize("page", names(pages()))
def test_every_make_target_that_a_page_names_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = (ROOT / page).read_text("utf-8")
    named = re.findall(r"(?:`|^)make(?: -k)? ([a-z][a-z-]*)", text, re.MULTILINE)
    assert {name for name in named if name not in targets} == set()


def test_the_changelog_has_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_decisions_are_numbered_and_short() -> None:
    found = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:4] for path in found] == [f"{number:04d}" for number in range(1, len(found) + 1)]
    for path in found:
        lines = path.read_text("utf-8").splitlines()
        assert len(lines) <= 15, path.name
        assert lines[0].startswith(f"# {int(path.name[:4])}. "), path.name
        for word in ("**Context.**", "**Options.**", "**Decision.**"):
            assert sum(line.startswith(word) for line in lines) == 1, f"{path.name}: {word}"


# --- requirements ----------------------------------------------------------------------------------------------------

REQUIREMENTS = ROOT / "docs/requirements.md"
_TEST = re.compile(r"`(tests/[\w/.-]+?)(?:::(\w+))?`")


def functions_of(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_test_that_a_requirement_names_exists() -> None:
    missing = []
    for place, function in _TEST.findall(REQUIREMENTS.read_text("utf-8")):
        path = ROOT / place
        if not path.exists() or (function and (not path.is_file() or function not in functions_of(path))):
            missing.append(f"{place}::{function}" if function else place)
    assert missing == []


def test_every_requirement_names_what_shows_it_or_is_open() -> None:
    rows = re.findall(r"^\| (?!requirement|---)(.+?) \| (.+?) \|$", REQUIREMENTS.read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 60
    silent = [
        what
        for what, shown in rows
        if "open" not in shown
        and not _TEST.search(shown)
        and not re.search(r"`(?:make|hypercare|docs/|benchmarks/)", shown)
    ]
    assert silent == []
