"""Webhooks registered over the API: admin webhooks, and the dynamic ones of apps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from connectors.jira.sandbox import acts, jql
from connectors.jira.sandbox.call import Call, answer_empty, answer_json, count_of
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.settings import Deployment
from connectors.jira.sandbox.webhooks import ISSUE_FILTER, Hook
from connectors.sandbox.wire import Response

if TYPE_CHECKING:
    from connectors.jira.sandbox.wire import JiraSandbox

Json: TypeAlias = Any


def _admin_only(call: Call) -> None:
    if not call.user.is_admin:
        raise Refused(403, "Only Jira administrators can manage webhooks.")


def _hook_shape(sandbox: JiraSandbox, call: Call, hook: Hook) -> Json:
    """An admin webhook; its secret is never shown again."""
    owner = sandbox.site.users[hook.owner]
    shape: dict[str, Json] = {
        "name": hook.name,
        "url": hook.url,
        "excludeBody": hook.exclude_body,
        "filters": {ISSUE_FILTER: hook.filter},
        "events": list(hook.events),
        "enabled": hook.enabled,
        "self": f"{call.request.base}{sandbox.site.settings.context}/rest/webhooks/1.0/webhook/{hook.id}",
        "lastUpdatedUser": owner.id if sandbox.deployment is Deployment.CLOUD else owner.name,
        "lastUpdatedDisplayName": owner.display,
        "lastUpdated": hook.updated,
    }
    if "jira-webhook" in call.request.path:
        shape |= {"id": hook.id, "active": hook.enabled, "configuration": {}, "sslVerificationRequired": True}
    return shape


def hooks(sandbox: JiraSandbox, call: Call) -> Response:
    """Every admin webhook."""
    _admin_only(call)
    shown = [_hook_shape(sandbox, call, hook) for hook in sandbox.sender.hooks.values() if not hook.is_dynamic]
    return answer_json(shown)


def _told_hook(sandbox: JiraSandbox, call: Call, old: Hook | None) -> Hook:
    body = call.body()
    name, url = body.get("name", old.name if old else ""), body.get("url", old.url if old else "")
    if not name or not str(url).startswith(("http://", "https://")):
        raise Refused(400, "A webhook needs a name and an http(s) url.")
    filters = body.get("filters")
    jql_filter = filters.get(ISSUE_FILTER, "") if isinstance(filters, dict) else (old.filter if old else "")
    if jql_filter:
        jql.compiled(jql_filter, sandbox.site, call.user)
    secret = body.get("secret") or (body.get("configuration") or {}).get("SECRET") or (old.secret if old else "")
    return Hook(
        id=old.id if old else 0,
        name=name,
        url=url,
        events=tuple(body.get("events", old.events if old else ())),
        filter=jql_filter,
        secret=secret,
        exclude_body=bool(body.get("excludeBody", old.exclude_body if old else False)),
        enabled=bool(body.get("enabled", body.get("active", old.enabled if old else True))),
        owner=call.user.id,
        updated=int(sandbox.site.now() * 1000),
    )


def hook_add(sandbox: JiraSandbox, call: Call) -> Response:
    """Register an admin webhook."""
    _admin_only(call)
    hook = sandbox.sender.register(_told_hook(sandbox, call, None))
    return answer_json(_hook_shape(sandbox, call, hook), 201)


def hook(sandbox: JiraSandbox, call: Call) -> Response:
    """One admin webhook: read, changed or removed."""
    _admin_only(call)
    number = call.named["hook"]
    hook = sandbox.sender.hooks.get(int(number)) if number.isdecimal() else None
    if hook is None or hook.is_dynamic:
        raise Refused(404, "The webhook does not exist.")
    if call.request.method == "DELETE":
        del sandbox.sender.hooks[hook.id]
        return answer_empty()
    if call.request.method == "PUT":
        hook = sandbox.sender.hooks[hook.id] = _told_hook(sandbox, call, hook)
    return answer_json(_hook_shape(sandbox, call, hook))


def _dynamic_only(call: Call) -> None:
    if not call.user.is_oauth_app or call.request.headers.get("authorization", "").lower().startswith("basic"):
        raise Refused(403, "Only Connect, Forge and OAuth 2.0 apps can use dynamic webhooks.")


def dynamic_hooks(sandbox: JiraSandbox, call: Call) -> Response:
    """The dynamic webhooks of the calling app."""
    _dynamic_only(call)
    shown = [
        {
            "id": hook.id,
            "jqlFilter": hook.filter,
            "events": list(hook.events),
            "expirationDate": int((hook.expires or 0) * 1000),
        }
        for hook in sandbox.sender.hooks.values()
        if hook.is_dynamic
    ]
    return answer_json({"startAt": 0, "maxResults": 100, "total": len(shown), "isLast": True, "values": shown})


def dynamic_hook_add(sandbox: JiraSandbox, call: Call) -> Response:
    """Register dynamic webhooks, each with an id or its errors."""
    _dynamic_only(call)
    body = call.body()
    results: list[Json] = []
    for wanted in body.get("webhooks") or ():
        try:
            jql.compiled(str(wanted.get("jqlFilter") or ""), sandbox.site, call.user)
            hook = sandbox.sender.register(
                Hook(
                    id=0,
                    name="",
                    url=str(body.get("url")),
                    events=tuple(wanted.get("events") or ()),
                    filter=str(wanted.get("jqlFilter") or ""),
                    secret=acts.APP_SECRET,
                    owner=call.user.id,
                    is_dynamic=True,
                    expires=sandbox.sender.refresh(()),
                )
            )
            results.append({"createdWebhookId": hook.id})
        except Refused as refused:
            results.append({"errors": list(refused.messages)})
    return answer_json({"webhookRegistrationResult": results})


def dynamic_hook_delete(sandbox: JiraSandbox, call: Call) -> Response:
    """Remove dynamic webhooks."""
    _dynamic_only(call)
    for number in call.body().get("webhookIds") or ():
        hook = sandbox.sender.hooks.get(count_of(number, 0))
        if hook is not None and hook.is_dynamic:
            del sandbox.sender.hooks[hook.id]
    return answer_empty(202)


def dynamic_hook_refresh(sandbox: JiraSandbox, call: Call) -> Response:
    """Give dynamic webhooks another 30 days."""
    _dynamic_only(call)
    end = sandbox.sender.refresh([count_of(number, 0) for number in call.body().get("webhookIds") or ()])
    return answer_json({"expirationDate": call.reader.time(int(end * 1000))})


def dynamic_hook_failed(sandbox: JiraSandbox, call: Call) -> Response:
    """Calls that were given up."""
    _dynamic_only(call)
    rows = [
        {"id": failed.identifier, "body": failed.body, "url": failed.url, "failureTime": int(failed.at * 1000)}
        for failed in sandbox.sender.failed
    ]
    return answer_json({"values": rows, "maxResults": 100})
