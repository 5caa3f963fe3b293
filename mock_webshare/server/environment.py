"""Files in a folder that the environment names, by which mock servers in several processes report.

Each server has a file of its own, which is always complete, however its process ends. A server maps its file
when the server is made, because tests may fake the file system later.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from typing import ClassVar, Self


class SharedFolder:
    """A folder for files of mock servers, in this process and its descendants, while the context lasts."""

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
