"""Every switch of the Zendesk stand-in: the vendor's limits, delays, options, and the quirks a test wants.

Values only. `POST /_sandbox/settings` changes any of them while the stand-in runs. All lengths of time are seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct, field


class Solving(StrEnum):
    """What solving a ticket without an assignee does (G: the vendor's page was not to be had)."""

    ASSIGNS = "assigns"
    """Whoever solves it becomes the assignee."""
    REFUSED = "refused"
    """422: an assignee is required."""
    FREE = "free"
    """Nothing."""


class Trigger(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A business rule that runs inside an update and changes the ticket in the same audit.

    on_status: only when the update brought the ticket to this status. on_tag: only when it added this tag.
    by: `hub` only after the integration's own updates, `people` only after others', empty after all.
    times: how often it runs in all.
    """

    name: str
    on_status: str = ""
    on_tag: str = ""
    by: str = ""
    set_status: str = ""
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    times: int | None = None


class Automation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A business rule that runs by time: on tickets that have kept `when_status` for `after` seconds (scaled)."""

    name: str
    when_status: str
    after: float
    set_status: str = ""
    add_tags: tuple[str, ...] = ()


class Switches(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The switches and their defaults: a stock Enterprise account with the documented limits.

    time_factor: every delay and window of the vendor is divided by it (hidden last minute, index lag, rate windows,
    webhook delays, retries and breaker, jobs, automations). Not token lifetimes and the idempotency store.
    """

    time_factor: Annotated[float, Meta(gt=0)] = 1.0
    clock_skew: float = 0.0
    """Added to the stand-in's clock: a vendor whose time is not ours."""

    # --- access
    email: str = "hub@example.com"
    api_token: str = "sandbox-api-token"  # noqa: S105  # a stand-in guards nothing
    api_tokens: bool = True
    """False: API tokens are switched off for the account, as for new accounts since 28 July 2026 (D)."""
    client_id: str = "hypercare"
    client_secret: str = "sandbox-client-secret"  # noqa: S105
    oauth_scopes: str = "read write"
    """The most that the OAuth client may be granted."""
    access_token_lives: float = 7200.0
    refresh_token_lives: float = 2_592_000.0

    # --- reading
    export_hides: float = 60.0
    export_replays: bool = True
    """The last row of the page before comes again while the export is at its end."""
    export_page_limit: int = 1000
    search_lag: float = 60.0
    search_cap: int = 1000
    stale_show_many: bool = False
    """show_many answers from the state before the latest change (a replica behind)."""

    # --- writing
    tag_deltas: bool = True
    """additional_tags and remove_tags work in a single update (documented for update_many only: D/G)."""
    solving: Solving = Solving.ASSIGNS
    required_to_solve: tuple[int, ...] = ()
    """Custom fields that must have a value before a ticket is solved."""
    assigning_opens: bool = True
    problem_solves_incidents: bool = True
    custom_statuses: bool = True
    idempotency: bool = True
    idempotency_lives: float = 7200.0
    job_seconds: float = 1.0
    """A bulk job is queued for a third of it and working for the rest."""
    jobs_at_once: int = 30
    jira_app: bool = True
    """The official app is installed: its links exist."""
    triggers: tuple[Trigger, ...] = ()
    automations: tuple[Automation, ...] = ()
    close_solved_after: float | None = None
    """Seconds after which a solved ticket is closed; stock accounts use 4 days, and 28 days is the vendor's own end."""

    # --- limits (calls per window)
    limits: bool = True
    account_per_minute: int = 700
    export_per_minute: int = 10
    ticket_updates_per_10_minutes: int = 30
    updates_per_minute: int = 100
    search_export_per_minute: int = 100
    deletes_per_minute: int = 400
    deleted_list_per_minute: int = 10
    plain_text_429: bool = False
    """A 429 is plain text instead of JSON (G)."""

    # --- webhooks
    hook_timeout: float = 12.0
    hook_retry_spacing: tuple[float, ...] = (5.0, 15.0, 45.0, 90.0, 180.0)
    hook_retry_fresh_stamp: bool = False
    """A repeated call is stamped and signed anew instead of carrying its first stamp."""
    hook_duplicates: float = 0.0
    hook_drops: float = 0.0
    hook_delay: float = 0.0
    hook_shuffle: float = 0.0
    """Each call waits a random time up to this long, so that calls overtake one another."""
    hook_breaker: bool = True
    hook_breaker_least: int = 100
    hook_breaker_share: float = 0.7
    hook_breaker_errors: int = 1000
    hook_breaker_window: float = 300.0
    hook_breaker_rest: float = 300.0
    trigger_template: str = '{"ticket_id":"{{ticket.id}}","updated_at":"{{ticket.updated_at_with_timestamp}}"}'
    """The body of trigger-style calls. Placeholders are put in without JSON escaping, as the vendor does."""

    # --- the account
    subdomain: str = "sandbox"
    account_id: int = 18525119
    brand_id: int = 6130830354842
    form_id: int = 6130830344474
    group_id: int = 6130852536346
    organization_id: int = 6130869157658
    extra_ticket_keys: dict[str, str] = field(default_factory=dict)
    """Keys and values added to every ticket: what a later version of the API may bring."""
