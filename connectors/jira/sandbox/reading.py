"""What a request asks for, read out of its JSON: field values, label deltas, ids given in any of Jira's spellings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec import Struct, field

from connectors.jira.sandbox import markup
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import (
    CUSTOM_FIELDS,
    PRIORITIES,
    PROPERTY_LIMIT,
    RESOLUTIONS,
    SUMMARY_LIMIT,
    TYPES,
    Site,
    User,
    check_labels,
)
from connectors.jira.sandbox.settings import Deployment

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = Any

CREATE_SCREEN: Final = frozenset(
    [
        "project",
        "issuetype",
        "summary",
        "description",
        "labels",
        "priority",
        "reporter",
        "assignee",
        "parent",
        "customfield_10050",
        "customfield_10051",
    ]
)
EDIT_SCREEN: Final = CREATE_SCREEN - {"project"}
PARSE_ERROR = "There was an error parsing JSON. Check that your request body is valid."
PAYLOAD_ERROR = "Invalid request payload. Refer to the REST API documentation and try again."


class Edit(Struct, kw_only=True):
    """What a create, an edit or a transition asks for. values: by attribute of an issue."""

    values: dict[str, Json] = field(default_factory=dict)
    add_labels: list[str] = field(default_factory=list)
    remove_labels: list[str] = field(default_factory=list)
    comments: list[Json] = field(default_factory=list)
    project: str = ""
    resolution: str | None = None
    properties: dict[str, Json] = field(default_factory=dict)
    metadata: Json = None


def body_of(raw: bytes) -> dict[str, Json]:
    """The JSON object of a body; an empty one is {}. Raises Refused(400)."""
    if not raw.strip():
        return {}
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(400, PARSE_ERROR) from error
    if not isinstance(body, dict):
        raise Refused(400, PAYLOAD_ERROR)
    return body


def names_of(value: Json) -> list[str]:
    """A list of names, given as a list or as text parted by commas."""
    if value is None:
        return []
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return [part.strip() for name in value for part in name.split(",") if part.strip()]
    raise Refused(400, PAYLOAD_ERROR)


def unsettable(name: str) -> str:
    """Jira's words for a field that is not on the screen, such as `status` in an edit."""
    return f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."


class Form:
    """Reads the `fields`, `update`, `properties` and `historyMetadata` of one request by one user."""

    def __init__(self, site: Site, user: User, version: str) -> None:
        self._site = site
        self._user = user
        self._version = version

    def edit(self, body: Mapping[str, Json], *, screen: frozenset[str], project: str = "") -> Edit:
        """Everything that is asked. screen: fields that may be set here. Raises Refused(400) with an error by field."""
        asked = Edit(metadata=body.get("historyMetadata"), project=project)
        errors: dict[str, str] = {}
        fields = body.get("fields") or {}
        update = body.get("update") or {}
        if not isinstance(fields, dict) or not isinstance(update, dict):
            raise Refused(400, PAYLOAD_ERROR)
        for name in sorted(set(fields) & set(update)):
            errors[name] = f"Field '{name}' cannot appear in both 'fields' and 'update'"
        for name, value in fields.items():
            if name not in errors:
                self._set(asked, name, value, screen, errors)
        for name, operations in update.items():
            if name not in errors:
                self._update(asked, name, operations, screen, errors)
        if errors:
            raise Refused(400, errors=errors)
        for entry in body.get("properties") or ():
            if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
                raise Refused(400, PAYLOAD_ERROR)
            asked.properties[entry["key"]] = checked_property(entry["key"], entry.get("value"))
        return asked

    def _update(self, asked: Edit, name: str, operations: Json, screen: frozenset[str], errors: dict[str, str]) -> None:
        if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
            raise Refused(400, PAYLOAD_ERROR)
        for operation in operations:
            for verb, value in operation.items():
                if name == "comment" and verb == "add" and isinstance(value, dict):
                    asked.comments.append({**value, "body": self.text(value.get("body"), "comment")})
                elif name == "labels" and verb in ("add", "remove") and name in screen:
                    check_labels([value])
                    wanted, other = (
                        (asked.add_labels, asked.remove_labels)
                        if verb == "add"
                        else (asked.remove_labels, asked.add_labels)
                    )
                    wanted.append(value)
                    if value in other:
                        other.remove(value)
                elif verb == "set":
                    self._set(asked, name, value, screen, errors)
                else:
                    errors[name] = unsettable(name)

    def _set(self, asked: Edit, name: str, value: Json, screen: frozenset[str], errors: dict[str, str]) -> None:
        if name not in screen:
            errors[name] = unsettable(name)
            return
        try:
            self._take(asked, name, value)
        except Refused as refused:
            errors[name] = refused.errors.get(name) or (refused.messages[0] if refused.messages else "is not valid")

    def _take(self, asked: Edit, name: str, value: Json) -> None:
        values = asked.values
        match name:
            case "summary":
                if not isinstance(value, str) or not value.strip():
                    raise Refused(400, "You must specify a summary of the issue.")
                if len(value) > SUMMARY_LIMIT:
                    raise Refused(400, f"Summary can't exceed {SUMMARY_LIMIT} characters.")
                if "\n" in value or "\r" in value:
                    raise Refused(400, "The summary is invalid because it contains newline characters.")
                values["summary"] = value
            case "description":
                values["description"] = None if value is None else self.text(value, "description")
            case "labels":
                if not isinstance(value, list):
                    raise Refused(400, "data was not an array of strings")
                check_labels(value)
                values["labels"] = value
            case "priority":
                values["priority"] = _one_of(PRIORITIES, value, "priority")
            case "issuetype":
                values["type"] = _one_of(TYPES, value, "issue type")
            case "resolution":
                asked.resolution = _one_of(RESOLUTIONS, value, "resolution")
            case "project":
                asked.project = self._project(value)
            case "assignee" | "reporter":
                values[name] = self._person(value, name)
            case "parent":
                parent = self._site.peek(str(value.get("key") or value.get("id") or "")) if value else None
                if parent is None:
                    raise Refused(400, "Could not find valid 'id' or 'key'.")
                values["parent"] = parent.id
            case _ if name in CUSTOM_FIELDS:
                if value is not None and not isinstance(value, str):
                    raise Refused(400, "Operation value must be a string")
                values[name] = value
            case _:
                raise Refused(400, unsettable(name))

    def text(self, value: Json, name: str) -> Json:
        """A rich text: an ADF document in v3, wiki text in v2 [S]. Raises Refused(400)."""
        if self._version == "3":
            if not isinstance(value, dict):
                words = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
                raise Refused(400, errors={name: words})
            if not markup.is_document(value):
                raise Refused(400, "INVALID_INPUT", errors={name: "INVALID_INPUT"})
            return value
        if not isinstance(value, str):
            raise Refused(400, errors={name: "Operation value must be a string"})
        return value

    def _project(self, value: Json) -> str:
        if isinstance(value, dict):
            named = str(value.get("key") or value.get("id") or "")
            for project in self._site.projects.values():
                if named in (project.key, project.id) and self._site.may(self._user, "CREATE_ISSUES", project.key):
                    return project.key
        raise Refused(400, "valid project is required")

    def _person(self, value: Json, name: str) -> str | None:
        if value is None:
            return None
        if name == "reporter" and not self._site.settings.reporter_settable:
            raise Refused(400, unsettable("reporter"))
        is_cloud = self._site.deployment is Deployment.CLOUD
        keys = ("accountId", "id") if is_cloud else ("name", "key")
        named = next((str(value[key]) for key in keys if value.get(key)), "") if isinstance(value, dict) else ""
        if named in ("-1", ""):
            return None
        for user in self._site.users.values():
            if named in ((user.id,) if is_cloud else (user.name, user.key)):
                return user.id
        raise Refused(400, f"Specify a valid value for {name}" if is_cloud else f"User '{named}' does not exist.")


def checked_property(key: str, value: Json) -> Json:
    """An issue or comment property's value within Jira's limits [S]. Raises Refused(400)."""
    if not key or len(key) > 255:
        raise Refused(400, "The property key must be between 1 and 255 characters long.")
    if len(msgspec.json.encode(value)) > PROPERTY_LIMIT:
        raise Refused(400, f"The property value cannot be longer than {PROPERTY_LIMIT} characters.")
    return value


def _one_of(known: Mapping[str, str], value: Json, what: str) -> str:
    if isinstance(value, dict):
        number, name = value.get("id"), value.get("name")
        if number is not None and str(number) in known:
            return str(number)
        for key, words in known.items():
            if number is None and isinstance(name, str) and words.lower() == name.lower():
                return key
    raise Refused(400, f"Specify a valid '{what}' id or name")
