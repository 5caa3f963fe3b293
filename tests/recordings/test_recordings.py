"""How files of all formats become exchanges, and how unreadable ones are reported."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import zipfile
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from mock_webshare import recordings
from mock_webshare.errors import UnknownName, UnreadableInput
from mock_webshare.exchange import limits
from mock_webshare.exchange.model import BadRecord, Exchange, write_line
from tests.capabilities import needs_links, needs_pipes

EXCHANGE = Exchange(
    source="-",
    method="GET",
    url="http://a/",
    request_headers=(),
    status=200,
    headers=(),
    body=b'{"results": []}',
)
LINE = write_line(EXCHANGE).encode()
BODY = b'{"detail": "Not found."}'
BODY_TEXT = EXCHANGE.body.decode()
ENTRY = {
    "request": {"method": "GET", "url": "http://a/"},
    "response": {"status": 200, "content": {"text": BODY_TEXT}},
}
HAR = json.dumps({"log": {"entries": [ENTRY]}}).encode()
INTERACTION = {
    "request": {"method": "GET", "uri": "http://a/"},
    "response": {"status": {"code": 200}, "body": {"string": BODY_TEXT}},
}
JSON_CASSETTE = json.dumps({"version": 1, "interactions": [INTERACTION]}).encode()
CASSETTE = b"""interactions:
- request: {method: GET, uri: http://a/}
  response: {status: {code: 200}, body: {string: '{"results": []}'}}
version: 1
"""


def read(path: Path | str, stdin: bytes = b"", input_format: str = "auto") -> list[object]:
    return list(recordings.read([str(path)], BytesIO(stdin), input_format=input_format))


def read_bytes(content: bytes, input_format: str = "auto") -> list[object]:
    return read("-", content, input_format)


def read_one(path: Path | str, stdin: bytes = b"") -> object:
    (record,) = read(path, stdin)
    return record


def summary(record: object) -> tuple[str | None, int | None, bytes]:
    assert isinstance(record, Exchange)
    return record.url, record.status, record.body


def test_a_file_is_the_body_of_an_exchange_without_a_request(tmp_path: Path) -> None:
    path = tmp_path / "body.json"
    path.write_bytes(b"{}")
    assert read_one(path) == Exchange(source=str(path), body=b"{}", method=None, url=None, status=None)


def test_a_dash_is_standard_input() -> None:
    assert read_one("-", b"[]") == Exchange(source="-", body=b"[]")


@pytest.mark.parametrize("name", ["missing.json", "nul\0.json"])
def test_a_path_that_cannot_be_opened_is_unreadable(tmp_path: Path, name: str) -> None:
    record = read_one(tmp_path / name)
    assert isinstance(record, UnreadableInput)
    assert str(record).startswith("cannot read ")


def test_an_unreadable_file_does_not_end_the_stream(tmp_path: Path) -> None:
    missing, after = recordings.read([str(tmp_path / "missing.json"), "-"], BytesIO(b"{}"))
    assert isinstance(missing, UnreadableInput)
    assert isinstance(after, Exchange)


@pytest.mark.parametrize(("size", "expected"), [(10, Exchange), (11, UnreadableInput)])
def test_a_body_beyond_the_limit_is_unreadable(
    monkeypatch: pytest.MonkeyPatch, size: int, expected: type
) -> None:
    monkeypatch.setattr(limits, "LARGEST_RECORD", 10)
    assert isinstance(read_one("-", b"x" * size), expected)


FORMATS = {
    "har": HAR,
    "ndjson": LINE + LINE,
    "yml": CASSETTE,
    "yaml": JSON_CASSETTE,
    "json": JSON_CASSETTE,
    "jsonl": LINE,
}


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_the_extension_decides_the_format(tmp_path: Path, extension: str, packed: bool) -> None:
    path = tmp_path / f"traffic.{extension}{'.gz' if packed else ''}"
    content = FORMATS[extension]
    path.write_bytes(gzip.compress(content) if packed else content)
    assert {summary(record) for record in read(path)} == {("http://a/", 200, EXCHANGE.body)}


CONTENTS = {
    "har": HAR,
    "har-with-byte-order-mark": b"\xef\xbb\xbf" + HAR,
    "lines": LINE + b"\n" + LINE,
    "one-line": LINE,
    "indented-exchange": json.dumps(EXCHANGE.wire(), indent=2).encode(),
    "list": b"[" + LINE + b"," + LINE + b"]",
    "cassette": CASSETTE,
    "cassette-with-comment": b"# ours\n---\n" + CASSETTE,
    "json-cassette": JSON_CASSETTE,
    "har-entries": json.dumps([ENTRY]).encode(),
    "interactions": json.dumps([INTERACTION]).encode(),
}


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_without_a_name_the_content_decides_the_format(name: str, packed: bool) -> None:
    content = gzip.compress(CONTENTS[name]) if packed else CONTENTS[name]
    assert {summary(record) for record in read_bytes(content)} == {("http://a/", 200, EXCHANGE.body)}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b'"interactions"',
        b"{}",
        b"[]",
        b"[1, 2]",
        b'[{"id": 1, "user_id": 2}]',
        b'[{"id": 7, "code": "SPRING"}]',
        b'{"detail": "log"}',
        b"{\n}\n",
        b'\xef\xbb\xbf{"detail": "x"}',
        b"\x00\x01\x02",
        b"<!doctype html>\nversion: 1",
    ],
)
def test_content_of_no_known_format_is_a_body_byte_for_byte(body: bytes) -> None:
    assert read_bytes(body) == [Exchange(source="-", body=body)]


@pytest.mark.parametrize("name", ["a.json", "a.JSON", "a.json.gz"])
def test_two_bodies_in_a_json_file_are_one_invalid_body(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BODY + b"\n" + BODY)
    assert read(path) == [Exchange(source=str(path), body=BODY + b"\n" + BODY)]


def test_two_exchanges_in_a_json_file_are_read_as_ndjson(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    path.write_bytes(LINE + LINE)
    assert [summary(record)[1] for record in read(path)] == [200, 200]


def test_two_bodies_on_standard_input_are_two() -> None:
    bodies = read_bytes(BODY + b"\r\n\r\n" + BODY)
    assert bodies == [
        Exchange(source="-", body=BODY + b"\r", entry=0, line=1),
        Exchange(source="-", body=BODY, entry=1, line=3),
    ]


def test_the_elements_of_a_list_of_bodies_are_read_byte_for_byte() -> None:
    page = b'{"results": [], "count": 1.50, "count": 2}'
    assert read_bytes(b"[\n" + page + b" ,\n " + BODY + b"]") == [
        Exchange(source="-", body=page, entry=0, line=2),
        Exchange(source="-", body=BODY, entry=1, line=3),
    ]


def test_a_format_given_by_the_user_is_not_detected(tmp_path: Path) -> None:
    path = tmp_path / "traffic.log"
    path.write_bytes(BODY)
    (record,) = read(path, input_format="har")
    assert record == BadRecord(source=str(path), problem="it has no `log`", entry=0, line=1)
    (record,) = read(path, input_format="journal")
    assert isinstance(record, BadRecord) and "not an exchange" in record.problem
    assert read(path, input_format="ndjson") == [Exchange(source=str(path), body=BODY, entry=0, line=1)]
    assert read(path, input_format="json") == [Exchange(source=str(path), body=BODY)]


def test_an_unknown_format_is_a_usage_error() -> None:
    with pytest.raises(UnknownName, match="there are: auto, json, ndjson, har, vcr, dump, journal"):
        recordings.read([], BytesIO(), input_format="harr")


def test_a_malformed_record_does_not_hide_the_next() -> None:
    lines = LINE + b'{"request"\n' + b'{"request": 1, "response": null}\n' + b"[" * 2000 + b"\n" + LINE
    found = read_bytes(lines)
    assert [type(record).__name__ for record in found] == ["Exchange", *["BadRecord"] * 3, "Exchange"]
    assert [(record.entry, record.line) for record in found] == [(n, n + 1) for n in range(5)]  # type: ignore[attr-defined]


def test_a_problem_shows_nothing_of_the_record() -> None:
    found = read_bytes(
        LINE * 2 + b'{"request": {"method": "secret", "url": 5, "body": "secret"}, "response": 1}\n'
    )
    assert isinstance(found[-1], BadRecord)
    assert "secret" not in found[-1].problem


def test_a_record_beyond_the_limit_does_not_hide_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_RECORD", 1000)
    long = write_line(replace(EXCHANGE, body=b"x" * 1000)).encode()
    for content in (LINE + long + LINE, b"[" + LINE + b"," + long + b"," + LINE + b"]"):
        first, bad, last = read_bytes(content)
        assert summary(first) == summary(last)
        assert isinstance(bad, BadRecord) and bad.line == 2


def test_a_packed_body_in_a_line_is_unpacked() -> None:
    packed = replace(EXCHANGE, headers=(("Content-Encoding", "gzip"),), body=gzip.compress(BODY))
    (exchange,) = read_bytes(write_line(packed).encode(), "journal")
    assert summary(exchange) == ("http://a/", 200, BODY)


def test_truncated_gzip_is_read_up_to_its_end() -> None:
    content = gzip.compress(os.urandom(2000).hex().encode() + b"\n" + LINE * 3)
    *found, last = read_bytes(content[:-12], "ndjson")
    assert found
    assert isinstance(last, BadRecord) and "cut off" in last.problem


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_a_file_in_the_format_of_zlib_is_unpacked(level: int) -> None:
    (exchange,) = read_bytes(zlib.compress(CASSETTE, level))
    assert summary(exchange) == summary(EXCHANGE)


def test_truncated_zlib_is_unreadable_or_a_bad_record() -> None:
    *_, last = read_bytes(zlib.compress(CASSETTE)[:-9])
    assert isinstance(last, BadRecord | UnreadableInput)


def test_several_members_and_the_padding_of_gzip_are_one_file() -> None:
    content = gzip.compress(LINE) + gzip.compress(LINE) + b"\0" * 100
    assert len(read_bytes(content)) == 2


def test_what_only_looks_like_gzip_is_unreadable() -> None:
    assert isinstance(read_one("-", b"\x1f\x8bnonsense"), UnreadableInput)


def folder_of(tmp_path: Path, *names: str) -> Path:
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(LINE)
    return tmp_path


def sources(records: list[object], folder: Path) -> list[str]:
    exchanges = [record for record in records if isinstance(record, Exchange)]
    assert len(exchanges) == len(records)
    return [os.path.relpath(exchange.source, folder) for exchange in exchanges]


FOLDERS = {
    "in the order of names": (
        ["b.ndjson", "a/z.jsonl", "a/b/c.json", "c.ndjson", "notes.txt", "d"],
        ["a/b/c.json", "a/z.jsonl", "b.ndjson", "c.ndjson", "d", "notes.txt"],
    ),
    "without hidden ones": ([".git/a.json", ".b.json", "c.json"], ["c.json"]),
    "however deep": (["f/" * 200 + "a.json"], ["f/" * 200 + "a.json"]),
    "empty": ([], []),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_the_files_of_a_folder_are_read(case: str, tmp_path: Path) -> None:
    names, expected = FOLDERS[case]
    assert sources(read(folder_of(tmp_path, *names)), tmp_path) == expected


@needs_links
def test_circular_links_are_followed_once(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "a/b.json")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    (tmp_path / "again").symlink_to(tmp_path / "a")
    assert sources(read(folder), folder) == ["a/b.json"]


@needs_links
def test_a_broken_link_in_a_folder_is_unreadable_and_the_rest_is_read(tmp_path: Path) -> None:
    folder_of(tmp_path, "b.json")
    (tmp_path / "a.json").symlink_to("nowhere")
    (tmp_path / "c.json").symlink_to("c.json")
    first, second, third = read(tmp_path)
    assert isinstance(first, UnreadableInput) and isinstance(third, UnreadableInput)
    assert isinstance(second, Exchange)


@needs_pipes
def test_a_pipe_in_a_folder_is_ignored(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "a.json")
    os.mkfifo(tmp_path / "b.json")
    assert sources(read(folder), folder) == ["a.json"]


def test_a_file_or_folder_without_permission_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Permissions do not stop a superuser who runs the tests, so the calls fail instead."""
    folder_of(tmp_path, "a/b.json", "c.json")

    def refuse(path: str, *arguments: object) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("builtins.open", refuse)
    assert [str(record) for record in read(tmp_path / "c.json")] == [
        f"cannot read '{tmp_path}/c.json': Permission denied"
    ]
    monkeypatch.setattr(os, "listdir", refuse)
    assert [str(record) for record in read(tmp_path)] == [f"cannot read '{tmp_path}': Permission denied"]


def test_progress_is_reported_in_bytes_of_the_files(tmp_path: Path) -> None:
    folder_of(tmp_path, "a.ndjson", "b.ndjson")
    seen: list[tuple[int, int]] = []
    list(recordings.read([str(tmp_path)], BytesIO(), progress=lambda *counted: seen.append(counted)))
    assert seen == sorted(seen)
    assert seen[-1] == (2 * len(LINE), 2 * len(LINE))


def test_progress_ends_at_the_size_of_a_zip_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.har", HAR)
    seen: list[tuple[int, int]] = []
    list(recordings.read([str(tmp_path)], BytesIO(), progress=lambda *counted: seen.append(counted)))
    assert seen[-1] == ((tmp_path / "a.zip").stat().st_size,) * 2


def test_one_body_is_read_without_the_libraries_of_other_formats() -> None:
    code = "import io, sys; from mock_webshare import recordings; "
    code += "list(recordings.read(['-'], io.BytesIO(b'{}'))); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"yaml", "gzip", "zipfile", "brotli", "zstandard"} & set(loaded)
