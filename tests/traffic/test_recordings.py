"""How files become exchanges, and what happens to those that cannot."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from mock_webshare.errors import UnreadableInput
from mock_webshare.traffic import recordings
from mock_webshare.traffic.exchange import Exchange

if TYPE_CHECKING:
    from pathlib import Path


def read_one(path: str, stdin: bytes = b"") -> Exchange | UnreadableInput:
    (record,) = recordings.read([path], BytesIO(stdin))
    return record


def test_a_file_is_the_body_of_an_exchange_without_a_request(tmp_path: Path) -> None:
    path = tmp_path / "body.json"
    path.write_bytes(b"{}")
    assert read_one(str(path)) == Exchange(source=str(path), body=b"{}", method=None, url=None, status=None)


def test_a_dash_is_standard_input() -> None:
    assert read_one("-", b"[]") == Exchange(source="-", body=b"[]")


@pytest.mark.parametrize("name", ["missing.json", ".", "nul\0.json"])
def test_what_cannot_be_read_says_so(tmp_path: Path, name: str) -> None:
    record = read_one(str(tmp_path / name))
    assert isinstance(record, UnreadableInput)
    assert str(record).startswith("cannot read ")


def test_a_file_without_permission_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, stdin: object) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(recordings, "_read_bytes", refuse)
    assert str(read_one("body.json")) == "cannot read 'body.json': Permission denied"


def test_an_unreadable_file_does_not_end_the_stream(tmp_path: Path) -> None:
    missing, after = recordings.read([str(tmp_path / "missing.json"), "-"], BytesIO(b"{}"))
    assert isinstance(missing, UnreadableInput)
    assert isinstance(after, Exchange)


@pytest.mark.parametrize(("size", "expected"), [(10, Exchange), (11, UnreadableInput)])
def test_input_beyond_the_limit_is_unreadable(
    monkeypatch: pytest.MonkeyPatch, size: int, expected: type
) -> None:
    monkeypatch.setattr(recordings, "LARGEST_INPUT", 10)
    assert isinstance(read_one("-", b"x" * size), expected)
