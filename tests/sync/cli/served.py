"""A configuration that leads to two stand-ins on real sockets, without a daemon between."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from connectors.jira.sandbox import JiraSandbox
from connectors.jira.sandbox import build as build_jira
from connectors.sandbox.server import serve
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox import build as build_zendesk
from sync.ports import RealRng
from tests.sync.cli.command import Place


class Served(Place):
    """The configuration, and both stand-ins."""

    zendesk: ZendeskSandbox
    jira: JiraSandbox
    ahead = 0.0
    """Seconds of Zendesk's clock before ours."""

    def zendesk_time(self) -> float:
        """What Zendesk's clock shows."""
        return time.time() + self.ahead

    def ticket(self, **given: Any) -> int:
        """A customer writes a ticket."""
        return int(self.zendesk.act({"act": "create", "subject": "Cannot log in", **given})["ticket"])

    def issue(self, **given: Any) -> str:
        """An engineer files an issue."""
        return str(self.jira.act({"act": "create", "summary": "Log-in times out", **given})["key"])

    def read_all(self) -> None:
        """Both systems' records are in the database. The export shows no ticket within its own second."""
        self.ahead += 2.0
        for name in ("support", "tracker"):
            done = self.run("import", name, "--since", "2020-01-01")
            assert done.code == 0, done.err

    def mapping(self, name: str, text: str) -> None:
        """Write one file of the mappings folder."""
        (self.folder / "mappings" / name).write_text(text, encoding="utf-8")


@contextmanager
def served(
    folder: Path,
    *,
    zendesk: dict[str, Any] | None = None,
    jira: dict[str, Any] | None = None,
    deployment: str = "Cloud",
) -> Generator[Served]:
    """Both stand-ins served. zendesk, jira: their switches."""
    place = Served(folder)
    switches = {"export_hides": 0.0, "subdomain": "acme", **(zendesk or {})}
    place.zendesk = build_zendesk(place.zendesk_time, RealRng(), settings=switches)
    place.jira = build_jira(time.time, RealRng(), deployment=deployment, settings={"index_lag": 0.0, **(jira or {})})
    with ExitStack() as stack:
        desk = stack.enter_context(serve(place.zendesk, time_source=place.zendesk_time))
        site = stack.enter_context(serve(place.jira))
        place.point_at(zendesk=desk.url, jira=site.url)
        yield place
