"""Exchange: one request and its response, and where they were found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is judged. A body stored alone tells nothing of its request: then all but two fields are None."""

    source: str
    """The file, as the user named it; `-` is standard input."""
    body: bytes
    """The body of the response, as it came."""
    method: str | None = None
    """None: not recorded."""
    url: str | None = None
    """None: not recorded."""
    status: int | None = None
    """None: not recorded."""
