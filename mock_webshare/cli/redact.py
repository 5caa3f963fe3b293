"""The command `redact`: recordings without their secrets."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from mock_webshare.cli.files import Streams, require_other_file, write_output
from mock_webshare.cli.options import CLEAN, FAILED, FOUND, add_flag, add_skip_others, add_text
from mock_webshare.errors import UnreadableInput, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from typing import TextIO

    from mock_webshare.exchange.model import BadRecord, Exchange
    from mock_webshare.exchange.redaction.redactor import Redactor

    Record = Exchange | BadRecord | UnreadableInput


MOST_PASSES = 5
"""How often an exchange is redacted at most; usually twice is enough."""
LARGEST_STDIN = 512 * 1024**2
"""Bytes of standard input at most; it is kept in memory because it is read twice."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exit code: 0; with --check, 1 if there are secrets; "
        "2 if something could not be read and was left out."
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", help="recording; - for standard input")
    words = "file to write, FILE.ndjson, FILE.har or FILE.json (default: NDJSON to standard output)"
    add_text(parser, "-o --output", "FILE", words)
    add_flag(parser, "--check", "write nothing but the places of secrets, without their values")
    add_skip_others(parser)


def execute(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    from mock_webshare.exchange.model import Exchange
    from mock_webshare.exchange.redaction.redactor import Redactor

    form = _form(options.output)
    if options.check and options.output:
        raise UsageError("--check writes no file; leave out -o")
    require_other_file(options.output, _files(options.paths))
    read = _reader(tuple(dict.fromkeys(options.paths)), streams, options.skip_others)
    redactor, problems, exchanges, bodies = Redactor(), list[str](), 0, 0
    for record in read():  # the last exchange may reveal a secret of the first one
        if problem := _problem(record):
            problems.append(problem)
        elif isinstance(record, Exchange):
            redactor.collect_secrets(record)
            exchanges += 1
            bodies += _is_body(record)
    for problem in problems:
        streams.warn(f"left out: {problem}")
    if not exchanges and not (options.check and options.skip_others):
        raise UsageError("nothing to redact: there is no exchange and no body in the input")
    if options.check:
        has_secrets = _report_secrets(read(), redactor, streams)
        return FAILED if problems else FOUND if has_secrets else CLEAN
    _require_form(form, exchanges, bodies)
    is_alone = exchanges == 1 and form in ("", ".json")
    write = partial(_write, _redacted(read(), redactor), is_har=form == ".har", is_alone=is_alone)
    write_output(options.output, streams, write)
    return FAILED if problems else CLEAN


def _require_form(form: str, exchanges: int, bodies: int) -> None:
    """Raise `UsageError` if a file with the extension `form` cannot hold these bodies without requests."""
    if bodies and form == ".har":
        raise UsageError(
            "a body that was stored without its request cannot be in a HAR; write to FILE.ndjson"
        )
    if bodies and form == ".json" and exchanges > 1:
        raise UsageError("a .json file has one body, and there are several; write to FILE.ndjson")


_FORMS = (".ndjson", ".jsonl", ".har", ".json")


def _form(output: str | None) -> str:
    """Return the extension of the output file; empty for a stream or device."""
    if output in (None, "-") or (os.path.exists(output) and not os.path.isfile(output)):
        return ""
    suffix = os.path.splitext(output)[1].lower()
    if suffix not in _FORMS:
        raise UsageError(
            f"output {output!r} is not allowed; allowed: FILE.ndjson, FILE.har, or FILE.json for a body"
        )
    return suffix


def _files(paths: Iterable[str]) -> Iterator[str]:
    """Yield the input paths, and for each folder among them the paths of all files in it."""
    for path in paths:
        yield path
        for folder, _, names in os.walk(path):
            yield from (os.path.join(folder, name) for name in names)


def _reader(paths: Sequence[str], streams: Streams, skip_others: bool) -> Callable[[], Iterable[Record]]:
    """Return a function that reads the recordings from the start at each call."""
    from io import BytesIO

    from mock_webshare import recordings
    from mock_webshare.exchange.model import OtherFile
    from mock_webshare.exchange.streams import read_all

    content = read_all(streams.stdin, LARGEST_STDIN) if "-" in paths else b""
    if len(content) > LARGEST_STDIN:
        raise UsageError(
            f"standard input has more than {LARGEST_STDIN // 1024**2} MiB; name the file instead"
        )

    def read() -> Iterator[Record]:
        records = recordings.read(paths, BytesIO(content), skip_others=skip_others)
        return (each for each in records if not isinstance(each, OtherFile))

    return read


def _problem(record: Record) -> str | None:
    """Return the reason why a record cannot be redacted; None if it can."""
    from mock_webshare.exchange.model import Exchange
    from mock_webshare.exchange.redaction.body_text import is_utf_8
    from mock_webshare.judge.model.finding import printable

    if isinstance(record, UnreadableInput):
        return printable(str(record))
    if not isinstance(record, Exchange):
        return printable(f"{record.source}, entry {record.entry}: {record.problem}")
    if _is_body(record) and not is_utf_8(record.body):
        return printable(f"{record.source}: it is not text, so secrets in it cannot be found")
    return None


def _report_secrets(records: Iterable[Record], redactor: Redactor, streams: Streams) -> bool:
    """Write a line for each record that has secrets; return whether one has."""
    from mock_webshare.exchange.model import Exchange
    from mock_webshare.judge.model.finding import printable

    has_secrets = False
    for record in records:
        if isinstance(record, Exchange) and (places := _places(record, redactor.exchange(record))):
            has_secrets = True
            entry = "" if record.entry is None else f", entry {record.entry}"
            streams.stdout.write(printable(f"{record.source}{entry}: secrets in {', '.join(places)}") + "\n")
    return has_secrets


def _places(exchange: Exchange, redacted: Exchange) -> list[str]:
    """Name the parts of an exchange that redaction has changed; a header is named as in `redacted`."""
    parts = ("method", "url", "request_headers", "request_body", "headers", "body")
    places = []
    for part in parts:
        before, after = getattr(exchange, part), getattr(redacted, part)
        if before != after and "headers" in part:
            pairs = zip(before, after, strict=True)
            places += [f"{part.replace('_', ' ')[:-1]} {new[0]}" for old, new in pairs if old != new]
        elif before != after:
            places.append(part.replace("_", " "))
    return places


def _is_body(exchange: Exchange) -> bool:
    """Return whether an exchange is a body that was stored alone."""
    return exchange.url is None and exchange.status is None


def _redacted(records: Iterable[Record], redactor: Redactor) -> Iterator[Exchange]:
    """Yield exchanges, each redacted until nothing changes: text beside a pseudonym may look secret."""
    from mock_webshare.exchange.model import Exchange

    for record in records:
        if isinstance(record, Exchange) and not _problem(record):
            for _ in range(MOST_PASSES):
                before, record = record, redactor.exchange(record)
                if record == before:
                    break
            yield record


def _write(exchanges: Iterable[Exchange], stream: TextIO, *, is_har: bool, is_alone: bool) -> None:
    """Write exchanges; a body that was stored alone is written unchanged, several of them as a line each."""
    from mock_webshare.exchange.model import write_line
    from mock_webshare.exchange.writers import write_har

    if is_har:
        write_har(exchanges, stream)
        return
    for exchange in exchanges:
        text = exchange.body.decode() if _is_body(exchange) else write_line(exchange)
        if _is_body(exchange) and not is_alone:
            text = " ".join(text.splitlines()) + "\n"
        stream.write(text)
