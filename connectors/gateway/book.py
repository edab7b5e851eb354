"""The aggregates of one fold: routes and signatures, bounded, as rows and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import blake2b

from connectors.gateway import llm
from connectors.gateway.calls import Call
from connectors.gateway.consumers import Hashes
from connectors.gateway.discriminator import discriminator, normalised_path, seen
from connectors.gateway.rules import FoldRules
from connectors.gateway.signature import OTHER, VERSION, Kind, Signature, signature_id
from connectors.gateway.tally import Route, Tally
from connectors.gateway.windows import HOURS_KEPT

_LONGEST_NAME = 200
_MEMO = 20_000
_FORGET_HOURS = 24
_OVER_CAP_CODES = 20

RouteKey = tuple[str, str, str]


class Book:
    """Routes by (service, route, method) and tallies by signature id."""

    def __init__(self, rules: FoldRules, source: str) -> None:
        self._rules = rules
        self._source = source
        self._hashes = Hashes()
        self._routes: dict[RouteKey, Route] = {}
        self._alias: dict[RouteKey, Route] = {}
        self._paths: dict[str, str] = {}
        self._words: dict[tuple[str, str], str] = {}
        self._per_route: dict[tuple[str, str], int] = {}
        self._by_key: dict[tuple[RouteKey, str, int, str], Tally] = {}
        self.tallies: dict[str, Tally] = {}
        self.dropped: list[tuple[str, str]] = []
        self._kept: set[str] = set()

    # --- routes ---------------------------------------------------------------------------------------------------

    def route(self, service: str, route: str, method: str) -> Route:
        """The route of that name, made if need be; the route `other` when there are too many."""
        found = self._alias.get((service, route, method))
        if found is not None:
            return found
        key = (seen(service, _LONGEST_NAME), seen(route, _LONGEST_NAME), seen(method, 20))
        found = self._routes.get(key)
        if found is None:
            if len(self._routes) >= self._rules.max_routes:
                key = ("", OTHER, "")
            found = self._routes.get(key)
            if found is None:
                found = self._routes[key] = Route(_row_key(key), *key, self._objective(key[0], key[1]))
        if len(self._alias) >= 4 * _MEMO:
            self._alias.clear()
        self._alias[service, route, method] = found
        return found

    def _objective(self, service: str, route: str) -> float | None:
        own = self._rules.route_slo_ms
        return own.get(f"{service}/{route}", own.get(route, self._rules.slo_ms))

    def path(self, raw: str) -> str:
        """The normalised path, remembered: the route of calls whose lines name none."""
        found = self._paths.get(raw)
        if found is None:
            if len(self._paths) >= _MEMO:
                self._paths.clear()
            found = self._paths[raw] = normalised_path(raw)
        return found

    # --- signatures -----------------------------------------------------------------------------------------------

    def add(self, call: Call, route: Route, cause: str, kind: Kind) -> str:
        """Count a failed call. Gives the signature's id."""
        words = self._discriminator(call) if kind is not Kind.LATENCY else ""
        code = call.status if kind is not Kind.LATENCY else 200
        tally = self._by_key.get(((route.service, route.route, route.method), cause, code, words))
        if tally is None:
            tally = self._new(call, route, cause, code, words, kind)
        digest = 0
        if call.consumer:
            call.consumer, digest = self._hashes(call.consumer)  # one text for all samples that name it
        if call.node:
            call.node, _ = self._hashes(call.node)
        tally.add(call, digest, self._rules.samples - 3)
        return tally.signature.id

    def _discriminator(self, call: Call) -> str:
        key = (call.body, call.error)
        found = self._words.get(key)
        if found is None:
            found = discriminator(call.body, call.error)
            if len(call.body) <= 512:
                if len(self._words) >= _MEMO // 2:
                    self._words.clear()
                self._words[key] = found
        return found

    def _new(self, call: Call, route: Route, cause: str, code: int, words: str, kind: Kind) -> Tally:
        at = (route.service, route.route)
        there = self._per_route.get(at, 0)
        full = len(self.tallies) >= self._rules.max_signatures
        if words != OTHER and (full or there >= self._rules.max_signatures_per_route):
            # Over the cap: all the rest of the route in one signature for each class and code, and of a gateway that is
            # full in one for each class.
            words = OTHER
            if full:
                route = self.route("", OTHER, "")
            code = 0 if full or there >= self._rules.max_signatures_per_route + _OVER_CAP_CODES else code
        key = ((route.service, route.route, route.method), cause, code, words)
        found = self._by_key.get(key)
        if found is not None:
            return found
        signature = Signature(
            id=signature_id(
                source=self._source,
                service=route.service,
                route=route.route,
                method=route.method,
                cause=cause,
                code=code,
                discriminator=words,
            ),
            version=VERSION,
            source=self._source,
            service=route.service,
            route=route.route,
            method=route.method,
            cause=cause,
            code=code,
            discriminator=words,
            kind=kind,
            fault=llm.fault(call) if kind is Kind.LLM else None,
            provider=seen(call.provider, 80) if kind is Kind.LLM else "",
            model=seen(call.model, 120) if kind is Kind.LLM else "",
        )
        return self._enter(Tally(signature, route, self._rules.exact_consumers))

    def _enter(self, tally: Tally) -> Tally:
        one = tally.signature
        self._by_key[(one.service, one.route, one.method), one.cause, one.code, one.discriminator] = tally
        self._per_route[one.service, one.route] = self._per_route.get((one.service, one.route), 0) + 1
        self.tallies[one.id] = tally
        tally.kept = one.id in self._kept
        return tally

    def keep(self, ids: Iterable[str]) -> None:
        """These are records: never forgotten."""
        for name in ids:
            self._kept.add(name)
            if name in self.tallies:
                self.tallies[name].kept = True

    def forget(self, minute: int) -> None:
        """Drop what is no record and was not seen for a day, and routes without traffic for a week."""
        hour = minute // 60
        for tally in [
            one for one in self.tallies.values() if not one.kept and one.last_ms // 3_600_000 < hour - _FORGET_HOURS
        ]:
            one = tally.signature
            del self.tallies[one.id]
            del self._by_key[(one.service, one.route, one.method), one.cause, one.code, one.discriminator]
            self._per_route[one.service, one.route] -= 1
            self.dropped.append(("signature", one.id))
        used = {(one.route.service, one.route.route, one.route.method) for one in self.tallies.values()}
        for key, route in list(self._routes.items()):
            if key not in used and max(route.hours, default=hour) < hour - HOURS_KEPT:
                del self._routes[key]
                self._alias.clear()
                self.dropped.append(("route", route.key))

    # --- rows -----------------------------------------------------------------------------------------------------

    def rows(self, minute: int) -> list[tuple[str, str, bytes]]:
        """(kind, key, body) of what changed since the last time."""
        made = []
        for route in self._routes.values():
            if route.dirty:
                made.append(("route", route.key, route.encode(minute)))
                route.dirty = False
        for name, tally in self.tallies.items():
            if tally.dirty:
                made.append(("signature", name, tally.encode(minute, self._rules.sample_body_bytes)))
                tally.dirty = False
        return made

    def restore_route(self, body: bytes) -> None:
        """Take in a stored route. Raises ValueError."""
        self.route(*Route.names(body)).restore(body)

    def restore_tally(self, body: bytes) -> None:
        """Take in a stored signature. Raises ValueError."""
        one = Tally.signature_of(body)
        route = self.route(one.service, one.route, one.method)
        self._enter(Tally.decode(body, route, self._rules.exact_consumers))


def _row_key(key: RouteKey) -> str:
    return blake2b(json.dumps(key).encode(), digest_size=16).hexdigest()
