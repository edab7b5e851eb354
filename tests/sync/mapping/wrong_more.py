"""More files that are wrong: routes, expressions, people, pairs of systems; and everything that must be said about each."""

# ruff: noqa: E501

from __future__ import annotations

WRONG: dict[str, tuple[dict[str, str], list[str]]] = {
    "a route that does nothing": (
        {"routes.yaml": "routes:\n  - {name: a}\n"},
        [
            "routes.yaml:2:5: routes[0]: does nothing; add `create:`, `propose:` or `attach:` with the connection",
        ],
    ),
    "a route that does two things": (
        {"routes.yaml": "routes:\n  - {name: a, create: {connection: eng}, propose: {connection: eng}}\n"},
        [
            "routes.yaml:2:42: routes[0].propose: cannot stand beside `create`; a route does one thing: make two of it",
        ],
    ),
    "a text for what is attached": (
        {"routes.yaml": "routes:\n  - {name: a, attach: {connection: eng, record: OPS-1}, title: '$title'}\n"},
        [
            "routes.yaml:2:57: routes[0].title: is for what is created, and `attach` creates nothing; take it out",
        ],
    ),
    "attached to nothing": (
        {"routes.yaml": "routes:\n  - {name: a, attach: {connection: eng}}\n"},
        [
            "routes.yaml:2:15: routes[0].attach.record: is missing; add it, for example `record: OPS-12`",
        ],
    ),
    "people without ids": (
        {"people.yaml": "people:\n  - {name: Ada, emails: [ada@example.com]}\n"},
        [
            "people.yaml:2:5: people[0].ids: is missing; name the person's id in each system: `ids: {jira: …}`",
        ],
    ),
    "one address for two people": (
        {
            "people.yaml": "people:\n  - {emails: [ada@example.com], ids: {jira: a}}\n  - {emails: [Ada@example.com], ids: {jira: b}}\n"
        },
        [
            "people.yaml:3:15: people[1].emails[0]: `Ada@example.com` is an address of people[0] too; keep one of them",
        ],
    ),
    "one id for two people": (
        {"people.yaml": "people:\n  - {name: Ada, ids: {jira: a}}\n  - {name: Sam, ids: {jira: a}}\n"},
        [
            "people.yaml:3:29: people[1].ids.jira: `a` is the id of people[0] too; keep one of them",
        ],
    ),
    "cel: unknown field": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: sevrity == 'high'\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 1: there is no field `sevrity`; did you mean `severity`?",
        ],
    ),
    "cel: unknown word": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: severity == 'hihg'\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 13: `hihg` is never its value; did you mean `high`?",
        ],
    ),
    "cel: unknown word in a list": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: status in ['new', 'wating']\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 19: `wating` is never its value; did you mean `waiting`?",
        ],
    ),
    "cel: unknown fact": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: |-\n        'reopend' in facts\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 1: `reopend` is never its value; did you mean `reopened`?",
        ],
    ),
    "cel: unknown function": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: title.startWith('x')\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 7: there is no function `startWith`; did you mean `startsWith`?",
        ],
    ),
    "cel: unknown function of nothing": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: lower(title) == 'x'\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 1: there is no function `lower`; there are all, contains, duration, endsWith, exists, exists_one, filter, getDate, getDayOfMonth, getDayOfWeek, getDayOfYear, getFullYear, getHours, getMinutes, getMonth, map, matches, size, startsWith, timestamp",
        ],
    ),
    "cel: a part of a field": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: reporter.email == 'x'\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 10: nothing has a part `email`; every field is a name of its own",
        ],
    ),
    "cel: not true or false": (
        {"routes.yaml": "routes:\n  - name: a\n    when:\n      cel: size(tags)\n    create: {connection: eng}\n"},
        [
            "routes.yaml:4:12: routes[0].when.cel: character 1: the expression is a whole number, and must be true or false",
        ],
    ),
    "cel: two types compared": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: occurrences == '3'\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 16: is a text, and is compared with a whole number: never equal",
        ],
    ),
    "cel: words have no order": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: severity >= 'high'\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 10: these words have no order here; use `in [...]`, or `at_least` outside it",
        ],
    ),
    "cel: a tag that is not folded": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: |-\n        'Launch Day' in tags\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 1: tags stand here folded; write `launch_day`",
        ],
    ),
    "cel: nested comprehension": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: tags.exists(t, area.exists(a, a == t))\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 21: `exists` cannot stand inside another one",
        ],
    ),
    "cel: a field's name taken": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: tags.exists(title, title == 'x')\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 13: `title` is the name of a field; take another, like `t`",
        ],
    ),
    "cel: index": (
        {"routes.yaml": "routes:\n  - name: a\n    when:\n      cel: tags[0] == 'x'\n    create: {connection: eng}\n"},
        [
            "routes.yaml:4:12: routes[0].when.cel: character 5: single entries of a list cannot be asked for; use `in` or `exists`",
        ],
    ),
    "cel: null": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: severity == null\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 13: there is no null: a field without a value is an empty text, list or 0",
        ],
    ),
    "cel: has": (
        {"routes.yaml": "routes:\n  - name: a\n    when:\n      cel: has(severity)\n    create: {connection: eng}\n"},
        [
            "routes.yaml:4:12: routes[0].when.cel: character 1: `has` is not needed: every field is there; compare it with '' or ask its size",
        ],
    ),
    "cel: division": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: occurrences / affected_users > 2\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 15: may only be divided by a number that stands here and is not 0",
        ],
    ),
    "cel: a pattern that is none": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: title.matches('(')\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 15: `(` is no regular expression; look-around and back references are unknown",
        ],
    ),
    "cel: a pattern that is no text": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: title.matches(body)\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 15: the pattern must stand here as a text",
        ],
    ),
    "cel: no time": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: created > timestamp('yesterday')\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 21: `yesterday` is no time; write it like '2026-03-01T00:00:00Z'",
        ],
    ),
    "cel: no time zone": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: created > timestamp('2026-03-01T00:00:00')\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 21: `2026-03-01T00:00:00` has no time zone; write it like '2026-03-01T00:00:00Z'",
        ],
    ),
    "cel: no span": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: updated - created > duration('2 days')\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 30: `2 days` is no span of time; write it like '36h' or '1h30m'",
        ],
    ),
    "cel: never true": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: status == 'new' && status == 'waiting'\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: is never true: no record can fit; take the route out, or correct the expression",
        ],
    ),
    "cel: constant": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: false && occurrences > 2\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: is never true: no record can fit; take the route out, or correct the expression",
        ],
    ),
    "cel: cut off": (
        {"routes.yaml": "routes:\n  - name: a\n    when:\n      cel: title ==\n    create: {connection: eng}\n"},
        [
            "routes.yaml:4:12: routes[0].when.cel: character 9: the end stands where a value must",
        ],
    ),
    "cel: a single sign": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: severity = 'high'\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 10: `=` cannot stand here",
        ],
    ),
    "cel: words for signs": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: severity == 'high' and occurrences > 2\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 20: `and` cannot stand here; write `&&`, `||` and `==`",
        ],
    ),
    "cel: an open text": (
        {"routes.yaml": 'routes:\n  - name: a\n    when:\n      cel: title == "x\n    create: {connection: eng}\n'},
        [
            "routes.yaml:4:12: routes[0].when.cel: character 10: an open text cannot stand here; close it",
        ],
    ),
    "cel: an escape": (
        {"routes.yaml": "routes:\n  - name: a\n    when:\n      cel: title == '\\d'\n    create: {connection: eng}\n"},
        [
            "routes.yaml:4:12: routes[0].when.cel: character 11: `\\d` means nothing in a text; write r'...' for a pattern",
        ],
    ),
    "cel: a list asked as a text": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: tags.contains('x')\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 6: `contains` is asked of a text, and this is a list of texts; use `in` for an entry of a list",
        ],
    ),
    "cel: a bracket left open": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: (occurrences > 2\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:12: routes[0].when.cel: character 17: the end stands where `)` must",
        ],
    ),
    "cel: as a text": (
        {"routes.yaml": "routes:\n  - name: a\n    when: severity == 'high'\n    create: {connection: eng}\n"},
        [
            "routes.yaml:3:11: routes[0].when: `severity == 'high'` is no set of conditions; write an expression as `when: {cel: ...}`",
        ],
    ),
    "cel: the same condition": (
        {
            "routes.yaml": "routes:\n  - {name: a, when: {cel: \"title == 'x'\"}, create: {connection: eng}}\n  - {name: b, when: {cel: \"title=='x'\"}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:3:15: routes[1].when: is never reached: `a` (line 2) before it has the same condition; the first route that fits is taken",
        ],
    ),
    "an expression that begins with a quote": (
        {
            "routes.yaml": "routes:\n  - name: a\n    when:\n      cel: 'launch' in tags\n    create: {connection: eng}\n"
        },
        [
            "routes.yaml:4:21: this is not YAML: did not find expected key; put a text that begins with a quote, and all that follows in it, between quotes of the other kind",
        ],
    ),
    "a route within the one before": (
        {
            "routes.yaml": "routes:\n  - {name: r0, when: {status: [new, waiting]}, create: {connection: eng}}\n  - {name: r1, when: {status: [new]}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:3:16: routes[1].when: is never reached: `r0` (line 2) before it takes every record that it fits; put it before, or narrow what takes its records",
        ],
    ),
    "a route that two before it share": (
        {
            "routes.yaml": "routes:\n  - {name: r0, when: {occurrences: {at_least: 3}}, create: {connection: eng}}\n  - {name: r1, when: {occurrences: {at_most: 2}}, create: {connection: eng}}\n  - {name: r2, when: {title: {contains: [a]}}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:4:16: routes[2].when: is never reached: `r0` (line 2) and `r1` (line 3) before it take every record that it fits; put it before, or narrow what takes its records",
        ],
    ),
    "a route whose tags the one before takes": (
        {
            "routes.yaml": "routes:\n  - {name: r0, when: {tags: {any: ['launch*']}}, create: {connection: eng}}\n  - {name: r1, when: {tags: {any: [launch-1], none: [spam]}}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:3:16: routes[1].when: is never reached: `r0` (line 2) before it takes every record that it fits; put it before, or narrow what takes its records",
        ],
    ),
    "a route with a longer word than the one before": (
        {
            "routes.yaml": "routes:\n  - {name: r0, when: {title: {contains: [time]}}, create: {connection: eng}}\n  - {name: r1, when: {title: {contains: [timeout]}}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:3:16: routes[1].when: is never reached: `r0` (line 2) before it takes every record that it fits; put it before, or narrow what takes its records",
        ],
    ),
    "a route after both sides of a time": (
        {
            "routes.yaml": "routes:\n  - {name: r0, when: {created: {after: 2026-03-01T00:00:00Z}}, create: {connection: eng}}\n  - {name: r1, when: {created: {before: 2026-03-02T00:00:00Z}}, create: {connection: eng}}\n  - {name: r2, when: {status: [new]}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:4:16: routes[2].when: is never reached: `r0` (line 2) and `r1` (line 3) before it take every record that it fits; put it before, or narrow what takes its records",
        ],
    ),
    "tags that contradict": (
        {
            "routes.yaml": "routes:\n  - {name: r0, when: {tags: {any: [spam], none: [spam]}}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:2:23: routes[0].when.tags: no record has such tags: one that must be there must not, or would be in two dimensions; take one out",
        ],
    ),
    "a text that contradicts": (
        {
            "routes.yaml": "routes:\n  - {name: r0, when: {title: {contains: [timeout], lacks: [time]}}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:2:23: routes[0].when.title: no text has one of `contains` and none of `lacks`; take out of `lacks` what the words contain",
        ],
    ),
    "a tag in two dimensions": (
        {
            "routes.yaml": "routes:\n  - {name: r0, when: {dimensions: {area: {any: [x]}, component: {any: [x]}}}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:2:23: routes[0].when.dimensions: no record has such tags: one that must be there must not, or would be in two dimensions; take one out",
        ],
    ),
    "a tag of a dimension that must not be there": (
        {
            "routes.yaml": "routes:\n  - {name: r0, when: {dimensions: {area: {any: ['x*']}}, tags: {none: ['x*']}}, create: {connection: eng}}\n"
        },
        [
            "routes.yaml:2:23: routes[0].when.dimensions: no record has such tags: one that must be there must not, or would be in two dimensions; take one out",
        ],
    ),
    "stock of an unknown system": (
        {"a.yaml": "system: zendeks\nstock: true\n"},
        [
            "a.yaml:2:8: stock: there is no stock mapping for `zendeks`; did you mean `zendesk`?",
        ],
    ),
    "stock that is neither yes nor no": (
        {"a.yaml": "system: zendesk\nstock: yes\nkind: ticket\nfields: {title: {field: subject}}\n"},
        [
            "a.yaml:2:8: stock: `yes` is neither true nor false",
        ],
    ),
    "a meaning that the other system loses": (
        {
            "a.yaml": "system: jira\nkind: x\nfields:\n  status:\n    field: status\n    values: {To Do: new, Doing: in_progress, Done: resolved}\n    write: {new: To Do, in_progress: Doing, resolved: Done}\n",
            "b.yaml": "system: zendesk\nkind: x\nfields:\n  status:\n    field: status\n    values: {open: in_progress, solved: resolved}\n    write: {in_progress: open, resolved: solved}\n",
        },
        [
            "b.yaml:7:5: fields.status.write: Jira `To Do` reads as new; writing new to Zendesk gives `open`; `open` reads as in_progress: the two cannot be told apart there, and in_progress written back to Jira would make it `Doing`; write a status of its own for new, or say `collapses: true` if that is meant",
        ],
    ),
    "a category that the other system loses": (
        {
            "a.yaml": "system: jira\nkind: x\nfields:\n  status:\n    field: status\n    values: {To Do: in_progress, Done: resolved}\n    write: {in_progress: To Do, resolved: Done}\n    by_category: {field: status_category, values: {new: waiting}}\n",
            "b.yaml": "system: zendesk\nkind: x\nfields:\n  status:\n    field: status\n    values: {open: in_progress, solved: resolved}\n    write: {in_progress: open, resolved: solved}\n",
        },
        [
            "b.yaml:7:5: fields.status.write: Jira (a status of the category `new`) reads as waiting; writing waiting to Zendesk gives `open`; `open` reads as in_progress: the two cannot be told apart there, and in_progress written back to Jira would make it `To Do`; write a status of its own for waiting, or say `collapses: true` if that is meant",
        ],
    ),
    "two that would write at each other for ever": (
        {
            "a.yaml": "system: jira\nkind: x\nfields:\n  status:\n    field: status\n    values: {a: new, b: in_progress, c: waiting, d: resolved}\n    write: {new: b, in_progress: c, waiting: a, resolved: d}\n    collapses: true\n",
            "b.yaml": "system: zendesk\nkind: x\nfields:\n  status:\n    field: status\n    values: {a: new, b: in_progress, c: waiting, d: resolved}\n    write: {new: b, in_progress: c, waiting: a, resolved: d}\n    collapses: true\n",
        },
        [
            "b.yaml:7:5: fields.status.write: Jira `c` reads as waiting, so Zendesk is made `a`; that reads as new, so Jira is made `b`; Jira `b` reads as in_progress, so Zendesk is made `c`; that reads as waiting, so Jira is made `a`; and so on, round to `c` again, for ever; write for each meaning a status that reads as it",
        ],
    ),
    "accepted although it reads so": (
        {
            "a.yaml": "system: zendesk\nkind: ticket\nfields:\n  status:\n    field: status\n    values: {open: in_progress, pending: waiting, solved: resolved}\n    write: {in_progress: open, resolved: solved}\n    accept: {waiting: [pending]}\n"
        },
        [
            "a.yaml:8:24: fields.status.accept.waiting[0]: `pending` reads as waiting (line 6), so it rests under it anyway; take it out",
        ],
    ),
    "accepted although it is kept": (
        {
            "a.yaml": "system: zendesk\nkind: ticket\nfields:\n  status:\n    field: status\n    values: {open: in_progress, pending: waiting, solved: resolved}\n    write: {in_progress: open, resolved: solved}\n    keep: [pending]\n    accept: {in_progress: [pending]}\n"
        },
        [
            "a.yaml:9:28: fields.status.accept.in_progress[0]: `pending` is kept under every open status (line 8); take it out",
        ],
    ),
    "a written status that is avoided": (
        {
            "a.yaml": "system: zendesk\nkind: ticket\nfields:\n  status:\n    field: status\n    values: {open: in_progress, pending: waiting, solved: resolved}\n    write: {in_progress: open, resolved: solved}\ntransitions: {solved: {avoid: true}}\n"
        },
        [
            "a.yaml:7:42: fields.status.write.resolved: `solved` is avoided (line 8), so no record is ever taken there; write another status, or take `avoid` out",
        ],
    ),
    "a step that is avoided and filled in": (
        {
            "a.yaml": "system: zendesk\nkind: ticket\nfields:\n  status:\n    field: status\n    values: {open: in_progress, pending: waiting, solved: resolved}\n    write: {in_progress: open, resolved: solved}\ntransitions: {spam: {avoid: true, resolution: Done}}\n"
        },
        [
            "a.yaml:8:35: transitions.spam.resolution: is never used: `spam` is avoided (line 8); take one of the two out",
        ],
    ),
    "an included tag that is excluded": (
        {
            "a.yaml": "system: zendesk\nkind: ticket\nfields:\n  tags:\n    field: tags\n    include: [launch*, hub-1]\n    exclude: ['hub*']\n"
        },
        [
            "a.yaml:6:24: fields.tags.include[1]: no tag like `hub-1` travels: `hub*` (line 7) keeps it out; take one of the two out",
        ],
    ),
    "a renamed tag that is excluded": (
        {
            "a.yaml": "system: zendesk\nkind: ticket\nfields:\n  tags:\n    field: tags\n    rename: {pay: hub-pay}\n    exclude: ['hub*']\n"
        },
        [
            "a.yaml:6:19: fields.tags.rename.pay: `hub-pay` never travels: `hub*` (line 7) keeps it out; filters go by the name elsewhere: take one of the two out",
        ],
    ),
    "a tag in the dimension before": (
        {
            "a.yaml": "system: zendesk\nkind: ticket\nfields:\n  tags:\n    field: tags\n    dimensions:\n      component: [api-1]\n      area: ['api*']\n"
        },
        [
            "a.yaml:7:19: fields.tags.dimensions.component[0]: every tag like `api-1` is `area` already (line 8); a tag has one dimension: take one of the two out",
        ],
    ),
    "two fields written to one": (
        {
            "a.yaml": "system: jira\nkind: issue\nfields:\n  severity: {field: priority, values: {High: high}, write: {high: High}}\n  urgency: {field: priority, values: {High: high}, write: {high: High}}\n"
        },
        [
            "a.yaml:5:20: fields.urgency.field: `priority` is written by `severity` (line 4) as well; set `direction: in` on one of them",
        ],
    ),
    "a field written twice at its creation": (
        {"a.yaml": "system: jira\nkind: issue\nfields:\n  title: {field: summary}\ncreate: {fields: {summary: x}}\n"},
        [
            "a.yaml:5:19: create.fields.summary: `summary` is written by `title` (line 4) as well; take it out here, or set `direction: in` there",
        ],
    ),
    "the status field written as another": (
        {
            "a.yaml": "system: zendesk\nkind: ticket\nfields:\n  status:\n    field: status\n    values: {open: in_progress, pending: waiting, solved: resolved}\n    write: {in_progress: open, resolved: solved}\n  owner: {field: status, direction: out}\n"
        },
        [
            "a.yaml:8:18: fields.owner.field: `status` is written by `status` (line 5) as well; set `direction: in` on one of them",
        ],
    ),
    "the link field written as another": (
        {
            "a.yaml": "system: zendesk\nkind: ticket\nfields:\n  links: {show: field, field: custom_fields.1}\n  body: {field: custom_fields.1}\n"
        },
        [
            "a.yaml:5:17: fields.body.field: `custom_fields.1` is written by `links` (line 4) as well; set `direction: in` on one of them",
        ],
    ),
    "an owner that is missing": (
        {"rules.yaml": "fields: {severity: {conflict: owner}}\n"},
        [
            "rules.yaml:1:10: fields.severity.owner: is missing; say whose value holds: tracker, helpdesk or signal",
        ],
    ),
    "an owner without its rule": (
        {"rules.yaml": "fields: {severity: {owner: helpdesk}}\n"},
        [
            "rules.yaml:1:21: fields.severity.owner: means nothing with `conflict: precedence`; take it out",
        ],
    ),
    "a role twice in an order": (
        {"rules.yaml": "fields: {urgency: {order: [tracker, tracker]}}\n"},
        [
            "rules.yaml:1:37: fields.urgency.order[1]: `tracker` stands here a second time; take it out",
        ],
    ),
    "a rule for conflicts that is none": (
        {"rules.yaml": "fields: {severity: {conflict: newest}}\n"},
        [
            "rules.yaml:1:31: fields.severity.conflict: `newest` is not one of precedence, owner, latest and hold",
        ],
    ),
    "a field that cannot be kept in step": (
        {"rules.yaml": "fields: {title: {}}\n"},
        [
            "rules.yaml:1:10: fields.title: is not a key that is known here; known are severity, urgency and owner",
        ],
    ),
    "a title that is enforced": (
        {"a.yaml": "system: jira\nkind: issue\nfields:\n  title: {field: summary, direction: enforce}\n"},
        [
            "a.yaml:4:38: fields.title.direction: `enforce` is for status, tags, severity, urgency and owner only; use `both`, `in`, `out` or `off`",
        ],
    ),
    "a severity that is enforced and not in step": (
        {
            "a.yaml": "system: jira\nkind: issue\nfields:\n  severity: {field: priority, direction: enforce, values: {High: high}}\n"
        },
        [
            "a.yaml:4:42: fields.severity.direction: `enforce` needs a field that is kept in step; name `severity` under `fields` in rules.yaml, or use `both`, `in`, `out` or `off`",
        ],
    ),
}
