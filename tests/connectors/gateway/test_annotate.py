"""Which tags a service should carry, and how they get there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import Unavailable, WriteRejected
from connectors.gateway import annotate
from connectors.gateway.annotate import Evidence, Place, bring, differing, ours_of, places, wanted, with_ours
from connectors.gateway.interfaces import ApintoAccess, ApiParkAccess, KongAccess, WriteBack
from tests.connectors.gateway.stand_in import Gateway, gateway


@pytest.fixture
def site() -> Iterator[Gateway]:
    with gateway() as made:
        yield made


def seen(service: str, route: str, *issues: str, is_open: bool = True) -> Evidence:
    return Evidence(service=service, route=route, is_open=is_open, issues=issues)


def place(site: Gateway, mode: WriteBack) -> Place:
    found = places(
        mode,
        site.ports,
        apipark=site.access(),
        apinto=ApintoAccess(url=site.url),
        kong=KongAccess(url=site.url),
    )
    return found[-1]


# --- pure -------------------------------------------------------------------------------------------------------------


def test_a_service_carries_how_many_are_open_and_their_issues() -> None:
    known = [seen("checkout", "pay", "OPS-2"), seen("checkout", "cart", "OPS-1"), seen("accounts", "login")]
    assert wanted(known) == {
        "checkout": ("fb:jira-OPS-1", "fb:jira-OPS-2", "fb:open-2"),
        "accounts": ("fb:open-1",),
    }


def test_a_route_may_be_the_target() -> None:
    known = [seen("checkout", "pay", "OPS-2"), seen("checkout", "cart")]
    assert wanted(known, by_route=True) == {"pay": ("fb:jira-OPS-2", "fb:open-1"), "cart": ("fb:open-1",)}


def test_what_is_done_names_nothing_and_is_taken_away() -> None:
    known = [seen("checkout", "pay", "OPS-2", is_open=False), seen("checkout", "cart", "OPS-1")]
    assert wanted(known)["checkout"] == ("fb:jira-OPS-1", "fb:open-1")
    assert wanted([seen("checkout", "pay", "OPS-2", is_open=False)]) == {"checkout": ()}


def test_a_signature_without_a_service_is_shown_nowhere() -> None:
    assert wanted([seen("", "/x")]) == {}


def test_at_most_five_issues_are_named() -> None:
    known = [seen("s", "r", *(f"OPS-{number}" for number in range(9)))]
    assert wanted(known)["s"] == (*(f"fb:jira-OPS-{number}" for number in range(5)), "fb:open-1")


def test_an_odd_key_makes_a_plain_tag() -> None:
    assert wanted([seen("s", "r", "a b/c,d", "//")])["s"] == ("fb:jira-a-b-c-d", "fb:open-1")


TAGS = st.lists(st.sampled_from(["shop", "a", "fb:open-1", "fb:open-2", "fb:jira-OPS-1"]), unique=True)


@given(TAGS, TAGS)
def test_foreign_tags_survive_in_their_order_and_ours_are_exactly_the_wanted(shown: list[str], tags: list[str]) -> None:
    ours = ours_of(tags)
    after = with_ours(shown, ours)
    assert [tag for tag in after if not tag.startswith("fb:")] == [tag for tag in shown if not tag.startswith("fb:")]
    assert ours_of(after) == ours
    assert with_ours(after, ours) == after


def test_only_what_differs_or_was_not_looked_at_is_brought() -> None:
    now: dict[str, tuple[str, ...]] = {"a": ("fb:open-1",), "b": (), "c": (), "d": ("fb:open-2",)}
    last: dict[str, tuple[str, ...]] = {"a": ("fb:open-1",), "b": ("fb:open-1",)}
    assert differing(now, last) == ("b", "c", "d")


# --- at the gateway ---------------------------------------------------------------------------------------------------

EVERYWHERE = [WriteBack.APIPARK, WriteBack.APINTO_HASH, WriteBack.APINTO_LABELS, WriteBack.KONG]


@pytest.mark.parametrize("mode", EVERYWHERE)
def test_tags_are_brought_once_changed_and_taken_away(site: Gateway, mode: WriteBack) -> None:
    there = place(site, mode)
    target = "pay" if there.by_route else "checkout"
    first = bring(there, target, ("fb:open-1", "fb:jira-OPS-1"))
    assert (first.changed, first.after) == (True, ("fb:jira-OPS-1", "fb:open-1"))
    writes = sum(site.state()["writes"].values())
    assert writes == 1
    assert not bring(there, target, ("fb:jira-OPS-1", "fb:open-1")).changed
    assert sum(site.state()["writes"].values()) == writes
    assert bring(there, target, ("fb:open-2",)).after == ("fb:open-2",)
    assert bring(there, target, ()).after == ()
    there.close()


def test_what_others_put_on_a_service_stays(site: Gateway) -> None:
    for mode in (WriteBack.APIPARK, WriteBack.KONG):
        there = place(site, mode)
        bring(there, "checkout", ("fb:open-1",))
        assert "shop" in there.shown("checkout")
        there.close()
    assert site.service("checkout")["tags"] == ["shop", "fb:open-1"]
    assert site.state()["kong"]["services/checkout"] == ["fb:open-1", "shop"]
    assert site.service("checkout")["approval_type"] == "auto"


def test_what_others_put_beside_a_route_stays(site: Gateway) -> None:
    there = place(site, WriteBack.APINTO_LABELS)
    bring(there, "pay", ("fb:open-1",))
    bring(there, "pay", ())
    router = site.apinto().router("pay")
    assert router.labels == {"provider": "checkout", "api_kind": "rest"}
    there.close()


def test_the_hash_survives_a_release_and_the_label_is_brought_again(site: Gateway) -> None:
    hashed, labelled = place(site, WriteBack.APINTO_HASH), place(site, WriteBack.APINTO_LABELS)
    for there in (hashed, labelled):
        bring(there, "pay", ("fb:open-1",))
    site.act("publish", service="checkout")
    assert not bring(hashed, "pay", ("fb:open-1",)).changed
    assert bring(labelled, "pay", ("fb:open-1",)).changed
    for there in (hashed, labelled):
        there.close()


@pytest.mark.parametrize("mode", [WriteBack.APIPARK, WriteBack.APINTO_LABELS, WriteBack.KONG])
def test_a_target_that_the_gateway_does_not_know_is_missing(site: Gateway, mode: WriteBack) -> None:
    there = place(site, mode)
    assert bring(there, "nowhere", ("fb:open-1",)).is_missing
    assert sum(site.state()["writes"].values()) == 0
    there.close()


@pytest.mark.parametrize("mode", EVERYWHERE)
def test_a_write_that_is_answered_well_and_changes_nothing_is_noticed(site: Gateway, mode: WriteBack) -> None:
    there = place(site, mode)
    site.fault(kind="ignore_write", method="write", path="service/info|hash|router|services")
    with pytest.raises(WriteRejected, match="instead of fb:open-1"):
        bring(there, "pay" if there.by_route else "accounts", ("fb:open-1",))
    there.close()


def test_a_lost_answer_is_in_doubt_and_the_next_look_settles_it(site: Gateway) -> None:
    there = place(site, WriteBack.APIPARK)
    site.fault(kind="drop_after", operation="service.update", count=1)
    with pytest.raises(Unavailable) as caught:
        bring(there, "accounts", ("fb:open-1",))
    assert caught.value.applied
    assert not bring(there, "accounts", ("fb:open-1",)).changed
    assert site.state()["writes"] == {"service.update": 1}
    there.close()


def test_nothing_is_written_unless_switched_on(site: Gateway) -> None:
    assert places(WriteBack.OFF, site.ports, apipark=site.access()) == ()


def test_the_labels_come_with_the_hash(site: Gateway) -> None:
    both = places(WriteBack.APINTO_LABELS, site.ports, apinto=ApintoAccess(url=site.url))
    assert [type(one) for one in both] == [annotate.ApintoHash, annotate.ApintoLabels]


@pytest.mark.parametrize("mode", EVERYWHERE)
def test_a_mode_without_its_interface_is_a_mistake(site: Gateway, mode: WriteBack) -> None:
    with pytest.raises(ValueError, match=mode.value):
        places(mode, site.ports)


# --- what an administrator sets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "ftp://x"}, "write it as https://host:port"),
        ({"url": "https://[broken"}, "write it as https://host:port"),
        ({"url": "https://user:pw@apipark.example"}, "credentials have settings of their own"),
        ({"url": "http://apipark.example"}, "plain http only to this machine"),
        ({"time_zone": "Mars/Olympus"}, "not a time zone"),
        ({"password": ""}, "at least 1 item"),
        ({"odd": 1}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_says_what_is_right(given: dict[str, object], said: str) -> None:
    stock: dict[str, object] = {"url": "https://apipark.example", "name": "hub", "password": "x"}
    with pytest.raises(ValidationError, match=said):
        ApiParkAccess.model_validate(stock | given)


def test_plain_http_is_allowed_where_it_is_asked_for() -> None:
    access = ApintoAccess(url="http://10.0.0.7:9400/", allow_http=True)
    assert access.url == "http://10.0.0.7:9400"
