"""The guards around four generic package names: what is in the wheel, who else owns them, how the tools find them."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {"config", "connectors", "mappings", "sync"}
LOCKS = ("requirements.lock", "requirements-musl.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def files_of(folder: str, pattern: str) -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob(pattern)):
        if "__pycache__" not in path.parts:
            yield path


# --- the wheel -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built as a release builds it, from a folder with a space in its path and no network."""
    place = tmp_path_factory.mktemp("a clone")
    for name in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "releases"))
    for name in ("pyproject.toml", "LICENSE", "NOTICE", "README.md", "CHANGELOG.md"):
        shutil.copy2(ROOT / name, place / name)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=place, check=True, capture_output=True
    )
    (built,) = (place / "dist").glob("*.whl")
    return built


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_exactly_the_four_packages(wheel: Path) -> None:
    top = {name.split("/")[0] for name in names_in(wheel)}
    assert {name for name in top if not name.endswith(".dist-info")} == PACKAGES


def test_every_file_of_the_packages_that_is_not_python_is_in_the_wheel(wheel: Path) -> None:
    suffixes = ("*.yaml", "*.json", "*.mako", "py.typed", "*.jinja", "*.html", "*.css", "*.js")
    shipped = {
        path.relative_to(ROOT).as_posix() for package in PACKAGES for one in suffixes for path in files_of(package, one)
    }
    assert {
        "mappings/zendesk.yaml",
        "config/templates/hypercare.yaml",
        "sync/store/migrations/script.py.mako",
    } <= shipped
    assert {f"{package}/py.typed" for package in PACKAGES} <= shipped
    assert shipped - names_in(wheel) == set()


def test_every_migration_is_in_the_wheel(wheel: Path) -> None:
    folder = "sync/store/migrations"
    migrations = {path.relative_to(ROOT).as_posix() for path in files_of(folder, "*.py")}
    assert f"{folder}/env.py" in migrations
    assert migrations - names_in(wheel) == set()


def test_the_wheel_has_one_console_script_and_says_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (scripts,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert archive.read(scripts).decode().split("\n", 1)[0] == "[console_scripts]"
        assert re.findall(r"^(\S+) = ", archive.read(scripts).decode(), re.MULTILINE) == ["hypercare"]
        (metadata,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        text = archive.read(metadata).decode()
        assert {"LICENSE", "NOTICE"} <= {name.rsplit("/", 1)[-1] for name in archive.namelist()}
    assert "License-Expression: Apache-2.0" in text
    assert "Classifier: Private :: Do Not Upload" in text


def test_no_module_of_the_wheel_imports_the_tests_or_the_benchmarks() -> None:
    guilty = []
    for package in PACKAGES:
        for path in files_of(package, "*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = (
                    [one.name for one in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
                if any(name.split(".")[0] in ("tests", "benchmarks") for name in names):
                    guilty.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    assert guilty == []


def test_the_command_of_the_wheel_runs_in_an_environment_with_a_space_in_its_path(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "some where" / ".venv"
    venv.create(place, symlinks=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            place / "bin" / "python",
            "install",
            "--no-index",
            "--no-deps",
            wheel,
        ],
        check=True,
        capture_output=True,
        env={name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))},
    )
    (site,) = (place / "lib").glob("python*/site-packages")
    ours = next(Path(entry) for entry in sys.path if entry.endswith("site-packages"))
    # The dependencies come from this environment; a path in a .pth file reads no other .pth, so not our working tree.
    (site / "dependencies.pth").write_text(f"{ours}\n", "utf-8")
    told = subprocess.run(
        [place / "bin" / "hypercare", "--help"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "demo" in told.stdout
    where = subprocess.run(
        [place / "bin" / "python", "-P", "-c", "import mappings; print(mappings.__file__)"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(site)


# --- names -----------------------------------------------------------------------------------------------------------


def test_no_other_distribution_owns_our_package_names() -> None:
    owners = importlib.metadata.packages_distributions()
    foreign = {name: set(owners.get(name, ())) - {PROJECT["project"]["name"]} for name in PACKAGES}
    assert {name: found for name, found in foreign.items() if found} == {}


def test_the_packages_imported_here_are_those_of_this_tree() -> None:
    for name in sorted(PACKAGES):
        found = importlib.import_module(name).__file__
        assert found is not None
        assert Path(found).parent == ROOT / name


def test_every_package_says_that_it_is_typed() -> None:
    assert {name for name in PACKAGES if not (ROOT / name / "py.typed").is_file()} == set()


def test_every_folder_with_python_in_it_is_a_package() -> None:
    folders = {path.parent for name in (*PACKAGES, "tests", "benchmarks") for path in files_of(name, "*.py")}
    assert len(folders) > 20
    assert sorted(str(one.relative_to(ROOT)) for one in folders if not (one / "__init__.py").is_file()) == []


def test_there_is_one_way_to_start_it() -> None:
    assert PROJECT["project"]["scripts"] == {"hypercare": "sync.cli.main:main"}
    assert [str(path) for name in PACKAGES for path in files_of(name, "__main__.py")] == []


def test_imports_are_absolute() -> None:
    relative = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for name in (*PACKAGES, "tests")
        for path in files_of(name, "*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


# --- locks -----------------------------------------------------------------------------------------------------------

REQUIREMENT = re.compile(r"^(?P<name>[a-zA-Z0-9._-]+)(\[[^\]]*\])?==(?P<version>\S+?)( ; .*)?( \\)?$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def entries(lock: str) -> dict[str, list[str]]:
    """Each requirement of a lock with the lines of its hashes. A line of any other form fails."""
    found: dict[str, list[str]] = {}
    latest = ""
    for number, line in enumerate((ROOT / lock).read_text("utf-8").splitlines(), 1):
        if line.startswith("#") or not line:
            continue
        if HASH.match(line):
            found[latest].append(line)
            continue
        match = REQUIREMENT.match(line)
        assert match, f"{lock}:{number} is neither an exact requirement nor a hash: {line}"
        latest = f"{match['name']}=={match['version']} ({line.count(';')})"
        found[latest] = []
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_line_with_hashes(lock: str) -> None:
    found = entries(lock)
    assert len(found) > 20
    assert [name for name, hashes in found.items() if not hashes] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_index_and_no_place_of_a_machine(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert (
        re.findall(r"https?://|--index|--extra-index|--find-links|file:|(?<![\w.])/(?:home|root|usr|tmp|work)\b", text)
        == []
    )


def test_the_locks_hold_every_dependency_of_the_project() -> None:
    wanted = {re.split(r"[<>=!\[; ]", one, maxsplit=1)[0].lower() for one in PROJECT["project"]["dependencies"]}
    for lock in LOCKS:
        locked = {one.split("==")[0].lower() for one in entries(lock)}
        assert wanted - locked == set(), lock


# --- make ------------------------------------------------------------------------------------------------------------


def make(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder as a person would, without what this test run has set."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "PYTHON", "MAKE", "VIRTUAL_ENV", "COV_"))
    }
    return subprocess.run(["make", *words], cwd=place, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """An empty clone of this tree, as far as make looks at it, in a folder with a space in its name."""
    place = tmp_path / "my clone of it"
    place.mkdir()
    for name in ("Makefile", "pyproject.toml", *LOCKS):
        shutil.copy2(ROOT / name, place / name)
    return place


def test_make_makes_an_environment_in_a_path_with_a_space_and_makes_it_once(clone: Path) -> None:
    first = make(clone, f"PYTHON={sys.executable}", ".venv/.place")
    assert first.returncode == 0, first.stderr
    assert "Making .venv" in first.stdout
    assert (clone / ".venv/.place").read_text("utf-8").strip() == str(clone.resolve())
    told = subprocess.run(
        [clone / ".venv/bin/python", "-m", "pip", "--version"], check=True, capture_output=True, text=True
    )
    assert str(clone) in told.stdout
    again = make(clone, f"PYTHON={sys.executable}", ".venv/.place")
    assert "Making .venv" not in again.stdout


def test_make_setup_installs_from_the_lock_with_hashes_and_ourselves_without_an_index(clone: Path) -> None:
    plan = make(clone, "--dry-run", f"PYTHON={sys.executable}", "setup").stdout
    assert "--require-hashes -r requirements" in plan
    assert "--no-index --no-deps --no-build-isolation --editable ." in plan
    assert str(clone) not in plan  # a rule that named the folder would break at its space


def test_make_test_and_make_demo_set_everything_up_first(clone: Path) -> None:
    plan = make(clone, "--dry-run", f"PYTHON={sys.executable}", "test").stdout
    assert plan.index("requirements-dev.lock") < plan.index("-m pytest")
    plan = make(clone, "--dry-run", f"PYTHON={sys.executable}", "demo").stdout
    assert plan.index("--editable .") < plan.index("hypercare demo")


def test_make_says_which_python_it_needs(clone: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\ntest "$1" = --version && echo Python 3.9.2\nexit 1\n', "utf-8")
    old.chmod(0o755)
    told = make(clone, f"PYTHON={old}", "setup")
    assert told.returncode != 0
    assert "is not a Python 3.11 or later: Python 3.9.2" in told.stderr
    assert not (clone / ".venv").exists()


# --- deployment files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["deploy/hypercare.service", "deploy/Containerfile"])
def test_a_deployed_daemon_takes_no_module_from_its_working_folder(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "PYTHONSAFEPATH=1" in text
    assert "PYTHONPATH" not in text
    assert "hypercare" in text


def test_the_image_is_made_from_files_that_are_there_and_let_into_its_context() -> None:
    text = (ROOT / "deploy/Containerfile").read_text("utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in line.split()}
    assert copied > PACKAGES
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    let_in = (ROOT / "deploy/Containerfile.dockerignore").read_text("utf-8").split()
    assert {name for name in copied if f"!{name}" not in let_in} == set()


def test_the_unit_is_told_when_the_daemon_is_ready_and_stops_it_in_its_own_time() -> None:
    text = (ROOT / "deploy/hypercare.service").read_text("utf-8")
    settings = dict(line.split("=", 1) for line in text.splitlines() if re.match(r"[A-Z]\w*=", line))
    assert settings["Type"] == "notify"
    assert int(settings["TimeoutStopSec"]) > 10  # sync.daemon.process.EXIT_SECONDS
    assert settings["NoNewPrivileges"] == "yes"
    assert settings["User"] != "root"
