"""Growth: whatever reads foreign text takes eight times as long for eight times as much, not its square.

Each pattern has texts that are made for it, and a few that are made for all; a pattern without any fails.
"""

from __future__ import annotations

import ast
import gzip
import importlib
import inspect
import io
import json
import os
import pkgutil
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, cast

import pytest

import mock_webshare
from mock_webshare import recordings
from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange import limits, request
from mock_webshare.exchange.line_numbers import Locator
from mock_webshare.exchange.model import BadRecord, Exchange, from_wire, write_line
from mock_webshare.exchange.redaction import encodings, lenient_json, patterns
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.judge import reports
from mock_webshare.judge.body import strict_json
from mock_webshare.judge.model.finding import Place
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from mock_webshare.judge.verdict import Verdict
from mock_webshare.live import checks, upstream
from mock_webshare.live.responses import Responses, Undecidable
from mock_webshare.recordings.formats import detect
from mock_webshare.recordings.json_scanner import Scanner
from mock_webshare.service import effects
from mock_webshare.service.framework import query
from mock_webshare.service.framework.request import Parser, negotiate, read_params, split_target

pytestmark = pytest.mark.exhaustive

SMALL, TIMES, MOST = 1000, 8, 16
"""Characters of the smaller text; how many times as many the larger one has, and as long it may take."""
SHORTEST = 0.0003
"""Seconds of processor time that are measured at least: what takes less is repeated."""


class Pump(NamedTuple):
    """A text of any length: one part of it is repeated."""

    before: str
    repeated: str
    after: str = ""

    def text(self, size: int) -> str:
        return self.before + self.repeated * (size // len(self.repeated)) + self.after


ANY = [Pump("", unit) for unit in ('"', "\\", " ", "\n", "a", "0", "%25", "-", 'a="', "[", "/")]
WORD, DIGITS = Pump("", "a", "!"), Pump("", "1", "!")
ORIGIN = [Pump("https://", "a.", "/x"), Pump("https://[", ":", "x"), Pump("https://a:", "0", "x")]
HOST = [Pump("", "a."), Pump("[", ":"), Pump("a:", "0", "x")]
ESCAPES = [Pump('"', '\\"'), Pump('"', "\\\\"), Pump('"a":"', '\\"a\\":')]
TEXTS: dict[str, list[Pump]] = {
    "service.world.clock._DURATION": [Pump("P", "1"), Pump("PT", "1", "."), Pump("PT1.", "1")],
    "control:\\\\{(\\w+)\\\\}": [Pump("", "\\{a")],
    "control.routes:[0-9]{1,19}": [DIGITS],
    "service.faults:[A-Z]{1,32}": [Pump("", "A")],
    "service.faults:[ -~]{1,200}": [WORD],
    "service.faults:f'[/*][\\\\s\\\\S]{{0,{_MAX_TEXT - 1}}}'": [Pump("/", "a")],
    "service.faults:[a-z]": [WORD],
    "service.framework.serializer._LOCAL_PART": [
        Pump("", "a."),
        Pump('"', "a"),
        Pump('"', "\\a"),
        Pump("", "a", "@"),
    ],
    "service.framework.serializer._LABEL": [Pump("", "a-"), Pump("", "-")],
    "service.framework.serializer._LAST_LABEL": [Pump("", "a-"), Pump("xn--", "a")],
    "service.framework.serializer:[ -~]{0,200}[!-~]": [Pump("", " "), WORD],
    "service.framework.serializer:[/\\\\]": [Pump("", "/a")],
    "service.framework.serializer:[\ud800-\udfff]": [WORD],
    "service.framework.serializer:\\[[A-Fa-f0-9:.]+\\]": [Pump("[", "a:")],
    "contract.timestamps._DURATION": [DIGITS, Pump("1 00:00:00.", "1")],
    "service.faults:[ -~]{0,2000}": [WORD],
    "service.faults:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}": [WORD],
    "contract.model:\\\\{\\w+\\\\}": [Pump("\\{", "a"), Pump("", "\\{a")],
    "service.faults:RATE": [DIGITS],
    "service.faults._WORD": [WORD, Pump("", "aA")],
    "contract.paths._TOKEN": [Pump("{", "a"), Pump("", "{a")],
    "service.framework.request._HOST": HOST,
    "contract.timestamps._FORM": [Pump("2026-06-01T00:00:00.", "1")],
    "control.openapi:{(\\w+)}": [Pump("", "{a")],
    "service.effects._PAIR": [
        Pump("", " ", "a"),
        Pump("a", " ", "b"),
        Pump("a=", "a", "!"),
        Pump("", "a ="),
    ],
    "service.effects:[,;]": [Pump("", ",")],
    "service.settings:[!-~]+": [WORD],
    "service.settings:[A-Za-z][A-Za-z0-9+.-]{0,30}://([A-Za-z0-9._-]{1,253}|\\[[A-Fa-f0-9:.]{2,45}\\])(:[0-9]{1,5})?/?": ORIGIN,  # noqa: E501
    "service.settings._ORIGIN": ORIGIN,
    "service.settings:RATE": [DIGITS],
    "service.settings:f'off|{RATE}'": [DIGITS],
    "service.settings:[!-~]{8,200}": [WORD],
    "judge.body.fast_schema._DATE_TIME": [Pump("2026-06-01T00:00:00.", "1")],
    "judge.body.fast_schema._URI": [
        Pump("http://", "a."),
        Pump("http://a/", "%4"),
        Pump("http://a/?", "?", "|"),
    ],
    "exchange.request:%2C|,": [Pump("", "%2")],
    "judge.model.finding._INDEX": [Pump("/", "1", "x"), Pump("", "/1")],
    "exchange.redaction.lenient_json._COLON": [Pump("", " ", "x")],
    "exchange.redaction.lenient_json._TOKEN": ESCAPES,
    "judge.rules.error_body._NO_MATCH": [Pump("No ", "a", "!"), Pump("", "No ")],
    "live.checks._NEEDLESS_ESCAPE": [*ESCAPES, Pump("", "\\u"), Pump("", "\\\\", "u1234")],
    "live.checks:b'\\\\s'": [WORD],
    "control.query._INTEGER": [Pump("", "1", "x")],
    "live.upstream._LOOPBACK": [Pump("127", ".1")],
    "live.upstream._ORIGIN": ORIGIN,
    "live.recorder._CONTROL": [WORD],
    "live.recorder._HOST": HOST,
    "live.recorder._NOT_IN_A_TARGET": [WORD],
    "exchange.line_numbers._BLANKS": [Pump("", " ", "x")],
    "exchange.limits.STRING": [
        Pump('"', "a", '"'),
        Pump('"', '\\"', '"'),
    ],  # only for what ends: see below
    "exchange.limits.STRING_OR_REST": ESCAPES,
    "exchange.redaction.patterns.PSEUDONYM": [Pump("", "REDACTED-1"), Pump("redacted-", "1")],
    "exchange.redaction.patterns.NUMBERED": [Pump("redacted-", "1"), Pump("", "redacted-")],
    "recordings.formats.parsed_body._NUMBER": [
        Pump("", "0", "x"),
        Pump("1.", "0", "x"),
        Pump("1e+", "1", "x"),
    ],
    "recordings.formats.vcr._TOML": [Pump("", "\n"), Pump("", "#\n"), Pump("[[", " ")],
    "recordings.formats.vcr._TOML_STRING": [
        *ESCAPES,
        Pump('"""', '"'),
        Pump('"""', '\\"'),
        Pump("", '""'),
        Pump("", '"""'),
        Pump("", "'"),
        Pump("'", "a"),
    ],
    "recordings.formats.vcr._STATUS_LINE": [Pump("HTTP/", "1."), Pump("200 ", " ", "\n"), DIGITS],
    "recordings.formats.vcr._YAML": [
        Pump("", "\n"),
        Pump("", " #\n"),
        Pump("- ", " "),
        Pump("-", "\n"),
        Pump("", "version: 1\n"),
        Pump("log:", " "),
        Pump("---", " "),
        Pump("--- ", " ", "\n"),
        Pump("log:\n", " "),
        Pump("interactions", " "),
    ],
    "recordings._ATTACHMENT": [WORD, Pump("a" * 40 + ".", "a", "!")],
    "recordings.record._URL": [
        Pump('"url"', " "),
        Pump('"url":"', '\\"url\\":'),
        Pump("", '"url":'),
    ],
    "recordings.formats.dump._BEGINS": [Pump("$ ", "a"), Pump("GET ", "a"), Pump("", "\n")],
    "recordings.formats.dump._BEGINS_VERBOSE": [Pump("", " "), Pump("", "\n", "x")],
    "recordings.formats.dump._COLOURS": [Pump("", "\x1b["), Pump("\x1b[", "1")],
    "recordings.formats.dump._ELAPSED": [
        Pump("", " "),
        Pump("", " Elapsed time: "),
        Pump(" Elapsed time: ", "1"),
    ],
    "recordings.formats.dump._GLUED": [Pump("", "}* "), Pump("}", "* ")],
    "recordings.formats.dump._MARKS": [Pump("", "> "), Pump("", "\n<")],
    "recordings.formats.dump._MESSAGE": [
        Pump("", "HTTP/1.1 200 "),
        Pump("", "HTTP/1.1 200\n"),
        Pump("HTTP/1.1 200\n", "a:b\n"),
        Pump("", "a: HTTP/1.1 200\n"),
        Pump("", "GET "),
        Pump("GET ", "a", " HTTP/1.1"),
        Pump("", "GET a HTTP/1.1"),
    ],
    "recordings.formats.dump._OF_CURL": [Pump("* ", "a"), Pump("", "* Connection #"), Pump("{ [", "1")],
    "recordings.formats.dump._PROGRESS": [
        Pump("\r", " "),
        Pump("", "\r "),
        Pump("  % Total", "a"),
        Pump("", " "),
    ],
    "recordings.formats.dump._RESPONSE": [Pump("", "< "), Pump("", "\n<"), Pump("", "\nHTTP/")],
    "recordings.formats.dump._VERBOSE": [Pump("> GET ", "a"), Pump("", "> GET "), Pump("", "\n> GET a")],
    "recordings.formats.json_files._LOG": [Pump('"log"', " "), Pump("", '"log":')],
    "recordings.formats.postman._VARIABLE": [Pump("", "{{"), Pump("{{", "a")],
    "recordings.other_files.SIGNATURES": [
        DIGITS,
        Pump("", "1:"),
        Pump("1:1:", "a"),
        Pump("<?xml", " "),
        Pump("<?xml>", " "),
        Pump("", "<<<<<<-- cut here -->>>>>>"),
    ],
    "recordings.formats.vcr._LISTED": [
        Pump("interactions:", " "),
        Pump("interactions:", "\n"),
        Pump("interactions:", "!a "),
        Pump("interactions:", "#\n"),
        Pump("", "interactions:\n", "x"),
        Pump("-", "\n", "x"),
        Pump("", "-\n"),
        Pump("recorded_with", " "),
    ],
    "recordings.formats.vcr._EMPTY": [
        Pump("interactions: [", " "),
        Pump("", "interactions: [\n"),
        Pump("interactions: -", "\n", "x"),
        Pump("", "interactions:\n", "x"),
    ],
    "recordings.formats.vcr._HAR": [Pump("log", " "), Pump("", "log\n")],
    "recordings.formats.vcr._OF_HAR": [Pump("", " "), Pump(" entries", " "), Pump("", " entries\n")],
    "recordings.formats.vcr._OF_INTERACTION": [
        Pump("", " "),
        Pump("", "-"),
        Pump("", "- "),
        Pump("request", " "),
        Pump("", "!ruby/struct:"),
    ],
    "recordings.other_files._HTML": [Pump("", " ", "<")],
    "recordings.other_files._JSON": [Pump("{", " ", "x"), Pump("[", " ", "x")],
    "recordings.other_files._NAME_OF_OURS": [Pump("", "earn-"), Pump("", "cred")],
    "recordings.other_files._RESULTS": [
        Pump('"results"', " "),
        Pump("", '"results":'),
        Pump('"results":[', " "),
    ],
    "recordings.other_files._XML": [Pump("", " ", "x")],
    "recordings.other_files._NAME": [
        Pump("", '"'),
        Pump("", '"a'),
        Pump('"a"', " "),
        Pump("", '"a" '),
    ],
    "recordings.other_files._COMMENTED": [Pump("{", " "), Pump("[", " ", "x")],
    "recordings.other_files._WORDS": [Pump('"', "http"), Pump('"', "-")],
    "recordings.record._LINK": [
        Pump('"next"', " "),
        Pump("", '"next":"http://'),
        Pump('"next":"http://', "a"),
    ],
    "recordings.record._SCHEME": [Pump("", "a"), Pump("", "a+")],
    "recordings.json_scanner._BLANKS": [Pump("", " ", "x")],
    "recordings.json_scanner._INSIDE": ESCAPES,
    "recordings.json_scanner._LITERAL": [WORD],
    "recordings.json_scanner._OUTSIDE": [Pump("", "[]"), Pump("", "["), Pump("", "[1"), *ESCAPES],
    "recordings.formats.vcr_yaml._NULL": [Pump("", "~")],
    "exchange.redaction.redactor:\\s*([^\\s,]+)(?:\\s+|$)": [
        Pump("", "a", ","),
        Pump("", " "),
        Pump("a", " ", ","),
    ],
    "exchange.redaction.patterns.FORM_PART": [
        Pump("", 'form-data; name="token"'),
        Pump("", 'form-data; name="token"\n'),
        Pump("", "form-data;"),
        Pump('form-data; name="token"', "\nx"),
        Pump('form-data; name="token"\n\n', "\n-"),
        Pump("", 'form-data; name="token"\n\n'),
        Pump("form-data;", ' name="token" name'),
        Pump("", "x;form-"),
    ],
    "exchange.redaction.patterns.ATTRIBUTE": [
        Pump("", "a"),
        Pump("", "a ", "="),
        Pump("", 'a="'),
        Pump("a=", " "),
        Pump("", "a='\""),
        Pump('a="', "a", "'"),
    ],
    "exchange.redaction.patterns.DOWNLOAD": [
        Pump("", "proxy/list/download/"),
        Pump("", "proxy%2525"),
        Pump("proxy/list/download/", "%25"),
        Pump("", "proxy\\\\"),
    ],
    "exchange.redaction.patterns.ELEMENT": [
        Pump("", "<a"),
        Pump("<", "a"),
        Pump("<a", " "),
        Pump("<a>", " "),
        Pump("", "<a>"),
        Pump("", "<a><![CDATA["),
        Pump("", "<a'"),
        Pump("<a ", "'a' "),
        Pump("<a ", "'\""),
    ],
    "exchange.redaction.patterns.NESTED_VALUE": [Pump("", "%26"), Pump("", "%2"), Pump("", "%25")],
    "exchange.redaction.patterns.BEFORE_PORT": [WORD, Pump("", "a:")],
    "exchange.redaction.patterns.PAIR_OF_ELEMENTS": [
        Pump("", "<key>"),
        Pump("", "<key>a</key>"),
        Pump("<key>a</key>", " "),
        Pump("<key>a</key><", "a"),
        Pump("", "<key>a</key><a>"),
    ],
    "exchange.redaction.patterns.PORT": [Pump("", ".a"), Pump("", ".a:"), Pump("", "]%25")],
    "exchange.redaction.patterns.PROXY": [
        Pump("", "1.1.1.1:1:"),
        Pump("", "1.1.1.1:1:a:"),
        Pump("", "a.a:1:"),
        Pump("a.aa:1:", "a"),
        Pump("", "a."),
        Pump("", "[a"),
        Pump("a.aa:1:", "%25"),
    ],
    "exchange.redaction.patterns.PROXY_USERINFO": [
        Pump("", "a:"),
        Pump("", " a:a"),
        Pump("", "a:a@a.aa:"),
        Pump("a:a@", "a."),
        Pump("a:", "a", "@"),
        Pump("", "|%25"),
    ],
    "exchange.redaction.patterns.WORD": [
        Pump("", "a", '":'),
        Pump('a"', " "),
        Pump("", "\\"),
        Pump("", "\\u00"),
        Pump("", '"a" '),
    ],
    "exchange.redaction.patterns.JSON_STRING": ESCAPES,
    "exchange.redaction.patterns.JSON": [
        Pump("", " "),
        Pump("[", " "),
        Pump("[", "1", "."),
        Pump("[1", " "),
    ],
    "exchange.redaction.patterns.KEY_SHAPE": [
        Pump("", "1"),
        Pump("", "%11"),
        Pump("", "a" * 39 + "-"),
        Pump("", "-1"),
    ],
    "exchange.redaction.patterns.LINE_OF_TEXT": [
        Pump("a", " "),
        Pump("a=", " "),
        Pump("a=token", " "),
        Pump("", "a "),
        Pump("", "a=token "),
        Pump("", "a-"),
    ],
    "exchange.redaction.patterns.LONG_WORD": [Pump("", "a-"), Pump("", "a" * 39 + "-")],
    "exchange.redaction.patterns.MAIL": [
        Pump("", "a@"),
        Pump("", "a."),
        Pump("a@", "a."),
        Pump("a@", "a1.", "1"),
        Pump("", "%2B"),
        Pump("", "\\u0041"),
        Pump("a@a.", "a"),
    ],
    "exchange.redaction.patterns.NAME": [
        Pump("", "?"),
        Pump("", "? "),
        Pump("", "%3F"),
        Pump("", "&aa"),
        Pump("?", "\n"),
    ],
    "exchange.redaction.patterns.USERINFO": [
        Pump("", "//"),
        Pump("", "//a"),
        Pump("", "%3A%2F%2F"),
        Pump("//", "%40"),
    ],
    "exchange.redaction.patterns.VALUE": [Pump("", "%26"), Pump("", "%2")],
    "exchange.redaction.patterns.WEB_TOKEN": [
        Pump("", "-eyJaaaaaaaa"),
        Pump("", "eyJaaaaaaaa."),
        Pump("", "-eyJaaaaaaaa.-"),
        Pump("", "-eyJ", ".a"),
    ],
    "exchange.redaction.redactor:\\S+": [WORD],
    "exchange.redaction.patterns.AT": [Pump("", "%25"), Pump("", "\\\\")],
    "judge.rules.error_body._DIGITS": [Pump("Request was throttled. Expected available in ", "1")],
    "judge.model.context._BLANK": [WORD],
    "judge.rules.rows._DATE": [Pump("2026-06-01T00:00:00.", "1")],
    "judge.rules.status._HOST": HOST,
    "judge.model.response_time._AGE": [DIGITS],
    "judge.model.response_time._HTTP_DATE": [Pump("Mon, ", "1"), DIGITS],
    "judge.model.response_time._OF_A_FOLDER": [DIGITS],
    "judge.model.row_fields._INTEGER": [DIGITS, Pump("-", "1", "x")],
    "judge.model.row_fields._NUMBER": [DIGITS, Pump("1.", "1", "x")],
    "judge.model.row_fields._ODD_DATE": [Pump("2026-06-01T00:00:00.", "1"), DIGITS],
    "judge.history.observation._PSEUDONYM": [Pump("REDACTED-", "1", "x"), Pump("", "REDACTED-1")],
    "judge.history.observation._REDACTED": [Pump("", "x-"), Pump("", "redac")],
    "exchange.redaction.encodings._UNICODE_ESCAPE": [Pump("", "\\\\u"), Pump("", "\\u00")],
    "exchange.redaction.encodings._TWO_DIGITS": [Pump("", "0")],
    "exchange.redaction.encodings._UNIT": [
        Pump("%", "25", "z"),
        Pump("", "\\\\u"),
        Pump("", "\\ud83d"),
        Pump("&#", "0"),
        Pump("&#x", "0"),
        Pump("", "&#"),
        Pump("", "&amp"),
    ],
    "exchange.redaction.patterns._SEGMENT": [Pump("", "a"), Pump("", "a1")],
    "exchange.redaction.patterns._CAMEL_WORD": [Pump("", "A"), Pump("", "Aa"), Pump("", "A", "a")],
    "exchange.redaction.body_text._PRINTABLE": [Pump("", "a"), Pump("", "aaaaa\0")],
    "exchange.redaction.body_text._CHARSET": [
        Pump("charset", " "),
        Pump("", "charset="),
        Pump("charset=utf-", "1"),
    ],
}
"""The texts made for each pattern: `module.NAME`, or `module:pattern` where it has no name."""


def modules() -> Iterator[tuple[str, ModuleType]]:
    for info in pkgutil.walk_packages(mock_webshare.__path__, "mock_webshare."):
        if not info.name.endswith("__main__"):
            yield info.name.removeprefix("mock_webshare."), importlib.import_module(info.name)


class Used(NamedTuple):
    """A pattern, and the names of the methods by which it is used."""

    pattern: re.Pattern[Any]
    methods: frozenset[str]


def patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from patterns_in(each)


def unnamed_in(module: ModuleType, source: str) -> Iterator[tuple[str, Used]]:
    """Yield the patterns that are written where they are used: `re.match("…", text)`, `pattern("…", "")`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(ast.Attribute(ast.Name("re"), "compile" | "escape")):
                continue
            case ast.Call(ast.Attribute(ast.Name("re"), method), [written, *_]):
                if not isinstance(written, ast.Constant | ast.Name):
                    continue
            case ast.Call(ast.Name("pattern"), [written, *_]):
                method = "fullmatch"
            case _:
                continue
        if isinstance(written, ast.Call):  # of a schema: these are short, and read by ids and choices alone
            continue
        regex = eval(ast.unparse(written), vars(module))  # our own source: a text, perhaps with names in it
        key = str(regex) if isinstance(written, ast.Constant) else ast.unparse(written)
        yield key, Used(re.compile(regex), frozenset([method]))


@cache
def used_patterns() -> dict[str, list[Used]]:
    found: dict[str, list[Used]] = {}
    sources = {name: inspect.getsource(module) for name, module in modules()}
    everything, seen = "\n".join(sources.values()), set[int]()
    for name, module in modules():
        for key, value in vars(module).items():
            users = sources[name] if key.startswith("_") else everything
            for pattern in patterns_in(value):
                if id(pattern) not in seen:  # not where it is imported
                    methods = re.findall(rf"\b{key}\.(\w+)\(", users) or ("fullmatch", "match")
                    found.setdefault(f"{name}.{key}", []).append(Used(pattern, frozenset(methods)))
                    seen.add(id(pattern))
        for key, used in unnamed_in(module, sources[name]):
            found.setdefault(f"{name}:{key}", []).append(used)
    return found


def seconds(work: Callable[[], object]) -> Callable[[int], float]:
    def measured(times: int) -> float:
        started = time.process_time()
        for _ in range(times):
            work()
        return time.process_time() - started

    return measured


def growth(work: Callable[[Any], object], make: Callable[[int], Any], size: int = SMALL) -> float:
    """Return how many times as long work takes for `TIMES` times as much, best of three."""
    small, large = (seconds(partial(work, given)) for given in (make(size), make(TIMES * size)))
    times = 1
    while small(times) < SHORTEST:
        times *= 2
    return min(large(times) for _ in range(3)) / min(small(times) for _ in range(3))


def test_every_pattern_has_a_text() -> None:
    used = used_patterns().keys()
    assert used - TEXTS.keys() == set(), "add texts for which these may take long to `TEXTS`"
    assert TEXTS.keys() - used == set(), "there are no such patterns any more"


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_pattern(name: str) -> None:
    for pattern, methods in used_patterns()[name]:
        encode = str.encode if isinstance(pattern.pattern, bytes) else str
        for method in {_WAYS.get(each, "finditer") for each in methods}:
            use = getattr(pattern, method)
            for pump in [*ANY, *TEXTS[name]]:
                text = {size: encode(pump.text(size)) for size in (SMALL, TIMES * SMALL)}
                assert growth(partial(_exhaust, use), text.__getitem__) <= MOST, (method, pump)


def _exhaust(use: Callable[[Any], Any], text: str | bytes) -> None:
    found = use(text)
    if isinstance(found, Iterator):
        deque(found, maxlen=0)


_WAYS = {"match": "match", "fullmatch": "fullmatch"}
"""How the other methods look for every place: `finditer`."""


def sent(body: str | bytes) -> Exchange:
    octets = body if isinstance(body, bytes) else body.encode()
    return Exchange(source="-", method="POST", url="http://a/", request_body=octets)


def keys(number: int) -> list[str]:
    return [f"{(each + 1) * 7919**5:020x}" for each in range(number)]


def nested_json(size: int) -> str:
    """Return JSON in a string of JSON and so on, each of which costs five characters more than the last."""
    depth = int((size / 2.5) ** 0.5)
    return '{"token":1,"a":"' + "".join("\\" + "u005c" * each + "u0022" for each in range(depth)) + '"}'


def nested_gzip(size: int) -> bytes:
    body = b'{"token":1,"a":"%40@"}'  # what any larger body contains by chance
    while len(body) < size:
        body = gzip.compress(body, 0)
    return body


BODIES: dict[str, Callable[[int], str | bytes]] = {
    "secrets": lambda size: json.dumps({"token": keys(size // 24)}),
    "secrets, each again": lambda size: json.dumps({"token": keys(size // 48), "a": keys(size // 48)}),
    "secrets, each in capitals": lambda size: json.dumps(
        {"token": keys(size // 48), "a": [each.upper() for each in keys(size // 48)]}
    ),
    "secrets that are alike": lambda size: json.dumps(
        {"token": ["b" * each + "a" for each in range(8, 8 + 2 * int(size**0.5))], "a": "b" * size}
    ),
    "a secret of backslashes": lambda size: json.dumps(
        {"token": "\\" * (size // 8) + "abcdefgh", "a": "\\" * size + "abcdefg1 abcdefgh"}
    ),
    "a secret of slashes": lambda size: json.dumps(
        {"token": "/" * (size // 8) + "abcdefgh", "a": "\\/" * size + "abcdefg1 abcdefgh"}
    ),
    "a long secret": lambda size: json.dumps({"token": "a" * size + "b", "a": "a" * size}),
    "colons after a long name": lambda size: '{"' + "a" * size + '"' + ":" * size + '"token"',
    "JSON in JSON": nested_json,
    "brackets": lambda size: '{"token":' * (size // 9),
    "gzip in gzip": nested_gzip,
    "a form": lambda size: 'form-data; name="token"' * (size // 23),
    "a form on lines": lambda size: 'form-data; name="token"\n' * (size // 24),
    "parameters": lambda size: "?token=" * (size // 7),
    "addresses": lambda size: "a@a.io " * (size // 7),
    "web tokens": lambda size: "-eyJaaaaaaaa" * (size // 12),
    "HTML in a tag": lambda size: '<a name="token"' * (size // 15),
    "elements": lambda size: "<token>a" * (size // 8),
    "names of other values": lambda size: '{"name":"token","value":' * (size // 24),
    "arrays of two": lambda size: '["token",' * (size // 9) + "1" + "]" * (size // 9),
    "arrays of names and values": lambda size: '{"rawHeaders":[' + '"token","a",' * (size // 12),
    "proxies": lambda size: "192.0.2.4:80:abcd:efgh\n" * (size // 23),
    "parameters in parameters": lambda size: "?a=%3Fb%3D" * (size // 10),
    "percent signs in parameters": lambda size: "?a=" + "%25" * size,
    "short secrets": lambda size: json.dumps(
        {"token": [f"{each:x}" for each in range(0x100, 0x100 + size // 9)], "a": "fff " * (size // 4)}
    ),
    "short numbers": lambda size: json.dumps({"token": ["4711"], "a": [4711] * (size // 6)}),
    "binary": lambda size: b"\xff\0abcdefg" * size + b"token=abcdefgh",
    "members of gzip": lambda size: gzip.compress(b"x", mtime=0) * (size // 21),
    "escapes": lambda size: "token=%2525" + "%25" * (size // 3),
    "digits of HTML": lambda size: '{"token":"abcdefgh","a":"&#' + "9" * size + ';"}',
}


@pytest.mark.parametrize("case", BODIES)
def test_redaction(case: str) -> None:
    assert growth(lambda each: Redactor().exchange(each), lambda size: sent(BODIES[case](size))) <= MOST


class OneBody(NamedTuple):
    """Responses to a probe that are all alike."""

    body: bytes

    def to(self, request: str) -> OneBody:
        return self


def probed(pattern: str, text: str) -> None:
    with suppress(Undecidable):
        checks._written(cast(Responses, OneBody(text.encode())), ["a"], pattern)


# Not here: the parameters of a media type, which the standard library reads in a time that grows with the
# square of their length. A header has no more than 8 KiB and a media type in `Accept` 256 characters.
LOOPS: dict[str, tuple[Callable[[Any], object], Callable[[int], Any]]] = {
    "headers": (
        lambda pairs: Redactor().headers(pairs),
        lambda size: (("Authorization", "Token " + "a " * size), ("Cookie", "a=b;" * size)),
    ),
    "names of secrets": (patterns.is_secret_name, Pump("", "Aa").text),
    "values": (lambda text: list(lenient_json.values(text, "a".__eq__)), Pump("", '{"a":').text),
    "unescaped": (encodings.unescaped, Pump("", "%25" * 9 + "\\" * 9).text),
    "strict JSON without an end": (
        lambda text: strict_json.parse(text.encode(), Place(source="-")),
        Pump('"', '\\",').text,
    ),
    "strict JSON, the same key": (
        lambda text: strict_json.parse(text.encode(), Place(source="-")),
        Pump("{", '"a":1,', '"a":1}').text,
    ),
    "too many parts": (lambda text: limits.has_many(text.encode()), Pump('"', '\\",').text),
    "a scanned value": (
        lambda text: Scanner(io.BytesIO(text.encode())).value(),
        Pump('[["', '\\"', '"]]').text,
    ),
    "a format": (lambda text: detect("-", text.encode()), Pump("{", '"a":[[1]],', '"a":1}').text),
    "lines": (
        lambda size: [
            locator.line(f"/{each}")
            for locator in [Locator("[" + "\n1," * size + "1]")]
            for each in range(size)
        ],
        int,
    ),
    "links": (
        lambda text: upstream.rewrite_links(text.encode(), "https://a.io", "http://b"),
        Pump("", '"next" :').text,
    ),
    "a location": (
        lambda text: upstream.rewrite_location(text, "https://a.io", "http://b"),
        ORIGIN[0].text,
    ),
    "a query": (lambda text: read_params(text, "a/b"), Pump("", "a%").text),
    "media types": (negotiate, Pump("", 'a/b;c="').text),
    "a route": (Parser(WEBSHARE).find_route, Pump(CREDIT_LIST.path, "1", "/x").text),
    "a target": (split_target, Pump("/", "%FF\udcff").text),
    "a preference": (effects.preferred_fault, Pump("", "code=1,").text),
    "mistakes of a preference": (effects.preference_mistake, Pump("", "cade=1,").text),
    "a link": (lambda text: query.link("http://a/", text, 2), Pump("", "a=b&").text),
    "an address": (request.shown, Pump("http://a/?", "a=b,%2C&").text),
    "an exchange": (
        lambda text: write_line(from_wire(json.loads(text))),
        lambda size: write_line(sent('"\\\xff' * size)),
    ),
    "numbers in a response": (partial(probed, checks._NUMBER), Pump('"a":1', "1", "..").text),
    "dates in a response": (partial(probed, checks._FRACTION), Pump('"a":"', ".1").text),
    "names in a response": (partial(probed, checks._NUMBER), Pump("", '"a" ').text),
    "a recorded URL": (request.read_url, Pump("http://a" + CREDIT_LIST.path, "1", "/x").text),
    "escapes of JSON": (lambda text: limits.STRING_OR_REST.findall(text.encode()), Pump('"', '\\"').text),
}


@pytest.mark.parametrize("case", LOOPS)
def test_a_loop(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_PARTS", 10)
    work, make = LOOPS[case]
    assert growth(work, make) <= MOST


ROW = json.loads(SERVICE_SCHEMAS.text("referral-credit"))["examples"][0]


def received(number: int, body: object, query: str = "", status: int = 200) -> Exchange:
    """Return a response of the list to one of many keys."""
    return Exchange(
        source="a.ndjson",
        entry=number,
        method="GET",
        url=f"https://proxy.webshare.io{CREDIT_LIST.path}{query}",
        request_headers=(("Authorization", f"Token {number:030}"),),
        status=status,
        headers=(),
        body=json.dumps(body).encode(),
    )


def page(*rows: object, following: int | None = None) -> dict[str, object]:
    link = following and f"https://proxy.webshare.io{CREDIT_LIST.path}?page={following}"
    return {"count": len(rows), "next": link, "previous": None, "results": rows}


JUDGED: dict[str, Callable[[int], Iterator[Exchange | BadRecord]]] = {
    "records that are none": lambda size: (
        BadRecord(source="-", problem="it has no request", entry=each) for each in range(size)
    ),
    "bodies without a shape": lambda size: (
        Exchange(source="-", entry=each, body=b'{"a":1}') for each in range(size)
    ),
    "wrong pages": lambda size: (received(each, {"count": "1"}) for each in range(size)),
    "wrong rows": lambda size: iter([received(1, page(*[ROW | {"amount": "1"}] * size))]),
    "different fields": lambda size: iter([received(1, page(ROW | {f"a{each}": 1 for each in range(size)}))]),
    "different pointers": lambda size: iter(
        [received(1, page(*[ROW | {f"a{each}": 1} for each in range(size)]))]
    ),
    "different queries": lambda size: (received(each, page(ROW), f"?a={each}") for each in range(size)),
    "walks without an end": lambda size: (
        received(1, page(ROW | {"id": each}, following=each + 2)) for each in range(size)
    ),
    "rows that change": lambda size: (received(1, page(ROW | {"amount": each / 2})) for each in range(size)),
    "findings in many files": lambda size: (
        BadRecord(source=f"{each}.ndjson", problem="it has no request") for each in range(size)
    ),
    "repeated keys": lambda size: iter(
        [Exchange(source="-", body=b"[" + b'{"a":1,"a":1},\n' * size + b"1]")]
    ),
    "constants": lambda size: iter([Exchange(source="-", body=b"[" + b"NaN,\n" * size + b"1]")]),
    "errors of many fields": lambda size: iter(
        [received(1, {f"a{each}": ["a"] for each in range(size)}, status=400)]
    ),
    "sizes of pages": lambda size: (
        received(1, page(ROW, following=2) | {"count": 10}, f"?page_size={each + 5}") for each in range(size)
    ),
    "keys in all findings": lambda size: (
        received(each, page(ROW | {"mode": f"{each:030}"})) for each in range(size)
    ),
}


@cache
def verdict(case: str, number: int) -> Verdict:
    return judge(JUDGED[case](number), Options())


@pytest.mark.parametrize("case", JUDGED)
def test_judging(case: str) -> None:
    def work(records: list[Exchange | BadRecord]) -> None:
        judge(records, Options())

    assert growth(work, lambda size: list(JUDGED[case](size // 10))) <= MOST


@pytest.mark.parametrize("report", reports.REPORTS)
@pytest.mark.parametrize("case", JUDGED)
def test_a_report(case: str, report: str) -> None:
    def work(number: int) -> None:
        reports.write(report, verdict(case, number), io.StringIO())

    work(2)  # imports
    assert growth(work, lambda size: size // 10) <= MOST


def test_a_deep_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parents of a folder are not visited again for it."""
    folder = tmp_path
    for _ in range(300):
        folder = folder / "a"
        folder.mkdir()
        (folder / "a.json").write_text("{}", encoding="utf-8")
    calls = Counter[str]()
    for name in ("listdir", "lstat", "stat"):
        count_calls(monkeypatch, calls, name)
    assert len(list(recordings.read([str(tmp_path)], io.BytesIO()))) == 300
    assert max(calls.values()) < 10 * 300


def count_calls(monkeypatch: pytest.MonkeyPatch, calls: Counter[str], name: str) -> None:
    original = getattr(os, name)

    def counted(*arguments: Any, **options: Any) -> Any:
        calls[name] += 1
        return original(*arguments, **options)

    monkeypatch.setattr(os, name, counted)
