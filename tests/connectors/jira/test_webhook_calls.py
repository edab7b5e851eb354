"""The calls that the stand-in sends, as the connector believes and reads them."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.contract import WebhookRequest
from connectors.errors import WebhookRejected
from connectors.jira.sandbox import JiraSandbox, build
from connectors.jira.webhook import keys, verify
from tests.connectors.jira.site import Hands


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture(params=["Cloud", "Server"])
def sandbox(request: pytest.FixtureRequest, hands: Hands) -> JiraSandbox:
    return build(hands.time, hands, deployment=request.param)


def act(sandbox: JiraSandbox, name: str, **more: Any) -> Any:
    return sandbox.act({"act": name, **more})


def calls(sandbox: JiraSandbox, hands: Hands) -> list[WebhookRequest]:
    sandbox.due_hooks(0)  # turns what happened into calls, which are due a moment later
    hands.seconds += 60
    return [
        WebhookRequest(headers={name.lower(): value for name, value in hook.headers.items()}, body=hook.body)
        for hook in sandbox.due_hooks(hands.time())
    ]


@pytest.mark.parametrize("dynamic", [False, True])
def test_each_kind_of_call_is_believed_and_names_its_issues(sandbox: JiraSandbox, hands: Hands, dynamic: bool) -> None:
    if dynamic and sandbox.deployment == "Server":
        sandbox = build(hands.time, hands)  # dynamic webhooks are Cloud's
    act(sandbox, "webhook", url="https://hub.example.com/hooks/jira", secret="s3cret", dynamic=dynamic)
    one, two = (act(sandbox, "create", summary=f"issue {number}")["id"] for number in (1, 2))
    act(sandbox, "add_label", issue=one, label="x")
    act(sandbox, "comment", issue=one, body="hello")
    act(sandbox, "link", issue=one, other=two)
    act(sandbox, "delete", issue=two)
    received = calls(sandbox, hands)
    assert len(received) >= 6
    named: set[str] = set()
    for request in received:
        assert verify(request, ["s3cret"], hands.now())
        named |= {hint.id for hint in keys(request)}
        with pytest.raises(WebhookRejected):
            verify(request, ["other"], hands.now())
    assert named == {one, two}
    assert len({verify(request, ["s3cret"], hands.now()) for request in received}) == len(received)


def test_a_call_speaks_of_the_version_that_a_read_then_shows(sandbox: JiraSandbox, hands: Hands) -> None:
    act(sandbox, "webhook", url="https://hub.example.com/hooks/jira", secret="s3cret")
    number = act(sandbox, "create", summary="one")["id"]
    updated = next(issue["updated"] for issue in sandbox.state()["issues"])
    (hint,) = keys(calls(sandbox, hands)[0])
    assert hint.id == number
    assert hint.version.endswith(f".{updated % 1000:03d}Z")


def test_a_repeated_call_has_the_same_delivery_id(hands: Hands) -> None:
    sandbox = build(hands.time, hands)
    act(sandbox, "webhook", url="https://hub.example.com/hooks/jira", secret="s3cret")
    act(sandbox, "create", summary="one")
    sandbox.due_hooks(0)
    hands.seconds += 1
    (first,) = sandbox.due_hooks(hands.time())
    sandbox.hook_answered(first, 503, hands.time())
    hands.seconds += 901
    (again,) = sandbox.due_hooks(hands.time())
    ids = [
        verify(
            WebhookRequest(headers={k.lower(): v for k, v in hook.headers.items()}, body=hook.body),
            ["s3cret"],
            hands.now(),
        )
        for hook in (first, again)
    ]
    assert ids[0] == ids[1]
    assert first.body == again.body
