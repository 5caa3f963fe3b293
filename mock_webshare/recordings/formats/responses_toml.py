"""Files of Python's responses before 0.23, which are TOML.

`[[responses]]` and below it `[responses.response]` with `method`, `url`, `status` and `body`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mock_webshare.exchange.streams import Broken, Readable, read_all
from mock_webshare.recordings.formats.parsed_body import Plain
from mock_webshare.recordings.record import Record

_BEGINNING = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*+\[\[[ \t]*responses[ \t]*\]\]")
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"{0,5}|"(?:[^"\\\n]++|\\.)*+"?|' + r"'[^'\n]*+'?", re.DOTALL
)
"""A string, or what begins as one and does not end."""
_MOST_DOTS = 100
"""Dots of a line outside of strings: `tomllib` takes a time that grows with the square of a key's parts."""
_LARGEST = 8 * 1024**2
"""Characters of a file, which is read as a whole. A page of a hundred credits has about 25,000."""


def begins(head: bytes) -> bool:
    return _BEGINNING.match(head.decode(errors="replace")) is not None


def records(stream: Readable) -> Iterator[Record]:
    """Yield each response; raise `Broken` if the file is not TOML, or too large."""
    import tomllib

    content = read_all(stream, _LARGEST)
    if len(content) > _LARGEST:
        raise Broken(f"a file of TOML has more than {_LARGEST // 1024**2} MiB; write it as YAML")
    try:
        text = content.decode()
        _limit_keys(text)
        document = tomllib.loads(text, parse_float=Plain)
    except (ValueError, RecursionError) as error:
        raise Broken("it is not readable TOML") from error
    yield from map(Record, document.get("responses", ()))


def _limit_keys(text: str) -> None:
    if any(line.count(".") > _MOST_DOTS for line in _STRING.sub("s", text).split("\n")):
        raise Broken(f"it has a key of more than {_MOST_DOTS} parts")
