"""A plan as one HTML file to send to a colleague: no script, nothing fetched, every text escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from html import escape

from sync.planning.row import CREATE, ITEM, JOIN, WRITE, Group, Plan, Row

ROWS = 2_000
"""Rows that are shown one by one; more make a page that no browser likes. The command line has them all."""

_NAMES = {WRITE: "Writes", CREATE: "Creates", JOIN: "Joins", ITEM: "Items that take another value"}
_WORDS = {
    WRITE: ("write", "writes"),
    CREATE: ("create", "creates"),
    JOIN: ("join", "joins"),
    ITEM: ("item read anew", "items read anew"),
}


def page(plan: Plan, age: Callable[[datetime | None], str]) -> str:
    """The whole page. age: says how long ago a time was."""
    title = f"{'Undo of plan' if plan.undoes else 'Plan'} {plan.undoes or plan.id or ''}".strip()
    return "".join(_lines(plan, title, age))


def counts(plan: Plan) -> list[tuple[int, str]]:
    """(count, word) of each kind, also where there is none of it."""
    found = plan.summary
    numbers = {WRITE: found.writes, CREATE: found.creates, JOIN: found.joins, ITEM: found.read_anew}
    return [(count, _WORDS[kind][count != 1]) for kind, count in numbers.items()]


def _lines(plan: Plan, title: str, age: Callable[[datetime | None], str]) -> Iterator[str]:
    summary = plan.summary
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>hypercare: {escape(title)}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    # No script runs and nothing is fetched, whatever a record's text says.
    yield ("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">")
    yield f"<style>{_STYLE}</style></head><body><main>"
    yield f"<header><p class=brand>hypercare</p><h1>{escape(title)}</h1><p class=lead>"
    yield f"{summary.records:,} records in {summary.items:,} items. " if summary.items else ""
    if summary.newest_at is not None:
        yield f"What is known of them was read between {escape(age(summary.oldest_at))} and "
        yield f"{escape(age(summary.newest_at))}."
    yield "</p><dl class=facts>"
    for name, value in (
        ("made", plan.made_at.strftime("%Y-%m-%d %H:%M UTC")),
        ("digest", plan.digest[:12]),
        ("mappings", plan.mappings),
    ):
        if value:
            yield f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>"
    yield "</dl></header><section class=counts>"
    for count, word in counts(plan):
        yield f'<div class="count{"" if count else " none"}"><b>{count:,}</b><span>{word}</span></div>'
    yield "</section>"
    if summary.by_connection:
        told = ", ".join(f"{count:,} on {escape(name)}" for name, count in summary.by_connection.items())
        yield f"<p>Writes: {told}.</p>"
    if not plan.rows:
        yield "<p class=quiet>Nothing would be written.</p>"
    yield from _groups(summary.groups)
    yield from _list("Left as they are", ((each.count, each.why, each.samples) for each in summary.left))
    notes = [*summary.notes]
    if summary.itself:
        notes.append(
            f"{summary.itself:,} items change by themselves: they show a value or a link that had no meaning before"
        )
    if summary.under_way:
        notes.append(f"{summary.under_way:,} items were left out: something about them is under way")
    if notes:
        yield "<section><h2>To know</h2><ul>"
        yield "".join(f"<li>{escape(note)}</li>" for note in notes)
        yield "</ul></section>"
    yield from _rows(plan.rows)
    if plan.id is not None:
        yield f"<footer><code>hypercare apply {plan.id}</code> does exactly this, and nothing else. "
        yield "A record that was changed since is left alone.</footer>"
    yield "</main></body></html>\n"


def _groups(groups: Iterable[Group]) -> Iterator[str]:
    found = list(groups)
    if not found:
        return
    yield "<section><h2>What changes</h2><ul class=groups>"
    for group in found:
        yield f"<li><span class=number>{group.count:,}</span><div><p class=change>"
        change = _change(group.before, group.after)
        yield f"<span class=tag>{escape(group.connection)}</span> {escape(group.field)} {change}"
        yield f"</p><p class=rule>{escape(group.rule)}</p><p class=samples>{escape(', '.join(group.samples))}"
        rest = group.count - len(group.samples)
        yield f" and {rest:,} more" if rest > 0 else ""
        yield "</p></div></li>"
    yield "</ul></section>"


def _list(title: str, rows: Iterable[tuple[int, str, tuple[str, ...]]]) -> Iterator[str]:
    found = list(rows)
    if found:
        yield f"<section><h2>{title}</h2><ul class=groups>"
        for count, why, samples in found:
            yield f"<li><span class=number>{count:,}</span><div><p class=change>{escape(why)}</p>"
            yield f"<p class=samples>{escape(', '.join(samples))}{' …' if count > len(samples) else ''}</p></div></li>"
        yield "</ul></section>"


def _rows(rows: tuple[Row, ...]) -> Iterator[str]:
    if not rows:
        return
    yield "<section><h2>Record by record</h2>"
    if len(rows) > ROWS:
        yield f"<p class=quiet>The first {ROWS:,} of {len(rows):,}; "
        yield "<code>hypercare plan --json</code> has them all.</p>"
    for kind in (WRITE, CREATE, JOIN, ITEM):
        mine = [row for row in rows[:ROWS] if row.kind == kind]
        if not mine:
            continue
        is_open = " open" if len(rows) <= 50 else ""
        yield f"<details{is_open}><summary>{_NAMES[kind]} ({len(mine):,})</summary><div class=wide><table>"
        yield "<thead><tr><th>record<th>item<th>change<th>because</tr></thead><tbody>"
        for row in mine:
            yield f"<tr><td data-name=record>{_record(row)}<td data-name=item>{escape(row.item)}<td data-name=change>"
            yield "<br>".join(f"{escape(each.field)} {_change(each.before, each.after)}" for each in row.changes)
            rules = dict.fromkeys(each.rule for each in row.changes)
            yield "<td data-name=because>" + "<br>".join(escape(text) for text in (*rules, *filter(None, (row.note,))))
            yield "</tr>"
        yield "</tbody></table></div></details>"
    yield "</section>"


def _record(row: Row) -> str:
    name = f"<span class=tag>{escape(row.connection)}</span> "
    if row.url.startswith(("https://", "http://")):
        return f'{name}<a href="{escape(row.url)}" rel="noreferrer">{escape(row.record)}</a>'
    return name + escape(row.record)


def _change(before: str, after: str) -> str:
    if after.startswith("-"):
        return f"<del>{escape(after)}</del>"
    if not before:
        return f"<ins>{escape(after)}</ins>"
    return f"<del>{escape(before)}</del> → <ins>{escape(after)}</ins>"


_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#dfe3e8;--page:#f6f7f9;--card:#fff;--old:#9a3412;
--oldbg:#fdeee6;--new:#166534;--newbg:#e6f6ec;--tag:#eef1f5;--link:#1d4ed8}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa5b1;--line:#2d343c;--page:#14171b;--card:#1c2026;
--old:#fdba8c;--oldbg:#3a2317;--new:#86efac;--newbg:#15301f;--tag:#2a313a;--link:#93b4ff}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
main{max-width:1060px;margin:0 auto;padding:32px 24px 64px}h1{margin:0;font-size:28px;line-height:1.2}
h2{font-size:17px;margin:0 0 12px}p{margin:0 0 8px}.brand{color:var(--soft);font-size:13px;margin:0 0 4px}
.lead{margin-top:10px}.facts{display:flex;flex-wrap:wrap;gap:4px 24px;margin:12px 0 0;color:var(--soft);font-size:13px}
.facts div{display:flex;gap:6px;min-width:0}.facts dd{margin:0;color:var(--ink);overflow-wrap:anywhere}
.counts{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;margin:24px 0}
.count{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.count b{display:block;font-size:26px;line-height:1.2;font-variant-numeric:tabular-nums}
.count span{color:var(--soft);font-size:13px}.count.none{opacity:.55}section{margin-top:28px}
.groups{list-style:none;margin:0;padding:0;background:var(--card);border:1px solid var(--line);border-radius:10px}
.groups li{display:flex;gap:16px;padding:12px 16px;border-top:1px solid var(--line)}.groups li:first-child{border-top:0}
.groups li>div{min-width:0;flex:1}.groups p{margin:0;overflow-wrap:anywhere}
.number{min-width:56px;text-align:right;font-weight:600;font-variant-numeric:tabular-nums}
.rule,.samples,.quiet{color:var(--soft);font-size:13px}.tag{background:var(--tag);border-radius:5px;padding:1px 7px;
font-size:13px}
del,ins{text-decoration:none;border-radius:4px;padding:1px 6px;font-family:ui-monospace,Menlo,Consolas,monospace;
font-size:13px;overflow-wrap:anywhere}del{background:var(--oldbg);color:var(--old)}
ins{background:var(--newbg);color:var(--new)}
details{background:var(--card);border:1px solid var(--line);border-radius:10px;margin-bottom:12px}
summary{cursor:pointer;padding:12px 16px;font-weight:600}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}th{text-align:left;font-weight:600;color:var(--soft);font-size:13px}
th,td{padding:8px 16px;border-top:1px solid var(--line);vertical-align:top}td{overflow-wrap:anywhere}
a{color:var(--link)}code{font-family:ui-monospace,Menlo,Consolas,monospace;background:var(--tag);border-radius:4px;
padding:1px 6px;font-size:13px}footer{margin-top:32px;color:var(--soft);font-size:14px}
@media (max-width:640px){main{padding:20px 14px 48px}h1{font-size:23px}.groups li{gap:10px;padding:10px 12px}
.number{min-width:32px}thead{display:none}tr{display:block;border-top:1px solid var(--line);padding:8px 12px}
td{display:block;border:0;padding:2px 0}td[data-name=because]{color:var(--soft);font-size:13px}}
@media print{body{background:#fff}details:not([open])>*{display:block}}
""".strip()
