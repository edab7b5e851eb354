"""The real command on a configuration in a folder of its own, in this process or in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sync.cli.main import main

COMMAND = Path(sys.executable).with_name("hypercare")
ZENDESK_SECRET = "sandbox-client-secret"
JIRA_SECRET = "hub-token"

SETTINGS = """\
# ours
connections:
  support:  # tickets
    system: zendesk
    subdomain: acme
    base_url: {zendesk}
    client_id: hypercare
    client_secret: sandbox-client-secret
    poll_seconds: 0.5
  "tracker":
    system: jira
    url: {jira}
    projects: [OPS]
    poll_seconds: 0.5
    auth:
      kind: cloud_token
      email: hub@example.com
      api_token: hub-token
web: {{port: 0}}
"""
UNREACHABLE = {"zendesk": "http://127.0.0.1:8101", "jira": "http://127.0.0.1:8102"}


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Place:
    """A configuration, and the command run beside it."""

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        self.folder = folder
        self.file = folder / "config" / "hypercare.yaml"
        if not make:
            return
        made = self.run("init", ".")
        assert made.code == 0, made.err
        self.point_at(**UNREACHABLE)

    def point_at(self, *, zendesk: str, jira: str) -> None:
        self.file.write_text(SETTINGS.format(zendesk=zendesk, jira=jira), encoding="utf-8")

    def run(self, *args: str, said: str = "", **environ: str) -> Result:
        """Run the command in this process, as its entry point does: quick, since everything is imported by then."""
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as world,
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            for name in [name for name in os.environ if name.startswith("HYPERCARE_")]:
                world.delenv(name)
            for name, value in environ.items():
                world.setenv(name, value)
            world.setattr(sys, "argv", ["hypercare", *args])
            world.setattr(sys, "stdin", io.StringIO(said))
            with pytest.raises(SystemExit) as ended:
                main()
        assert isinstance(ended.value.code, int)
        return _checked(args, Result(ended.value.code, out.getvalue(), err.getvalue()))

    def process(self, *args: str) -> Result:
        """Run the command as a process of its own."""
        done = subprocess.run(
            [COMMAND, *args],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return _checked(args, Result(done.returncode, done.stdout, done.stderr))


def environment() -> dict[str, str]:
    """The environment without anything that speaks to hypercare."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HYPERCARE_")}


def _checked(args: tuple[str, ...], result: Result) -> Result:
    for secret in (ZENDESK_SECRET, JIRA_SECRET):
        assert secret not in result.out + result.err, f"{args} shows a secret"
    return result
