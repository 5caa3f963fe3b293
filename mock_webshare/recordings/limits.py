"""Problem: why a record, or what is left of a file, is no exchange. `read` makes a `BadRecord` of it."""

from __future__ import annotations


class Malformed(Exception):
    """This record is no exchange, the next one may be; the message shows no value of the record."""


class Broken(Exception):
    """From here on the file cannot be told into records; the message shows nothing of the file."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line
