from __future__ import annotations

import pytest

from mock_webshare.contract.timestamps import SECOND, format_instant, parse_instant

WRITTEN = [
    "2022-06-14T11:58:10.246406-07:00",
    "2022-01-14T11:58:10.000001-08:00",
    "2022-06-14T11:58:10-07:00",
    "1999-12-31T23:59:59.500000-08:00",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_what_the_service_writes_is_read_and_written_alike(text: str) -> None:
    assert format_instant(parse_instant(text)) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2022-06-14T18:58:10Z", "2022-06-14T11:58:10-07:00"),
        ("2022-06-14 20:58:10.5+02:00", "2022-06-14T11:58:10.500000-07:00"),
        ("2022-06-14T11:58-07:00", "2022-06-14T11:58:00-07:00"),
    ],
)
def test_other_zones_and_forms_are_written_in_los_angeles(text: str, written: str) -> None:
    assert format_instant(parse_instant(text)) == written


def test_the_hour_that_autumn_repeats_keeps_its_order() -> None:
    first = parse_instant("2025-11-02T01:30:00-07:00")
    second = parse_instant("2025-11-02T01:30:00-08:00")
    assert second - first == 3600 * SECOND
    assert format_instant(second) == "2025-11-02T01:30:00-08:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2022-06-14",
        "2022-06-14T11:58:10",  # no offset
        "2022-02-30T11:58:10-07:00",
        "2022-06-14T25:58:10-07:00",
        "20220614T115810Z",  # ISO 8601 too, but only newer releases of Python read it
        "1969-12-31T23:59:59Z",
        "２022-06-14T11:58:10-07:00",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        parse_instant(text)
