"""`hypercare check`: everything that can be known to be wrong, offline at once, online by asking the systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

from msgspec import Struct

from config.load import Loaded as Configuration
from config.load import value_of
from config.mappings import read_texts
from config.sources import Kind
from connectors.contract import Finding, Level

if TYPE_CHECKING:
    from sync.mapping.load import Loaded as Mappings

DISTRIBUTION = "hypercare-hub"
PACKAGES = ("config", "connectors", "mappings", "sync")


class Value(Struct, frozen=True, kw_only=True):
    """One setting as it is. value: never a secret."""

    setting: str
    value: str
    source: str


class Checked(Struct, frozen=True, kw_only=True):
    """What was found. findings: by connection; "" for the whole."""

    ok: bool
    settings: tuple[Value, ...]
    findings: dict[str, tuple[Finding, ...]]
    webhooks: dict[str, tuple[str, ...]] = {}


def values(configuration: Configuration) -> tuple[Value, ...]:
    """Every setting that somebody set, and where it came from."""
    return tuple(
        Value(setting=name, value=value_of(configuration.settings, name), source=str(source))
        for name, source in configuration.sources.items()
        if source.kind is not Kind.DEFAULT
    )


def is_set_by(configuration: Configuration, kind: Kind, connection: str) -> list[str]:
    """Where settings of a connection came from, of one kind."""
    start = f"connections.{connection}."
    return sorted(
        {one.where for name, one in configuration.sources.items() if name.startswith(start) and one.kind is kind}
    )


def whole(configuration: Configuration) -> Iterator[Finding]:
    """What is wrong whatever the connections are."""
    owners: Mapping[str, list[str]] = packages_distributions()
    for package in PACKAGES:
        foreign = sorted(set(owners.get(package, ())) - {DISTRIBUTION})
        if foreign:
            yield Finding(
                level=Level.ERROR,
                what=f"the package `{package}` is also installed by {', '.join(foreign)}, which overwrites ours",
                do="install hypercare into an environment of its own",
            )
    if not configuration.connections:
        yield Finding(
            level=Level.ERROR,
            what=f"{configuration.path} has no connections",
            do="add one under `connections`, see docs/settings.md",
        )
    roles = {one.role.value for one in configuration.connections.values()}
    if configuration.connections and "tracker" not in roles:
        yield Finding(level=Level.WARNING, what="no connection is a tracker", do="add your Jira")
    if configuration.data_dir.is_dir() and configuration.data_dir.stat().st_mode & 0o077:
        yield Finding(
            level=Level.WARNING,
            what=f"others can look into {configuration.data_dir}, which holds customers' data",
            do=f"chmod 700 {configuration.data_dir}",
        )


def online(configuration: Configuration, mappings: Mappings, name: str) -> tuple[Finding, ...]:
    """What the system of one connection says: credentials, scopes, feeds, and where the mapping does not fit it."""
    from connectors.errors import RemoteError
    from sync.cli import agreeing
    from sync.cli.asking import asked
    from sync.learning.live import look
    from sync.mapping.trace import sources
    from sync.ports import RealClock

    connector, settings = configuration.connector(name), configuration.connections[name]
    try:
        with asked(configuration, name) as live:
            seen = look(live.remote, live.room, RealClock().now(), records=0)
    except RemoteError as error:
        return (Finding(level=Level.ERROR, what=f"{getattr(settings, 'url', connector.name)}: {error.message}"),)
    files = sources(read_texts(configuration.mappings_dir))
    capabilities = seen.capabilities
    found = agreeing.held(mappings, files, name, connector.name, seen)
    signed_in = f"signed in to {capabilities.account} as {capabilities.me or 'a user'}"
    at_home = f"the hub itself keeps its records, which lead to {capabilities.account}; nobody signs in"
    return (
        Finding(level=Level.INFO, what=signed_in if connector.feed is None else at_home),
        *capabilities.findings,
        *(
            Finding(level=one.level, what=f"{one.rule}: {one.what}" if one.rule is not None else one.what, do=one.do)
            for one in found.mismatches
            if one.level is not Level.INFO
        ),
    )


def webhook_steps(configuration: Configuration, name: str) -> tuple[str, ...]:
    """What a person does so that a system calls us."""
    if configuration.connector(name).webhook is None:
        return ("it calls no webhooks; what it pushes, if anything, goes to its feed: see its README",)
    public = configuration.settings.web.public_url
    if public is None:
        return ("no webhooks: `web.public_url` is not set, so changes are found by polling alone",)
    connection = configuration.connections[name]
    address = f"{public}/hooks/{name}"
    if connection.webhook_secrets:
        return (f"calls to {address} are believed by `webhook_secret`",)
    steps = _STEPS.get(connection.system, ())
    events = _EVENTS.get(connection.system, "")
    return tuple(step.format(address=address, events=events) for step in steps)


_STEPS = {
    "zendesk": (
        "Admin Centre > Apps and integrations > Webhooks > Create webhook, subscribed to events: {events}",
        "endpoint {address}, method POST, format JSON, no authentication",
        "copy its signing secret into a file that only you can read and name it as `webhook_secret_file`",
    ),
    "jira": (
        "Jira settings > System > WebHooks > Create, with a JQL filter on your projects and the events: {events}",
        "address {address}, with a long random secret",
        "put the same secret into a file that only you can read and name it as `webhook_secret_file`",
    ),
    "sentry": (
        "Settings > Developer settings > the hub's internal integration: webhook URL {address}, resources: {events}",
        "copy its client secret into a file that only you can read and name it as `webhook_secret_file`",
    ),
}
_EVENTS = {
    "sentry": "issue, comment",
    "zendesk": "ticket created, status changed, tags changed, custom field changed, comment added, merged, deleted",
    "jira": "issue created, updated, deleted; comment created, updated, deleted; issue link created, deleted",
}
