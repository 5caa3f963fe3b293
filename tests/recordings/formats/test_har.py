"""How the entries of a HAR are read."""

from __future__ import annotations

import base64
import gzip
import json
import os
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mock_webshare import recordings
from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange
from tests.capabilities import needs_links, needs_pipes

URL = "https://proxy.webshare.io/api/v2/referral/credit/1/"
ENTRY: dict[str, Any] = {
    "startedDateTime": "2022-06-14T20:58:10.246+02:00",
    "time": 12.5,
    "request": {
        "method": "GET",
        "url": URL,
        "headers": [{"name": ":authority", "value": "x"}, {"name": "Accept", "value": "*/*"}],
    },
    "response": {
        "status": 200,
        "headers": [{"name": "Content-Type", "value": "application/json"}],
        "content": {"size": 2, "mimeType": "application/json", "text": "{}"},
    },
}


def har(*entries: Any) -> bytes:
    log = {"version": "1.2", "pages": [{"title": '"]}'}], "entries": entries, "comment": ""}
    return json.dumps({"log": log}).encode()


def read(content: bytes) -> list[Any]:
    return list(recordings.read(["-"], BytesIO(content), input_format="har"))


def read_entry(**changes: Any) -> Any:
    (record,) = read(har(ENTRY | changes))
    return record


def read_response(**changes: Any) -> Any:
    return read_entry(response=ENTRY["response"] | changes)


def with_content(content: dict[str, Any], **changes: Any) -> Any:
    return read_response(content=content, **changes)


def header(name: str, value: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value}]


def test_an_entry_is_an_exchange() -> None:
    assert read_entry() == Exchange(
        source="-",
        entry=0,
        line=1,
        method="GET",
        url=URL,
        request_headers=(("Accept", "*/*"),),
        status=200,
        headers=(("Content-Type", "application/json"),),
        body=b"{}",
        started=parse_instant("2022-06-14T11:58:10.246-07:00"),
        seconds=0.0125,
    )


def test_the_line_is_where_the_entry_begins() -> None:
    text = json.dumps({"log": {"entries": [ENTRY, ENTRY]}}, indent=1)
    lines = text.splitlines()
    assert [each.line for each in read(text.encode())] == [
        number for number, line in enumerate(lines, 1) if line == "   {"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-06-14T11:58:10.2464069-07:00", "2022-06-14T11:58:10.246406-07:00"),
        ("2022-06-14T18:58:10Z", "2022-06-14T11:58:10-07:00"),
        ("2022-06-14T20:58:10.2+0200", "2022-06-14T11:58:10.2-07:00"),
        ("2022-06-14T11:58:10", None),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("yesterday", None),
        ("9" * 10_000, None),
        (5, None),
        (None, None),
    ],
)
def test_a_date_needs_an_offset(text: Any, expected: str | None) -> None:
    assert read_entry(startedDateTime=text).started == (expected and parse_instant(expected))


@pytest.mark.parametrize("time", [-1, None, "5", True, float("inf"), float("nan"), 10**400])
def test_an_implausible_time_is_not_known(time: Any) -> None:
    assert read_entry(time=time).seconds is None


@pytest.mark.parametrize("status", [0, -1, None])
def test_without_a_response_the_status_is_none(status: Any) -> None:
    exchange = read_response(status=status, content={"size": -1}, _failureText="net::ERR_ABORTED")
    assert (exchange.status, exchange.headers, exchange.body) == (None, None, b"")


@pytest.mark.parametrize("response", [None, {}])
def test_with_an_empty_response_the_status_is_none(response: Any) -> None:
    assert read_entry(response=response).status is None


def test_base64_is_decoded() -> None:
    text = base64.b64encode(b"\x00\xff").decode()
    assert with_content({"text": text, "encoding": "base64"}).body == b"\x00\xff"


def test_a_body_that_was_stored_packed_is_unpacked() -> None:
    text = base64.b64encode(gzip.compress(b"{}")).decode()
    exchange = with_content({"text": text, "encoding": "base64"}, headers=header("content-encoding", "gzip"))
    assert exchange.body == b"{}"
    assert exchange.header("Content-Encoding") == "gzip"


def test_a_body_that_was_stored_unpacked_is_unchanged() -> None:
    assert read_response(headers=header("content-encoding", "br")).body == b"{}"


@pytest.mark.parametrize(
    "content", [{}, {"size": 0}, {"size": -1}, {"size": 500}, {"text": None, "comment": "x"}]
)
def test_a_body_that_is_not_stored_is_not_known(content: dict[str, Any]) -> None:
    exchange = with_content(content)
    assert (exchange.status, exchange.body, exchange.is_body_known) == (200, b"", False)


@pytest.mark.parametrize("status", [204, 304, 101])
def test_a_body_stored_for_a_bodiless_status_is_ignored(status: int) -> None:
    exchange = read_response(status=status)
    assert (exchange.body, exchange.is_body_known) == (b"", True)


def test_a_response_to_head_has_an_empty_body() -> None:
    exchange = read_entry(
        request=ENTRY["request"] | {"method": "HEAD"}, response=ENTRY["response"] | {"content": {"size": -1}}
    )
    assert exchange.is_body_known


def test_a_length_of_0_is_an_empty_body() -> None:
    assert with_content({"size": 0}, headers=header("Content-Length", "0")).is_body_known


def test_a_redirect_is_an_exchange() -> None:
    exchange = read_response(status=301, headers=header("Location", "/x/"), content={"size": 0, "text": ""})
    assert (exchange.status, exchange.header("location"), exchange.is_body_known) == (301, "/x/", True)


def test_a_response_from_the_cache_is_ignored() -> None:
    """It was sent when it was stored, not when the entry says."""
    assert read_entry(_fromCache="disk").status is None
    assert read_entry(_fromCache=None).status == 200


def test_a_request_body_is_kept() -> None:
    request = ENTRY["request"] | {"method": "POST", "postData": {"mimeType": "text/plain", "text": "é"}}
    assert read_entry(request=request).request_body == "é".encode()
    assert read_entry(request=ENTRY["request"] | {"postData": None}).request_body == b""


def test_a_lone_surrogate_in_a_body_is_kept_for_the_judge() -> None:
    assert with_content({"text": "\ud800"}).body == b"\xed\xa0\x80"


@pytest.mark.parametrize(
    "changes",
    [
        {"request": None},
        {"request": "GET"},
        {"request": {"url": URL}},
        {"request": {"method": "GET", "url": 5}},
        {"request": {"method": "GET", "url": URL, "headers": {"a": "b"}}},
        {"request": {"method": "GET", "url": URL, "headers": ["a"]}},
        {"request": {"method": "GET", "url": URL, "headers": [{"name": "a"}]}},
        {"response": []},
        {"response": "200"},
        {"response": {"status": "200"}},
        {"response": {"status": 99}},
        {"response": {"status": 10**50}},
        {"response": {"status": True}},
        {"response": {"status": 200.5}},
        {"response": {"status": 200, "content": "x"}},
        {"response": {"status": 200, "content": {"text": 5}}},
        {"response": {"status": 200, "content": {"text": "?", "encoding": "base64"}}},
        {"response": {"status": 200, "content": {"text": "?", "encoding": "rot13"}}},
        {"response": {"status": 200, "content": {"_file": 5}}},
    ],
)
def test_a_malformed_entry_is_a_bad_record_and_the_next_is_read(changes: dict[str, Any]) -> None:
    bad, good = read(har(ENTRY | changes, ENTRY))
    if changes.get("response") != []:
        assert isinstance(bad, BadRecord)
        assert (bad.entry, bad.line) == (0, 1)
    assert isinstance(good, Exchange)


def test_a_bad_record_has_the_url_of_its_request() -> None:
    assert read_response(status="x").url == URL


@pytest.mark.parametrize("entry", [1, None, "x", []])
def test_an_entry_that_is_not_an_object_is_a_bad_record(entry: Any) -> None:
    assert [type(each) for each in read(har(entry, ENTRY))] == [BadRecord, Exchange]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{}", "it has no `log`"),
        (b'{"log": {}}', "it has no `entries`"),
        (b'{"log": 5}', "`{` is missing"),
        (b'{"log": {"entries": {}}}', "`[` is missing"),
        (b"", "ends in the middle"),
        (b"nonsense", "`{` is missing"),
        (har(ENTRY) + b"{}", "something follows"),
        (har(ENTRY)[:-10], "ends in the middle"),
        (har(ENTRY, ENTRY)[:-200], "ends in the middle"),
        (b'{"log": {"entries": [1 2]}}', "`,` or `]` is missing"),
        (b'{"log": {"entries": [,]}}', "a value is missing"),
        (b'{"log": {"entries": [1,', "ends in the middle"),
        (b'{"log": {5: 1}}', "a key is missing"),
        (b'{"log" {}}', "`:` is missing"),
    ],
)
def test_a_broken_har_ends_with_a_bad_record(content: bytes, problem: str) -> None:
    last = read(content)[-1]
    assert isinstance(last, BadRecord)
    assert problem in last.problem


def test_a_har_without_entries_yields_nothing() -> None:
    assert read(har()) == []


def attached(folder: Path, name: Any) -> Any:
    (folder / "a.har").write_bytes(har(ENTRY | {"response": {"status": 200, "content": {"_file": name}}}))
    (record,) = recordings.read([str(folder / "a.har")], BytesIO())
    return record


def test_a_body_beside_the_har_is_read(tmp_path: Path) -> None:
    (tmp_path / "bodies").mkdir()
    (tmp_path / "bodies" / "b.json").write_bytes(b"{}")
    assert attached(tmp_path, "bodies/b.json").body == b"{}"


@needs_pipes
@needs_links
@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/hostname",
        "missing",
        "nul\0",
        "",
        ".",
        "link",
        "pipe",
        "x" * 5000,
        "..",
        "sub/../../secret",
    ],
)
def test_a_body_outside_the_folder_or_missing_is_a_bad_record(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe")
    record = attached(folder, name)
    assert isinstance(record, BadRecord)
    assert "file" in record.problem


def test_standard_input_has_no_attachments() -> None:
    assert isinstance(with_content({"_file": "a"}), BadRecord)


def zipped(path: Path, **files: bytes) -> list[Any]:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return list(recordings.read([str(path)], BytesIO()))


def test_a_zip_archive_holds_the_har_and_its_bodies(tmp_path: Path) -> None:
    entry = ENTRY | {"response": {"status": 200, "content": {"_file": "b.json"}}}
    missing = ENTRY | {"response": {"status": 200, "content": {"_file": "../a"}}}
    first, second = zipped(tmp_path / "a.zip", a_har=har(entry, missing), b_json=b"[]")
    assert first.body == b"[]"
    assert isinstance(second, BadRecord)


def test_a_zip_archive_without_a_har_is_unreadable(tmp_path: Path) -> None:
    (record,) = zipped(tmp_path / "a.zip", a_txt=b"x")
    assert isinstance(record, UnreadableInput)
    assert str(record).endswith(
        "it looks like a ZIP archive without a file that ends in .har, which is not read; "
        "unpack it, and name the files or the folder"
    )


def test_each_har_in_a_zip_archive_is_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("b/", "b/one.har", "two.HAR", "__MACOSX/b/._one.har", ".DS_Store", "b/.three.har", "x"):
            archive.writestr(name, har(ENTRY) if name.lower().endswith(".har") else b"")
    found = list(recordings.read([str(path)], BytesIO()))
    assert [(each.source, each.status) for each in found if isinstance(each, Exchange)] == [
        (f"{path}!b/one.har", 200),
        (f"{path}!two.HAR", 200),
    ]


def test_a_zip_archive_on_standard_input_is_unreadable(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", a_har=har(ENTRY))
    (record,) = read((tmp_path / "a.zip").read_bytes())
    assert isinstance(record, UnreadableInput)
    assert "from a file" in str(record)


@pytest.mark.parametrize("keep", [10, 200, -30])
def test_a_zip_archive_that_is_cut_off_is_unreadable(tmp_path: Path, keep: int) -> None:
    zipped(tmp_path / "a.zip", a_har=har(ENTRY))
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:keep])
    assert [type(each) for each in recordings.read([str(tmp_path / "a.zip")], BytesIO())] == [UnreadableInput]


def test_a_zip_archive_that_is_damaged_inside_is_read_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    zipped(path, a_har=har(*[ENTRY] * 3))
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    last = list(recordings.read([str(path)], BytesIO()))[-1]
    assert isinstance(last, BadRecord | UnreadableInput)


CACHED: dict[str, dict[str, Any]] = {
    "Chromium's disk cache": {"_fromCache": "disk"},
    "Chromium's memory cache": {"_fromCache": "memory"},
    "Safari's disk cache": {"_fetchType": "Disk Cache"},
    "Safari's memory cache": {"_fetchType": "Memory Cache"},
    "Safari's service worker": {"_fetchType": "Service Worker"},
    "an override in Safari": {"_fetchType": "Inspector Override"},
    "the cache storage of a service worker": {"response": {"_serviceWorkerResponseSource": "cache-storage"}},
    "a service worker's HTTP cache": {"response": {"_serviceWorkerResponseSource": "http-cache"}},
    "a service worker's own response": {"response": {"_serviceWorkerResponseSource": "fallback-code"}},
    "a cache storage by its name": {"response": {"_responseCacheStorageCacheName": "v1"}},
    "a service worker that transferred nothing": {
        "response": {"_fetchedViaServiceWorker": True, "_transferSize": 0}
    },
    "the router of a service worker": {"_serviceWorkerRouterActualSourceType": "cache"},
    "a cache entry and nothing received": {
        "cache": {"beforeRequest": {"eTag": ""}},
        "response": {"bodySize": 0},
    },
    "a flag": {"_servedFromCache": True},
    "Firefox": {"cache": {"afterRequest": None}},
    "Firefox with the entry": {"cache": {"afterRequest": {"eTag": "", "fetchCount": 3}}},
    "Firefox with a size of 0": {"cache": {"afterRequest": None}, "response": {"bodySize": 0}},
    "Firefox with an unknown size": {"cache": {"afterRequest": {}}, "response": {"bodySize": -1}},
    "Firefox with a 404": {"cache": {"afterRequest": None}, "response": {"status": 404}},
}
RECEIVED: dict[str, dict[str, Any]] = {
    "Safari's network": {"_fetchType": "Network Load"},
    "an unknown kind of Safari's": {"_fetchType": None},
    "a service worker that asked the network": {
        "response": {"_fetchedViaServiceWorker": True, "_serviceWorkerResponseSource": "network"}
    },
    "a service worker whose source is not recorded": {"response": {"_fetchedViaServiceWorker": True}},
    "no cache in Chromium": {"_fromCache": None},
    "a flag that is false": {"_servedFromCache": False},
    "a cache entry of a received body": {
        "cache": {"afterRequest": {"eTag": ""}},
        "response": {"bodySize": 2},
    },
    "a size as text": {"cache": {"afterRequest": {}}, "response": {"bodySize": "2"}},
    "cache entries before and after": {"cache": {"beforeRequest": None, "afterRequest": {"eTag": ""}}},
    "a cache entry before, and no size": {"cache": {"beforeRequest": {"eTag": ""}}},
    "a cache without entries": {"cache": {}},
    "nothing transferred, without a cache": {"response": {"bodySize": 0, "_transferSize": 0}},
    "a size of 0 without a cache": {"response": {"bodySize": 0}},
}


def varied(entry: dict[str, Any]) -> list[Any]:
    response = {"status": 200, "content": {"text": "{}", "size": 2}} | entry.get("response", {})
    return read(har(ENTRY | entry | {"response": response}))


@pytest.mark.parametrize("case", CACHED)
def test_a_response_of_a_cache_is_no_response_of_now(case: str) -> None:
    (found,) = varied(CACHED[case])
    assert (found.status, found.body) == (None, b"")


@pytest.mark.parametrize("case", RECEIVED)
def test_a_response_that_was_received_is_read(case: str) -> None:
    (found,) = varied(RECEIVED[case])
    assert (found.status, found.body) == (200, b"{}")


def test_a_304_is_read_though_the_cache_had_the_body() -> None:
    (found,) = varied({"cache": {"afterRequest": None}, "response": {"status": 304}})
    assert found.status == 304


HEADERS = [{"name": "Content-Type", "value": "application/json"}]


@pytest.mark.parametrize("status", [-1, 0, -200, None])
@pytest.mark.parametrize("version", ["h2", "HTTP/1.1"])
def test_a_response_that_came_without_a_status_is_malformed(status: int | None, version: str) -> None:
    (found,) = varied({"response": {"status": status, "headers": HEADERS, "httpVersion": version}})
    assert isinstance(found, BadRecord)


NO_RESPONSE: dict[str, dict[str, Any]] = {
    "nothing": {"status": 0, "content": {}},
    "-1 and nothing": {"status": -1, "content": {}},
    "headers only": {"status": 0, "content": {}, "headers": HEADERS},
    "a text only": {"status": 0},
    "blocked by CORS, in Firefox": {"status": 0, "headers": HEADERS, "httpVersion": "", "statusText": ""},
    "a failure": {"status": 0, "headers": HEADERS, "httpVersion": "h2", "_error": "net::ERR_ABORTED"},
}


@pytest.mark.parametrize("case", NO_RESPONSE)
def test_a_status_of_0_stands_for_no_response(case: str) -> None:
    (found,) = varied({"response": NO_RESPONSE[case]})
    assert (found.status, found.body) == (None, b"")


@pytest.mark.parametrize("encoding", ["base64", "Base64", "BASE64", "bASE64", "baSe64"])
def test_base64_is_base64_in_any_letter_case(encoding: str) -> None:
    (found,) = varied({"response": {"content": {"text": "e30=", "encoding": encoding}}})
    assert found.body == b"{}"


LOST: dict[str, dict[str, Any]] = {
    "a size": {"content": {"text": "", "size": 880}},
    "a size as text": {"content": {"text": "", "size": "880"}},
    "a compression": {"content": {"text": "", "compression": 12}},
    "a length": {"content": {"text": ""}, "headers": [{"name": "Content-Length", "value": "880"}]},
    "a size of the body": {"content": {"text": "", "size": 0}, "bodySize": 880},
    "a size beside base64": {"content": {"text": "", "encoding": "base64", "size": 5}},
}


@pytest.mark.parametrize("case", LOST)
def test_an_empty_text_of_a_body_with_a_size_is_not_known(case: str) -> None:
    (found,) = read(har(ENTRY | {"response": {"status": 200} | LOST[case]}))
    assert (found.status, found.is_body_known) == (200, False)


@pytest.mark.parametrize("length", ["0", None])
def test_an_empty_text_without_a_size_is_an_empty_body(length: str | None) -> None:
    headers = [{"name": "Content-Length", "value": length}] if length else []
    response = {"status": 200, "content": {"text": "", "size": 0}, "headers": headers, "bodySize": -1}
    (found,) = read(har(ENTRY | {"response": response}))
    assert (found.is_body_known, found.body) == (True, b"")


PACKED = gzip.compress(b"{}", mtime=0)
POLLY: dict[str, dict[str, Any]] = {
    "base64 in pieces": {
        "encoding": "base64",
        "text": json.dumps([base64.b64encode(each).decode() for each in (PACKED[:9], PACKED[9:])]),
    },
    "base64 in one": {"encoding": "base64", "text": base64.b64encode(PACKED).decode()},
    "hexadecimal in pieces": {"_isBinary": True, "text": json.dumps([PACKED[:9].hex(), PACKED[9:].hex()])},
    "hexadecimal in one": {"_isBinary": True, "text": PACKED.hex()},
    "an app on iOS": {"_textBase64": base64.b64encode(PACKED).decode()},
}


@pytest.mark.parametrize("case", POLLY)
def test_packed_bodies_of_other_recorders_are_unpacked(case: str) -> None:
    headers = [{"name": "content-encoding", "value": "gzip"}]
    (found,) = read(har(ENTRY | {"response": {"status": 200, "headers": headers, "content": POLLY[case]}}))
    assert found.body == b"{}"


@pytest.mark.parametrize("text", ["[1]", '["%"]', "[", "[" * 100_000, '{"a": 1}'])
def test_pieces_that_are_not_encoded_are_malformed(text: str) -> None:
    assert isinstance(with_content({"encoding": "base64", "text": text}), BadRecord)


def test_a_missing_library_makes_the_file_unreadable_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name in ("brotli", "brotlicffi"):
        monkeypatch.setitem(sys.modules, name, None)
    response = {
        "status": 200,
        "headers": [{"name": "content-encoding", "value": "br"}],
        "content": {"encoding": "base64", "text": base64.b64encode(b"\x0b\x00\x80{}\x03").decode()},
    }
    url = "https://proxy.webshare.io/api/v2/referral/credit/"
    ours = {"request": {"method": "GET", "url": url}, "response": response}
    foreign = {"request": {"method": "GET", "url": "https://a/film"}, "response": response}
    found = read(har(foreign, ours, ENTRY, ours))
    assert [type(each) for each in found] == [BadRecord, UnreadableInput, Exchange]
    assert str(found[1]) == "cannot read '-': a body in it is packed as br; to unpack it: pip install brotli"
