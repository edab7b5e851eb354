"""The folder of a demo: made as `hypercare init` makes one, with a connection to each stand-in and one route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config import init
from config.load import DATABASE, DEFAULT_PLACE

TIME_FACTOR = 60
"""What the vendors' delays are divided by: Zendesk's hidden last minute is a second, Jira's retry after 5 minutes 5 s.

Rate limits, our own waits and everything the hub does itself keep their real length.
"""

ROUTED_TAG = "launch-bug"
PROJECT = "OPS"
DESK, TRACKER, ERRORS, GATEWAY = "support", "tracker", "errors", "gateway"
ORGANIZATION = "acme"
LOG_NAME = "access"
GRACE_SECONDS = 3
"""For how long after a resolve failing calls of the gateway are taken for the rest of the old trouble."""

MARKER = "hypercare.create"
"""Key of the issue property that marks what the hub created: the default of its setting."""

_JIRA_INDEX_LAG = 300

_SETTINGS = """\
# Made by `hypercare demo`: stand-ins on this machine.
connections:
  {desk}:
    system: zendesk
    subdomain: sandbox
    base_url: {desk_url}
    auth: client_credentials
    client_id: hypercare
    client_secret_file: ../var/secrets/zendesk-client-secret
    webhook_secret_file: ../var/secrets/zendesk-webhook-secret
    jira_app: true
    poll_seconds: 6
  {tracker}:
    system: jira
    url: {tracker_url}
    projects: [{project}]
    auth:
      kind: cloud_token
      email: hub@example.com
      api_token_file: ../var/secrets/jira-api-token
    webhook_secret_file: ../var/secrets/jira-webhook-secret
    poll_seconds: 3
    index_lag_seconds: {index_lag}   # 300, shortened as the stand-in's own delays are
  {errors}:
    system: sentry
    base_url: {errors_url}
    organization: {organization}
    token_file: ../var/secrets/sentry-token
    webhook_secret_file: ../var/secrets/sentry-webhook-secret
    poll_seconds: 3
    deploy_check_seconds: 1   # 60 is often enough outside a demo
  {gateway}:
    system: gateway
    console_url: {gateway_url}
    log_files: ["{log_file}"]
    write_back: apipark
    apipark:
      url: {gateway_url}
      name: hub
      password_file: ../var/secrets/apipark-password
      time_zone: Asia/Shanghai
    rules:
      grace_seconds: {grace}   # 60, for this short day
    poll_seconds: 3
web:
  port: {port}
  public_url: http://127.0.0.1:{port}
log:
  format: json
engine:
  links_minutes: 0   # 15 spares calls; this day is short, and links are made by hand in it
"""

_ROUTES = f"""\
# A ticket that an agent tags `{ROUTED_TAG}` gets an issue.
routes:
  - name: launch bugs
    when:
      connection: [{DESK}]
      tags: {{any: [{ROUTED_TAG}]}}
    create:
      connection: {TRACKER}
      fields: {{project: {PROJECT}, issuetype: Bug}}
"""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What the stand-ins know their callers by, and what they sign their webhooks with."""

    zendesk_client: str
    zendesk_webhook: str
    jira_token: str
    jira_webhook: str
    sentry_token: str
    sentry_webhook: str
    apipark_password: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder with everything of one demo in it. log: the daemon's."""

    folder: Path

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / DEFAULT_PLACE

    @property
    def database(self) -> Path:
        """The daemon's database."""
        return self.folder / "var" / DATABASE

    @property
    def gateway_logs(self) -> Path:
        """The folder that the gateway logs its calls to."""
        return self.folder / "var" / "gateway"

    @property
    def log(self) -> Path:
        """The daemon's log."""
        return self.folder / "var" / "hypercare.log"


def make(folder: Path, *, urls: Mapping[str, str], port: int, secrets: Secrets) -> Place:
    """Make the folder's files. urls: of each system, by connection. port: where the daemon is to listen.

    Raises OSError, SettingsErrors.
    """
    place = Place(folder=folder)
    init.make(folder)
    place.gateway_logs.mkdir(exist_ok=True)
    given = {
        "zendesk-client-secret": secrets.zendesk_client,
        "zendesk-webhook-secret": secrets.zendesk_webhook,
        "jira-api-token": secrets.jira_token,
        "jira-webhook-secret": secrets.jira_webhook,
        "sentry-token": secrets.sentry_token,
        "sentry-webhook-secret": secrets.sentry_webhook,
        "apipark-password": secrets.apipark_password,
    }
    for name, secret in given.items():
        path = folder / init.SECRETS / name
        path.touch(mode=0o600)
        path.write_text(secret, "utf-8")
    text = _SETTINGS.format(
        desk=DESK,
        tracker=TRACKER,
        desk_url=urls[DESK],
        tracker_url=urls[TRACKER],
        errors=ERRORS,
        errors_url=urls[ERRORS],
        organization=ORGANIZATION,
        gateway=GATEWAY,
        gateway_url=urls[GATEWAY],
        grace=GRACE_SECONDS,
        log_file=place.gateway_logs / f"{LOG_NAME}.log",
        project=PROJECT,
        port=port,
        index_lag=_JIRA_INDEX_LAG // TIME_FACTOR,
    )
    place.settings.write_text(text, "utf-8")
    (folder / "mappings" / "routes.yaml").write_text(_ROUTES, "utf-8")
    _resolve_in_the_next_release(folder / "mappings" / "sentry.yaml")
    return place


def _resolve_in_the_next_release(mapping: Path) -> None:
    """What is done in Jira is not out yet: let Sentry wait for the release, as the shipped file's comment says."""
    text = mapping.read_text("utf-8")
    shipped, wanted = "      resolved: resolved ", "      resolved: resolved_in_next_release "
    assert shipped in text or wanted in text, "the mapping of Sentry says what `resolved` writes"
    mapping.write_text(text.replace(shipped, wanted, 1), "utf-8")
