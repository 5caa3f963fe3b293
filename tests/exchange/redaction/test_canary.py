"""A canary: a key in any place of a recording in any format is never in an output."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mock_webshare import MockServer, recordings
from mock_webshare.cli import redact
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange.model import BadRecord, Exchange
from tests.capabilities import needs_links, needs_signals
from tests.cli import Run
from tests.conformance.dataset import edge_cases
from tests.conformance.reference import reference_server
from tests.exchange.test_writers import har, ndjson
from tests.live.test_recorder import recording, stop
from tests.sampling import sampled

CANARY = "c4naryBird/9+x=Kq7"
"""A key with every character that some encoding escapes."""
WORD = "c4narybird9xKq7"
"""A key for places that allow letters and digits only."""
LIST = CREDIT_LIST.path
ORIGIN = "https://proxy.webshare.io"


def encodings(key: str) -> set[str]:
    """Return a key in all its encodings."""
    plain = {
        key,
        key.lower(),
        key.upper(),
        quote(key, safe=""),
        quote(key),
        quote(quote(key, safe=""), safe=""),
    }
    octets = [key.encode(), f"me:{key}".encode(), f"{key}:me".encode(), f"ab{key}".encode()]
    encoded = {base64.b64encode(each).decode().rstrip("=")[4:-3] for each in octets}
    return plain | {each.lower() for each in plain} | encoded | {json.dumps(key).replace("/", "\\/")[1:-1]}


def traces(text: str) -> set[str]:
    """Return the encodings of the two keys that a text contains."""
    return {each for key in (CANARY, WORD) for each in encodings(key) if each in text}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def hiding(key: str) -> list[Exchange]:
    """Return exchanges, each with a key in one place of a secret, and in many other places."""
    written, encoded = quote(key, safe=""), base64.b64encode(f"x{key}".encode()).decode()
    secret_places: list[dict[str, Any]] = [
        {"request_headers": (("Authorization", f"Token {key}"),)},
        {"request_headers": (("Authorization", basic("me", key)),)},
        {"request_headers": (("Proxy-Authorization", basic(key, "pass")),)},
        {"request_headers": (("X-Api-Key", key),)},
        {"request_headers": (("Cookie", f"a=b; sessionid={written}"),)},
        {"headers": (("Set-Cookie", f"token={written}; Path=/"),)},
        {"headers": (("X-New-Token", key),)},
        {"url": f"{ORIGIN}{LIST}?api_key={written}&page=2"},
        {"url": f"https://me:{written}@proxy.webshare.io{LIST}"},
        {"url": f"https://{written}@proxy.webshare.io{LIST}"},
        {"headers": (("Location", f"{ORIGIN}/login?next=%2F%3Ftoken%3D{written}"),)},
        {"request_body": json.dumps({"password": key}).encode(), "method": "POST"},
        {"request_body": f"a=b&password={written}".encode(), "method": "POST"},
        {"request_body": gzip.compress(json.dumps({"deep": [{"secret": key}]}).encode()), "method": "POST"},
        {"body": json.dumps({"token": key, "detail": f"{key} {written} {encoded}"}).encode()},
        {"body": json.dumps({"log": json.dumps({"api_key": key})}).encode()},
        {"body": f"<p>api_key: {key}</p><a href='/{written}'>".encode()},
    ]
    echo: dict[str, Any] = {
        "headers": (("X-Echo", f"{key} {written} {encoded}"), ("Link", f"<{ORIGIN}/{written}/>; rel=next")),
        "body": json.dumps(
            {"detail": f"no {key} {written} {encoded}", "next": f"{ORIGIN}/{written}/"}
        ).encode(),
    }
    made = []
    for place in secret_places:
        values = {"url": f"{ORIGIN}/a/{written}/?q={written}", "method": "GET", "request_headers": (), **echo}
        made.append(Exchange(**{"source": "-", "status": 404, **values, **place}))
    return made


HIDING = [*hiding(CANARY), *hiding(WORD)]


def run(*argv: str, stdin: bytes = b"", **environ: str) -> tuple[int, str, str]:
    ended = Run(*argv, stdin=stdin, environ=environ)
    return ended.code, ended.out, ended.err


def cassette(exchanges: list[Exchange]) -> str:
    """Return a cassette of VCR.py; JSON is YAML."""
    interactions = [
        {
            "request": {
                "method": each.method,
                "uri": each.url,
                "body": each.request_body.decode("latin-1"),
                "headers": {name: [value] for name, value in each.request_headers or ()},
            },
            "response": {
                "status": {"code": each.status, "message": ""},
                "headers": {name: [value] for name, value in each.headers or ()},
                "body": {"string": each.body.decode()},
            },
        }
        for each in exchanges
        if each.request_body[:1] != b"\x1f"  # a cassette in JSON has no octets
    ]
    return json.dumps({"version": 1, "interactions": interactions})


FORMS = {"a.ndjson": ndjson, "a.har": har, "a.yaml": cassette}


def test_the_canary_is_in_each_format() -> None:
    for write in FORMS.values():
        assert {CANARY, WORD} <= traces(write(HIDING))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("output", [None, "out.ndjson", "out.har"])
def test_redact(form: str, output: str | None, tmp_path: Path) -> None:
    path = tmp_path / form
    path.write_text(FORMS[form](HIDING), encoding="utf-8")
    out = tmp_path / (output or "stdout")
    code, report, errors = run("redact", str(path), *(["-o", str(out)] if output else []))
    text = out.read_text(encoding="utf-8") if output else report
    assert (code, errors) == (0, "")
    assert traces(text) == set() and "REDACTED-1" in text
    out.write_text(text, encoding="utf-8")
    again = list(recordings.read([str(path if not output else out)], io.BytesIO()))
    assert len(again) == len(list(recordings.read([str(path)], io.BytesIO())))
    assert not [each for each in again if isinstance(each, BadRecord)]


@pytest.mark.parametrize("exchange", HIDING, ids=range(len(HIDING)))
def test_redact_of_one_exchange(exchange: Exchange) -> None:
    code, report, errors = run("redact", "-", stdin=ndjson([exchange]).encode())
    assert (code, errors, traces(report)) == (0, "", set())


def test_redact_knows_a_key_that_is_sent_at_the_end_only(tmp_path: Path) -> None:
    early = Exchange(
        source="-", method="GET", url=f"{ORIGIN}/{WORD}/", request_headers=(), status=404, headers=()
    )
    late = Exchange(
        source="-", method="GET", url=ORIGIN, request_headers=(("X-Key", WORD),), status=404, headers=()
    )
    _, report, _ = run("redact", "-", stdin=ndjson([early, late]).encode())
    assert traces(report) == set()


BODIES = [
    json.dumps({"api_key": WORD, "detail": f"{WORD} is wrong"}, indent=2),
    f"api_key={WORD}&detail={WORD}",
    f"api_key: {WORD}\n{WORD}\n",
]


@pytest.mark.parametrize("body", BODIES)
def test_redact_writes_one_body_as_a_body(body: str) -> None:
    code, report, errors = run("redact", "-", stdin=body.encode())
    assert (code, errors) == (0, "")
    assert report == body.replace(WORD, "REDACTED-1")


def test_redact_writes_several_bodies_as_lines(tmp_path: Path) -> None:
    for name, body in (("a.json", BODIES[0]), ("b.json", '{"detail": "x"}')):
        (tmp_path / name).write_text(body, encoding="utf-8")
    code, report, _ = run("redact", str(tmp_path / "a.json"), str(tmp_path / "b.json"))
    assert code == 0
    assert [json.loads(line)["detail"] for line in report.splitlines()] == ["REDACTED-1 is wrong", "x"]


def test_redact_reports_records_that_it_cannot_read_and_omits_them(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(ndjson(HIDING[:1]) + '{"request": 1, "response": "' + WORD + "\n", encoding="utf-8")
    code, report, errors = run("redact", str(path), str(tmp_path / "missing.ndjson"))
    assert code == 2
    assert len(report.splitlines()) == 1
    assert errors.count("warning: left out: ") == 2
    assert traces(report + errors) == set()


@pytest.mark.parametrize("stdin", [b"", b"\xff\xfe\xfd"])
def test_redact_of_nothing_is_an_error(stdin: bytes) -> None:
    code, report, errors = run("redact", "-", stdin=stdin)
    assert (code, report) == (2, "") or stdin == b""
    assert "Traceback" not in errors


def test_redact_of_a_standard_input_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "LARGEST_STDIN", 10)
    code, report, errors = run("redact", "-", stdin=b'{"detail": "x"}')
    assert (code, report) == (2, "") and "name the file instead" in errors


OTHER_NAME = "allowed: FILE.ndjson, FILE.har, or FILE.json for a body\n"
REFUSED = [
    (["a.json", "-o", "out.har"], "cannot be in a HAR"),
    (["a.json", "b.json", "-o", "out.json"], "a .json file has one body"),
    (["--check", "a.json", "-o", "out.json"], "--check writes no file"),
    *((["a.ndjson", "-o", f"out{end}"], OTHER_NAME) for end in (".yaml", ".har.gz", ".txt", "")),
]


@pytest.mark.parametrize(("argv", "says"), REFUSED)
def test_redact_writes_nothing_that_cannot_be_read(
    argv: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("a.json", BODIES[0]), ("b.json", BODIES[0]), ("a.ndjson", ndjson(HIDING[:2]))):
        Path(name).write_text(text, encoding="utf-8")
    code, report, errors = run("redact", *argv)
    assert (code, report, says in errors) == (2, "", True)
    assert list(tmp_path.glob("out*")) == []


@pytest.mark.parametrize("name", ["a.ndjson", "a.json"])
def test_redact_writes_a_body_in_the_format_of_the_file_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert run("redact", "-", "-o", str(path), stdin=BODIES[0].encode())[0] == 0
    (record,) = recordings.read([str(path)], io.BytesIO())
    assert isinstance(record, Exchange) and json.loads(record.body)["detail"] == "REDACTED-1 is wrong"


@needs_links
@pytest.mark.parametrize("given", ["a.ndjson", "folder", "link.ndjson", "./folder/../a.ndjson"])
def test_redact_does_not_overwrite_its_input(given: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / ("folder/a.ndjson" if given == "folder" else "a.ndjson")
    path.write_text(ndjson(HIDING), encoding="utf-8")
    (tmp_path / "link.ndjson").symlink_to(path)
    code, report, errors = run("redact", str(tmp_path / given), "-o", str(path))
    assert (code, report) == (2, "")
    assert errors.endswith("is also an input; write to another file\n")
    assert path.read_text(encoding="utf-8") == ndjson(HIDING)


@pytest.mark.parametrize("form", FORMS)
def test_redact_check_reports_places_without_values(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    path.write_text(FORMS[form](HIDING), encoding="utf-8")
    code, report, errors = run("redact", "--check", str(path))
    assert (code, errors) == (1, "")
    assert traces(report) == set()
    first = f"{path}, entry 0: secrets in url, request header Authorization, header X-Echo, header Link, body"
    assert report.splitlines()[0] == first
    assert len(report.splitlines()) == len(list(recordings.read([str(path)], io.BytesIO())))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("output", ["out.ndjson", "out.har"])
def test_redact_check_passes_on_its_own_output(form: str, output: str, tmp_path: Path) -> None:
    path, out = tmp_path / form, tmp_path / output
    path.write_text(FORMS[form](HIDING), encoding="utf-8")
    assert run("redact", str(path), "-o", str(out))[0] == 0
    assert run("redact", "--check", str(out)) == (0, "", "")


UNSTABLE = [
    "jo.b@corp.iojo.b@corp.io",
    "password=\\u0041{",
    "token=abc77 https://u:p4ssW@h.io/?token=zz9abc ",
    "https://user:a%40S@x.io/",
]
"""Texts of which a pseudonym looks like another secret, beside what is left."""


@pytest.mark.parametrize("text", UNSTABLE)
def test_redact_check_passes_though_a_pseudonym_looks_like_a_secret(text: str) -> None:
    for body in (text, json.dumps({"a": text}), json.dumps({"password": text, "b": [text]})):
        code, report, _ = run("redact", "-", stdin=ndjson([replace(HIDING[0], body=body.encode())]).encode())
        assert code == 0
        assert run("redact", "--check", "-", stdin=report.encode()) == (0, "", "")


def test_redact_check_of_a_body() -> None:
    assert run("redact", "--check", "-", stdin=BODIES[0].encode()) == (1, "-: secrets in body\n", "")
    assert run("redact", "--check", "-", stdin=b'{"detail": "x"}') == (0, "", "")


def test_redact_check_fails_if_something_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(ndjson(HIDING[:1]), encoding="utf-8")
    code, report, errors = run("redact", "--check", str(path), str(tmp_path / "missing.har"))
    assert (code, report.count("\n")) == (2, 1) and "missing.har" in errors


def curl(url: str, target: str, *options: str) -> None:
    subprocess.run(["curl", "-s", *options, f"{url}{target}"], check=True, capture_output=True)


@needs_signals
@pytest.mark.parametrize("form", sampled(["a.ndjson", "a.har", "a"]))
@pytest.mark.parametrize("service", sampled(["mock", "reference"]))
def test_record(form: str, service: str, server: MockServer, tmp_path: Path) -> None:
    if service == "mock":
        _record(server.url, tmp_path / form)
    else:
        with reference_server(edge_cases()) as url:
            _record(url, tmp_path / form)


def _record(upstream: str, out: Path) -> None:
    # The first exchange with a key identifies it as one, because what is written cannot be taken back.
    written = quote(CANARY, safe="")
    with recording(upstream, out, "--validate") as (process, url):
        curl(url, f"{LIST}?page_size=2&token={written}&q={written}", "-H", f"Authorization: Token {CANARY}")
        curl(url, f"{LIST}?mode={written}&key={written}", "-H", f"Authorization: Token {CANARY}")
        curl(url, f"{LIST}{written}/", "-H", f"Authorization: Token {CANARY}", "-H", f"X-Note: {CANARY}")
        curl(url, f"/{WORD}/", "-H", f"X-Api-Key: {WORD}", "-H", f"Cookie: a={CANARY}")
        curl(url, LIST, "-u", f"me:{CANARY}", "-d", f"password={written}&{WORD}", "-H", f"X-Secret: {WORD}")
        curl(url, LIST.rstrip("/") + f"?token={written}", "-H", f"Proxy-Authorization: {basic(WORD, CANARY)}")
        log = stop(process)
    files = [each for each in out.parent.rglob("*") if each.is_file()]
    text = "".join(each.read_text(encoding="utf-8") for each in files)
    assert text.count("REDACTED-") > 10
    assert traces(text) == set()
    assert traces(log) == set() and "Traceback" not in log
    assert (
        len([each for each in recordings.read([str(out)], io.BytesIO()) if isinstance(each, Exchange)]) == 6
    )


@pytest.mark.parametrize("form", sampled(["a.ndjson", "a.har", "a"]))
def test_probe(form: str, server: MockServer, tmp_path: Path) -> None:
    out = tmp_path / form
    environ = os.environ | {"WEBSHARE_API_KEY": CANARY}
    command = [sys.executable, "-m", "mock_webshare", "probe", server.url, "-o", str(out)]
    process = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stderr) == (0, "")
    files = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert traces("".join(each.read_text(encoding="utf-8") for each in files) + process.stdout) == set()
    assert len(files) in (1, 41, 42, 43)


ROW = json.loads(SERVICE_SCHEMAS.text("referral-credit"))["examples"][0]


def broken(key: str) -> list[Exchange]:
    """Return exchanges that break a rule in a place that contains the key of the request."""
    written, word = quote(key, safe=""), key if key.isalnum() else "x"
    page = {"count": 1, "next": None, "previous": None, "results": [ROW]}
    responses = [
        {"status": 401, "body": {"detail": f"No such key: {key}"}, "headers": (("WWW-Authenticate", key),)},
        {"status": 400, "body": {"mode": [{"message": f"{key}", "code": key}]}, "query": f"mode={written}"},
        {"status": 404, "body": {"detail": f"no {key}"}, "path": f"{LIST}{word}/"},
        {"status": 405, "body": {"detail": key}, "method": f"X{word}"},
        {"body": {**page, key: 1}},
        {"body": {**page, "next": f"{ORIGIN}{LIST}?page=2&mode={written}"}},
        {"body": {**page, "results": [{**ROW, "mode": key, "note": key, "status": key.upper()}]}},
        {"body": {**page, "results": [{**ROW, "created_at": key, "amount": f"{written} {key}"}]}},
        {"body": page, "query": f"ordering={written}&page_size={written}&mode={written}"},
        {"body": page, "headers": (("Content-Type", key), ("Allow", f"{key}, GET"), ("Vary", key))},
        {"status": 301, "path": LIST[:-1], "headers": (("Location", f"{ORIGIN}/{written}?a={written}"),)},
        {"status": 429, "body": {"detail": key}, "headers": (("Retry-After", key),)},
        {"body": {**ROW, "id": 7, "mode": "payout"}, "path": f"{LIST}7/"},
        {"body": {**ROW, "id": 7, "mode": key}, "path": f"{LIST}7/"},
    ]  # fmt: skip
    return [exchange_of(key, **each) for each in responses]  # type: ignore[arg-type]


def exchange_of(
    key: str,
    *,
    status: int = 200,
    body: object = None,
    path: str = LIST,
    query: str = "",
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),),
) -> Exchange:
    return Exchange(
        source="",
        method=method,
        url=f"{ORIGIN}{path}" + (f"?{query}" if query else ""),
        request_headers=(("Authorization", f"Token {key}"),),
        status=status,
        headers=headers,
        body=b"" if body is None else json.dumps(body).encode(),
        started=1_700_000_000_000_000,
    )


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif", "github", "html"])
@pytest.mark.parametrize("key", sampled([CANARY, WORD]))
def test_reports_contain_no_key(key: str, form: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    for exchange in broken(key):
        path.write_text(ndjson([exchange]), encoding="utf-8")
        code, out, err = run("validate", str(path), "--format", form)
        assert (code, traces(out + err)) == (1, set()), exchange
    path.write_text(ndjson(broken(key)), encoding="utf-8")
    code, out, err = run("validate", str(path), "--format", form, "--fail-on", "note")
    assert (code, traces(out + err)) == (1, set())


def test_reports_contain_no_value_under_the_name_of_a_secret(tmp_path: Path) -> None:
    """These fields are new, and nothing else in the recording identifies their values as secrets."""
    path = tmp_path / "a.json"
    secrets = {"api_key": CANARY, "password": "hunter2hunter2", "email": "bob@corp.example"}
    path.write_text(json.dumps({**ROW, **secrets}), encoding="utf-8")
    _, out, _ = run("validate", str(path))
    assert "object.new-fields" in out
    assert not [each for each in secrets.values() if each in out]


@pytest.mark.parametrize("form", ["text", "json", "junit", "sarif", "github", "html"])
def test_reports_contain_no_key_that_another_exchange_sends(form: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    early = [replace(each, request_headers=()) for each in broken(WORD)]
    path.write_text(ndjson([*early, *broken(WORD)]), encoding="utf-8")
    _, out, err = run("validate", str(path), "--format", form)
    assert traces(out + err) == set()
