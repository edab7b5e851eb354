"""The reference of all settings, as Markdown, from the models. `docs/settings.md` is kept fresh by a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from config.catalogue import Setting, common, of_system
from config.settings import CONNECTION_MODELS

_HEAD = """\
# Settings

Made from the code by `python -m tests.config.refresh`; do not edit it.

The file is `--config FILE`, else what `HYPERCARE_CONFIG` names, else `./config/hypercare.yaml`. `hypercare init DIR`
makes one; `hypercare check` says what is wrong in it and where each value came from. Paths are relative to its folder.

The strongest place wins: a flag of the command line, the environment, a secret file, the file, the default.

- **Environment**: `HYPERCARE_` and the way to the setting with `__` between its parts, as in `HYPERCARE_WEB__PORT=9000`
  or `HYPERCARE_CONNECTIONS__SUPPORT__TOKEN=...`. Capitals in a connection's name do not matter, `_` stands for `-` in
  it, and lists are written with commas. A variable that names no setting is an error.
- **Secrets**: each setting marked *secret* may be given as `NAME_file: path`, in the file or in the environment
  (`..._TOKEN_FILE`). The file holds the secret and nothing else; it is refused if others can read it. Secrets are never
  shown.
- **Plain http** is accepted to this machine only, or with `allow_http: true`.
"""


def text() -> str:
    """The whole page."""
    parts = [_HEAD, *_common()]
    for system in sorted(CONNECTION_MODELS):
        parts += _connection(system)
    return "\n".join(parts)


def _common() -> Iterator[str]:
    groups: dict[str, list[Setting]] = {}
    for setting in common():
        groups.setdefault(setting.way[0] if len(setting.way) > 1 else "", []).append(setting)
    titles: Mapping[str, str] = {
        "": "Places",
        "web": "`web`: webhooks, `/health` and `/metrics`",
        "log": "`log`: the log, on standard error",
        "engine": "`engine`: figures",
    }
    for name, settings in groups.items():
        yield f"## {titles[name]}\n"
        yield from _table(settings)


def _connection(system: str) -> Iterator[str]:
    yield f"## `connections.NAME` with `system: {system}`\n"
    settings = of_system(system)
    yield from _table([setting for setting in settings if not setting.variant])
    for variant in dict.fromkeys(setting.variant for setting in settings if setting.variant):
        chosen = [setting for setting in settings if setting.variant == variant]
        yield f"### `{chosen[0].way[0]}` with `{chosen[0].way[-1]}: {variant}`\n"
        yield from _table(chosen)


def _table(settings: Sequence[Setting]) -> Iterator[str]:
    lines = ["| setting | takes | default | what it is |", "|---|---|---|---|"]
    lines += [
        f"| `{'.'.join(setting.way)}` | {_kind(setting)} | {_default(setting)} | {_cell(setting)} |"
        for setting in settings
    ]
    yield "\n".join(lines) + "\n"


def _kind(setting: Setting) -> str:
    return (
        f"*secret*: {setting.kind}"
        if setting.secret and setting.kind != "secret"
        else setting.kind.replace("secret", "*secret*")
    )


def _default(setting: Setting) -> str:
    if setting.required:
        return "required"
    shown = _plain(setting.default)
    return f"`{shown}`" if shown else ""


def _cell(setting: Setting) -> str:
    said = setting.description.replace("|", "\\|")
    example = _plain(setting.example)
    return said + (f" For example `{example}`." if example and not setting.secret else "")


def _plain(value: Any) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_plain(part) for part in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
