"""Runs of the command line in this process."""

from __future__ import annotations

import io
from collections.abc import Mapping

from mock_webshare import cli


class Stream(io.StringIO):
    """A stream that may say it is a terminal."""

    def __init__(self, is_terminal: bool = False) -> None:
        super().__init__()
        self.isatty = lambda: is_terminal  # type: ignore[method-assign]  # of one stream only


class Run:
    """One run of the command line, with what it wrote."""

    def __init__(
        self,
        *argv: object,
        stdin: bytes = b"",
        terminal: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        stdout, stderr = Stream(terminal), Stream(terminal)
        streams = cli.Streams(io.BytesIO(stdin), stdout, stderr)
        self.code = cli.run([str(each) for each in argv], streams, environ or {})
        self.out, self.err = stdout.getvalue(), stderr.getvalue()
