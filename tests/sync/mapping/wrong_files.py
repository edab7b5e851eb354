"""Files that are wrong, and everything that must be said about each: whole messages, in order."""

# ruff: noqa: E501

from __future__ import annotations

WRONG: dict[str, tuple[dict[str, str], list[str]]] = {
    "duplicate key": (
        {
            "zendesk.yaml": (
                "system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\n  title: {field: description}\n"
            ),
        },
        [
            ("zendesk.yaml:5:3: fields.title: stands here a second time (first in line 4); keep one of the two"),
        ],
    ),
    "duplicate key at the top": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\nsystem: jira\n"),
        },
        [
            "zendesk.yaml:5:1: system: stands here a second time (first in line 1); keep one of the two",
        ],
    ),
    "anchor and alias": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: &t {field: subject}\n  body: *t\n"),
        },
        [
            ("zendesk.yaml:4:10: fields.title: the anchor &t is not allowed; write the value where it is needed"),
            "zendesk.yaml:5:9: fields.body: the alias *t is not allowed; write the value out",
        ],
    ),
    "merge key": (
        {
            "zendesk.yaml": (
                "system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\n  body:\n    <<: *other\n"
            ),
        },
        [
            "zendesk.yaml:6:9: fields.body: the alias *other is not allowed; write the value out",
        ],
    ),
    "tag": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: {field: !!str subject}\n"),
        },
        [
            (
                "zendesk.yaml:4:18: fields.title.field: the tag !!str is not allowed; every value is read "
                "as text and typed by its key"
            ),
        ],
    ),
    "python tag": (
        {
            "zendesk.yaml": ("system: !!python/object/apply:os.system [ls]\n"),
        },
        [
            "zendesk.yaml:1:1: fields: is missing; add it",
            "zendesk.yaml:1:1: kind: is missing; add it, for example `kind: ticket`",
            (
                "zendesk.yaml:1:9: system: the tag !!python/object/apply:os.system is not allowed; every "
                "value is read as text and typed by its key"
            ),
        ],
    ),
    "two documents": (
        {
            "zendesk.yaml": ("system: zendesk\n---\nsystem: jira\n"),
        },
        [
            ("zendesk.yaml:2:1: a second document begins here; one file holds one document: take out the `---`"),
        ],
    ),
    "too large": (
        {
            "zendesk.yaml": "# " + "x" * 262_144,
        },
        [
            (
                "zendesk.yaml:1:1: the file has 262,146 bytes; at most 262,144 are read; divide it, or "
                "take out what was pasted into it"
            ),
        ],
    ),
    "tab": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n\ttitle: {field: subject}\n"),
        },
        [
            "zendesk.yaml:4:1: this is not YAML: a tab stands here; indent with spaces",
        ],
    ),
    "colon in a text": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket: yes\n"),
        },
        [
            (
                "zendesk.yaml:2:13: this is not YAML: mapping values are not allowed in this context; put "
                "a text that has `: ` in it between quotes, or indent the line as its neighbours"
            ),
        ],
    ),
    "bracket left open": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  tags: {field: tags, include: [a, b\n"
                "  title: {field: subject}\n"
            ),
        },
        [
            (
                "zendesk.yaml:5:8: this is not YAML: did not find expected ',' or ']'; while parsing a "
                "flow sequence in line 4"
            ),
        ],
    ),
    "quote left open": (
        {
            "zendesk.yaml": ('system: "zendesk\nkind: ticket\n'),
        },
        [
            (
                "zendesk.yaml:3:1: this is not YAML: found unexpected end of stream; while scanning a "
                "quoted scalar in line 1"
            ),
        ],
    ),
    "control character": (
        {
            "zendesk.yaml": ("system: zen\x07desk\n"),
        },
        [
            "zendesk.yaml:1:12: the character U+0007 cannot stand in YAML; delete it",
        ],
    ),
    "key that is a list": (
        {
            "zendesk.yaml": ("system: zendesk\n[a, b]: c\n"),
        },
        [
            "zendesk.yaml:1:1: fields: is missing; add it",
            "zendesk.yaml:1:1: kind: is missing; add it, for example `kind: ticket`",
            "zendesk.yaml:2:1: a key must be a text; put it between quotes",
        ],
    ),
    "too deep": (
        {
            "zendesk.yaml": "[" * 40 + "]" * 40,
        },
        [
            "zendesk.yaml:1:33: this is nested deeper than 32 levels",
        ],
    ),
    "empty": (
        {
            "zendesk.yaml": (""),
        },
        [
            "zendesk.yaml:1:1: is empty, and must be a mapping (`name: value` lines)",
        ],
    ),
    "only a comment": (
        {
            "zendesk.yaml": ("# nothing yet\n"),
        },
        [
            "zendesk.yaml:1:1: is empty, and must be a mapping (`name: value` lines)",
        ],
    ),
    "a list": (
        {
            "zendesk.yaml": ("- system: zendesk\n"),
        },
        [
            "zendesk.yaml:1:1: must be a mapping (`name: value` lines), and is a list",
        ],
    ),
    "missing keys": (
        {
            "zendesk.yaml": ("kind: ticket\n"),
        },
        [
            "zendesk.yaml:1:1: fields: is missing; add it",
            "zendesk.yaml:1:1: system: is missing; add it, for example `system: zendesk`",
        ],
    ),
    "unknown key at the top": (
        {
            "zendesk.yaml": ("systm: zendesk\nkind: ticket\nfields: {}\n"),
        },
        [
            "zendesk.yaml:1:1: system: is missing; add it, for example `system: zendesk`",
            "zendesk.yaml:1:1: systm: is not a key that is known here; did you mean `system`?",
        ],
    ),
    "unknown field": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  statuss: {field: status}\n"),
        },
        [
            "zendesk.yaml:4:3: fields.statuss: is not a key that is known here; did you mean `status`?",
        ],
    ),
    "unknown key in a field": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  tags: {field: tags, exlude: [a]}\n"),
        },
        [
            ("zendesk.yaml:4:23: fields.tags.exlude: is not a key that is known here; did you mean `exclude`?"),
        ],
    ),
    "unknown key nothing near": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: {field: subject, zzz: 1}\n"),
        },
        [
            (
                "zendesk.yaml:4:27: fields.title.zzz: is not a key that is known here; known are field, "
                "direction, split, default, join and between"
            ),
        ],
    ),
    "unknown status": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in progress}\n"
                "    write: {resolved: open}\n"
            ),
        },
        [
            (
                "zendesk.yaml:6:20: fields.status.values.open: `in progress` is not one of new, "
                "in_progress, waiting, resolved and closed; did you mean `in_progress`?"
            ),
        ],
    ),
    "unknown status as key": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress}\n"
                "    write: {inprogress: open}\n"
            ),
        },
        [
            (
                "zendesk.yaml:7:13: fields.status.write.inprogress: `inprogress` is not one of new, "
                "in_progress, waiting, resolved and closed; did you mean `in_progress`?"
            ),
        ],
    ),
    "unknown direction": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  tags: {field: tags, direction: two-way}\n"),
        },
        [
            ("zendesk.yaml:4:34: fields.tags.direction: `two-way` is not one of both, in, out, enforce and off"),
        ],
    ),
    "unknown show": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  links: {show: notes}\n"),
        },
        [
            (
                "zendesk.yaml:4:17: fields.links.show: `notes` is not one of remote_link, field, note, app "
                "and none; did you mean `note`?"
            ),
        ],
    ),
    "empty value": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title:\n    field: subject\n  tags:\n"),
        },
        [
            "zendesk.yaml:6:8: fields.tags: is empty, and must be a mapping (`name: value` lines)",
        ],
    ),
    "empty text": (
        {
            "zendesk.yaml": ("system:\nkind: ticket\nfields: {}\n"),
        },
        [
            "zendesk.yaml:1:8: system: is empty; write a value, or take the key out",
        ],
    ),
    "text where a mapping belongs": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: subject\n"),
        },
        [
            "zendesk.yaml:4:10: fields.title: must be a mapping (`name: value` lines), and is `subject`",
        ],
    ),
    "text where a list belongs": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  tags: {field: tags, include: launch}\n"),
        },
        [
            ("zendesk.yaml:4:32: fields.tags.include: must be a list (`- value` lines, or `[a, b]`), and is `launch`"),
        ],
    ),
    "list where a text belongs": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: {field: [subject]}\n"),
        },
        [
            "zendesk.yaml:4:18: fields.title.field: must be a text, and is a list",
        ],
    ),
    "yes is not true": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  tags: {field: tags, lower_case: yes}\n"),
        },
        [
            "zendesk.yaml:4:35: fields.tags.lower_case: `yes` is neither true nor false",
        ],
    ),
    "write to a status that is not known": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress, hold: waiting, solved: resolved}\n"
                "    write: {in_progress: open, resolved: Solved}\n"
            ),
        },
        [
            (
                "zendesk.yaml:7:42: fields.status.write.resolved: `Solved` is not among the statuses in "
                "`values`; did you mean `solved`?"
            ),
        ],
    ),
    "frozen is written": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress, closed: resolved}\n"
                "    write: {in_progress: open, resolved: closed}\n"
                "    frozen: [closed]\n"
            ),
        },
        [
            (
                "zendesk.yaml:7:42: fields.status.write.resolved: `closed` is frozen: writing it could not "
                "be undone; write another status of the same side"
            ),
        ],
    ),
    "archived is written": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress}\n"
                "    archived: [ignored]\n"
                "    write: {in_progress: open, resolved: ignored}\n"
            ),
        },
        [
            (
                "zendesk.yaml:8:42: fields.status.write.resolved: `ignored` is archived: it is never "
                "written; write another status"
            ),
        ],
    ),
    "archived with a meaning": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress, hold: waiting, solved: resolved}\n"
                "    write: {in_progress: open, resolved: solved}\n"
                "    archived: [hold]\n"
            ),
        },
        [
            (
                "zendesk.yaml:8:16: fields.status.archived[0]: `hold` has a meaning in `values` as well; "
                "an archived status has none: take it out there"
            ),
        ],
    ),
    "keep a done status": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress, hold: waiting, solved: resolved}\n"
                "    write: {in_progress: open, resolved: solved}\n"
                "    keep: [solved]\n"
            ),
        },
        [
            (
                "zendesk.yaml:8:12: fields.status.keep[0]: `solved` is a done status, and those are kept "
                "anyway; take it out"
            ),
        ],
    ),
    "keep an unknown status": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress, hold: waiting, solved: resolved}\n"
                "    write: {in_progress: open, resolved: solved}\n"
                "    keep: [holt]\n"
            ),
        },
        [
            (
                "zendesk.yaml:8:12: fields.status.keep[0]: `holt` is not among the statuses in `values`; "
                "did you mean `hold`?"
            ),
        ],
    ),
    "status without values": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  status: {field: status, write: {new: open}}\n"),
        },
        [
            (
                "zendesk.yaml:4:3: fields.status.values: is missing; say what each status of the system "
                "means, for example `open: in_progress`"
            ),
            (
                "zendesk.yaml:4:27: fields.status.write: has no done status: a record could never follow "
                "its item there; add `resolved:`"
            ),
            ("zendesk.yaml:4:40: fields.status.write.new: `open` is not among the statuses in `values`; add it there"),
        ],
    ),
    "status without write": (
        {
            "zendesk.yaml": (
                "system: zendesk\nkind: ticket\nfields:\n  status: {field: status, values: {open: new}}\n"
            ),
        },
        [
            (
                "zendesk.yaml:4:3: fields.status.write: is missing; say which status to write for each "
                "meaning, or set `direction: in`"
            ),
        ],
    ),
    "values that differ in case": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {Open: new, open: new, Done: resolved}\n"
                "    write: {new: open, resolved: Done}\n"
            ),
        },
        [
            (
                "zendesk.yaml:6:25: fields.status.values.open: differs from `Open` in its letters' case "
                "only; keep one of the two"
            ),
        ],
    ),
    "a write that lands on the other side": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress, solved: resolved}\n"
                "    write: {in_progress: open, resolved: open}\n"
            ),
        },
        [
            (
                "zendesk.yaml:7:42: fields.status.write.resolved: a record shows `open`, the item is "
                "`resolved`; the record would be left at or set to `open`, which reads `in_progress`: not "
                "on the side of `resolved`"
            ),
        ],
    ),
    "no way to be done": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress, solved: resolved}\n"
                "    write: {in_progress: open}\n"
            ),
        },
        [
            (
                "zendesk.yaml:7:5: fields.status.write: has no done status: a record could never follow "
                "its item there; add `resolved:`"
            ),
        ],
    ),
    "accept across the line": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  status:\n"
                "    field: status\n"
                "    values: {open: in_progress, hold: waiting, solved: resolved}\n"
                "    write: {in_progress: open, resolved: solved}\n"
                "    accept: {new: [solved]}\n"
            ),
        },
        [
            (
                "zendesk.yaml:8:19: fields.status.accept.new: a record shows `solved`, the item is `new`; "
                "the record would be left at or set to `solved`, which reads `resolved`: not on the side "
                "of `new`"
            ),
        ],
    ),
    "two tags become one": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  tags:\n"
                "    field: tags\n"
                "    rename: {pay: payments, payment: Payments}\n"
            ),
        },
        [
            (
                "zendesk.yaml:6:38: fields.tags.rename.payment: `Payments` is already the name of `pay`; "
                "two tags cannot become one: it could not be told which to write"
            ),
        ],
    ),
    "no tag travels": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  tags: {field: tags, include: []}\n"),
        },
        [
            (
                "zendesk.yaml:4:32: fields.tags.include: is empty: no tag would travel; write `*` for all, "
                "or `direction: off`"
            ),
        ],
    ),
    "a pattern that is no tag": (
        {
            "zendesk.yaml": ('system: zendesk\nkind: ticket\nfields:\n  tags: {field: tags, include: [" "]}\n'),
        },
        [
            "zendesk.yaml:4:33: fields.tags.include[0]: ` ` is no tag; take it out",
        ],
    ),
    "unknown dimension": (
        {
            "zendesk.yaml": (
                "system: zendesk\nkind: ticket\nfields:\n  tags:\n    field: tags\n    dimensions: {areas: [a*]}\n"
            ),
        },
        [
            (
                "zendesk.yaml:6:18: fields.tags.dimensions.areas: `areas` is not one of area, component, "
                "segment, platform, integration, environment and release; did you mean `area`?"
            ),
        ],
    ),
    "pattern without a name": (
        {
            "zendesk.yaml": ('system: zendesk\nkind: ticket\nfields:\n  links: {patterns: ["browse/"]}\n'),
        },
        [
            (
                "zendesk.yaml:4:22: fields.links.patterns[0]: `browse/` must name exactly one of {key}, "
                "{id}, {ticket}, {url}"
            ),
        ],
    ),
    "pattern with an unknown name": (
        {
            "zendesk.yaml": ('system: zendesk\nkind: ticket\nfields:\n  links: {patterns: ["browse/{issue}"]}\n'),
        },
        [
            (
                "zendesk.yaml:4:22: fields.links.patterns[0]: `browse/{issue}` knows no {issue}; it may "
                "name one of {key}, {id}, {ticket}, {url}"
            ),
        ],
    ),
    "broken expression": (
        {
            "zendesk.yaml": ('system: zendesk\nkind: ticket\nfields:\n  links: {patterns: ["/[A-Z/"]}\n'),
        },
        [
            (
                "zendesk.yaml:4:22: fields.links.patterns[0]: `/[A-Z/` is no regular expression: "
                "unterminated character set"
            ),
        ],
    ),
    "expression that fits nothing": (
        {
            "zendesk.yaml": ('system: zendesk\nkind: ticket\nfields:\n  links: {patterns: ["/[A-Z]*/"]}\n'),
        },
        [
            (
                "zendesk.yaml:4:22: fields.links.patterns[0]: `/[A-Z]*/` fits an empty text, so it would "
                "name a record everywhere"
            ),
        ],
    ),
    "field links without a field": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  links: {show: field}\n"),
        },
        [
            ("zendesk.yaml:4:3: fields.links.field: is missing; `show: field` needs the name of the field to write to"),
        ],
    ),
    "enforced links": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  links: {direction: enforce}\n"),
        },
        [
            ("zendesk.yaml:4:22: fields.links.direction: links have no `enforce`; use `both`, `in`, `out` or `off`"),
        ],
    ),
    "enforced title": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: {field: subject, direction: enforce}\n"),
        },
        [
            (
                "zendesk.yaml:4:38: fields.title.direction: `enforce` is for status, tags, severity, urgency and owner only; use "
                "`both`, `in`, `out` or `off`"
            ),
        ],
    ),
    "unknown name in a note": (
        {
            "zendesk.yaml": ('system: zendesk\nkind: ticket\nfields:\n  links: {note: "see $keys"}\n'),
        },
        [
            "zendesk.yaml:4:17: fields.links.note: knows no $keys; did you mean `$key`?",
        ],
    ),
    "unknown name in a template": (
        {
            "zendesk.yaml": (
                'system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\ncreate: {title: "$summary"}\n'
            ),
        },
        [
            (
                "zendesk.yaml:5:17: create.title: knows no $summary; known are $title, $body, $status, "
                "$severity, $urgency, $type, $category, $source_class, $tags, $reporter, $reporter_email, "
                "$owner, $key, $id, $url, $system, $connection, $route, $marker"
            ),
        ],
    ),
    "severity read back as another": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  severity:\n"
                "    field: priority\n"
                "    values: {high: high, urgent: critical}\n"
                "    write: {critical: high}\n"
            ),
        },
        [
            (
                "zendesk.yaml:7:23: fields.severity.write.critical: `high` is read back as high; write a "
                "value that means the same as what it stands for"
            ),
        ],
    ),
    "severity written to nothing": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  severity:\n"
                "    field: priority\n"
                "    values: {high: high, urgent: critical}\n"
                "    write: {critical: urgnt}\n"
            ),
        },
        [
            (
                "zendesk.yaml:7:23: fields.severity.write.critical: `urgnt` is not among `values`; did you "
                "mean `urgent`?"
            ),
        ],
    ),
    "severity written inwards": (
        {
            "zendesk.yaml": (
                "system: zendesk\n"
                "kind: ticket\n"
                "fields:\n"
                "  severity:\n"
                "    field: priority\n"
                "    direction: in\n"
                "    values: {high: high}\n"
                "    write: {high: high}\n"
            ),
        },
        [
            (
                "zendesk.yaml:8:5: fields.severity.write: nothing is written with `direction: in`; take it "
                "out, or set `direction: both`"
            ),
        ],
    ),
    "values without a field": (
        {
            "zendesk.yaml": ("system: zendesk\nkind: ticket\nfields:\n  severity: {values: {high: high}}\n"),
        },
        [
            (
                "zendesk.yaml:4:3: fields.severity.field: is missing; `values` needs the remote field "
                "whose values they are"
            ),
        ],
    ),
    "two files for one system": (
        {
            "a.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\n"),
            "b.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\n"),
        },
        [
            (
                "b.yaml:1:9: system: `zendesk` has a mapping in a.yaml already; keep one, or name "
                "different `connections`"
            ),
        ],
    ),
    "one connection twice": (
        {
            "a.yaml": ("system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\nconnections: [eu, eu]\n"),
        },
        [
            (
                "a.yaml:5:15: connections[0]: `eu` has a mapping in a.yaml already; keep one, or name "
                "different `connections`"
            ),
            (
                "a.yaml:5:19: connections[1]: `eu` has a mapping in a.yaml already; keep one, or name "
                "different `connections`"
            ),
        ],
    ),
    "route without a name": (
        {
            "routes.yaml": ("routes:\n  - create: {connection: eng}\n"),
        },
        [
            "routes.yaml:2:5: routes[0].name: is missing; add it, for example `name: urgent tickets`",
        ],
    ),
    "route without a target": (
        {
            "routes.yaml": ("routes:\n  - name: a\n    create: {}\n"),
        },
        [
            ("routes.yaml:3:5: routes[0].create.connection: is missing; add it, for example `connection: engineering`"),
        ],
    ),
    "routes that is no list": (
        {
            "routes.yaml": ("routes:\n  name: a\n"),
        },
        [
            "routes.yaml:2:3: routes: must be a list (`- value` lines, or `[a, b]`), and is a mapping",
        ],
    ),
    "two routes of one name": (
        {
            "routes.yaml": (
                "routes:\n"
                "  - {name: a, when: {status: [new]}, create: {connection: eng}}\n"
                "  - {name: a, when: {status: [waiting]}, create: {connection: eng}}\n"
            ),
        },
        [
            (
                "routes.yaml:3:12: routes[1].name: `a` is the name of another route as well (line 2); give each its "
                "own: `explain` names them"
            ),
        ],
    ),
    "a route after one for all": (
        {
            "routes.yaml": (
                "routes:\n"
                "  - name: all\n"
                "    create: {connection: eng}\n"
                "  - {name: late, when: {status: [new]}, create: {connection: eng}}\n"
            ),
        },
        [
            (
                "routes.yaml:4:5: routes[1]: is never reached: `all` (line 2) before it takes every record; put it "
                "before that route, or give that route a condition"
            ),
        ],
    ),
    "two routes with one condition": (
        {
            "routes.yaml": (
                "routes:\n"
                "  - {name: a, when: {status: [new]}, create: {connection: eng}}\n"
                "  - {name: b, when: {status: [new]}, create: {connection: eng}}\n"
            ),
        },
        [
            (
                "routes.yaml:3:15: routes[1].when: is never reached: `a` (line 2) before it has the same condition; "
                "the first route that fits is taken"
            ),
        ],
    ),
    "an expression": (
        {
            "routes.yaml": ("routes:\n  - {name: a, expression: 'severity == \"high\"', create: {connection: eng}}\n"),
        },
        [
            (
                "routes.yaml:2:15: routes[0].expression: is not a key that is known here; known are name, when, create, "
                "propose, attach, title and body"
            ),
        ],
    ),
    "unknown condition": (
        {
            "routes.yaml": ("routes:\n  - {name: a, when: {severty: [high]}, create: {connection: eng}}\n"),
        },
        [
            ("routes.yaml:2:22: routes[0].when.severty: is not a key that is known here; did you mean `severity`?"),
        ],
    ),
    "unknown value in a condition": (
        {
            "routes.yaml": ("routes:\n  - {name: a, when: {status: [open]}, create: {connection: eng}}\n"),
        },
        [
            (
                "routes.yaml:2:31: routes[0].when.status[0]: `open` is not one of new, in_progress, "
                "waiting, resolved and closed"
            ),
        ],
    ),
    "unknown severity in a range": (
        {
            "routes.yaml": ("routes:\n  - {name: a, when: {severity: {at_least: hgh}}, create: {connection: eng}}\n"),
        },
        [
            (
                "routes.yaml:2:43: routes[0].when.severity.at_least: `hgh` is not one of critical, high, "
                "medium and low; did you mean `high`?"
            ),
        ],
    ),
    "unknown severity in a list": (
        {
            "routes.yaml": ("routes:\n  - {name: a, when: {severity: [hgh]}, create: {connection: eng}}\n"),
        },
        [
            (
                "routes.yaml:2:33: routes[0].when.severity[0]: `hgh` is not one of critical, high, medium "
                "and low; did you mean `high`?"
            ),
        ],
    ),
    "empty range": (
        {
            "routes.yaml": (
                "routes:\n  - {name: a, when: {severity: {at_least: high, at_most: low}}, create: {connection: eng}}\n"
            ),
        },
        [
            (
                "routes.yaml:2:32: routes[0].when.severity: nothing is at least high and at most low; "
                "change the ends over"
            ),
        ],
    ),
    "empty count": (
        {
            "routes.yaml": (
                "routes:\n  - {name: a, when: {affected_users: {at_least: 9, at_most: 2}}, create: {connection: eng}}\n"
            ),
        },
        [
            (
                "routes.yaml:2:38: routes[0].when.affected_users: nothing is at least 9 and at most 2; "
                "change the ends over"
            ),
        ],
    ),
    "count that is no number": (
        {
            "routes.yaml": (
                "routes:\n  - {name: a, when: {affected_users: {at_least: many}}, create: {connection: eng}}\n"
            ),
        },
        [
            ("routes.yaml:2:49: routes[0].when.affected_users.at_least: must be a whole number, and is `many`"),
        ],
    ),
    "time without a zone": (
        {
            "routes.yaml": (
                "routes:\n  - {name: a, when: {created: {after: 2026-03-01T00:00:00}}, create: {connection: eng}}\n"
            ),
        },
        [
            ("routes.yaml:2:39: routes[0].when.created.after: has no time zone; add one, for example `Z` for UTC"),
        ],
    ),
    "no time at all": (
        {
            "routes.yaml": ("routes:\n  - {name: a, when: {created: {after: soon}}, create: {connection: eng}}\n"),
        },
        [
            ("routes.yaml:2:39: routes[0].when.created.after: must be a time like 2026-03-01T00:00:00Z, and is `soon`"),
        ],
    ),
    "times the wrong way round": (
        {
            "routes.yaml": (
                "routes:\n"
                "  - {name: a, when: {created: {after: 2026-03-02T00:00:00Z, before: 2026-03-01T00:00:00Z}}, create: {connection: eng}}\n"
            ),
        },
        [
            (
                "routes.yaml:2:31: routes[0].when.created: no time is after the one and before the other; "
                "change the ends over"
            ),
        ],
    ),
    "route onto itself": (
        {
            "routes.yaml": ("routes:\n  - {name: a, when: {connection: [eng]}, create: {connection: eng}}\n"),
        },
        [
            (
                "routes.yaml:2:63: routes[0].create.connection: is where the records come from; name the "
                "connection on which the counterpart is"
            ),
        ],
    ),
    "unknown name in a route's text": (
        {
            "routes.yaml": ("routes:\n  - {name: a, create: {connection: eng}, body: '$boddy'}\n"),
        },
        [
            "routes.yaml:2:48: routes[0].body: knows no $boddy; did you mean `$body`?",
        ],
    ),
    "unknown role": (
        {
            "rules.yaml": ("groups: {tracker: {resolve: all}}\n"),
        },
        [
            ("rules.yaml:1:10: groups.tracker: is not a key that is known here; known are helpdesk and signal"),
        ],
    ),
    "unknown knob value": (
        {
            "rules.yaml": ("groups: {helpdesk: {resolve: every}}\n"),
        },
        [
            (
                "rules.yaml:1:30: groups.helpdesk.resolve: `every` is not one of all, any and never; did "
                "you mean `never`?"
            ),
        ],
    ),
    "reopened as done": (
        {
            "rules.yaml": ("reopen_as: resolved\n"),
        },
        [
            (
                "rules.yaml:1:12: reopen_as: `resolved` is a done status; an item that is opened again is "
                "new, in_progress or waiting"
            ),
        ],
    ),
    "siblings is no word": (
        {
            "rules.yaml": ("groups: {helpdesk: {siblings: maybe}}\n"),
        },
        [
            "rules.yaml:1:31: groups.helpdesk.siblings: `maybe` is neither true nor false",
        ],
    ),
    "problems of all files at once": (
        {
            "rules.yaml": ("reopen_as: nwe\n"),
            "routes.yaml": ("route: []\n"),
            "mappings/zendesk.yaml": ("system: zendesk\nfields: {}\n"),
            "mappings/jira.yaml": ("system: jira\n  kind: issue\n"),
        },
        [
            (
                "mappings/jira.yaml:2:7: this is not YAML: mapping values are not allowed in this context; "
                "put a text that has `: ` in it between quotes, or indent the line as its neighbours"
            ),
            "mappings/zendesk.yaml:1:1: kind: is missing; add it, for example `kind: ticket`",
            "routes.yaml:1:1: route: is not a key that is known here; did you mean `routes`?",
            (
                "rules.yaml:1:12: reopen_as: `nwe` is not one of new, in_progress, waiting, resolved and "
                "closed; did you mean `new`?"
            ),
        ],
    ),
}
