"""A trace: how `run` knows that a request has reached a mock which its command has started.

The trace is a small file that `run` holds and names in the environment of its command. A mock of a process
that has it there marks it. It is mapped when the mock is made, for later the file system may be a fake.
"""

from __future__ import annotations

import os
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Callable, Mapping
    from typing import IO, Self

_VARIABLE = "_MOCK_WEBSHARE_TRACE"
_HEAD = b"mock-webshare run\n"
"""What the file begins with; one that does not is none of ours. The byte after it is the mark."""


class Trace:
    """The trace of one run; where no file can be had, it is never marked."""

    def __init__(self) -> None:
        self.variables: Mapping[str, str] = {}
        self._file: IO[bytes] | None = None
        with suppress(OSError):
            self._file, path = _file()
            self._file.write(_HEAD + b"\0")
            self.variables = {_VARIABLE: path}

    @property
    def is_marked(self) -> bool:
        """Whether a request has reached a mock of the command."""
        if self._file is None:
            return False
        self._file.seek(len(_HEAD))
        return self._file.read(1) != b"\0"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _file() -> tuple[IO[bytes], str]:
    """Return a new file and its path: on Linux one of which nothing is left, however the process ends."""
    if hasattr(os, "memfd_create"):
        file = os.fdopen(os.memfd_create("mock-webshare"), "w+b", buffering=0)
        return file, f"/proc/{os.getpid()}/fd/{file.fileno()}"
    from tempfile import NamedTemporaryFile

    named = NamedTemporaryFile(buffering=0)  # noqa: SIM115  # closed with the trace
    return named, named.name


def marker(environ: Mapping[str, str]) -> Callable[[], object]:
    """Return what marks the trace that an environment names; it does nothing if there is none."""
    if path := environ.get(_VARIABLE):
        from mmap import mmap

        with suppress(OSError, ValueError), open(path, "r+b") as file:
            mapped = mmap(file.fileno(), 0)
            if mapped[:-1] == _HEAD:
                return lambda: mapped.__setitem__(-1, 1)
    return lambda: None
