"""A configuration on disk that works, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from config.load import Loaded, load
from config.problems import SettingsErrors

GOOD = """\
connections:
  support:
    system: zendesk
    subdomain: acme
    client_id: hypercare
    client_secret: CANARY-zendesk
  engineering:
    system: jira
    url: https://acme.atlassian.net
    projects: [SHOP]
    auth:
      kind: cloud_token
      email: hub@example.com
      api_token: CANARY-jira
"""


class Place:
    """A folder with a settings file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "config" / "hypercare.yaml"
        self.file.parent.mkdir(parents=True)
        self.write(GOOD)

    def write(self, text: str) -> None:
        self.file.write_text(dedent(text), encoding="utf-8")

    def secret(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def load(self, environ: Mapping[str, str] | None = None, **flags: str) -> Loaded:
        return load(self.file, environ or {}, {name.replace("__", "."): text for name, text in flags.items()})

    def refusal(self, environ: Mapping[str, str] | None = None) -> list[str]:
        """What is said of these settings, with the folder left out."""
        with pytest.raises(SettingsErrors) as caught:
            self.load(environ)
        return [str(problem).replace(str(self.folder) + "/", "") for problem in caught.value.problems]
