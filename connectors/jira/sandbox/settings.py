"""The switches of the Jira stand-in: what a site allows, how it lags, and its habits.

Every switch has the value of an ordinary site as its default; the README's table says which checklist line it serves.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct, field


class Deployment(StrEnum):
    """Which product is stood in for. Data Center calls itself `Server` in serverInfo [C]."""

    CLOUD = "Cloud"
    SERVER = "Server"


class CreatedForm(StrEnum):
    """How changelog/bulkfetch gives `created`: its schema says ISO text, its own example is a number [S]."""

    ISO = "iso"
    SECONDS = "seconds"
    MILLIS = "millis"


class AuthBody(StrEnum):
    """What a 401 looks like; all three were seen in the field."""

    JSON = "json"
    TEXT = "text"
    HTML = "html"


class Rewrite(Struct, frozen=True, kw_only=True):
    """An automation rule: when a user named `by` ("" for anybody) moves an issue to `when`, move it to `then`."""

    when: str
    then: str
    by: str = ""


class Settings(Struct, kw_only=True):
    """What can be switched while the stand-in runs. Seconds are vendor seconds: `time_factor` divides them.

    time_factor: vendor delays (index lag, webhook delays and retries) are divided by it. Budgets are not.
    index_lag: seconds until search sees an edit. hub_zone, engineer_zone: profile zones; JQL reads dates in them.
    token_life: seconds a nextPageToken is good for. page_cap: rows of a page when more than id and key is asked.
    workflow: graph of every project without its own (`workflows` by project key): stock, global, long, locked.
    resolution_required: done transitions have a screen that demands a resolution. resolution_by: resolution that a
    post-function sets on entering a done status ("" for none).
    global_loops: a global transition is offered in its own target status too.
    unknown_categories: status name -> status category key that no documentation lists.
    renamed_statuses: status name -> the name it is shown under, as if an administrator had renamed it.
    unknown_fields: issues show a field that the field list does not have.
    create_demands: fields that the create screen requires beside project, type and summary.
    removed_fields: fields that an administrator took out: of the field list and of the create screen.
    token_repeats: search gives the same page and token for ever. token_lost: search leaves out the next token.
    edit_conflicts, transition_conflicts: how many of the next writes answer 409.
    return_issue: PUT honours returnIssue. hide_emails: e-mail addresses of others are not shown (Cloud).
    hub_is_admin: may register webhooks and suppress mails. property_search: issue.property[...] works in JQL.
    reporter_settable: a create or an edit may name the reporter. remote_link_limit: links an issue may have.
    remote_links_bump, properties_bump: these edits move `updated` (they do not, on an ordinary site).
    remote_link_list: GET with globalId answers a list instead of one object.
    changelog_created: form of `created` in changelog/bulkfetch. changelog_cut: rows that expand=changelog shows.
    context: context path of a Data Center, such as "/jira".
    captcha_after: failed logins of one user until a captcha is demanded (0: never); Data Center.
    auth_body: form of a 401.
    """

    time_factor: float = 1.0
    index_lag: float = 2.0
    hub_zone: str = "UTC"
    engineer_zone: str = "Europe/Amsterdam"
    token_life: float = 7 * 86400.0
    page_cap: int = 100
    workflow: str = "stock"
    workflows: dict[str, str] = field(default_factory=dict)
    resolution_required: bool = False
    resolution_by: str = "Done"
    global_loops: bool = False
    unknown_categories: dict[str, str] = field(default_factory=dict)
    renamed_statuses: dict[str, str] = field(default_factory=dict)
    unknown_fields: bool = False
    create_demands: list[str] = field(default_factory=list)
    removed_fields: list[str] = field(default_factory=list)
    token_repeats: bool = False
    token_lost: bool = False
    edit_conflicts: int = 0
    transition_conflicts: int = 0
    return_issue: bool = True
    hide_emails: bool = True
    hub_is_admin: bool = True
    property_search: bool = False
    reporter_settable: bool = True
    remote_link_limit: int = 2000
    remote_links_bump: bool = False
    properties_bump: bool = False
    remote_link_list: bool = False
    changelog_created: CreatedForm = CreatedForm.ISO
    changelog_cut: int = 40
    context: str = ""
    captcha_after: int = 0
    auth_body: AuthBody = AuthBody.JSON

    # Automation: edits that nobody asked for, made by the site's own automation user.
    rewrite_status: list[Rewrite] = field(default_factory=list)
    add_label: str = ""

    # Rate limits (B5) and what a site in trouble answers.
    rate_limits: bool = True
    burst_get: int = 100
    burst_get_issue: int = 150
    burst_post: int = 100
    burst_put: int = 50
    burst_delete: int = 50
    issue_writes_2s: int = 20
    issue_writes_30s: int = 100
    quota_retry_after: float = 0.0
    quota_reason: str = "jira-quota-tenant-based"
    retry_after_missing: bool = False
    dc_rate_limit: int = 600
    dc_fill_rate: int = 10

    # Webhook sender (B4).
    hook_duplicates: float = 0.0
    hook_drops: float = 0.0
    hook_reorder: float = 0.0
    hook_reorder_within: float = 30.0
    hook_delay: float = 0.0
    hook_secondary_delay: float = 5.0
    hook_retries: int = 5
    hook_retry_min: float = 300.0
    hook_retry_max: float = 900.0
    hook_failing_after: float = 1800.0
    hook_body_limit: int = 25_000_000
    hook_https_only: bool = False
    comment_fires_update: bool = True

    def scaled(self, seconds: float) -> float:
        """Vendor seconds as they pass here."""
        return seconds / self.time_factor


def with_switches(settings: Settings, changes: dict[str, Any]) -> Settings:
    """A copy of `settings` with some switches moved. Raises ValueError that names the wrong switch or value."""
    known = set(Settings.__struct_fields__)
    unknown = sorted(set(changes) - known)
    if unknown:
        raise ValueError(f"no such switch: {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    try:
        moved = msgspec.convert({**msgspec.to_builtins(settings), **changes}, Settings)
    except msgspec.ValidationError as error:
        raise ValueError(f"a switch has a wrong value: {error}") from error
    if moved.time_factor <= 0:
        raise ValueError("time_factor must be above 0: vendor delays are divided by it")
    return moved
