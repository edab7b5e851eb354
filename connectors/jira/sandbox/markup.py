"""Rich text in both of Jira's forms: ADF documents (API v3) and wiki text (API v2).

Only what a comment or description of the hub can hold is converted: paragraphs, line breaks, text, mentions by name.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = Any

KNOWN_NODES = frozenset(
    [
        "doc",
        "paragraph",
        "text",
        "hardBreak",
        "heading",
        "bulletList",
        "orderedList",
        "listItem",
        "codeBlock",
        "blockquote",
        "rule",
        "mention",
        "emoji",
        "inlineCard",
        "panel",
        "table",
        "tableRow",
        "tableCell",
        "tableHeader",
        "mediaSingle",
        "mediaGroup",
        "media",
        "date",
        "status",
        "expand",
    ]
)
BLOCKS = frozenset(["paragraph", "heading", "listItem", "codeBlock", "blockquote", "tableRow"])


def document(text: str) -> Json:
    """Wiki text as an ADF document: a paragraph for each block of lines. Markup in it is left as text [G]."""
    paragraphs: list[Json] = []
    for block in text.split("\n\n"):
        content: list[Json] = []
        for number, line in enumerate(block.split("\n")):
            if number:
                content.append({"type": "hardBreak"})
            if line:
                content.append({"type": "text", "text": line})
        paragraphs.append({"type": "paragraph", "content": content})
    return {"type": "doc", "version": 1, "content": paragraphs}


def plain(value: Json) -> str:
    """An ADF document as text, blocks parted by empty lines [G]."""
    parts: list[str] = []
    _walk(value, parts)
    return "".join(parts).strip("\n")


def _walk(node: Json, parts: list[str]) -> None:
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if kind == "text":
        parts.append(str(node.get("text", "")))
    elif kind == "hardBreak":
        parts.append("\n")
    elif kind in ("mention", "emoji", "status"):
        parts.append(str(node.get("attrs", {}).get("text", "")))
    elif kind == "inlineCard":
        parts.append(str(node.get("attrs", {}).get("url", "")))
    for child in node.get("content") or ():
        _walk(child, parts)
    if kind in BLOCKS:
        parts.append("\n\n")


def is_document(value: Json) -> bool:
    """Whether a value is an ADF document of nodes that Jira knows; it refuses others with INVALID_INPUT [G]."""
    return isinstance(value, dict) and value.get("type") == "doc" and value.get("version") == 1 and _is_known(value)


def _is_known(node: Json) -> bool:
    if not isinstance(node, dict) or node.get("type") not in KNOWN_NODES:
        return False
    if node["type"] == "text" and not isinstance(node.get("text"), str):
        return False
    content = node.get("content", [])
    return isinstance(content, list) and all(_is_known(child) for child in content)


def shown(value: Json, version: str) -> Json:
    """A stored text as one API version shows it: ADF in v3, text in v2 and in webhooks."""
    if value is None:
        return None
    if version == "3":
        return value if isinstance(value, dict) else document(value)
    return plain(value) if isinstance(value, dict) else value
