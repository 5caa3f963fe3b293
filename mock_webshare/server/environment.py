"""What the environment names for mock servers in several processes: a folder, a flag, and a mutation.

A server maps its files when the server is made, because tests may fake the file system later.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from mock_webshare.errors import DataError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Callable, Mapping
    from typing import IO, ClassVar, Self

    from mock_webshare.contract.model import Contract
    from mock_webshare.insight.mutants import Mutant
    from mock_webshare.service.faults import Mutation

REACHED_VARIABLE = "_MOCK_WEBSHARE_REACHED_FLAG"
"""Names the flag that is set when a request has reached a mock server."""
MUTANT_VARIABLE = "_MOCK_WEBSHARE_MUTANT"
"""Has the JSON of a mutation: the path of an endpoint, a fault, and whether it yields to those of a test."""
MUTANT_FLAG_VARIABLE = "_MOCK_WEBSHARE_MUTANT_FLAG"
"""Names the flag that is set when the mutation has changed a response."""


class SharedFolder:
    """A folder for files of mock servers, in this process and its descendants, while the context lasts.

    Each server has a file of its own, which is always complete, however its process ends.
    """

    variable: ClassVar[str]
    """The variable in the environment that names the folder."""
    is_passed_on: ClassVar[bool]
    """Whether the files are moved to the folder of an outer context at the end."""

    def __enter__(self) -> Self:
        from tempfile import TemporaryDirectory

        self._outer = os.environ.get(self.variable)
        self._folder = TemporaryDirectory(prefix="mock-webshare-", ignore_cleanup_errors=True)
        os.environ[self.variable] = self._folder.name
        return self

    def __exit__(self, *_: object) -> None:
        """Delete the folder."""
        del os.environ[self.variable]
        if self._outer is not None:
            os.environ[self.variable] = self._outer
            for path in files_in(self._folder.name) if self.is_passed_on else ():
                with suppress(OSError):
                    path.replace(Path(self._outer, path.name))
        self._folder.cleanup()

    @property
    def variables(self) -> dict[str, str]:
        """The variable for the environment of a command."""
        return {self.variable: self._folder.name}

    @property
    def folder(self) -> str:
        """The path of the folder."""
        return self._folder.name


_SUFFIX = ".complete"


def files_in(folder: str) -> list[Path]:
    """Return the files of all servers in a folder."""
    return sorted(path for path in Path(folder).iterdir() if path.suffix == _SUFFIX)


def map_file(folder: str, content: bytes) -> memoryview:
    """Return the content of a new file in a folder, mapped; only a complete file is read."""
    from mmap import mmap
    from tempfile import mkstemp

    file, path = mkstemp(dir=folder)
    with os.fdopen(file, "r+b") as stream:
        stream.write(content)
        stream.flush()
        mapped = memoryview(mmap(stream.fileno(), 0))
    os.replace(path, path + _SUFFIX)
    return mapped


FLAG_HEAD = b"mock-webshare run\n"
"""The file begins with this; any other file is left alone. The byte after it is the flag."""


class Flag:
    """The last byte of a small file, which mock servers set that a command has started.

    It is never set where no file can be created.
    """

    def __init__(self, variable: str = REACHED_VARIABLE) -> None:
        self.variables: Mapping[str, str] = {}
        self._file: IO[bytes] | None = None
        with suppress(OSError):
            self._file, path = _create_file()
            self._file.write(FLAG_HEAD + b"\0")
            self.variables = {variable: path}

    @property
    def is_set(self) -> bool:
        """Whether a mock server has set it."""
        if self._file is None:
            return False
        self._file.seek(len(FLAG_HEAD))
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


def flag_setter(environ: Mapping[str, str], variable: str = REACHED_VARIABLE) -> Callable[[], object]:
    """Return a function that sets the flag that an environment names, if any."""
    if path := environ.get(variable):
        from mmap import mmap

        with suppress(OSError, ValueError), open(path, "r+b") as file:
            mapped = mmap(file.fileno(), 0)
            if mapped[:-1] == FLAG_HEAD:
                return lambda: mapped.__setitem__(-1, 1)
    return lambda: None


def variables_of(mutant: Mutant) -> dict[str, str]:
    """Return the variable that gives a mutant to mock servers."""
    document = {"endpoint": mutant.endpoint, "fault": mutant.fault, "yields": not mutant.is_breaking}
    return {MUTANT_VARIABLE: json.dumps(document)}


def mutation_of(environ: Mapping[str, str], contract: Contract) -> Mutation | None:
    """Return the mutation that an environment names; None if there is none that fits the contract."""
    text = environ.get(MUTANT_VARIABLE)
    if not text:
        return None
    from mock_webshare.service.faults import Mutation, parse

    try:
        document = json.loads(text)
        fault = parse(document["fault"], contract)
        struck = flag_setter(environ, MUTANT_FLAG_VARIABLE)
        return Mutation(document["endpoint"], fault, document["yields"], struck)
    except (DataError, ValueError, LookupError, TypeError):  # of another contract, or not written by `mutate`
        return None
