"""Hostile files: each is read in a separate process with limited time and memory."""

from __future__ import annotations

import base64
import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mock_webshare import recordings
from mock_webshare.exchange import limits, streams
from tests.sampling import sampled
from tests.unmeasured import unmeasured

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux reports the peak of memory there"
)

MIB = 1024**2
SECONDS = 60
MEGABYTES = 256

READ = """
import io, sys
from mock_webshare import recordings
from mock_webshare.exchange import limits
limits.LARGEST_SKIP //= 8  # only so that the tests do not take so long
limits.MOST_PARTS //= 8
records = recordings.read([sys.argv[1]], io.BytesIO(), input_format=sys.argv[2])
kinds = {type(record).__name__ for record in records}
# Not `getrusage`: it begins with what the parent had.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak) // 1024, *sorted(kinds))
"""

LINE = b'{"request":{"method":"GET","url":"http://a/"},"response":{"status":200,"body":"x"}}\n'
YAML = b"interactions:\n- request: {method: GET, uri: http://a/}\n  response: {status: 200}\n"
LONG = 64 * MIB + 1


def entry(**content: Any) -> bytes:
    headers = [
        {"name": "Content-Encoding", "value": "gzip"},
        {"name": "Content-Length", "value": "10737418240"},
    ]
    response = {"status": 200, "headers": headers, "content": content}
    return json.dumps({"request": {"method": "GET", "url": "http://a/"}, "response": response}).encode()


def har(*entries: bytes) -> bytes:
    return b'{"log":{"entries":[' + b",".join(entries) + b"]}}"


def laughs() -> bytes:
    """A billion laughs, as the headers of an interaction."""
    lines = ["a0: &a0 [lol]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10))]
    return (
        "\n".join(lines).encode()
        + b"\ninteractions:\n- {request: {method: GET, uri: x, headers: {a: *a9}}}\n"
    )


def aliases(response: bytes, value: bytes) -> bytes:
    """Many responses that all refer to one value."""
    one = b"- {request: {method: GET, uri: x}, response: {status: 200, " + response + b"}}\n"
    return b"a: &a " + value + b"\ninteractions:\n" + one * 500


def read(path: Path, input_format: str = "auto") -> list[str]:
    """Read a file within the limits, and return the names of what it held."""
    command = [sys.executable, "-c", READ, str(path), input_format]
    process = subprocess.run(
        command, env=unmeasured(), capture_output=True, text=True, timeout=SECONDS, check=True
    )
    megabytes, *kinds = process.stdout.split()
    assert int(megabytes) < MEGABYTES
    return kinds


def read_bytes(tmp_path: Path, name: str, content: bytes) -> list[str]:
    (tmp_path / name).write_bytes(content)
    return read(tmp_path / name)


def read_case(tmp_path: Path, name: str, content: Callable[[], bytes]) -> list[str]:
    return read_bytes(tmp_path, name, content())


def bomb() -> bytes:
    """A body of zeros, packed a thousandfold."""
    return entry(text=base64.b64encode(gzip.compress(b"\0" * LONG)).decode(), encoding="base64")


def members() -> bytes:
    """A body in many packed parts that are all empty."""
    return entry(text=base64.b64encode(gzip.compress(b"") * 100_000).decode(), encoding="base64")


GOOD = entry(text="{}")

SURVIVED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a gzip bomb as a body": ("a.har", lambda: har(bomb(), GOOD)),
    "many members of gzip": ("a.har", lambda: har(members(), b"1", GOOD)),
    "a size of ten gigabytes": ("a.har", lambda: har(entry(size=10 * 1024**3, text="{"), b"1", GOOD)),
    "nesting of nine hundred": ("a.har", lambda: har(b"[" * 900 + b"]" * 900, GOOD)),
    "a number of a million digits": ("a.har", lambda: har(b'{"time":' + b"9" * MIB + b"}", GOOD)),
    "a string of millions of escapes": ("a.har", lambda: har(b'"' + b'\\"' * (10 * MIB) + b'"', GOOD)),
    "a string longer than a record": ("a.har", lambda: har(b'"' + b"\0" * LONG + b'"', GOOD)),
    "a line longer than a record": ("a.ndjson", lambda: LINE + b"\0" * LONG + b"\n" + LINE),
    "a line of nested arrays": ("a.ndjson", lambda: LINE + b"[" * MIB + b"\n" + LINE),
    "NUL between lines": ("a.ndjson", lambda: LINE + b"\0" * MIB + b"\n" + LINE),
    "invalid UTF-8 between lines": ("a.ndjson", lambda: LINE + b'"\xff\xfe"\n' + LINE),
    "tags": ("a.yaml", lambda: YAML + b"- !!python/object/apply:os.system [exit 3]\n" + YAML[14:]),
    "tags of calls as keys": (
        "a.yaml",
        lambda: YAML + b"- {? !!python/object/apply:os.system [[exit 3]] : x, request: 1}\n" + YAML[14:],
    ),
    "a parsed body of aliases": (
        "a.yaml",
        lambda: (
            laughs().replace(b"headers: {a: *a9}}}", b"headers: {}}, response: {status: 200, body: [*a9]}}")
            + YAML[14:]
        ),
    ),
    "a parsed body of a long text": (
        "a.yaml",
        lambda: (
            b"a: &a " + b"x" * 60_000 + b"\n" + YAML + b"- {request: {method: GET, uri: x}, response: "
            b"{status: 200, body: [" + b"*a, " * 100_000 + b"]}}\n"
        ),
    ),
    "an object without an end": (
        "a.yaml",
        lambda: YAML + b"- !!python/object/new:a {args: " * 20 + b"[1]" + b"}" * 20 + b"\n",
    ),
    "a key as long as a record": (
        "a.yaml",
        lambda: YAML + b"- {? '" + b"x" * (8 * MIB) + b"' : 1}\n" + YAML[14:],
    ),
    "a body of JSON in many parts": (
        "a.json",
        lambda: (
            b'{"interactions":[{"request":{"method":"GET","uri":"x"},"response":{"status":200,"body":['
            + b"[]," * MIB
            + b"1]}},"
            + LINE
            + b"]}"
        ),
    ),
    "a body of nested JSON": (
        "a.json",
        lambda: (
            b'{"interactions":[{"request":{"method":"GET","uri":"x"},"response":{"status":200,"body":'
            + b"[" * 990
            + b"]" * 990
            + b"}},1,"
            + LINE
            + b"]}"
        ),
    ),
    "a merge key": (
        "a.yaml",
        lambda: YAML + b"- {request: {<<: {method: GET}, uri: a}, response: {status: 200}}\n",
    ),
}


@pytest.mark.parametrize("case", sampled(SURVIVED, kind=lambda case: SURVIVED[case][0]))
def test_a_hostile_record_is_a_bad_record_and_the_others_are_read(case: str, tmp_path: Path) -> None:
    assert read_case(tmp_path, *SURVIVED[case]) == ["BadRecord", "Exchange"]


ENDED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "nesting without an end": ("a.har", lambda: b'{"log":{"entries":[' + b"[" * (20 * MIB)),
    "nesting with an end": ("a.har", lambda: har(b"[" * 100_000 + b"]" * 100_000)),
    "millions of arrays": ("a.har", lambda: har(b"[" + b"[]," * MIB + b"[]]")),
    "millions of arrays on a line": ("a.ndjson", lambda: b"[" + b"[]," * MIB + b"[]]\n"),
    "a billion laughs": ("a.yaml", lambda: laughs()),
    "nested flow sequences": ("a.yaml", lambda: b"interactions:\n- " + b"[" * MIB),
    "nested flow mappings": ("a.yaml", lambda: b"interactions:\n- " + b"{a: " * MIB),
    "nested block sequences": ("a.yaml", lambda: b"interactions:\n" + b"- " * MIB),
    "nested keys": ("a.yaml", lambda: b"interactions:\n" + b"? " * MIB),
    "a tag around nested sequences": ("a.yaml", lambda: b"interactions:\n- !x " + b"[" * MIB),
    "a scalar longer than a record": ("a.yaml", lambda: b"interactions:\n- '" + b"x" * (65 * MIB)),
    "a comment longer than a record": ("a.yaml", lambda: b"#" * (65 * MIB) + b"\n" + YAML),
    "millions of scalars": ("a.yaml", lambda: b"interactions:\n- [" + b"a," * (MIB // 4) + b"]\n"),
    "anchors": (
        "a.yaml",
        lambda: b"x: [" + b"".join(b"&a%d []," % n for n in range(200_000)) + b"]\n" + YAML,
    ),
    "a body under many names": (
        "a.yaml",
        lambda: aliases(b"body: {string: *a}", b"'" + b"x" * MIB + b"'"),
    ),
    "headers under many names": (
        "a.yaml",
        lambda: aliases(b"headers: *a", b"{" + b"".join(b"%d: b," % n for n in range(2000)) + b"}"),
    ),
    "headers of headers": ("a.yaml", lambda: aliases(b"headers: {a: *a, b: *a}", b"[" + b"a," * 900 + b"]")),
    "an anchor in itself": ("a.yaml", lambda: b"interactions:\n- &a {request: *a, response: *a}\n"),
    "millions of malformed lines": ("a.ndjson", lambda: b"x\n" * (2 * MIB)),
    "dotted keys of TOML": ("a.toml", lambda: b"[[responses]]\n" + b"a." * MIB + b"a = 1\n"),
    "nested arrays of TOML": ("a.toml", lambda: b"[[responses]]\na = " + b"[" * MIB),
    "strings of TOML without an end": ("a.toml", lambda: b"[[responses]]\na = " + b"\"'" * MIB),
    "a bomb of TOML": ("a.toml.gz", lambda: gzip.compress(b"[[responses]]\n" * (20 * MIB), 1)),
    "headers of empty lists": (
        "a.yaml",
        lambda: aliases(b"headers: *a", b"[" + b"{a: []}," * 8000 + b"1]"),
    ),
    "very many members of gzip": (
        "a.gz",
        lambda: gzip.compress(b"") * (MIB // 4) + gzip.compress(LINE * 2 + b"x"),
    ),
    "calls of nock nested in their body": (
        "a.json",
        lambda: b'[{"scope":"a","path":"b","status":200,"response":' + b"[" * 5000 + b"]" * 5000 + b"}]",
    ),
    "millions of bytes in a list": (
        "a.json",
        lambda: (
            b'{"run":{"executions":[{"request":{"url":"a"},"response":{"code":200,"stream":{"data":['
            + b"1," * (2 * MIB)
            + b"1]}}}]}}"
        ),
    ),
    "mappings without an end": ("a.json", lambda: b'{"mappings":[' + b'{"request":{},' * MIB),
    "UTF-16 without an end": ("a.har", lambda: b"\xff\xfe{\0" + b'"\0l\0o\0g\0"\0:\0{\0' * MIB),
    "a gzip bomb of one line": ("a.ndjson.gz", lambda: gzip.compress(b"\0" * LONG * 3, 1)),
}


@pytest.mark.parametrize("case", sampled(ENDED, kind=lambda case: ENDED[case][0]))
def test_reading_a_hostile_file_ends_with_a_bad_record(case: str, tmp_path: Path) -> None:
    assert "BadRecord" in read_case(tmp_path, *ENDED[case])


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_body_longer_than_a_record_is_unreadable(packed: bool, tmp_path: Path) -> None:
    content = b"\0" * LONG
    assert read_bytes(tmp_path, "a", gzip.compress(content, 1) if packed else content) == ["UnreadableInput"]


def test_a_dump_of_a_million_responses_is_unreadable(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, "a.txt", b"HTTP/1.1 200 OK\n\n" * MIB) == ["UnreadableInput"]


def test_a_million_blank_lines_yield_nothing(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, "a.ndjson", b"\n" * (50 * MIB)) == []


@pytest.mark.parametrize("input_format", sampled(["auto", "json", "ndjson", "har", "vcr", "dump", "journal"]))
def test_an_endless_file_is_given_up(input_format: str) -> None:
    assert read(Path("/dev/zero"), input_format) in (["BadRecord"], ["UnreadableInput"])


def zip_of(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)


def test_each_entry_that_names_a_zip_bomb_is_a_bad_record(tmp_path: Path) -> None:
    zip_of(tmp_path / "a.zip", a_har=har(*[entry(_file="bomb")] * 3, GOOD), bomb=b"\0" * LONG)
    assert read(tmp_path / "a.zip") == ["BadRecord", "Exchange"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "LZMA"])
@pytest.mark.parametrize("name", ["a.har", pytest.param("bomb", marks=pytest.mark.exhaustive)])
def test_a_zip_bomb_that_is_not_deflated_is_refused(name: str, method: int, tmp_path: Path) -> None:
    """`zipfile` unpacks as much of it at once as a piece of the archive holds."""
    content = {"a.har": har(entry(_file="bomb"), GOOD), "bomb": b"\0" * (300 * MIB if name == "bomb" else 1)}
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for each in content:
            archive.writestr(each, content[each], method if each == name else None)
    kinds = read(tmp_path / "a.zip")
    assert kinds == (["UnreadableInput"] if name == "a.har" else ["BadRecord", "Exchange"])


@pytest.mark.parametrize("is_packed", [False, True], ids=["beside", "in ZIP"])
def test_a_file_that_is_too_long_for_a_body_is_not_read_for_each_entry(
    is_packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, size = har(*[entry(_file="film")] * 300, GOOD), 200 * MIB
    if is_packed:
        zip_of(tmp_path / "a.zip", a_har=log, film=b"\0" * size)
    else:
        (tmp_path / "a.har").write_bytes(log)
        with open(tmp_path / "film", "wb") as film:
            film.truncate(size)
    lengths: list[int] = []
    original = streams.read_all

    def counted(stream: Any, limit: int) -> bytes:
        content = original(stream, limit)
        lengths.append(len(content))
        return content

    monkeypatch.setattr(streams, "read_all", counted)
    path = tmp_path / ("a.zip" if is_packed else "a.har")
    kinds = Counter(type(each).__name__ for each in recordings.read([str(path)], BytesIO()))
    assert kinds == {"BadRecord": 300, "Exchange": 1}
    assert sum(lengths) < MIB


def test_a_zip_archive_of_too_many_files_is_unreadable(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(1000):
            archive.writestr(f"{number:010000}", b"")
    assert read(tmp_path / "a.zip") == ["UnreadableInput"]


def test_the_bodies_of_a_har_are_limited_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_ATTACHMENTS", 25)
    (tmp_path / "body").write_bytes(b"x" * 10)
    (tmp_path / "a.har").write_bytes(har(*[entry(_file="body")] * 4))
    kinds = [type(each).__name__ for each in recordings.read([str(tmp_path / "a.har")], BytesIO())]
    assert kinds == ["Exchange", "Exchange", "BadRecord", "BadRecord"]


def test_a_record_that_is_too_long_still_has_its_url(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that a film from another host is not reported."""
    monkeypatch.setattr(limits, "LARGEST_RECORD", 1000)
    film = json.dumps(
        {"url": "x", "request": {"url": 'http://a/"'}, "response": {"text": "x" * 1000}}
    ).encode()
    (record,) = recordings.read(["-"], BytesIO(har(film)))
    assert (getattr(record, "problem", None), getattr(record, "url", None)) == (
        "it has more than 0 MiB",
        'http://a/"',
    )


def test_a_zip_archive_that_hides_the_size_of_its_list_of_files_is_unreadable(tmp_path: Path) -> None:
    """The record at its end has its own signature in it."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(1000):
            archive.writestr(f"{number:010000}", b"")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[-6:-2] = b"PK\x05\x06"
    (tmp_path / "a.zip").write_bytes(content)
    assert problems(tmp_path / "a.zip") == [
        f"cannot read {str(tmp_path / 'a.zip')!r}: it is a ZIP archive of too many files"
    ]


def packed_zip() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.har", har(GOOD))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        (gzip.compress(har(GOOD), mtime=0), "it is compressed twice; decompress it once"),
        (packed_zip(), "a ZIP archive is read from a file, not from standard input or inside gzip"),
    ],
    ids=["gzip", "ZIP"],
)
def test_a_file_that_is_compressed_twice_is_refused(inner: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "a.har.gz"
    path.write_bytes(gzip.compress(inner))
    assert problems(path) == [f"cannot read {str(path)!r}: {problem}"]


def problems(path: Path) -> list[str]:
    return [str(getattr(each, "problem", each)) for each in recordings.read([str(path)], BytesIO())]


class Endless:
    """A stream that never ends, and fails the test when more than a limit is read of it."""

    def __init__(self, beginning: bytes, rest: bytes) -> None:
        self._waiting, self._rest = beginning, rest
        self._left = 64 * MIB

    def read(self, size: int = -1, /) -> bytes:
        self._left -= size
        assert self._left > 0, "too much is read"
        self._waiting += self._rest * (size // len(self._rest) + 1)
        piece, self._waiting = self._waiting[:size], self._waiting[size:]
        return piece


ENDLESS: dict[str, tuple[str, bytes, bytes]] = {
    "the file name in a gzip header": ("auto", b"\x1f\x8b\x08\x08" + bytes(5) + b"\x03", b"y"),
    "empty members of gzip": ("auto", b"", gzip.compress(b"")),
    "blank lines": ("ndjson", b"", b"\n"),
    "blanks before JSON": ("har", b"", b" "),
    "blanks in JSON": ("har", b'{"log":{"entries":[', b"\n"),
    "a string": ("har", b'{"log":{"entries":["', b"y"),
    "a line": ("ndjson", LINE, b"y"),
    "a body": ("json", b"", b"y"),
    "a YAML comment": ("vcr", b"#", b"y"),
}


@pytest.mark.parametrize("case", sampled(ENDLESS, kind=lambda case: ENDLESS[case][0]))
def test_an_endless_stream_is_given_up(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_SKIP", 4 * MIB)
    monkeypatch.setattr(limits, "LARGEST_RECORD", 2 * MIB)
    input_format, beginning, rest = ENDLESS[case]
    stream: Any = Endless(beginning, rest)
    *_, last = recordings.read(["-"], stream, input_format=input_format)
    assert type(last).__name__ in ("BadRecord", "UnreadableInput")


@pytest.mark.parametrize("name", ["pipe", "socket"])
def test_a_file_that_sends_nothing_is_unreadable(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.1)
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        (problem,) = problems(Path(name))
    assert problem.startswith(f"cannot read {name!r}: ")


def test_a_pipe_with_a_writer_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.har")
    writer = threading.Thread(target=(tmp_path / "a.har").write_bytes, args=(har(GOOD),))
    writer.start()
    found = list(recordings.read([str(tmp_path / "a.har")], BytesIO()))
    writer.join()
    assert [type(each).__name__ for each in found] == ["Exchange"]
