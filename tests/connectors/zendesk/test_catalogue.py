"""What a Zendesk account is found to have: statuses, custom ones, fields with their choices."""

from __future__ import annotations

from typing import Any

import pytest

from connectors import zendesk
from connectors.contract import Catalogue, FieldKind, Ports
from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.sandbox.server import serve
from connectors.zendesk.sandbox import build
from connectors.zendesk.settings import ZendeskSettings
from sync.ports import RealClock, RealRng


def read(*faults: FaultRule, **switches: Any) -> Catalogue:
    """The catalogue of a stand-in, over a real socket."""
    clock = RealClock()
    desk = build(lambda: clock.now().timestamp(), RealRng(), settings={"subdomain": "acme", **switches})
    for fault in faults:
        desk.control.faults.add(fault)
    with serve(desk) as running:
        settings = ZendeskSettings.model_validate(
            {
                "subdomain": "acme",
                "base_url": running.url,
                "client_id": "hypercare",
                "client_secret": "sandbox-client-secret",
            }
        )
        ports = Ports(clock=clock, rng=RealRng(), meter=lambda reading: None)
        remote: Any = zendesk.CONNECTOR.connect(settings, ports)
        try:
            found: Catalogue = remote.catalogue()
        finally:
            remote.close()
        return found


def test_custom_statuses_are_named_as_the_mapping_names_them() -> None:
    field = read().field("custom_status")
    assert field is not None
    named = {one.name: (one.category, one.default) for one in field.values}
    assert named["on-hold"] == ("hold", True)
    assert named["waiting for engineering"] == ("open", False)


def test_an_account_without_them_has_its_plain_statuses() -> None:
    found = read(custom_statuses=False)
    assert found.field("custom_status") is None
    status = found.field("status")
    assert status is not None
    assert [one.name for one in status.values] == ["new", "open", "pending", "hold", "solved", "closed"]


@pytest.mark.parametrize(
    ("name", "label", "kind"),
    [
        ("custom_fields.360001", "Area", FieldKind.CHOICE),
        ("custom_fields.360002", "Jira issue", FieldKind.TEXT),
        ("custom_fields.360003", "Escalated", FieldKind.YES_NO),
        ("custom_fields.360004", "Platforms", FieldKind.CHOICES),
        ("subject", "Subject", FieldKind.TEXT),
    ],
)
def test_a_field_has_its_label_and_kind(name: str, label: str, kind: FieldKind) -> None:
    field = read().field(name)
    assert field is not None
    assert (field.label, field.kind) == (label, kind)


def test_the_tags_of_a_drop_down_are_its_values_and_a_checkbox_has_its_tag() -> None:
    found = read()
    area, box = found.field("custom_fields.360001"), found.field("custom_fields.360003")
    assert area is not None
    assert box is not None
    assert next((one.name, one.label) for one in area.values) == ("area_checkout", "Checkout")
    assert box.tag == "escalated"


def test_fields_that_are_not_shown_to_us_are_said_to_be_unread() -> None:
    found = read(FaultRule(kind=FaultKind.FORBIDDEN, operation="fields.list"))
    assert [one.partition(":")[0] for one in found.unread] == ["the ticket fields"]
    assert found.field("status") is not None
