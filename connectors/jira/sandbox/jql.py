"""The subset of JQL that the stand-in answers: compiled to a test of one issue, a bound on `updated`, and an order.

Fields: project, id/key/issue/issuekey, status, statusCategory, resolution, issuetype, priority, labels, reporter,
creator, assignee, created, updated, summary, description, text, parent, issue.property[key].path. AND, OR, NOT,
brackets, ORDER BY. What is outside of it is refused as Jira refuses a query it does not understand, so a test cannot
pass on a condition that was not applied.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from connectors.jira.sandbox import markup
from connectors.jira.sandbox.faults import Refused
from connectors.jira.sandbox.model import KEY_FORM, PRIORITIES, RESOLUTIONS, TYPES, Issue, Site, User
from connectors.jira.sandbox.workflow import BY_ID, STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    Test: TypeAlias = Callable[[Issue], bool]

Json: TypeAlias = Any

TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
    r"""|(?P<property>issue\.property\[[^\]]+\](?:\.[\w.\-]+)?)|(?P<sign><=|>=|!=|!~|=|<|>|~|\(|\)|,)|(?P<word>[^\s()=<>!~,"']+))""",
    re.IGNORECASE,
)
PERIOD: Final = re.compile(r"([+-]?\d+)([wdhm]?)\Z")
DATE_FORMS: Final = ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d")
KEY_FIELDS: Final = frozenset(("id", "key", "issue", "issuekey"))
DATE_FIELDS: Final = {"created": "created", "createddate": "created", "updated": "updated", "updateddate": "updated"}
ORDERABLE: Final = frozenset(
    [
        "id",
        "key",
        "issue",
        "issuekey",
        "created",
        "updated",
        "priority",
        "status",
        "summary",
        "project",
        "resolved",
        "resolutiondate",
        "rank",
    ]
)
ORDER_LIMIT: Final = 7
FAR: Final = 2**62


class Order(Struct, frozen=True, kw_only=True):
    """One field to sort by."""

    field: str
    is_descending: bool = False


class Query(Struct, frozen=True, kw_only=True):
    """A compiled query. since: no issue `updated` (milliseconds) before it can match. is_bounded: has a condition."""

    test: Callable[[Issue], bool]
    since: int
    order: tuple[Order, ...]
    is_bounded: bool

    @property
    def runs_by_update(self) -> bool:
        """Whether the order is `updated ASC`, with nothing but id or key behind it, ascending."""
        rest = self.order[1:]
        return (
            bool(self.order)
            and self.order[0] == Order(field="updated")
            and all(part.field in KEY_FIELDS and not part.is_descending for part in rest)
        )


class _Clause(Struct, frozen=True):
    """A condition compiled: its test and the least `updated` it lets through."""

    test: Callable[[Issue], bool]
    since: int = 0


def compiled(text: str, site: Site, user: User) -> Query:
    """Compile a query for one user: dates are read in the user's profile zone, to the minute. Raises Refused(400)."""
    return _Reader(text, site, user).query()


def _wrong(message: str) -> Refused:
    return Refused(400, message)


class _Reader:
    """A recursive-descent reader of one query."""

    def __init__(self, text: str, site: Site, user: User) -> None:
        self._site = site
        self._user = user
        self._tokens: list[tuple[str, str]] = []
        place = 0
        text = text.strip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise _wrong(f"Error in the JQL Query: The character '{text[place]}' is a reserved JQL character.")
            value = match.group(match.lastgroup)
            if match.lastgroup == "text":
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            self._tokens.append((match.lastgroup, value))
            place = match.end()
        self._place = 0

    def query(self) -> Query:
        clause = None
        if not self._at_word("order") and self._place < len(self._tokens):
            clause = self._either()
        order = self._order()
        if self._place < len(self._tokens):
            raise _wrong(f"Error in the JQL Query: Expecting operator but got '{self._tokens[self._place][1]}'.")
        if clause is None:
            return Query(test=lambda _: True, since=0, order=order, is_bounded=False)
        return Query(test=clause.test, since=clause.since, order=order, is_bounded=True)

    # --- reading -------------------------------------------------------------------------------------------------

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        if not token[0]:
            raise _wrong("Error in the JQL Query: Expecting a value, list or function before the end of the query.")
        self._place += 1
        return token

    def _at_word(self, *words: str) -> bool:
        kind, value = self._peek()
        return kind == "word" and value.lower() in words

    def _skip_word(self, *words: str) -> bool:
        if self._at_word(*words):
            self._place += 1
            return True
        return False

    def _skip_sign(self, sign: str) -> bool:
        if self._peek() == ("sign", sign):
            self._place += 1
            return True
        return False

    def _either(self) -> _Clause:
        parts = [self._both()]
        while self._skip_word("or"):
            parts.append(self._both())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        return _Clause(lambda issue: any(test(issue) for test in tests), min(part.since for part in parts))

    def _both(self) -> _Clause:
        parts = [self._single()]
        while self._skip_word("and"):
            parts.append(self._single())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        return _Clause(lambda issue: all(test(issue) for test in tests), max(part.since for part in parts))

    def _single(self) -> _Clause:
        if self._skip_word("not"):
            denied = self._single().test
            return _Clause(lambda issue: not denied(issue))
        if self._skip_sign("("):
            clause = self._either()
            if not self._skip_sign(")"):
                raise _wrong("Error in the JQL Query: Expecting ')' before the end of the query.")
            return clause
        return self._condition()

    def _condition(self) -> _Clause:
        kind, name = self._take()
        if kind == "sign":
            raise _wrong(f"Error in the JQL Query: Expecting a field name but got '{name}'.")
        operator = self._operator()
        if operator in ("is", "is not"):
            if not self._skip_word("empty", "null"):
                raise _wrong("Error in the JQL Query: the operator 'is' takes only EMPTY or NULL.")
            values: list[Json] = [None]
        elif operator in ("in", "not in"):
            values = self._list()
        else:
            values = [self._value()]
        if kind == "property":
            return self._property(name, operator, values)
        return self._field(name, operator, values)

    def _operator(self) -> str:
        kind, value = self._take()
        if kind == "sign" and value not in "(),":
            return value
        lowered = value.lower()
        if kind == "word" and lowered == "not" and self._skip_word("in"):
            return "not in"
        if kind == "word" and lowered == "is":
            return "is not" if self._skip_word("not") else "is"
        if kind == "word" and lowered == "in":
            return "in"
        raise _wrong(f"Error in the JQL Query: Expecting operator but got '{value}'.")

    def _list(self) -> list[Json]:
        if not self._skip_sign("("):
            raise _wrong("Error in the JQL Query: Expecting '(' after IN.")
        values = [self._value()]
        while self._skip_sign(","):
            values.append(self._value())
        if not self._skip_sign(")"):
            raise _wrong("Error in the JQL Query: Expecting ')' or ',' in a list.")
        return values

    def _value(self) -> str:
        kind, value = self._take()
        if kind == "sign":
            raise _wrong(f"Error in the JQL Query: Expecting a value but got '{value}'.")
        if kind == "word" and self._skip_sign("("):
            if not self._skip_sign(")"):
                raise _wrong(f"Function '{value}' with arguments is not known here.")
            if value.lower() == "currentuser":
                return self._user.id
            if value.lower() == "now":
                return str(int(self._site.now() * 1000))
            raise _wrong(f"Unable to find JQL function '{value}()'.")
        return value

    def _order(self) -> tuple[Order, ...]:
        if not self._skip_word("order"):
            return (Order(field="created", is_descending=True),)
        if not self._skip_word("by"):
            raise _wrong("Error in the JQL Query: Expecting 'by' after 'order'.")
        parts: list[Order] = []
        while True:
            _, name = self._take()
            if name.lower() not in ORDERABLE:
                raise _wrong(f"Field '{name}' does not exist or this field cannot be used for sorting.")
            descends = self._skip_word("desc")
            if not descends:
                self._skip_word("asc")
            parts.append(Order(field=name.lower(), is_descending=descends))
            if not self._skip_sign(","):
                break
        if len(parts) > ORDER_LIMIT:
            raise _wrong("The ORDER BY clause has more than 7 fields.")
        return tuple(parts)

    # --- conditions ----------------------------------------------------------------------------------------------

    def _field(self, name: str, operator: str, values: list[Json]) -> _Clause:
        lowered = name.lower()
        if lowered in KEY_FIELDS:
            return _Clause(self._keys(operator, values, lowered))
        if lowered in DATE_FIELDS:
            return self._date(DATE_FIELDS[lowered], operator, values)
        if lowered in ("summary", "description", "text"):
            return _Clause(self._text(lowered, operator, values))
        read, wanted = self._plain(lowered, name, values)
        if operator in ("=", "in", "is"):
            return _Clause(lambda issue: not read(issue).isdisjoint(wanted))
        if operator in ("!=", "not in", "is not"):
            # As in Jira, an empty field does not match `!=` and `not in`.
            allows_empty = operator == "is not"
            return _Clause(lambda issue: (allows_empty or None not in read(issue)) and read(issue).isdisjoint(wanted))
        raise _wrong(f"The operator '{operator}' is not supported by the '{name}' field.")

    def _plain(self, lowered: str, name: str, values: list[Json]) -> tuple[Callable[[Issue], set[Json]], set[Json]]:
        site = self._site
        match lowered:
            case "project":
                return lambda issue: {issue.project}, {self._project(value) for value in values}
            case "status":
                known = {site.status_name(status).lower(): status.id for status in STATUSES}
                return lambda issue: {issue.status}, self._named(name, values, known)
            case "statuscategory":
                return (
                    lambda issue: {site.category(BY_ID[issue.status])},
                    {_category(str(value)) for value in values},
                )
            case "resolution":
                known = {words.lower(): key for key, words in RESOLUTIONS.items()} | {"unresolved": ""}
                wanted = {None if value == "" else value for value in self._named(name, values, known)}
                return lambda issue: {issue.resolution}, wanted
            case "issuetype" | "type":
                return lambda issue: {issue.type}, self._named(
                    name, values, {words.lower(): key for key, words in TYPES.items()}
                )
            case "priority":
                return lambda issue: {issue.priority}, self._named(
                    name, values, {words.lower(): key for key, words in PRIORITIES.items()}
                )
            case "labels":
                return lambda issue: set(issue.labels) or {None}, set(values)
            case "reporter" | "creator" | "assignee":
                people = {None if value is None else self._person(name, value) for value in values}
                return lambda issue: {getattr(issue, lowered)}, people
            case "parent":
                parents = {None if value is None else self._issue(str(value), name) for value in values}
                return lambda issue: {issue.parent}, parents
            case _:
                raise _wrong(f"Field '{name}' does not exist or you do not have permission to view it.")

    def _named(self, name: str, values: list[Json], known: dict[str, str]) -> set[Json]:
        found: set[Json] = set()
        for value in values:
            if value is None:
                found.add(None)
            elif value in known.values():
                found.add(value)
            elif str(value).lower() in known:
                found.add(known[str(value).lower()])
            else:
                raise _wrong(f"The value '{value}' does not exist for the field '{name}'.")
        return found

    def _project(self, value: Json) -> str:
        for project in self._site.projects.values():
            named = str(value).lower() in (project.key.lower(), project.name.lower(), project.id)
            if named and self._site.may(self._user, "BROWSE_PROJECTS", project.key):
                return project.key
        raise _wrong(f"The value '{value}' does not exist for the field 'project'.")

    def _person(self, name: str, value: str) -> str:
        person = self._site.user(value)
        if person is None:
            raise _wrong(f"The value '{value}' does not exist for the field '{name}'.")
        return person.id

    def _issue(self, value: str, name: str) -> int:
        issue = self._site.peek(value)
        if issue is None or not self._site.may(self._user, "BROWSE_PROJECTS", issue.project):
            raise _wrong(
                f"An issue with key '{value}' does not exist for field '{name}'."
                if KEY_FORM.match(value)
                else f"A value with ID '{value}' does not exist for the field '{name}'."
            )
        return issue.id

    def _keys(self, operator: str, values: list[Json], name: str) -> Test:
        if operator in ("=", "in", "!=", "not in"):
            wanted = {self._issue(str(value), name) for value in values}
            denied = operator in ("!=", "not in")
            return lambda issue: (issue.id in wanted) is not denied
        if operator not in ("<", "<=", ">", ">="):
            raise _wrong(f"The operator '{operator}' is not supported by the '{name}' field.")
        # A comparison of keys needs no issue of that key: its project and number are compared [G].
        match = KEY_FORM.match(str(values[0]))
        if match is not None:
            project, number = match[1].upper(), int(match[2])
            return lambda issue: issue.project == project and _compared(issue.number, operator, number)
        if str(values[0]).isdecimal():
            bound = int(values[0])
            return lambda issue: _compared(issue.id, operator, bound)
        raise _wrong(f"The value '{values[0]}' is not a valid issue key for field '{name}'.")

    def _date(self, attribute: str, operator: str, values: list[Json]) -> _Clause:
        if operator not in ("<", "<=", ">", ">=", "=", "!="):
            raise _wrong(f"The operator '{operator}' is not supported by the '{attribute}' field.")
        bound = self._moment(attribute, values[0])
        since = bound if attribute == "updated" and operator in (">", ">=", "=") else 0
        return _Clause(lambda issue: _compared(getattr(issue, attribute), operator, bound), since)

    def _moment(self, name: str, value: Json) -> int:
        """Milliseconds: a time in the user's zone to the minute, a period before now, or epoch millis [3][G]."""
        text = str(value).strip()
        zone = ZoneInfo(self._user.zone)
        for form in DATE_FORMS:
            try:
                # fold stays 0: in the hour that comes twice the earlier one is meant.
                return int(datetime.strptime(text, form).replace(tzinfo=zone).astimezone(UTC).timestamp() * 1000)
            except ValueError:
                continue
        match = PERIOD.match(text)
        if match is not None and (match[2] or match[1][0] in "+-"):
            unit = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1)}.get(
                match[2], timedelta(minutes=1)
            )
            return int((self._site.now() + int(match[1]) * unit.total_seconds()) * 1000)
        if match is not None:
            return int(text)
        raise _wrong(
            f"Date value '{text}' for field '{name}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
            "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
        )

    def _text(self, name: str, operator: str, values: list[Json]) -> Test:
        if operator not in ("~", "!~"):
            raise _wrong(f"The operator '{operator}' is not supported by the '{name}' field.")
        words = str(values[0]).lower().replace('"', " ").replace("*", " ").split()
        denied = operator == "!~"

        def matches(issue: Issue) -> bool:
            parts = [issue.summary] if name != "description" else []
            if name != "summary" and issue.description:
                parts.append(str(markup.shown(issue.description, "2")))
            if name == "text":
                parts.extend(str(markup.shown(comment.body, "2")) for comment in issue.comments)
            text = " ".join(parts).lower()
            return all(word in text for word in words) is not denied

        return matches

    def _property(self, name: str, operator: str, values: list[Json]) -> _Clause:
        if not self._site.settings.property_search:
            # Only an app can have a property indexed [G]; a token's own properties cannot be searched.
            raise _wrong(f"Field '{name}' does not exist or you do not have permission to view it.")
        if operator not in ("=", "in"):
            raise _wrong(f"The operator '{operator}' is not supported by the '{name}' field.")
        key, _, path = name[len("issue.property[") :].partition("]")
        steps = [step for step in path.split(".") if step]
        wanted = {str(value) for value in values}

        def matches(issue: Issue) -> bool:
            value: Json = issue.properties.get(key)
            for step in steps:
                value = value.get(step) if isinstance(value, dict) else None
            return value is not None and str(value) in wanted

        return _Clause(matches)


def _category(value: str) -> str:
    lowered = value.lower()
    return {"to do": "new", "in progress": "indeterminate", "2": "new", "3": "done", "4": "indeterminate"}.get(
        lowered, lowered
    )


def _compared(left: int, operator: str, right: int) -> bool:
    match operator:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "!=":
            return left != right
        case _:
            return left == right


def sorted_by(issues: list[Issue], order: tuple[Order, ...]) -> list[Issue]:
    """Issues in the order asked for; ties by id, ascending, so that paging is stable."""
    issues = sorted(issues, key=lambda issue: issue.id)
    for part in reversed(order):
        issues.sort(key=_sort_key(part.field), reverse=part.is_descending)
    return issues


def _sort_key(name: str) -> Callable[[Issue], Any]:
    match name:
        case "updated" | "created" | "summary" | "project":
            return lambda issue: getattr(issue, name)
        case "key" | "issue" | "issuekey":
            return lambda issue: (issue.project, issue.number)
        case "priority":
            return lambda issue: -int(issue.priority)
        case "status":
            return lambda issue: BY_ID[issue.status].name
        case "resolved" | "resolutiondate":
            return lambda issue: issue.resolved if issue.resolved is not None else FAR
        case _:
            return lambda issue: issue.id
