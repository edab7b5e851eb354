# ruff: noqa: E501  a message is compared whole, in one line
"""The usual mistakes, each with the whole of what is said about it."""

from __future__ import annotations

import pytest

from config.problems import SettingsErrors
from tests.config.files import GOOD, Place

FILE = "config/hypercare.yaml"


def test_a_file_that_is_not_there_is_named_with_who_named_it(place: Place) -> None:
    place.file.unlink()
    assert place.refusal() == [
        f"{FILE}: there is no such file (--config names it); correct the path, or make one: hypercare init DIR"
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("subdomain: acme", "subdomian: acme", f"{FILE}:4:5: connections.support.subdomian: is not a key that is known here; did you mean `subdomain`?"),
        ("  support:", "  web:\n    prot: 1\n  support:", f"{FILE}:2:3: connections.web.system: is missing; add it, for example `system: jira`"),
        ("system: jira", "system: jria", f"{FILE}:8:13: connections.engineering.system: `jria` is not one of jira, sentry, zendesk and gateway; did you mean `jira`?"),
        ("system: jira", "sytem: jira", f"{FILE}:8:5: connections.engineering.sytem: is not a key that is known here; did you mean `system`?"),
        ("kind: cloud_token", "kind: cloud", f"{FILE}:12:13: connections.engineering.auth.kind: `cloud` is not one of cloud_token, cloud_bearer, personal_token and password; did you mean `cloud_token`?"),
        ("email: hub@example.com", "mail: hub@example.com", f"{FILE}:13:7: connections.engineering.auth.mail: is not a key that is known here; did you mean `email`?"),
        ("url: https://acme.atlassian.net", "url: http://acme.atlassian.net", f"{FILE}:8:5: connections.engineering: http://acme.atlassian.net: plain http sends the credentials readable to all in between; use https, or set allow_http: true"),
        ("  engineering:", "  Engineering:", f"{FILE}:7:3: connections.Engineering: `Engineering` is not a name for a connection; use small letters and digits, with single - or _ between them"),
        ("  engineering:", "  support:", f"{FILE}:7:3: connections.support: stands here a second time (first in line 2); keep one of the two"),
        ("subdomain: acme", "subdomain: CHANGE-ME", f"{FILE}:4:16: connections.support.subdomain: `CHANGE-ME` is still what `hypercare init` wrote; put your own in"),
        ("    client_id: hypercare\n", "", f"{FILE}:3:5: connections.support: auth client_credentials needs client_id: set it here"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_connection_is_told_at_its_place(place: Place, old: str, new: str, said: str) -> None:
    place.write(GOOD.replace(old, new, 1))
    assert any(line.startswith(said) for line in place.refusal()), place.refusal()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web: {port: eighty}", f"{FILE}:15:13: web.port: must be a whole number, and is `eighty`"),
        ("web: {port: 70000}", f"{FILE}:15:13: web.port: must be less than or equal to 65535"),
        ("web: {public_url: hub.example.com}", f"{FILE}:15:19: web.public_url: `hub.example.com` is not an address; write it as https://host, without user name, ? and #"),
        ("web: {public_url: 'http://hub.example.com'}", f"{FILE}:15:19: web.public_url: `http://hub.example.com` is plain http, on which webhook calls can be read and changed; use https"),
        ("web: {trusted_proxies: [proxy]}", f"{FILE}:15:24: web.trusted_proxies: `proxy` is no address and no network; write it as 10.0.0.0/8"),
        ("lgo: {level: info}", f"{FILE}:15:1: lgo: is not a key that is known here; did you mean `log`?"),
        ("log: {level: loud}", f"{FILE}:15:14: log.level: `loud` is not one of debug, info, warning and error"),
        ("engine: [1]", f"{FILE}:15:9: engine: must be a mapping (`name: value` lines), and is a list"),
        ("engine: {brake_writes: {share: 2}}", f"{FILE}:15:32: engine.brake_writes.share: must be less than or equal to 1"),
        ("web:\n\tport: 1", f"{FILE}:16:1: this is not YAML: a tab stands here; indent with spaces"),
    ],
)  # fmt: skip
def test_a_mistake_elsewhere_is_told_at_its_place(place: Place, text: str, said: str) -> None:
    place.write(GOOD + text + "\n")
    assert place.refusal() == [said]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HYPERCARE_WBE__PORT", "1", "names no setting; did you mean `HYPERCARE_WEB__PORT`?"),
        ("HYPERCARE_WEB__PORT", "eighty", "web.port: must be a whole number, and is `eighty`"),
        ("HYPERCARE_CONFIGG", "x", "names no setting; did you mean `HYPERCARE_CONFIG`?"),
        ("HYPERCARE_CONNECTIONS__SUPORT__TOKEN", "CANARY", "there is no connection `suport`; did you mean `support`?"),
        ("HYPERCARE_CONNECTIONS__SUPPORT__TOKN", "CANARY", "names no setting; did you mean `HYPERCARE_CONNECTIONS__SUPPORT__TOKEN`?"),
        ("HYPERCARE_CONNECTIONS__ENGINEERING__AUTH__KIND", "cloud_tokn", "connections.engineering.auth.kind: `cloud_tokn` is not one of cloud_token, cloud_bearer, personal_token and password; did you mean `cloud_token`?"),
        ("HYPERCARE_CONNECTIONS__ENGINEERING__PROJECTS", "shop", "connections.engineering.projects: 'shop' is not a project key: capital letters, digits and underscores, as in an issue key before the dash"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_environment_names_the_variable(place: Place, variable: str, value: str, said: str) -> None:
    assert place.refusal({variable: value}) == [f"{variable}: {said}"]


def test_a_secret_that_others_can_read_is_refused(place: Place) -> None:
    place.secret("token", "CANARY", 0o640)
    place.write(GOOD.replace("api_token: CANARY-jira", "api_token_file: ../token"))
    assert place.refusal() == [
        (
            f"token (named by {FILE}:14:23): connections.engineering.auth.api_token_file: others can read this secret (its "
            "mode is 0640); chmod 600 token, and renew the secret if others have read it"
        )
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no such file; write the secret into it, or correct the path"),
        (b"", "is empty; write the secret into it"),
        (b"\xff\xfe", "is not text in UTF-8; write the secret into it as it was shown to you"),
        (b"x" * 70_000, "has more than 65,536 bytes; a secret file holds the secret and nothing else"),
    ],
)
def test_a_secret_file_that_cannot_be_used_is_named(place: Place, content: bytes | None, said: str) -> None:
    if content is not None:
        place.secret("token", "")
        (place.folder / "token").write_bytes(content)
    variable = "HYPERCARE_CONNECTIONS__SUPPORT__CLIENT_SECRET_FILE"
    assert place.refusal({variable: "../token"}) == [
        f"token (named by {variable}): connections.support.client_secret_file: {said}"
    ]


def test_a_device_is_no_secret_file(place: Place) -> None:
    variable = "HYPERCARE_CONNECTIONS__SUPPORT__CLIENT_SECRET_FILE"
    assert place.refusal({variable: "/dev/null"}) == [
        (
            f"/dev/null (named by {variable}): connections.support.client_secret_file: is not a file; write the secret into a "
            "file of its own"
        )
    ]


def test_everything_that_is_wrong_is_told_at_once(place: Place) -> None:
    place.secret("token", "x", 0o644)
    spoilt = GOOD.replace("subdomain: acme", "subdomian: acme").replace(
        "api_token: CANARY-jira", "api_token_file: ../token"
    )
    place.write(spoilt + "web: {port: x}\nlgo: {}\n")
    found = place.refusal({"HYPERCARE_WBE__PORT": "1", "HYPERCARE_LOG__LEVEL": "loud"})
    assert [line.split(": ")[0] for line in found] == [
        f"{FILE}:3:5",
        f"{FILE}:4:5",
        f"{FILE}:15:13",
        f"{FILE}:16:1",
        f"token (named by {FILE}:14:23)",
        "HYPERCARE_LOG__LEVEL",
        "HYPERCARE_WBE__PORT",
    ]


def test_names_that_variables_cannot_tell_apart_are_refused(place: Place) -> None:
    place.write(GOOD.replace("support:", "dev-team:").replace("engineering:", "dev_team:"))
    assert place.refusal() == [
        (
            f"{FILE}:7:3: connections.dev_team: differs from `dev-team` only by - and _, which variables of the environment "
            "cannot tell apart; give one of them another name"
        )
    ]


@pytest.mark.parametrize(
    "spoilt",
    [
        GOOD.replace("api_token: CANARY-jira", "api_token: [CANARY-jira]"),
        GOOD.replace("api_token: CANARY-jira", "api_token: {CANARY-jira: CANARY-jira}"),
        GOOD.replace("auth:\n", "auth: CANARY-jira\n").split("      kind")[0],
        GOOD.replace("kind: cloud_token", "kind: CANARY-jira"),
        GOOD.replace("subdomain: acme", "subdomain: CANARY-zendesk!"),
        GOOD.replace("email: hub@example.com", "email: ''"),
        GOOD + "web: {port: CANARY-jira}\n",
    ],
)
def test_no_secret_gets_into_a_message(place: Place, spoilt: str) -> None:
    place.write(spoilt)
    with pytest.raises(SettingsErrors) as caught:
        place.load({"HYPERCARE_CONNECTIONS__SUPPORT__TOKEN": "CANARY-token", "HYPERCARE_WBE": "CANARY-other"})
    said = str(caught.value)
    assert "CANARY-token" not in said
    assert "CANARY-other" not in said
    assert "CANARY-zendesk" not in said
    assert "api_token: CANARY" not in said
