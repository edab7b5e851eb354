"""What an administrator may write for a gateway, and what is refused with why."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.gateway.rules import FoldRules, Group
from connectors.gateway.settings import GatewaySettings

GOOD: dict[str, Any] = {"console_url": "https://apipark.example.com/", "log_files": ["/var/log/apinto/access.log"]}


def settings(**given: Any) -> GatewaySettings:
    return GatewaySettings.model_validate({**GOOD, **given})


def test_the_defaults_are_the_design_s() -> None:
    made = settings()
    assert made.fold_rules() == FoldRules()
    assert made.read_as().name == "apinto"
    assert made.write_back == "off"
    assert made.console_url == "https://apipark.example.com"
    assert made.webhook_secrets == ()


def test_every_threshold_can_be_set() -> None:
    rules = {
        "min_count": 3,
        "off": ["auth"],
        "client_codes": [429],
        "slo_ms": 800,
        "route_slo_ms": {"reports": 30000},
        "single_hit_routes": ["payments/charge"],
        "quiet_minutes": 30,
    }
    made = settings(rules=rules).fold_rules()
    assert (made.min_count, made.slo_ms, made.quiet_minutes) == (3, 800, 30)
    assert made.off == frozenset({Group.AUTH})
    assert made.client_codes == frozenset({429})
    assert made.single_hit_routes == frozenset({"payments/charge"})
    assert made.route_slo_ms == {"reports": 30000}


def test_counts_are_lower_bounds_where_lines_are_pushed() -> None:
    assert settings(receiver_token="a-long-random-token").fold_rules().at_least
    assert not settings().fold_rules().at_least


def test_lines_of_one_s_own_are_mapped() -> None:
    lines = {
        "fields": {"time": "ts", "status": ["response.status", "code"], "route": "route"},
        "time_unit": "ms",
        "latency_unit": "s",
    }
    made = settings(preset="own", lines=lines).read_as()
    assert made.mapping.fields["status"] == ("response.status", "code")
    assert made.mapping.units["latency"] == "s"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"log_files": []}, "name at least one, or set receiver_token"),
        ({"log_files": ["logs/access.log"]}, "is not absolute"),
        ({"log_files": ["/a.log", "/a.log"]}, "names a file twice"),
        ({"preset": "haproxy"}, "is not one of apinto"),
        ({"preset": "own"}, "`own` and `lines` go together"),
        ({"lines": {"fields": {"time": "ts"}}}, "`own` and `lines` go together"),
        ({"preset": "own", "lines": {"fields": {"tiem": "ts", "status": "s", "route": "r"}}}, "tiem"),
        ({"receiver_token": "short"}, "at least 16 characters"),
        ({"receiver_token": "a-long-random-token", "receiver_sources": ["10.0.0.0/99"]}, "no address and no network"),
        ({"console_url": "apipark.example.com"}, "write it as https://host"),
        ({"console_url": "https://u:p@apipark.example.com"}, "without user name"),
        ({"write_back": "apipark"}, "needs `apipark`"),
        ({"write_back": "kong"}, "needs `kong`"),
        ({"rules": {"min_rate": 1.5}}, "less than or equal to 1"),
        ({"rules": {"min_cuont": 5}}, "min_cuont"),
    ],
)
def test_a_mistake_is_refused_with_why(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**given)
    assert said in str(refused.value)
