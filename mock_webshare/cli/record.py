"""Live: the verbs that record a real service and ask it, and take the secrets out of recordings."""

from __future__ import annotations

import os

from mock_webshare.cli.files import progress_bar, write_file
from mock_webshare.cli.options import CLEAN, FAILED, add_options, settings_values
from mock_webshare.cli.validate import TERMS_OPTIONS, terms_of
from mock_webshare.errors import UnreadableInput, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, TextIO

    from mock_webshare.cli.files import Streams
    from mock_webshare.cli.options import Option, Verb
    from mock_webshare.exchange.model import BadRecord, Exchange
    from mock_webshare.exchange.redaction.redactor import Redactor
    from mock_webshare.live.record.live_validation import LiveValidation
    from mock_webshare.live.record.proxy import Recording

    Record = Exchange | BadRecord | UnreadableInput

KEY_VARIABLE = "WEBSHARE_API_KEY"
"""Where the vendor's own clients look for the key."""
FINDINGS = 1

RECORD_OPTIONS: Sequence[Option] = (
    ("upstream", str, "https://proxy.webshare.io", "service to record: scheme and host"),
    ("out", str, "must be given", "recording: FILE.ndjson, FILE.har, or a folder with a file an exchange"),
    ("host", str, "127.0.0.1", "address to listen on"),
    ("port", int, "8766", "port to listen on; 0 takes a free one"),
)
_DEFAULTS: Mapping[str, Any] = {"upstream": "https://proxy.webshare.io", "host": "127.0.0.1", "port": 8766}


def _record_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Point your client at the URL that it prints. Exit code: 0; 2 if it could not record; "
        "with --validate that of validate, whose options it then takes."
    )
    add_options(parser, RECORD_OPTIONS)
    parser.add_argument("--append", action="store_true", help="add to a recording that is there already")
    parser.add_argument("--validate", action="store_true", help="judge what is recorded, as it comes")
    add_options(parser, TERMS_OPTIONS)
    parser.add_argument(
        "--no-redact", action="store_true", help="keep keys, cookies and e-mail addresses as they are"
    )


def _record(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.judge import reports
    from mock_webshare.live.origin import is_loopback, read_origin
    from mock_webshare.live.record import proxy

    values = {**_DEFAULTS, **settings_values(options, environ, RECORD_OPTIONS)}
    if "out" not in values:
        raise UsageError("--out is not given; --out traffic.ndjson writes a recording of that name")
    recording = proxy.Recording(
        upstream=read_origin("--upstream", values["upstream"]),
        path=values["out"],
        host=values["host"],
        port=values["port"],
        is_appended=options.append,
        is_redacted=not options.no_redact,
        secrets=_known_secrets(environ),
    )
    if options.no_redact:
        _warn(streams, "keys, cookies and e-mail addresses are kept in the recording; give it to nobody")
    if not is_loopback(recording.host):
        _warn(streams, f"whoever can reach {recording.host!r} can use the recorder")
    validation = _validation(options, environ, recording)

    def announce(url: str) -> None:
        streams.stdout.write(f"{url}\n")
        streams.stdout.flush()

    validate = validation.new_findings if validation else None
    proxy.record(recording, announce=announce, log=streams.stderr, validate=validate)
    if validation is None:
        return CLEAN
    verdict = validation.verdict()
    reports.write("text", verdict, streams.stderr)
    return verdict.exit_code


def _validation(
    options: argparse.Namespace, environ: Mapping[str, str], recording: Recording
) -> LiveValidation | None:
    """Return the validation of a recording; None if `--validate` is not given."""
    from mock_webshare.live.record.live_validation import LiveValidation

    if options.validate:
        terms = terms_of(settings_values(options, environ, TERMS_OPTIONS))
        return LiveValidation(recording.path, terms, recording.secrets)
    for name, *_ in TERMS_OPTIONS:
        if getattr(options, name.replace("-", "_")) is not None:
            raise UsageError(f"--{name} is about judging, and nothing is judged; add --validate")
    return None


def _warn(streams: Streams, text: str) -> None:
    streams.stderr.write(f"mock-webshare: warning: {text}\n")
    streams.stderr.flush()


def _known_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    key = environ.get(KEY_VARIABLE, "").strip()
    return (key,) if key else ()


def _redact_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit code: 0; 2 if something could not be read: that is left out."
    parser.add_argument("paths", metavar="PATH", nargs="+", help="recording; - for standard input")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="file to write, FILE.ndjson, FILE.har or FILE.json (default: NDJSON to standard output)",
    )


def _redact(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    from mock_webshare.exchange.model import Exchange
    from mock_webshare.exchange.redaction.redactor import Redactor

    form = _form(options.output)
    read = _reader(tuple(dict.fromkeys(options.paths)), streams)
    redactor, complaints, exchanges, bodies = Redactor(), list[str](), 0, 0
    for record in read():  # a secret may stand in the first exchange, and be known as one from the last
        if complaint := _complaint(record):
            complaints.append(complaint)
        elif isinstance(record, Exchange):
            redactor.learn(record)
            exchanges += 1
            bodies += _is_body(record)
    for complaint in complaints:
        _warn(streams, f"left out: {complaint}")
    if not exchanges:
        raise UsageError("there is nothing to redact in what was given")
    if bodies and form == ".har":
        raise UsageError("a body that was stored without its request cannot be in a HAR; name a .ndjson")
    if bodies and form == ".json" and exchanges > 1:
        raise UsageError("a .json holds one body, and there are more; name a .ndjson")
    is_alone = exchanges == 1 and form in ("", ".json")
    write = _written(read, redactor, is_har=form == ".har", is_alone=is_alone)
    if options.output in (None, "-"):
        write(streams.stdout)
    else:
        write_file(options.output, write)
    return FAILED if complaints else CLEAN


_FORMS = (".ndjson", ".jsonl", ".har", ".json")


def _form(output: str | None) -> str:
    """Return the extension of a file that is to be written; `""` for a stream, which has none."""
    if output in (None, "-") or (os.path.exists(output) and not os.path.isfile(output)):
        return ""
    suffix = os.path.splitext(output)[1].lower()
    if suffix not in _FORMS:
        raise UsageError(
            f"{output!r} is no name of a recording; allowed: FILE.ndjson, FILE.har, or FILE.json for a body"
        )
    return suffix


def _reader(paths: Sequence[str], streams: Streams) -> Callable[[], Iterable[Record]]:
    """Return what reads the recordings, as often as it is called."""
    from io import BytesIO

    from mock_webshare import recordings

    content = streams.stdin.read() if "-" in paths else b""
    return lambda: recordings.read(paths, BytesIO(content))


def _complaint(record: Record) -> str | None:
    """Return what is wrong with a record that cannot be redacted, None of one that can."""
    from mock_webshare.exchange.model import Exchange
    from mock_webshare.judge.model.finding import printable

    if isinstance(record, UnreadableInput):
        return printable(str(record))
    if not isinstance(record, Exchange):
        return printable(f"{record.source}, entry {record.entry}: {record.problem}")
    if _is_body(record) and not _is_text(record.body):
        return printable(f"{record.source}: it is no text, so nobody can tell what is secret in it")
    return None


def _is_body(exchange: Exchange) -> bool:
    """Whether an exchange is a body that was stored alone."""
    return exchange.url is None and exchange.status is None


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _written(
    read: Callable[[], Iterable[Record]], redactor: Redactor, *, is_har: bool, is_alone: bool
) -> Callable[[TextIO], None]:
    """Return what writes the recordings without their secrets to a stream.

    A body that was stored alone stays a body: by itself as it is, among others as a line.
    """
    from mock_webshare.exchange.model import Exchange, write_line
    from mock_webshare.exchange.writers import write_har

    def exchanges() -> Iterator[Exchange]:
        for record in read():
            if isinstance(record, Exchange) and not _complaint(record):
                yield redactor.exchange(record)

    def line(exchange: Exchange) -> str:
        if not _is_body(exchange):
            return write_line(exchange)
        text = exchange.body.decode()
        return text if is_alone else " ".join(text.splitlines()) + "\n"

    def write(stream: TextIO) -> None:
        if is_har:
            write_har(exchanges(), stream)
        else:
            stream.writelines(line(exchange) for exchange in exchanges())

    return write


PROBE_OPTIONS: Sequence[Option] = (
    ("format", str, "text", "report: text or json"),
    ("rate", int, "60", "requests a minute, up to 60; this machine is asked without a pause"),
)


def _probe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        f"The key is read from the environment variable {KEY_VARIABLE}. "
        "Exit code: 0 nothing is broken, 1 something is, 2 it could not be asked."
    )
    parser.add_argument("base_url", metavar="BASE_URL", help="service to ask, like https://proxy.webshare.io")
    add_options(parser, PROBE_OPTIONS)
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="recording of it to write, as record --out does"
    )


def _probe(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    import asyncio
    from contextlib import ExitStack

    from mock_webshare.live import origin as origins
    from mock_webshare.live.probe import prober, report
    from mock_webshare.live.record import sinks

    values = {"format": "text", "rate": prober.FASTEST, **settings_values(options, environ, PROBE_OPTIONS)}
    write = report.report(values["format"])
    origin = origins.read_origin("BASE_URL", options.base_url)
    if not 1 <= values["rate"] <= prober.FASTEST:
        raise UsageError(f"rate {values['rate']} is not allowed; allowed: 1 to {prober.FASTEST}")
    is_ours = origins.is_loopback(origins.host_of(origin))
    seconds = 0.0 if is_ours else 60 / values["rate"]
    key = _key(environ)
    with ExitStack() as stack:
        sink = sinks.deferred_sink(options.output) if options.output else None
        if sink:
            stack.callback(sink.close)
        found = asyncio.run(
            prober.probe(
                origin,
                key,
                pause=lambda: asyncio.sleep(seconds),
                keep=sink.add if sink else None,
                progress=progress_bar(streams.stderr, "questions"),
            )
        )
    streams.stdout.writelines(f"{line}\n" for line in write(found))
    return FINDINGS if found.count(report.Outcome.BROKEN) else CLEAN


def _key(environ: Mapping[str, str]) -> str:
    """Return the key; raise `UsageError`, which does not repeat it, if no request can carry it."""
    key = environ.get(KEY_VARIABLE, "").strip()
    if not key or not all("!" <= letter <= "~" for letter in key):
        raise UsageError(f"{KEY_VARIABLE} holds no key; it takes one word of visible ASCII characters")
    return key


VERBS: Mapping[str, Verb] = {
    "record": (_record_arguments, _record),
    "probe": (_probe_arguments, _probe),
    "redact": (_redact_arguments, _redact),
}
