"""What not every operating system has: marks that skip the tests that need it."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest


def _can_link() -> bool:
    """Return whether this process may make symbolic links, which is a privilege on some systems."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            Path(folder, "link").symlink_to("nowhere")
        except (NotImplementedError, OSError):
            return False
        return True


def _needs(is_there: object, reason: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not is_there, reason=reason)


needs_bash = _needs(shutil.which("bash"), "there is no Bash in PATH")
needs_devices = _needs(Path(os.devnull).is_char_device(), "this system has no devices among its files")
needs_fork = _needs(hasattr(os, "fork"), "only POSIX systems can fork")
needs_limits = _needs(find_spec("resource"), "this system has no limits to be set")
needs_links = _needs(_can_link(), "no symbolic links may be made here")
needs_pipes = _needs(hasattr(os, "mkfifo"), "this system has no pipes among its files")
needs_shell = _needs(shutil.which("sh"), "there is no POSIX shell in PATH")
needs_signals = _needs(hasattr(signal, "SIGKILL"), "only POSIX systems send signals to other processes")
