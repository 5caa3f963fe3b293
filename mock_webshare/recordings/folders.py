"""Folder: the recordings in it and below it, in the order of their names."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from mock_webshare.errors import UnreadableInput
from mock_webshare.recordings import formats as detect

if TYPE_CHECKING:
    from collections.abc import Iterator

# Playwright keeps bodies beside the HAR that refers to them, and names them by their SHA-1.
_ATTACHMENT = re.compile(r"[0-9a-f]{40}\.\w+")


def files(path: str) -> Iterator[str | UnreadableInput]:
    """Given a path, yield it; given a folder, every file in it and below whose name is that of a recording.

    Hidden files and folders are passed over. A folder is gone through once, whatever links lead to it.
    """
    seen: set[str] = set()
    waiting: list[str | UnreadableInput] = [path]
    while waiting:
        each = waiting.pop()
        if isinstance(each, UnreadableInput) or not _is_folder(each):
            yield each
        elif (real := os.path.realpath(each)) not in seen:
            seen.add(real)
            waiting += reversed(list(_inside(each)))


def _is_folder(path: str) -> bool:
    try:
        return os.path.isdir(path)
    except ValueError:  # a NUL: whoever opens it will say so
        return False


def _inside(folder: str) -> Iterator[str | UnreadableInput]:
    """Yield the folders in a folder, and the files that look like recordings."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield UnreadableInput.from_os_error(folder, error)
        return
    has_har = any(detect.format_of(name) == "har" for name in names)
    for name in names:
        path = os.path.join(folder, name)
        is_attachment = has_har and _ATTACHMENT.fullmatch(name)
        if not name.startswith(".") and (os.path.isdir(path) or (_is_recording(path) and not is_attachment)):
            yield path


def _is_recording(path: str) -> bool:
    """Whether a path in a folder is read: a link to nothing is, to be told of; a pipe is not."""
    if detect.format_of(path) is None:
        return False
    return os.path.isfile(path) or not os.path.exists(path)
