"""An edit of a mapping that lets more through writes nothing by itself."""

from __future__ import annotations

from pathlib import Path

from sync.mapping.load import load
from tests.support.launch import launch
from tests.sync.mapping.records import shipped_texts


def test_a_tag_filter_that_is_opened_sends_none_of_the_tags_that_were_there(tmp_path: Path) -> None:
    shipped = shipped_texts()
    open_filter, narrow = '    include: ["*"]\n', '    include: ["team-*"]\n'
    assert open_filter in shipped["jira.yaml"]
    day = launch(tmp_path, texts={"jira.yaml": shipped["jira.yaml"].replace(open_filter, narrow, 1)})
    ticket, issue = day.linked_pair(status="open", tags=["one"])
    day.world.wait(300)
    writes = day.writes()
    texts = {**shipped, "routes.yaml": "routes: []\n"}
    day.world.mappings = load(texts, {"support": "zendesk", "tracker": "jira"})
    day.world.restart()
    day.engineer(issue, "In Progress")  # so that the item is decided anew
    day.world.wait(600)
    written, labels = day.writes() - writes, day.issue_now(issue)["labels"]
    day.tag(ticket, add=("two",))
    day.world.wait(300)
    day.world.close()
    assert labels == []
    assert written == 0
    assert day.issue_now(issue)["labels"] == ["two"]
