"""On which line a pointer points."""

from __future__ import annotations

import pytest

from mock_webshare.exchange.line_numbers import Locator

DOCUMENT = """{
  "a": [
    1, {"b": "\\n}",
      "c/d": 99999999999999999999999999999999999999999999
    }
  ],
  "e~f": null,
  "e~f": 2
}"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 1),
        ("/a", 2),
        ("/a/0", 3),
        ("/a/1/b", 3),
        ("/a/1/c~1d", 4),
        ("/a/1/missing", 3),
        ("/a/7", 2),
        ("/missing", 1),
        ("/e~0f", 8),
    ],
)
def test_a_pointer_is_on_a_line(pointer: str, line: int) -> None:
    assert Locator(DOCUMENT).line(pointer) == line
