"""The guide for administrators, walked: its commands in their order, against stand-ins on real sockets."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.sync.cli.served import served

_WHOLE = re.MULTILINE | re.DOTALL
GUIDE = (Path(__file__).parents[3] / "docs" / "mappings.md").read_text(encoding="utf-8")
WALK = GUIDE.partition("## From your systems to a mapping that works")[2].partition("\n## ")[0]
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```$", WALK, _WHOLE) for line in block.splitlines()]
GERMAN = {"In Progress": "In Arbeit", "In Review": "Im Review", "Done": "Erledigt"}


def test_the_commands_of_the_guide_do_what_it_says(tmp_path: Path) -> None:
    assert [line.split()[:3] for line in COMMANDS] == [
        ["hypercare", "mappings", "suggest"],
        ["hypercare", "mappings", "diff"],
        ["hypercare", "mappings", "try"],
        ["mv", "suggested.yaml", "mappings/jira.yaml"],
        ["hypercare", "mappings", "check"],
        ["hypercare", "plan"],
    ]
    with served(tmp_path, jira={"renamed_statuses": GERMAN}) as place:
        ticket, issue = place.ticket(status="open"), place.issue(status="In Progress")
        place.read_all()
        assert place.run("link", f"support:{ticket}", f"tracker:{issue}").code == 0
        writes = (place.zendesk.state()["writes"], place.jira.state()["writes"])
        said = {}
        for line in COMMANDS:
            words = line.split()
            if words[0] == "mv":
                shutil.move(place.folder / words[1], place.folder / words[2])
                continue
            done = place.run(*words[1:])
            said[" ".join(words[1:3])] = done
            assert done.code == (1 if "diff" in words else 0), f"{line}: {done.out}{done.err}"
        assert "suggested.yaml is a first mapping for tracker" in said["mappings suggest"].out
        assert "status `In Arbeit` means in_progress; it was not named before" in said["mappings diff"].out
        assert "In Arbeit" in said["mappings try"].out
        assert "suggested.yaml:" in said["mappings try"].out
        assert said["mappings check"].out.count("well: mapping and system agree") == 2
        assert (place.zendesk.state()["writes"], place.jira.state()["writes"]) == writes
