"""`init`, `check`, `mappings check`, and how commands end."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.sync.cli.command import Place

ROOT = Path(__file__).parents[3]


def test_check_is_content_with_what_init_made_and_shows_where_values_came_from(place: Place) -> None:
    found = place.run("check", HYPERCARE_LOG__LEVEL="debug")
    assert found.code == 0, found.err
    lines = found.out.splitlines()
    assert [line.split() for line in lines if line.startswith("log.level")] == [
        ["log.level", "debug", "environment", "HYPERCARE_LOG__LEVEL"]
    ]
    assert any(line.split() == ["connections.support.client_secret", "(set)", "file", "config/hypercare.yaml:8:20"]
               for line in lines)  # fmt: skip
    assert "config/hypercare.yaml: 2 connections, 0 routes: well" in lines


def test_check_for_programs_says_the_same(place: Place) -> None:
    found = place.run("check", "--json").json
    assert found["ok"] is True
    assert {"setting": "web.port", "value": "0", "source": "file config/hypercare.yaml:19:13"} in found["settings"]


def test_every_problem_of_the_settings_is_told_and_nothing_else(place: Place) -> None:
    place.file.write_text(place.file.read_text().replace("subdomain", "subdomian").replace("port: 0", "port: no"))
    found = place.run("check")
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "config/hypercare.yaml:4:5: connections.support.subdomain: is missing; add it, for example `subdomain: acme`\n"
        "config/hypercare.yaml:5:5: connections.support.subdomian: is not a key that is known here; did you mean "
        "`subdomain`?\n"
        "config/hypercare.yaml:19:13: web.port: must be a whole number, and is `no`\n"
        "3 problems\n"
    )


def test_a_folder_without_settings_says_how_to_make_them(tmp_path: Path, place: Place) -> None:
    place.file.unlink()
    found = place.run("status")
    assert found.code == 2
    assert found.err == (
        "config/hypercare.yaml: there is no such file; make one with `hypercare init DIR`, go into its folder, or name "
        "it with --config FILE or HYPERCARE_CONFIG\n1 problem\n"
    )


def test_the_settings_are_named_before_or_after_the_command_or_by_a_variable(place: Place, tmp_path: Path) -> None:
    place.file.rename(tmp_path / "other.yaml")
    (tmp_path / "other.yaml").write_text(
        (tmp_path / "other.yaml").read_text() + "mappings_dir: mappings\ndata_dir: var\n"
    )
    for args in (["--config", "other.yaml", "check"], ["check", "--config", "other.yaml"]):
        assert place.run(*args).code == 0
    assert place.run("check", HYPERCARE_CONFIG="other.yaml").code == 0


def test_a_mapping_with_a_mistake_is_refused_with_its_place(place: Place) -> None:
    (place.folder / "mappings" / "rules.yaml").write_text("groups: {helpdesk: {resolve: sometimes}}\n")
    said = "groups.helpdesk.resolve: `sometimes` is not one of all, any and never"
    shown = "    1 | groups: {helpdesk: {resolve: sometimes}}\n      |                              ^^^^^^^^^"
    for words in (["check"], ["mappings", "check"], ["plan"], ["mappings", "diff", "mappings", "mappings"]):
        assert place.run(*words).err == f"mappings/rules.yaml:1:30: {said}\n{shown}\n1 problem\n"
    found = place.run("mappings", "check", "--github")
    assert (found.code, found.out) == (2, f"::error file=mappings/rules.yaml,line=1,col=30::{said}\n")
    listed = place.run("mappings", "check", "--json")
    assert (listed.code, listed.json["problems"][0]["line"]) == (2, 1)


def test_an_annotation_names_its_file_from_the_root_of_the_checkout(place: Place) -> None:
    (place.folder / "mappings" / "rules.yaml").write_text("reopen_as: resolved\n")
    found = place.run("mappings", "check", "--github", GITHUB_WORKSPACE=str(place.folder.parent))
    assert found.out.startswith(f"::error file={place.folder.name}/mappings/rules.yaml,line=1,col=12::reopen_as: ")
    settings = place.file.read_text()
    place.file.write_text(f"{settings}mappings_dir: {place.folder / 'mappings'}\n")
    found = place.run("mappings", "check", "--github")
    assert found.out.startswith("::error file=mappings/rules.yaml,line=1,col=12::reopen_as: ")


def test_lines_of_the_settings_are_not_shown(place: Place) -> None:
    place.file.write_text(place.file.read_text().replace("api_token: hub-token", "api_tokn: hub-token"))
    found = place.run("check")
    assert found.code == 2
    assert "hub-token" not in found.err
    assert "|" not in found.err


def test_mappings_as_shipped_are_well(place: Place) -> None:
    assert place.run("mappings", "check").out == "mappings: 4 mappings, 0 routes: well\n"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["nonsense"], 2, "No such command 'nonsense'."),
        (["start"], 2, "Missing argument 'CONNECTION'."),
        (["start", "suport"], 1, "there is no connection `suport`; did you mean `support`?"),
        (["start", "support", "--since", "yesterday"], 2,
         "--since yesterday: write a time as 2026-03-01 or 2026-03-01T08:00:00+01:00"),
        (["start", "support", "--since", "2999-01-01"], 2, "--since 2999-01-01 lies in the future"),
        (["status"], 1, "nothing is known yet: there is no database at var/hypercare.db; `hypercare run` makes it"),
        (["sandbox", "github"], 2, "there is no stand-in for 'github'; known are gateway, jira, sentry and zendesk"),
        (["sandbox", "zendesk", "--set", "nope"], 2, "--set nope: write it as NAME=VALUE"),
        (["run", "--port", "eighty"], 2, "--port: web.port: must be a whole number, and is `eighty`"),
    ],
)  # fmt: skip
def test_a_persons_mistake_is_answered_in_a_line(place: Place, args: list[str], code: int, said: str) -> None:
    found = place.run(*args)
    assert found.code == code
    assert said in found.err
    assert "Traceback" not in found.err


def test_a_mistake_in_the_settings_shows_no_traceback_of_a_process(place: Place) -> None:
    place.file.write_text("connections: []\n")
    found = place.process("check")
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "config/hypercare.yaml:1:14: connections: must be a mapping (`name: value` lines), and is a list\n1 problem\n"
    )


def test_the_version_is_that_of_the_distribution(place: Place) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert place.run("version").out == f"hypercare {project['version']}\n"


def test_init_says_what_it_kept(place: Place) -> None:
    said = place.run("init", ".").out.splitlines()
    assert said[0] == "kept  config/hypercare.yaml"
    assert not [line for line in said if line.startswith("made")]
    assert said[-1] == "3. hypercare --config config/hypercare.yaml run"


def test_another_distribution_with_one_of_our_package_names_is_found(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "elsewhere" / "config_thing-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: config-thing\nVersion: 1.0\n")
    (info / "top_level.txt").write_text("config\n")
    monkeypatch.syspath_prepend(str(info.parent))
    found = place.run("check")
    assert found.code == 1
    assert (
        "error: the package `config` is also installed by config-thing, which overwrites ours; install hypercare into "
        "an environment of its own\n"
    ) in found.out
