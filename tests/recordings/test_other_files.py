"""Which files are recordings or bodies, and which are something else: from both sides."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import re
import sqlite3
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mock_webshare import recordings
from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange, OtherFile
from mock_webshare.recordings.other_files import other_kind
from tests.capabilities import needs_links

CREDIT = b'{"id": 1, "user_id": 6124, "mode": "credits", "amount": "2.50", "reverted_at": null}'
PAGE = b'{"count": 1, "next": null, "previous": null, "results": [%s]}' % CREDIT
EMPTY_PAGE = b'{"count": 0, "next": null, "previous": null, "results": []}'
ERROR = b'{"detail": "Not found."}'
DJANGO = b'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>Not Found</title>\n</head></html>'
RECORDED = b'{"request": {"method": "GET", "url": "http://a/"}, "response": null}\n'


def read(path: Path, **options: Any) -> list[Any]:
    return list(recordings.read([str(path)], BytesIO(), **options))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


OURS = {
    "credit": CREDIT,
    "page": PAGE,
    "empty page": EMPTY_PAGE,
    "page without results": b'{"count": 60, "next": null}',
    "truncated page": PAGE[:90],
    "truncated row": CREDIT[:-20],
    "page with NaN": PAGE.replace(b'"2.50"', b"NaN"),
    "page with a byte order mark": b"\xef\xbb\xbf" + PAGE,
    "page in UTF-16": PAGE.decode().encode("utf-16"),
    "page of an older edition": PAGE.replace(b"reverted_at", b"referral_channel_code"),
    "row with common fields only": b'{"id":1,"amount":1,"status":"y","error_reason":null,"created_at":"z"}',
    "error": ERROR,
    "field errors": b'{"mode": [{"message": "m", "code": "invalid_choice"}]}',
    "error in an unknown form": b'{"status": ["wrong"]}',
    "array of channels": b'[{"id": 7, "code": "SPRING", "max_earnings_per_referred": "1.00"}]',
    "exchange": RECORDED,
    "exchanges": RECORDED * 2,
    "HAR": b'{"log": {"entries": []}}',
    "packed page": gzip.compress(PAGE),
    "renamed page": b'{"results": [%s]}' % CREDIT,
}
ODD = {
    "empty object": b"{}",
    "empty array": b"[]",
    "array of numbers": b"[1, 2]",
    "users": b'[{"id": 1, "name": "n"}, {"id": 2, "name": "m"}]',
    "page of another API": b'{"count": 1, "next": null, "results": [{"id": 1, "title": "x"}]}',
    "setting called log": b'{"log": "debug", "level": 3}',
    "health": b'{"status": "ok"}',
    "object of another API": b'{"id": 5, "user_id": 6, "title": "x", "created_at": "y"}',
    "truncated object": b'{"name": "x", "list": [1,',
}
ELSE = {
    "an OpenAPI document": b'{"openapi": "3.1.0", "info": {}, "paths": {}}',
    "a package.json": b'{"name": "shop", "private": true, "scripts": {"test": "vitest"}}',
    "a JSON Schema, or a file that names one": b'{"$schema": "http://json-schema.org/schema#"}',
    "a lock file": b'{"name": "a", "lockfileVersion": 3, "packages": {}}',
    "a list of GET requests": b'{"requests": [], "dropped": 0}',
    "a contract of Pact": b'{"consumer": {"name": "a"}, "provider": {"name": "b"}, "interactions": []}',
    "a Postman collection without saved examples": b'{"info": {}, "item": [{"name": "a", "request": {}}]}',
    "a data set of the mock server": b'{"credits": [%s], "channels": []}' % CREDIT,
    "a session of Charles": b'[{"status": "COMPLETE", "protocolVersion": "HTTP/1.1", "scheme": "https"}]',
    "a packet capture (pcap)": b"\xd4\xc3\xb2\xa1\x02\0\x04\0",
    "a packet capture (pcapng)": b"\n\r\r\n\x1c\0\0\0",
    "flows of mitmproxy": b"3000:9:websocket;0:~8:response;1413:6:reason;2:OK,",
    "a PDF document": b"%PDF-1.7\n",
    "an image": b"\x89PNG\r\n\x1a\n\0\0",
    "a Python pickle": pickle.dumps({"a": 1}),
    "an export of Burp Suite": b'<?xml version="1.0"?>\n<!DOCTYPE items [\n<!ELEMENT items (item*)>\n]>',
    "a file compressed with Zstandard": b"\x28\xb5\x2f\xfd\x04\x00",
    "JavaScript of nock's recorder": b"\n<<<<<<-- cut here -->>>>>>\n\nnock('http://a', {})\n  .get('/')",
}
ELSE |= {
    "a network log of Chromium": b'{"constants": {"logEventTypes": {}}, "events": [{"phase": 1, "type": 2}]}',
    "a collection of Bruno": b'{"name": "c", "version": "1", "items": [], "environments": []}',
    "a collection of Hoppscotch": b'[{"v": 2, "name": "c", "folders": [], "requests": [{"name": "r"}]}]',
    "a collection of Thunder Client": b'{"client": "Thunder Client", "collectionName": "c", "requests": []}',
    "an export of Yaak": b'{"yaakVersion": "2026.1", "yaakSchema": 4, "resources": {}}',
    "a collection of HTTPie": b'{"meta": {"format": "httpie"}, "entry": {"name": "c", "requests": []}}',
    "an empty ZIP archive": b"PK\5\6" + bytes(18),
}
PACKAGES = [
    b'{"name": "shop", "version": "1.0.0"}',
    b'{"name": "shop", "version": "1.0.0", "type": "module"}',
    b'\xef\xbb\xbf{"version": "0.1", "description": "x", "name": "shop"}',
    b'[{"name": "aiohttp", "version": "3.13.0"}, {"name": "attrs", "version": "25.1.0"}]',
    b'{"name": "shop", "private": true}',
    b'{"private": true, "workspaces": ["packages/*"]}',
    b'{"name": "shop", "license": "MIT"}',
    b'{"name": "acme/shop", "require": {"php": ">=8.2"}}',
]
TEXTS = {
    "an HTML page": DJANGO,
    "plain text": b"upstream connect error",
    "XML": b"<?xml version='1.0'?><a/>",
    "binary data": bytes(range(256)),
    "an empty file": b"",
}


@pytest.mark.parametrize("name", ["a.json", "a.txt", "a", "credit-again.bak"])
@pytest.mark.parametrize("case", OURS)
def test_what_looks_like_ours_is_read_wherever_it_is(case: str, name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, OURS[case])
    for found in (read(path), read(tmp_path), read(path, skip_others=True)):
        assert not [each for each in found if not isinstance(each, Exchange)]
        assert found or case == "HAR"


@pytest.mark.parametrize("content", PACKAGES, ids=str)
def test_a_bare_package_is_certainly_something_else(content: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", content)
    (named,) = read(path)
    assert isinstance(named, UnreadableInput)
    assert re.search(r"it looks like a (package|composer)\.json", str(named))
    assert [type(each) for each in read(tmp_path)] == [OtherFile]


@pytest.mark.parametrize("case", ODD)
def test_a_body_that_looks_like_nothing_is_read_if_it_is_named(case: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", ODD[case])
    assert [type(each) for each in read(path)] == [Exchange]
    assert [type(each) for each in read(tmp_path)] == [OtherFile]
    assert [type(each) for each in read(path, skip_others=True)] == [OtherFile]


@pytest.mark.parametrize("case", ODD)
def test_a_name_of_ours_in_a_folder_counts_like_a_named_file(case: str, tmp_path: Path) -> None:
    write(tmp_path / "credits-page.json", ODD[case])
    assert [type(each) for each in read(tmp_path)] == [Exchange]


@pytest.mark.parametrize("case", ELSE)
@pytest.mark.parametrize("name", ["a.json", "credit.json", "a"])
def test_what_is_certainly_something_else_is_never_read(case: str, name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, ELSE[case])
    (named,) = read(path)
    assert isinstance(named, UnreadableInput)
    assert f"cannot read {str(path)!r}: it looks like {case}, which is not read" in str(named)
    (found,) = read(tmp_path)
    assert found in (OtherFile(source=str(path), what=case), named)  # `credit.json` counts as named
    if name != "credit.json":
        assert isinstance(found, OtherFile)


@pytest.mark.parametrize("case", TEXTS)
def test_what_is_not_json_is_read_only_from_a_file_that_promises_json(case: str, tmp_path: Path) -> None:
    promised, other = write(tmp_path / "a.json", TEXTS[case]), write(tmp_path / "b", TEXTS[case])
    assert [type(each) for each in read(promised)] == [Exchange]
    (refused,) = read(other)
    assert isinstance(refused, UnreadableInput) and case in str(refused)
    assert read(tmp_path)[-1] == OtherFile(source=str(other), what=case)


@pytest.mark.parametrize("case", TEXTS)
def test_standard_input_is_a_body(case: str) -> None:
    assert list(recordings.read(["-"], BytesIO(TEXTS[case]))) == [Exchange(source="-", body=TEXTS[case])]


def test_an_sqlite_database_is_refused_with_how_to_convert_it(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "cache.sqlite") as connection:
        connection.execute("create table a (b)")
    connection.close()
    (found,) = read(tmp_path / "cache.sqlite")
    assert "an SQLite database" in str(found) and "serializer='json'" in str(found)
    assert [type(each) for each in read(tmp_path)] == [OtherFile]


def test_archives_are_refused_with_how_to_convert_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.saz", "w") as archive:
        archive.writestr("raw/1_c.txt", "x")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "a.saz", "a")
    fiddler, tar_file = read(tmp_path / "a.saz"), read(tmp_path / "b.tar.gz")
    assert "HTTPArchive" in str(fiddler[0]) and "a tar archive" in str(tar_file[0])
    assert [type(each) for each in read(tmp_path)] == [OtherFile, OtherFile]


YAML = {
    "docker-compose.yml": b"services:\n  db:\n    image: postgres\n",
    "openapi.yaml": b"openapi: 3.1.0\ninfo: {title: shop}\npaths: {}\n",
    "ci.yml": b"on: push\njobs:\n  test:\n    steps: []\n",
    "list.yaml": b"- a\n- b\n",
    "text.yaml": b"just a text\n",
}


YAML |= {
    "swagger.yaml": b'swagger: "2.0"\npaths: {}\nresponses:\n  Gone:\n    description: d\n',
    "bot.yml": b"intents:\n- hi\nresponses:\n  utter_hi:\n  - text: Hi\n",
    "codes.yaml": b"responses:\n  404: gone\n",
    "logging.yml": b"log:\n  level: debug\n",
    "logging-2.yml": b"log:\n  version: 2\n  level: debug\n",
    "message.yml": b"request:\n  timeout: 3\nresponse:\n  size: 2\n",
    "log-list.yml": b"log:\n- stdout\n",
    "text.yml": b"interactions: many\nother: 1\n",
}
LISTS = {
    "greetings.yml": b"responses:\n- greeting: hi\n  tags: []\n",
    "clicks.yml": b"interactions:\n  - name: click\n    target: '#a'\n",
    "flow.yml": b"responses: [hello, bye]\n",
    "texts.yml": b"version: 1\ninteractions:\n- hover\n- click\n",
    "tagged.yml": b"interactions: !list\n- {name: click}\n",
}
CASSETTES = {
    "without a response": b"interactions:\n- request:\n    method: GET\n    uri: http://a/\nversion: 1\n",
    "malformed": b"interactions:\n- request: 1\n  response: 2\n",
    "cut off": b"interactions:\n- request:\n    met",
    "of Ruby": b"---\nhttp_interactions:\n- nothing\nrecorded_with: VCR 6.0\n",
    "with a comment": b"responses:\n# recorded\n\n- response:\n    method: GET\n",
    "a list": b"- request:\n    method: GET\n  response: 5\n",
    "in braces": b"--- {interactions: [{request: 1, response: 2}]}\n",
    "HAR": b"log:\n  version: '1.2'\n  entries:\n  - 5\n",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_without_requests_is_passed_over_in_a_folder(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, LISTS[name])
    assert [type(each) for each in read(tmp_path)] == [OtherFile]


@pytest.mark.parametrize("name", ["a.yaml", "a"])
@pytest.mark.parametrize("case", CASSETTES)
def test_a_broken_cassette_in_a_folder_is_reported(case: str, name: str, tmp_path: Path) -> None:
    write(tmp_path / name, CASSETTES[case])
    assert BadRecord in map(type, read(tmp_path))


@pytest.mark.parametrize("text", [b"interactions: []\n", b"interactions:\n", b"responses:\n- "])
def test_an_empty_cassette_is_not_something_else(text: bytes, tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", text)
    assert OtherFile not in map(type, read(tmp_path))


STRUCTURES = {
    "log settings": b'{"log": {"level": "info", "file": "x.log"}}',
    "log with a version": b'{"log": {"version": 2, "level": "info"}}',
    "log of lines": b'{"log": {"entries": [{"message": "started"}, {"message": "ended"}]}}',
    "log that is cut off": b'{"log": {"level": "info", "fi',
    "index": b'{"mappings": {"properties": {"a": {"type": "keyword"}}}, "settings": {}}',
    "source map": b'{"version": 3, "sources": ["a.ts"], "mappings": "AAAA"}',
    "mappings of names": b'{"mappings": [{"from": "a", "to": "b"}]}',
    "user interface": b'{"interactions": [{"name": "click", "target": "#a"}], "title": "UX"}',
    "dialog": b'{"interactions": [{"request": "hi", "response": "ho"}]}',
    "texts": b'{"responses": {"hello": "hi"}}',
    "list of texts": b'{"responses": ["hello", "hi"]}',
    "task": b'{"run": "x", "collection": "y"}',
    "task runner": b'{"run": {"executions": ["build", "test"]}}',
    "shelf": b'{"collection": [{"title": "a"}]}',
    "named shelf": b'{"collection": {"title": "a", "books": []}}',
    "queue": b'{"requests": [{"id": 1}], "meta": {"total": 1}}',
    "client settings": b'{"request": {"timeout": 3}, "retries": 2}',
    "saved request": b'{"request": {"method": "GET", "url": "http://a/"}, "name": "n"}',
    "training data": b'[{"request": "hi", "response": "ho"}]',
    "training lines": b'{"request": "hi", "response": "ho"}\n{"request": "a", "response": "b"}\n',
    "types": b'{"Request": 1, "Response": 2}',
    "grant": b'{"scope": "read", "path": "/a", "response": "code"}',
    "null": b"null",
    "number": b"42\n",
    "string": b'"x"',
    "truth value": b" true",
    "not a number": b"NaN",
    "comment in the brace": b'{\n  // c\n  "version": "0.2.0"}',
    "block comment": b'[ /* c */ {"a": 1}]',
    "translation": b'{"detail": "", "results": "Found", "next": "Next", "count": "Nr", "previous": "Up"}',
    "translation of buttons": b'{"next": "Weiter", "previous": "Zur\xc3\xbcck", "save": "Sichern"}',
    "translation of a table": b'{"count": "{n} rows", "results": "Found", "empty": "None"}',
    "translation of a page": b'{"count": "Anzahl", "next": "Weiter"}',
    "translation of a list": b'{"next": "\\u00bb", "previous": "\\u00ab", "results": "Liste"}',
}
BROKEN = {
    "HAR that is cut off in an entry": b'{"log": {"version": "1.2", "entries": [{"request": {"method": "G',
    "HAR that is cut off in its pages": b'{"log": {"version": "1.2", "creator": {"name": "x"}, "pages": [',
    "HAR that is cut off at its start": b'{"log": {',
    "HAR without entries": b'{"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}}}',
    "HAR with a malformed entry": b'{"log": {"entries": [1, {"request": {"method": "G", "url": "u"}}]}}',
    "cassette without a response": b'{"interactions": [{"request": {"method": "GET", "uri": "http://a/"}}]}',
    "cassette without method": b'{"interactions": [{"request": {}, "response": {"status": 200, "body": 5}}]}',
    "cassette that is cut off": b'{"version": 1, "interactions": [{',
    "cassette that is cut off in a message": b'{"http_interactions": [{"request": {"bod',
    "go-vcr": b'{"Interactions": [{"Request": {"Method": "GET", "URL": "x"}, "Response": 3}]}',
    "mappings": b'{"mappings": [{"request": {"method": "GET", "url": "/"}, "response": null}]}',
    "run that is cut off": b'{"run": {"stats": {"items": {"total": 1}}, "timings": {"started": 5},',
    "run without a request": b'{"run": {"executions": [{"response": {"code": 200, "stream": []}}]}}',
    "exchange": b'{"request": {"method": "GET", "url": "http://a/"}, "response": {"body": "x"}}',
    "exchange that is cut off": b'{"request": {"method": "GET", "url": "http://a/"}, "resp',
    "exchanges": b'[{"request": {"method": "GET", "url": "u"}, "response": 5}]',
    "call of nock": b'[{"scope": "https://a:443", "path": "/", "response": {}, "status": "x"}]',
    "response of requests-cache": b'{"status_code": "x", "url": "u", "request": {"method": "G", "url": "u"}}',
}


@pytest.mark.parametrize("name", ["a.json", "a.txt"])
@pytest.mark.parametrize("case", STRUCTURES)
def test_a_key_alone_does_not_make_a_recording_in_a_folder(case: str, name: str, tmp_path: Path) -> None:
    write(tmp_path / name, STRUCTURES[case])
    assert [type(each) for each in read(tmp_path)] == [OtherFile]


@pytest.mark.parametrize("name", ["a.json", "a.txt"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_recording_in_a_folder_is_reported(case: str, name: str, tmp_path: Path) -> None:
    write(tmp_path / name, BROKEN[case])
    assert BadRecord in map(type, read(tmp_path))


@pytest.mark.parametrize("name", YAML)
def test_yaml_without_interactions_is_something_else(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, YAML[name])
    assert [type(each) for each in read(path)] == [UnreadableInput]
    assert [type(each) for each in read(tmp_path)] == [OtherFile]


def test_the_other_files_are_still_read(tmp_path: Path) -> None:
    write(tmp_path / "a.png", b"\x89PNG")
    write(tmp_path / "b.json", PAGE)
    write(tmp_path / "c.json", ELSE["an OpenAPI document"])
    assert [type(each) for each in read(tmp_path)] == [OtherFile, Exchange, OtherFile]
    paths = [str(tmp_path / name) for name in ("a.png", "b.json", "c.json")]
    found = [type(each) for each in recordings.read(paths, BytesIO())]
    assert found == [UnreadableInput, Exchange, UnreadableInput]


@pytest.mark.parametrize("options", [{"input_format": "json"}, {"are_bodies": True}])
def test_a_named_file_is_what_the_user_says_it_is(options: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "a.html", DJANGO)
    assert read(path, **options) == [Exchange(source=str(path), body=DJANGO)]


def test_a_schema_says_nothing_of_files_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "a.html", DJANGO)
    assert [type(each) for each in read(tmp_path, are_bodies=True)] == [OtherFile]


def test_folders_of_dependencies_are_not_entered(tmp_path: Path) -> None:
    for folder in ("node_modules/a", ".git", "venv", "my-env", "__MACOSX", "recordings"):
        (tmp_path / folder).mkdir(parents=True)
        write(tmp_path / folder / "credit.json", PAGE)
    write(tmp_path / "my-env" / "pyvenv.cfg", b"home = x\n")
    assert [each.source for each in read(tmp_path)] == [str(tmp_path / "recordings" / "credit.json")]


@needs_links
def test_a_broken_link_without_a_telling_name_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("nowhere")
    assert read(tmp_path) == []


def test_no_more_than_the_beginning_of_another_file_is_read(tmp_path: Path) -> None:
    with open(tmp_path / "film.mp4", "wb") as file:
        file.write(b"\0\0\0\x20ftypisom")
        file.truncate(10 * 1024**3)
    seen: list[tuple[int, int]] = []
    found = read(tmp_path, progress=lambda *counted: seen.append(counted))
    assert [type(each) for each in found] == [OtherFile]
    assert seen[-1] == (10 * 1024**3,) * 2


@pytest.mark.parametrize(
    ("head", "is_other"),
    [
        (b"{" + b'"a":{' * 100_000, True),
        (b"[" * 500_000, True),
        (b'{"results": [' + b"[" * 500_000, False),
        (b'{"' + b"\\" * 500_000, True),
    ],
)
def test_a_hostile_beginning_is_judged_at_once(head: bytes, is_other: bool) -> None:
    assert (other_kind("a.txt", head, is_found=True) is not None) is is_other


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-32-le", b"\xff\xfe\0\0"),
        ("utf-16-le", b""),
    ],
)
@pytest.mark.parametrize("name", ["a.json", "a.har", "a.ndjson", "a.txt"])
def test_a_text_of_two_or_four_bytes_a_character_is_read(
    name: str, encoding: str, mark: bytes, tmp_path: Path
) -> None:
    body = '{"detail": "Nöt fòund 😀"}'
    entry = {
        "request": {"method": "GET", "url": "http://a/"},
        "response": {"status": 404, "content": {"text": body}},
    }
    text = {"a.json": body, "a.har": json.dumps({"log": {"entries": [entry] * 3}}, ensure_ascii=False)}.get(
        name, f"{body}\r\n{body}\r\n"
    )
    found = read(write(tmp_path / name, mark + text.encode(encoding)))
    assert {each.body.strip() for each in found} == {body.encode()}
    assert {each.is_body_exact for each in found} == {name == "a.har"}


def test_a_text_that_is_cut_in_a_character_is_broken(tmp_path: Path) -> None:
    path = write(tmp_path / "a.har", b"\xff\xfe" + '{"log":{"entries":[1,'.encode("utf-16-le") + b"\x00")
    assert isinstance(read(path)[-1], BadRecord | UnreadableInput)


def test_a_utf_16_file_is_decoded_piece_by_piece(tmp_path: Path) -> None:
    line = RECORDED.decode()
    path = write(tmp_path / "a.ndjson", b"\xff\xfe" + (line * 20_000).encode("utf-16-le"))
    assert len(read(path)) == 20_000 and os.path.getsize(path) > 2 * 1024**2
