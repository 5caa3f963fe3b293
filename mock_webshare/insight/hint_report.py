"""Reports of hints: text, made from JSON data of the schema `schemas/own/hints.schema.json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

MOST_SHOWN = 3
"""Requests and tests of a hint that are named; the others are counted."""


def merged(documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Merge hints of equal texts into one, with the `tests` of all; return them in the order of rule ids."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in sorted(documents, key=lambda each: (each["rule"], each["explanation"], each.get("test", ""))):
        texts = each["rule"], each["explanation"], each["advice"]
        bare = {name: value for name, value in each.items() if name != "test"}
        known = found.setdefault(texts, {**bare, "count": 0, "requests": []})
        known["count"] += each["count"]
        known["requests"] = [*known["requests"], *each["requests"]][:MOST_SHOWN]
        if test := each.get("test"):
            known["tests"] = [*dict.fromkeys([*known.get("tests", ()), test])]
    return list(found.values())


def lines(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of the text about hints: what is wrong, what to do, and where."""
    for each in documents:
        yield f"{each['rule']}: {each['explanation']}"
        yield from _labelled("do", [each["advice"]] if each["advice"] else [])
        yield from _labelled("seen", list(map(_line, each["requests"])), each["count"])
        yield from _labelled("test", each.get("tests", ()))


def _line(request: Mapping[str, Any]) -> str:
    return f"{request['method']} {request['url']} {request['status']}{_place(request)}"


def _place(request: Mapping[str, Any]) -> str:
    if request["file"] is None:
        return ""
    line = "" if request["line"] is None else f":{request['line']}"
    entry = "" if request["entry"] is None else f", entry {request['entry']}"
    return f" ({request['file']}{line}{entry})"


def _labelled(label: str, texts: Sequence[str], count: int = 0) -> Iterator[str]:
    """Yield a line for each of the first different texts, and one that says how many are not shown."""
    shown = list(dict.fromkeys(texts))[:MOST_SHOWN]
    more = max(count, len(texts)) - len(shown)
    for text in shown:
        yield f"  {label:4}  {text}"
        label = ""
    if more > 0:
        yield f"        and {more} more"
