"""What a mapping costs: reading and compiling a long one, and normalising records through the shipped Zendesk one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from time import process_time

from benchmarks.figures import Figure, Result, WrongResult, of_runs
from sync.mapping.compiled import Mapping
from sync.mapping.load import load
from sync.model import RecordRef, Severity, Snapshot, Status

LINES = 2_000
RECORDS = 50_000
_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def mappings(_folder: Path, *, quick: bool = False) -> Result:
    """Compile a mapping of 2,000 lines, and normalise tickets from decoded snapshots."""
    result = Result(
        name="mappings",
        definition="processor time of this process. Compiling: from the text of the files to what the engine asks, all "
        "checks and laws included. Normalising: from a decoded snapshot to `Feedback`, the store excluded; every "
        "record has its own title, text, people, tags and times.",
    )
    runs = 3 if quick else 9
    text = long_mapping()
    took = [_compile(text) for _ in range(runs)]
    result.figures.append(
        Figure(name=f"{LINES:,} lines compiled", unit="ms", value=of_runs(took), aim=200.0, runs=tuple(took))
    )
    shipped = files("mappings").joinpath("zendesk.yaml").read_text("utf-8")
    records = tickets(RECORDS // 5 if quick else RECORDS)
    rates = [_normalise(load({"zendesk.yaml": shipped}).mappings["zendesk"], records) for _ in range(runs)]
    result.figures.append(
        Figure(
            name="normalised",
            unit="records/s",
            value=of_runs(rates),
            aim=50_000,
            more_is_better=True,
            runs=tuple(rates),
        )
    )
    result.checked.append("every status, severity, tag and title was what the record says")
    return result


def long_mapping() -> str:
    """A mapping file of 2,000 lines, of the kind that a large customer's Zendesk would have."""
    lines = ["system: zendesk", "kind: ticket", "fields:", "  status:", "    field: custom_status", "    values:"]
    meanings = ("new", "in_progress", "waiting", "resolved")
    lines += [f"      status number {n}: {meanings[n % 4]}" for n in range(300)]
    lines += ["    write:", "      new: status number 0", "      in_progress: status number 1"]
    lines += ["      waiting: status number 2", "      resolved: status number 3", "    keep:"]
    lines += [f"      - status number {n}" for n in range(6, 100, 4)]
    lines += ["  tags:", "    field: tags", "    exclude:"]
    lines += [f"      - excluded-{n}-*" for n in range(300)]
    lines += ["    rename:"]
    lines += [f"      short-{n}: a longer name {n}" for n in range(400)]
    lines += ["    dimensions:", "      area:"]
    lines += [f"        - area-{n}-*" for n in range(200)]
    lines += ["      component:"]
    lines += [f"        - component-{n}" for n in range(200)]
    lines += ["  severity:", "    field: custom_fields.360001", "    values:"]
    lines += [f"      priority {n}: {('critical', 'high', 'medium', 'low')[n % 4]}" for n in range(250)]
    lines += ["  title: {field: subject}", "transitions:"]
    more = LINES - len(lines)
    lines += [f"  step {n}: {{fields: {{customfield_{n}: value {n}}}}}" for n in range(more)]
    return "\n".join(lines) + "\n"


def tickets(count: int) -> list[Snapshot]:
    """Snapshots as the Zendesk connector decodes them."""
    statuses = ("new", "open", "pending", "hold", "solved", "closed")
    priorities = ("urgent", "high", "normal", "low", None)
    kinds = ("problem", "incident", "question", "task", None)
    return [
        Snapshot(
            ref=RecordRef(kind="ticket", id=str(n), key=str(n), url=f"https://example.zendesk.com/agent/tickets/{n}"),
            version=f"2026-03-01T09:00:00Z {n}",
            created_at=_AT + timedelta(seconds=n),
            updated_at=_AT + timedelta(seconds=2 * n),
            fields={
                "status": statuses[n % 6],
                "custom_status": None,
                "tags": ["launch", f"area-{n % 40}", f"hub-{n % 900}", "vip"][: 2 + n % 3],
                "subject": f"Cannot log in, case {n}",
                "description": f"It says timeout. Case {n}.",
                "priority": priorities[n % 5],
                "type": kinds[n % 5],
                "requester": {"id": str(n), "name": f"Person {n}", "email": f"p{n}@example.com"},
                "assignee": {"id": str(n % 9), "name": f"Agent {n % 9}", "email": ""},
                "group_id": 3,
                "brand_id": 1,
                "external_id": None,
                "problem_id": None,
                "custom_fields.360001": f"choice_{n % 7}",
                "custom_fields.360002": None,
            },
        )
        for n in range(count)
    ]


def _compile(text: str) -> float:
    """Milliseconds."""
    if text.count("\n") != LINES:
        raise WrongResult(f"the mapping has {text.count(chr(10)):,} lines and not {LINES:,}")
    began = process_time()
    loaded = load({"zendesk.yaml": text})
    took = (process_time() - began) * 1000
    if loaded.mappings["zendesk"].status.values["status number 7"] is not Status.RESOLVED:
        raise WrongResult("the compiled mapping does not say what the file says")
    return took


def _normalise(mapping: Mapping, records: list[Snapshot]) -> float:
    """Records a second, of a mapping that has seen none of them yet."""
    feedback = mapping.feedback
    began = process_time()
    for record in records:
        feedback(record)
    rate = len(records) / (process_time() - began)
    found = [feedback(record) for record in records]
    severities = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, None)
    meanings = (Status.NEW, Status.IN_PROGRESS, Status.WAITING, Status.WAITING, Status.RESOLVED, Status.RESOLVED)
    for n, view in enumerate(found):
        keys = {tag.key for tag in view.tags}
        wanted = {"launch", f"area-{n % 40}", f"hub-{n % 900}", "vip"}
        if view.status is not meanings[n % 6] or view.severity is not severities[n % 5]:
            raise WrongResult(f"record {n} reads as {view.status} and {view.severity}")
        if not {"launch", f"area-{n % 40}"} <= keys <= wanted or view.title != f"Cannot log in, case {n}":
            raise WrongResult(f"record {n} has {sorted(keys)} and {view.title!r}")
    return rate
