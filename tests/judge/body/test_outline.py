"""The lines of a body around one value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_webshare.judge.body.outline import outline

BODY: Any = {
    "count": 2,
    "next": None,
    "results": [
        {"id": 1, "tags": [], "amount": 1.5},
        {"id": 2, "tags": ["a", {"b": 1}], "amount": "2.5", "status": "x", "more": {}, "last": 1},
    ],
}
POINTERS = ["/count", "/next", "/results/0/id", "/results/0/tags", "/results/1/tags/1/b", "/results/1/amount"]


@pytest.mark.parametrize("pointer", POINTERS)
def test_the_number_of_a_line_is_that_of_the_indented_body(pointer: str) -> None:
    printed = json.dumps(BODY, indent=2).splitlines()
    shown = outline(BODY, pointer, "!")
    assert sum(line.is_marked for line in shown) == 1
    for line in shown:
        assert line.number is not None
        if "more" not in line.text:
            start = line.text.split("…")[0].split("!")[0].rstrip("[{")
            assert printed[line.number - 1].startswith(start)


def test_only_the_value_in_question_is_shown() -> None:
    assert [
        (line.number, line.text, line.is_marked) for line in outline(BODY, "/results/1/amount", '"2.5"')
    ] == [
        (1, "{", False),
        (2, '  "count": …', False),
        (3, '  "next": …', False),
        (4, '  "results": [', False),
        (5, "    … 1 more", False),
        (10, "    {", False),
        (11, '      "id": …', False),
        (12, '      "tags": […]', False),
        (18, '      "amount": "2.5"', True),
        (19, '      "status": …', False),
        (20, '      "more": …', False),
        (21, "      … 1 more", False),
        (22, "    }", False),
        (23, "  ]", False),
        (24, "}", False),
    ]


def test_a_missing_field_is_a_line_without_a_number() -> None:
    shown = outline({"a": 1}, "/b", None)
    assert [(line.number, line.text) for line in shown if line.is_marked] == [(None, '  "b": (missing)')]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/a/b"), ([], "/7"), (1, "/a"), (None, ""), ({"a": [1]}, "/a/x"), ({"": 1}, "/"), ("x", "/0/0")],
)
def test_a_pointer_that_leads_nowhere_is_no_error(body: Any, pointer: str) -> None:
    assert any(line.is_marked for line in outline(body, pointer, "1"))


def test_of_an_object_in_question_only_the_first_names_are_shown() -> None:
    shown = outline({f"field {n}": "private" for n in range(100)}, "", None)
    assert len(shown) == 15
    assert shown[13].text == "  … 88 more"
    assert shown[-1].number == 102
    assert not [line for line in shown if "private" in line.text]


def test_names_are_shown_as_printable_text() -> None:
    shown = outline({"\x1b[2J" + "x" * 200: 1}, "", None)
    assert all(line.text.isprintable() and len(line.text) < 120 for line in shown)
