"""The command `wait`: waits until a mock server responds at a URL."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping

from mock_webshare.cli.files import Streams
from mock_webshare.cli.options import CLEAN, FOUND, Option, add_options, add_text, is_given
from mock_webshare.cli.settings import SERVE_OPTIONS, reachable, settings_of
from mock_webshare.errors import UsageError

_DEFAULTS = {name: default for name, _, default, _ in SERVE_OPTIONS}
_ADDRESS: tuple[Option, ...] = (
    ("host", str, _DEFAULTS["host"], "address on which the mock server listens"),
    ("port", int, _DEFAULTS["port"], "its port"),
)
_USUAL_SECONDS, _MOST_SECONDS = 30, 3600
_PAUSE = 0.1  # seconds between two requests
_LONGEST_REQUEST = 5.0  # seconds
_LONGEST_BODY = 1000  # bytes of a response that are read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "It asks /__mock__/health, and never contacts a proxy. Exit code: 0 a mock server is ready, "
        "1 none was in time, 2 an argument is wrong."
    )
    parser.add_argument(
        "url", metavar="URL", nargs="?", help="URL that serve printed (default: that of --host and --port)"
    )
    add_options(parser, _ADDRESS, variables=("host", "port"))
    words = f"seconds to wait, up to {_MOST_SECONDS}; 0 tries once (default: {_USUAL_SECONDS})"
    add_text(parser, "--timeout", "SECONDS", words, default=str(_USUAL_SECONDS))


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    seconds = _seconds(options.timeout)
    if options.url is None:
        settings = settings_of(options, environ, _ADDRESS)
        url = reachable(f"http://{settings.authority}")
    else:
        if given := [f"--{name}" for name, *_ in _ADDRESS if is_given(name, options)]:
            raise UsageError(f"{' and '.join(given)} cannot go with URL, which names host and port itself")
        url = _origin(options.url)
    problem = wait_for(lambda seconds: problem_at(url, seconds), seconds)
    if problem is None:
        return CLEAN
    streams.note(f"no mock server at {url} within {seconds:g} seconds: {problem}")
    return FOUND


def wait_for(
    find_problem: Callable[[float], str | None],
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> str | None:
    """Return None once `find_problem` does, or the last problem when the time is over.

    `find_problem` is called at least once, with the seconds that the call may take.
    """
    end = clock() + seconds
    while problem := find_problem(min(max(end - clock(), _PAUSE), _LONGEST_REQUEST)):
        if clock() + _PAUSE > end:
            return problem
        sleep(_PAUSE)
    return None


def problem_at(url: str, seconds: float) -> str | None:
    """Return why no mock server responds at a URL, in a few words; None if one does."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    scheme, _, authority = url.partition("://")
    connect = HTTPSConnection if scheme == "https" else HTTPConnection
    connection = connect(authority, timeout=seconds)
    try:
        connection.request("GET", "/__mock__/health", headers={"Connection": "close"})
        with connection.getresponse() as response:
            is_ready = response.status == 200 and b'"ready"' in response.read(_LONGEST_BODY)
            is_ours = response.getheader("Mock-Webshare-Version") is not None
    except (OSError, HTTPException, UnicodeError) as error:
        return getattr(error, "strerror", None) or "it does not speak HTTP"
    finally:
        connection.close()
    if is_ready and is_ours:
        return None
    return "another server responds" if not is_ours else f"it responds with status {response.status}"


def _origin(url: str) -> str:
    """Return a URL without a final slash, with `http://` if it has no scheme.

    Raise `UsageError` if the URL has more than scheme, host and port.
    """
    from mock_webshare.service.settings import is_origin

    if url.isdecimal():
        raise UsageError("URL is a number; write --port PORT for a port, or a URL like http://127.0.0.1:8765")
    origin = url if "://" in url else f"http://{url}"
    if not is_origin(origin):  # not repeated: it may contain a user and password
        raise UsageError(
            "the value of URL is not allowed; allowed: scheme and host only, like http://127.0.0.1:8765; "
            "http:// may be left out"
        )
    return origin.rstrip("/")


def _seconds(text: str) -> float:
    digits = text.replace(".", "", 1)
    if not (digits.isascii() and digits.isdecimal() and len(text) < 20 and float(text) <= _MOST_SECONDS):
        raise UsageError.invalid("--timeout", text, f"0 to {_MOST_SECONDS} seconds")
    return float(text)
