"""The flag that shows `run` whether a mock server got a request.

It is about the mock servers that the command of `run` starts. The flag is the last byte of a small file.
`run` creates it and names it in the environment of its command; a mock server in a process with that variable
sets the flag. The server maps the file when it is made, because tests may fake the file system later.
"""

from __future__ import annotations

import os
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Callable, Mapping
    from typing import IO, Self

_VARIABLE = "_MOCK_WEBSHARE_REACHED_FLAG"
_HEAD = b"mock-webshare run\n"
"""The file begins with this; any other file is left alone. The byte after it is the flag."""


class ReachedFlag:
    """The flag of one run; it is never set where no file can be created.

    `mutate` has another flag, under a variable of its own.
    """

    def __init__(self, variable: str = _VARIABLE) -> None:
        self.variables: Mapping[str, str] = {}
        self._file: IO[bytes] | None = None
        with suppress(OSError):
            self._file, path = _create_file()
            self._file.write(_HEAD + b"\0")
            self.variables = {variable: path}

    @property
    def is_set(self) -> bool:
        """Whether a request has reached a mock server that the command started."""
        if self._file is None:
            return False
        self._file.seek(len(_HEAD))
        return self._file.read(1) != b"\0"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _create_file() -> tuple[IO[bytes], str]:
    """Return a new file and its path; in memory if possible, so that none remains."""
    if hasattr(os, "memfd_create"):
        file = os.fdopen(os.memfd_create("mock-webshare"), "w+b", buffering=0)
        return file, f"/proc/{os.getpid()}/fd/{file.fileno()}"
    from tempfile import NamedTemporaryFile

    named = NamedTemporaryFile(buffering=0)  # noqa: SIM115  # closed with the flag
    return named, named.name


def flag_setter(environ: Mapping[str, str], variable: str = _VARIABLE) -> Callable[[], object]:
    """Return a function that sets the flag that an environment names, if any."""
    if path := environ.get(variable):
        from mmap import mmap

        with suppress(OSError, ValueError), open(path, "r+b") as file:
            mapped = mmap(file.fileno(), 0)
            if mapped[:-1] == _HEAD:
                return lambda: mapped.__setitem__(-1, 1)
    return lambda: None
