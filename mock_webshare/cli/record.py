"""The command `record`: a proxy that records traffic with a service."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from mock_webshare.cli.files import Streams
from mock_webshare.cli.options import (
    CLEAN,
    KEY_VARIABLE,
    Option,
    add_flag,
    add_options,
    add_text,
    is_given,
    values_given,
    values_or_defaults,
)
from mock_webshare.cli.validate import JUDGE_OPTIONS, judge_options
from mock_webshare.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from mock_webshare.live.recording import LiveValidation, Recording

RECORD_OPTIONS: Sequence[Option] = (
    ("upstream", str, "https://proxy.webshare.io", "service to record: scheme and host"),
    ("host", str, "127.0.0.1", "address to listen on"),
    ("port", int, "8766", "port to listen on; 0 takes a free one"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Make the URL that it prints the base URL of your client. Exit code: 0; 2 if it could not record; "
        "with --validate, that of the command validate."
    )
    words = "recording to write: FILE.ndjson, FILE.har, or a folder, which gets a file for each exchange"
    add_text(parser, "-o --output", "PATH", words)
    add_options(parser, RECORD_OPTIONS)
    add_flag(parser, "--append", "add to an existing recording")
    add_flag(parser, "--validate", "check the exchanges as they come")
    add_options(parser, JUDGE_OPTIONS)
    add_flag(parser, "--no-redact", "keep keys, cookies and e-mail addresses")


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.judge import reports
    from mock_webshare.live import recorder
    from mock_webshare.live.recording import Recording
    from mock_webshare.live.upstream import is_loopback, read_origin

    values = values_or_defaults(options, RECORD_OPTIONS)
    if options.output is None:
        raise UsageError("--output is not given; write for example --output traffic.ndjson")
    recording = Recording(
        upstream=read_origin("--upstream", values["upstream"]),
        path=options.output,
        host=values["host"],
        port=values["port"],
        is_appended=options.append,
        is_redacted=not options.no_redact,
        secrets=_known_secrets(environ),
    )
    if options.no_redact:
        streams.warn("the recording will contain keys, cookies and e-mail addresses; do not share it")
    if not is_loopback(recording.host):
        streams.warn(f"anyone who can reach {recording.host!r} can use the proxy")
    validation = _validation(options, recording)

    validate = validation.new_findings if validation else None
    recorder.record(recording, announce=streams.announce, log=streams.stderr, validate=validate)
    if validation is None:
        return CLEAN
    verdict = validation.verdict()
    reports.write("text", verdict, streams.stderr)
    return verdict.exit_code


def _validation(options: argparse.Namespace, recording: Recording) -> LiveValidation | None:
    """Return the validation of a recording; None without `--validate`."""
    from mock_webshare.live.recording import LiveValidation

    if options.validate:
        assumed = judge_options(values_given(options, JUDGE_OPTIONS))
        return LiveValidation(recording.path, assumed, recording.secrets)
    for name, *_ in JUDGE_OPTIONS:
        if is_given(name, options):
            raise UsageError(f"--{name} has no effect without --validate; add it, or leave --{name} out")
    return None


def _known_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    key = environ.get(KEY_VARIABLE, "").strip()
    return (key,) if key else ()
