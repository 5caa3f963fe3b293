from __future__ import annotations

import pytest

from mock_webshare.service.framework.response import render


@pytest.mark.parametrize(
    ("data", "indent", "text"),
    [
        ({"a": 1.0, "b": None}, None, '{"a":1.0,"b":null}'),
        ({"a": [1]}, 2, '{\n  "a": [\n    1\n  ]\n}'),
        ("é\u2028\u2029", None, '"é\\u2028\\u2029"'),
    ],
)
def test_data_is_written_as_the_framework_writes_it(data: object, indent: int | None, text: str) -> None:
    assert render(data, indent) == text.encode()
