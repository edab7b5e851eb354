"""Files with several mistakes of different sorts: each is told, and nothing that only follows from one."""

# ruff: noqa: E501

from __future__ import annotations

WRONG: dict[str, tuple[dict[str, str], list[str]]] = {
    "a key twice and an alias hide nothing": (
        {
            "jira.yaml": """\
system: jira
kind: issue
fields:
  status:
    field: status
    values: {To Do: new, Done: resolvd, no: new, Done: closed}
    writ: {new: To Do}
    direction: bth
  tags: {field: labels, include: [*a]}
  title: summary
  severity: {field: priority, values: {High: high}, write: {low: Foo}}
create: {title: $tile}
""",
        },
        [
            "jira.yaml:6:32: fields.status.values.Done: `resolvd` is not one of new, in_progress, waiting, resolved and closed; did you mean `resolved`?",
            "jira.yaml:6:50: fields.status.values.Done: stands here a second time (first in line 6); keep one of the two",
            "jira.yaml:7:5: fields.status.writ: is not a key that is known here; did you mean `write`?",
            "jira.yaml:8:16: fields.status.direction: `bth` is not one of both, in, out, enforce and off; did you mean `both`?",
            "jira.yaml:9:35: fields.tags.include[0]: the alias *a is not allowed; write the value out",
            "jira.yaml:10:10: fields.title: must be a mapping (`name: value` lines), and is `summary`",
            "jira.yaml:11:66: fields.severity.write.low: `Foo` is not among `values`; add it there",
            "jira.yaml:12:17: create.title: knows no $tile; did you mean `$title`?",
        ],
    ),
    "one wrong word hides nothing in the other parts": (
        {
            "jira.yaml": """\
system: jira
kind: issue
fields:
  sevrity: {field: priority}
  status: {field: status, values: {To Do: new, Done: resolvd}, write: {new: Nowhere}}
  tags: {field: labels, include: []}
create: {title: $tile}
""",
        },
        [
            "jira.yaml:4:3: fields.sevrity: is not a key that is known here; did you mean `severity`?",
            "jira.yaml:5:54: fields.status.values.Done: `resolvd` is not one of new, in_progress, waiting, resolved and closed; did you mean `resolved`?",
            "jira.yaml:6:34: fields.tags.include: is empty: no tag would travel; write `*` for all, or `direction: off`",
            "jira.yaml:7:17: create.title: knows no $tile; did you mean `$title`?",
        ],
    ),
    "what follows only from a mistake is not told": (
        {
            "jira.yaml": """\
system: jira
kind: issue
fields:
  status: {field: status, values: {To Do: new, Done: resolvd}, write: {new: To Do, resolved: Done}}
transitions: {Done: {avoid: 3}}
""",
        },
        [
            "jira.yaml:4:54: fields.status.values.Done: `resolvd` is not one of new, in_progress, waiting, resolved and closed; did you mean `resolved`?",
            "jira.yaml:5:29: transitions.Done.avoid: `3` is neither true nor false",
        ],
    ),
    "every route is looked at": (
        {
            "routes.yaml": """\
routes:
  - name: a
    when: {status: [open], severity: {at_least: hgh}, tags: {an: [x]}}
    create: {connection: eng}
  - name: b
    when: {statu: [new], created: {after: yesterday}, cel: "stauts == 'new'"}
    create: {connection: eng}
    attach: {connection: eng}
  - name: b
    when: {severity: {at_least: high, at_most: low}}
  - wishes
""",
        },
        [
            "routes.yaml:3:21: routes[0].when.status[0]: `open` is not one of new, in_progress, waiting, resolved and closed",
            "routes.yaml:3:49: routes[0].when.severity.at_least: `hgh` is not one of critical, high, medium and low; did you mean `high`?",
            "routes.yaml:3:62: routes[0].when.tags.an: is not a key that is known here; did you mean `any`?",
            "routes.yaml:6:12: routes[1].when.statu: is not a key that is known here; did you mean `status`?",
            "routes.yaml:6:43: routes[1].when.created.after: must be a time like 2026-03-01T00:00:00Z, and is `yesterday`",
            "routes.yaml:6:60: routes[1].when.cel: character 1: there is no field `stauts`; did you mean `status`?",
            "routes.yaml:8:5: routes[1].attach.record: is missing; add it, for example `record: OPS-12`",
            "routes.yaml:9:5: routes[2]: does nothing; add `create:`, `propose:` or `attach:` with the connection",
            "routes.yaml:9:11: routes[2].name: `b` is the name of another route as well (line 5); give each its own: `explain` names them",
            "routes.yaml:10:22: routes[2].when.severity: nothing is at least high and at most low; change the ends over",
            "routes.yaml:11:5: routes[3]: must be a mapping (`name: value` lines), and is `wishes`",
        ],
    ),
    "every rule is looked at": (
        {
            "rules.yaml": """\
groups: {helpdesk: {resolve: al}, tracker: {resolve: any}}
fields: {severity: {conflict: owner}}
reopen_as: resolved
""",
        },
        [
            "rules.yaml:1:30: groups.helpdesk.resolve: `al` is not one of all, any and never; did you mean `all`?",
            "rules.yaml:1:35: groups.tracker: is not a key that is known here; known are helpdesk and signal",
            "rules.yaml:2:10: fields.severity.owner: is missing; say whose value holds: tracker, helpdesk or signal",
            "rules.yaml:3:12: reopen_as: `resolved` is a done status; an item that is opened again is new, in_progress or waiting",
        ],
    ),
    "every person is looked at": (
        {
            "people.yaml": """\
people:
  - {nam: x, ids: {jira: a}}
  - {name: y, emails: [y@example.com]}
  - {name: z, ids: {jira: a}}
""",
        },
        [
            "people.yaml:2:6: people[0].nam: is not a key that is known here; did you mean `name`?",
            "people.yaml:3:5: people[1].ids: is missing; name the person's id in each system: `ids: {jira: …}`",
            "people.yaml:4:27: people[2].ids.jira: `a` is the id of people[0] too; keep one of them",
        ],
    ),
}
