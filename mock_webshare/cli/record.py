"""The command `record`: the traffic of a client with a real service, as a recording."""

from __future__ import annotations

from mock_webshare.cli.files import warn
from mock_webshare.cli.options import CLEAN, KEY_VARIABLE, add_options, settings_values
from mock_webshare.cli.validate import TERMS_OPTIONS, terms_of
from mock_webshare.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mock_webshare.cli.files import Streams
    from mock_webshare.cli.options import Option
    from mock_webshare.live.record.live_validation import LiveValidation
    from mock_webshare.live.record.proxy import Recording

RECORD_OPTIONS: Sequence[Option] = (
    ("upstream", str, "https://proxy.webshare.io", "service to record: scheme and host"),
    ("host", str, "127.0.0.1", "address to listen on"),
    ("port", int, "8766", "port to listen on; 0 takes a free one"),
)
_DEFAULTS: Mapping[str, Any] = {"upstream": "https://proxy.webshare.io", "host": "127.0.0.1", "port": 8766}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Point your client at the URL that it prints. Exit code: 0; 2 if it could not record; "
        "with --validate that of validate, whose options it then takes."
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="recording to write: FILE.ndjson, FILE.har, or a folder, which gets a file for each exchange",
    )
    add_options(parser, RECORD_OPTIONS)
    parser.add_argument("--append", action="store_true", help="add to a recording that is there already")
    parser.add_argument("--validate", action="store_true", help="judge what is recorded, as it comes")
    add_options(parser, TERMS_OPTIONS)
    parser.add_argument(
        "--no-redact", action="store_true", help="keep keys, cookies and e-mail addresses as they are"
    )


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.judge import reports
    from mock_webshare.live.origin import is_loopback, read_origin
    from mock_webshare.live.record import proxy

    values = {**_DEFAULTS, **settings_values(options, environ, RECORD_OPTIONS)}
    if options.output is None:
        raise UsageError("--output is not given; --output traffic.ndjson writes a recording of that name")
    recording = proxy.Recording(
        upstream=read_origin("--upstream", values["upstream"]),
        path=options.output,
        host=values["host"],
        port=values["port"],
        is_appended=options.append,
        is_redacted=not options.no_redact,
        secrets=_known_secrets(environ),
    )
    if options.no_redact:
        warn(streams, "keys, cookies and e-mail addresses are kept in the recording; give it to nobody")
    if not is_loopback(recording.host):
        warn(streams, f"whoever can reach {recording.host!r} can use the recorder")
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


def _known_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    key = environ.get(KEY_VARIABLE, "").strip()
    return (key,) if key else ()
