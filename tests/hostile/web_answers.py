"""The same for the connectors on httpx: Sentry, GlitchTip, and the interfaces of a gateway."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from connectors import sentry
from connectors.contract import Ports
from connectors.gateway.annotate import Place, bring, places
from connectors.gateway.apinto import Apinto
from connectors.gateway.apipark import ApiPark
from connectors.gateway.interfaces import ApintoAccess, ApiParkAccess, KongAccess, WriteBack
from connectors.gateway.kong import Kong
from connectors.gateway.sandbox import build as build_gateway
from connectors.sentry.sandbox import build as build_sentry
from connectors.sentry.settings import SentrySettings
from sync.model import Changes, StatusChange
from sync.simulation.virtual import SeededRng, VirtualClock
from tests.hostile.answers import LINES, Line, flip, mapping_of, sound, write
from tests.hostile.spoiling import SpoilingWeb

HOUR = timedelta(hours=1)


def sentry_line(edition: str) -> Line:
    """edition: of the stand-in, `sentry` or `glitchtip`.

    A link is shown in up to two attempts: an answer that shows another one of ours takes that away first. So this call
    is not among those whose refusal says that nothing happened.
    """
    clock = VirtualClock()
    switches = {"edition": "glitchtip"} if edition == "glitchtip" else {}
    org = build_sentry(clock.epoch, SeededRng(4), settings={"rate_limits": False, **switches})
    ids = [str(org.act({"act": "event", "title": f"TypeError: {n}"})["issue"]) for n in range(3)]
    gone = str(org.act({"act": "event", "title": "KeyError: gone"})["issue"])
    org.act({"act": "delete", "issue": gone})
    if edition != "glitchtip":
        org.act({"act": "merge", "issues": [ids[0], ids[2]]})
    clock.advance(400)
    settings = SentrySettings.model_validate(
        {
            "base_url": "http://127.0.0.1:8103",
            "organization": "acme",
            "token": "hub-token",
            "flavour": edition,
            **({} if edition == "glitchtip" else {"tag_keys": ["environment", "release"]}),
        }
    )
    line = Line(
        name=edition,
        clock=clock,
        stand_in=org,
        spoiling=SpoilingWeb(org),
        connect=lambda ports: sentry.CONNECTOR.connect(settings, ports),
        mapping=mapping_of("sentry"),
        writes=lambda: sum(org.org.writes.values()),
    )
    first = sound(line, ids[0])
    ref = first.ref
    turn = iter(range(10**9))
    again = line.remote().page(None, clock.now() - HOUR).cursor
    line.calls = {
        "check": lambda remote: remote.check(),
        "values": lambda remote: remote.values(),
        "page from the start": lambda remote: remote.page(None, clock.now() - timedelta(days=1)),
        "page on": lambda remote: remote.page(again, clock.now()),
        "fetch one": lambda remote: remote.fetch([ids[0]]),
        "fetch one, bare": lambda remote: remote.fetch([ids[0]], whole=False),
        "fetch many": lambda remote: remote.fetch(ids),
        "fetch the merged": lambda remote: remote.fetch([ids[2]]),
        "fetch the deleted": lambda remote: remote.fetch([gone]),
        "history": lambda remote: remote.history(ref, ""),
        "history since": lambda remote: remote.history(ref, first.version),
        "write status": lambda remote: write(line, remote, ref, status=flip(turn, "resolved", "ongoing")),
        "write a note": lambda remote: write(line, remote, ref, note=f"Linked with OPS-{next(turn)}."),
        "steps": lambda remote: remote.steps(first, Changes(add_tags=("a",), status=StatusChange(raw="resolved"))),
    }
    if edition != "glitchtip":
        line.calls |= {
            "write tags": lambda remote: write(line, remote, ref, tag=f"t{next(turn)}"),
            "show a link": lambda remote: write(line, remote, ref, link=True),
        }
    return line


def gateway_line(which: str) -> Line:
    """which: `apipark`, `apinto` or `kong`. To show what is open is a write with a look behind it, which may fail."""
    clock = VirtualClock()
    site = build_gateway(clock.epoch, SeededRng(5))
    site.act({"act": "call", "route": "pay", "kind": "ok"})
    clock.advance(90)
    url = "http://127.0.0.1:8104"
    apipark = ApiParkAccess.model_validate({"url": url, "name": "hub", "password": "hub-password"})
    apinto, kong = ApintoAccess(url=url), KongAccess(url=url)
    made: dict[str, Callable[[Ports], Any]] = {
        "apipark": lambda ports: ApiPark(apipark, ports),
        "apinto": lambda ports: Apinto(apinto, ports),
        "kong": lambda ports: Kong(kong, ports),
    }

    def place(mode: WriteBack) -> Place:
        return places(mode, ports_of(line), apipark=apipark, apinto=apinto, kong=kong)[-1]

    line = Line(
        name=which,
        clock=clock,
        stand_in=site,
        spoiling=SpoilingWeb(site),
        connect=made[which],
        mapping=mapping_of("gateway"),
        writes=lambda: sum(site.gateway.writes.values()),
    )
    turn = iter(range(10**9))

    def tags() -> tuple[str, ...]:
        return (f"fb:open-{next(turn)}",)

    calls: dict[str, dict[str, Callable[[Any], Any]]] = {
        "apipark": {
            "version": lambda park: park.version(),
            "services": lambda park: park.services(),
            "a service": lambda park: park.service("checkout"),
            "apis": lambda park: park.apis("checkout", "rest"),
            "consumers": lambda park: park.consumers(),
            "logs": lambda park: park.logs("checkout", "rest", clock.now() - HOUR, clock.now()),
            "a call": lambda park: park.find("checkout", "none"),
            "totals": lambda park: park.totals(clock.now() - HOUR, clock.now()),
            "write tags": lambda park: _put(park, tags()),
            "show what is open": lambda _: bring(place(WriteBack.APIPARK), "checkout", tags()),
        },
        "apinto": {
            "a hash": lambda apinto: apinto.hash("feedback:pay"),
            "a router": lambda apinto: apinto.router("pay"),
            "outputs": lambda apinto: apinto.outputs(),
            "write a field": lambda apinto: apinto.put_field("feedback:pay", "tags", " ".join(tags())),
            "write no field": lambda apinto: apinto.drop_field("feedback:pay", "tags"),
            "write labels": lambda apinto: apinto.put_labels("pay", {"feedback": tags()[0]}),
            "show what is open": lambda _: bring(place(WriteBack.APINTO_LABELS), "pay", tags()),
        },
        "kong": {
            "a service": lambda kong: kong.service("checkout"),
            "is read-only": lambda kong: kong.is_read_only(),
            "write tags": lambda kong: kong.put_tags("checkout", tags()),
            "show what is open": lambda _: bring(place(WriteBack.KONG), "checkout", tags()),
        },
    }
    line.calls = calls[which]
    line.status_in_body = which == "apipark"
    return line


def ports_of(line: Line) -> Ports:
    """The ports of a further connection of a line."""
    return Ports(clock=line.clock, rng=SeededRng(5), meter=lambda reading: None, transport=line.spoiling)


def _put(park: ApiPark, tags: tuple[str, ...]) -> None:
    park.put_tags(park.service("checkout"), tags)


EVERY_LINE: dict[str, Callable[[], Line]] = {
    **LINES,
    "sentry": lambda: sentry_line("sentry"),
    "glitchtip": lambda: sentry_line("glitchtip"),
    "apipark": lambda: gateway_line("apipark"),
    "apinto": lambda: gateway_line("apinto"),
    "kong": lambda: gateway_line("kong"),
}
"""Every line there is, by name."""
