"""Pages that show vectors: the blocks of a page that are cut from them, filled in.

    <!-- vector: NAME -->      the bytes of the accepted vector NAME, in hexadecimal
    <!-- operation: NAME -->   what is asked in the vector NAME, and answered; long bytes cut short

and a line `<!-- end -->` after each. What stands between is replaced.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WIDTH = 96
LINE = 118
LONGEST = 32
"""Digits of hexadecimal that an operation shows whole: an id."""

BLOCK = re.compile(r"^<!-- (vector|operation): (\S+) -->\n(.*?)^<!-- end -->$", re.MULTILINE | re.DOTALL)


def fill(page: Path, vectors: Mapping[str, Any]) -> None:
    """Fill the blocks of a page in; a page that is not there has none."""
    if page.is_file():
        page.write_text(filled(page.read_text(encoding="utf-8"), vectors), encoding="utf-8")


def filled(text: str, vectors: Mapping[str, Any]) -> str:
    """The text with every block filled in."""

    def block(match: re.Match[str]) -> str:
        what, name = match.group(1), match.group(2)
        inside = _hex(vectors[name]) if what == "vector" else _json(vectors[name])
        return f"<!-- {what}: {name} -->\n{inside}<!-- end -->"

    return BLOCK.sub(block, text)


def _hex(vector: Any) -> str:
    if "result" not in vector["expect"]:
        raise ValueError(f"{vector['name']} is no accepted vector")
    digits = textwrap.wrap(vector["operation"]["data"], WIDTH)
    return "\n".join(("```hex", *digits, "```", ""))


def _json(vector: Any) -> str:
    asked = _lines({"id": 1} | vector["operation"])
    expected = vector["expect"]
    if "refusal" in expected:
        why = expected["refusal"]
        expected = {"refusal": {"class": why["class"], "code": why["codes"][0]}}
    return f"```json\n{asked}\n```\n```json\n{_lines({'id': 1} | expected)}\n```\n"


def _lines(value: Any) -> str:
    return _told(_cut(value), 0)


def _told(value: Any, indent: int, before: int = 0) -> str:
    """JSON in as few lines as are not too long; `before` stands in the first line already."""
    whole = json.dumps(value, ensure_ascii=False)
    if indent + before + len(whole) < LINE or not isinstance(value, dict | list) or not value:
        return whole
    if isinstance(value, dict):
        parts = [f'"{name}": {_told(item, indent + 2, len(name) + 4)}' for name, item in value.items()]
    else:
        parts = [_told(item, indent + 2) for item in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    inner = "\n" + " " * (indent + 2)
    return first + inner + f",{inner}".join(parts) + "\n" + " " * indent + last


def _cut(value: Any) -> Any:
    """The value with long bytes cut short, and long scripts after a few moves."""
    if isinstance(value, str) and len(value) > LONGEST and re.fullmatch("[0-9a-f]+", value):
        return f"{value[:16]}... ({len(value) // 2} bytes)"
    if isinstance(value, dict):
        return {name: _cut(item) for name, item in value.items()}
    return [_cut(item) for item in value] if isinstance(value, list) else value
