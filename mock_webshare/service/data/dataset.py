"""A data set: the credits and channels of one account, as Python values and as the service's objects."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike, fspath
from os.path import isdir, isfile
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from mock_webshare.contract.endpoints import MODES, STATUSES
from mock_webshare.contract.schemas import data_path
from mock_webshare.contract.timestamps import format_instant, parse_instant
from mock_webshare.errors import DataError, UnknownName, UnreadableInput
from mock_webshare.service.data.fields import Kind, is_text, one_of, read_json, read_object, require_keys


class Channel(NamedTuple):
    """A referral channel: a coupon code that brings users."""

    id: int
    code: str


class Credit(NamedTuple):
    """What one purchase of a referred user earned; dates are instants (see `instants`)."""

    id: int
    user_id: int
    mode: str
    amount: float  # USD
    status: str
    referral_channel: int | None  # None: the user came by a referral link
    referral_channel_code: str | None  # None together with referral_channel
    created_at: int
    updated_at: int
    reverted_at: int | None  # None unless status is `reverted`

    def wire(self) -> dict[str, Any]:
        """Return the object that the service answers: its fields, in its order."""
        wire = self._asdict()
        for name in _DATES:
            if wire[name] is not None:
                wire[name] = format_instant(wire[name])
        return wire


_DATES = ("created_at", "updated_at", "reverted_at")


@dataclass(frozen=True, eq=False, slots=True)
class Dataset:
    """Credits and channels, each by ascending id, and the instant at which they were so."""

    credits: Sequence[Credit]
    channels: Sequence[Channel]
    now: int

    def wire(self) -> dict[str, Any]:
        """Return the data set in the form that `load` reads and `write` writes."""
        return {
            "now": format_instant(self.now),
            "credits": [credit.wire() for credit in self.credits],
            "channels": [channel._asdict() for channel in self.channels],
        }


def write(dataset: Dataset, stream: TextIO) -> None:
    """Write a data set as JSON, one row a line: easy to read, to compare and to edit."""
    stream.write(f'{{\n"now": "{format_instant(dataset.now)}",\n"credits": [')
    stream.writelines(_lines(credit.wire() for credit in dataset.credits))
    stream.write('\n],\n"channels": [')
    stream.writelines(_lines(channel._asdict() for channel in dataset.channels))
    stream.write("\n]\n}\n")


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    separator = "\n"
    for row in rows:
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n"


def names() -> list[str]:
    """Return the names of the data sets that come with the package, sorted."""
    return sorted(path.stem for path in data_path("fixtures").glob("*.json"))


def load(data: str | PathLike[str]) -> Dataset:
    """Given the name of a data set of ours, or the path of a file, in gzip or not, return the data set.

    A bare name is ours first: write `./default` for a file of that name. Raise `UnreadableInput`
    if it cannot be read, `DataError` if it is no data set.
    """
    name = fspath(data)
    content = _content(name)
    try:
        return parse(content, source=name)
    except DataError as error:
        if is_recording(name):
            raise _to_be_generated(name, "a recording") from error
        raise


_HEAD = 65_536
"""Bytes of a file that tell what it is."""
_GZIP, _GZIP_ONLY = b"\x1f\x8b", 31
_RECORDINGS = (".har", ".ndjson", ".jsonl", ".yaml", ".yml", ".zip")
_RECORDED = (b'"results"', b'"log"', b'"interactions"', b'"request"', b'"user_id"')


def is_recording(name: str) -> bool:
    """Return whether a file or folder may be a recording, of which a data set can be made.

    Its name tells, or its beginning, packed or not: a data set has `credits`.
    """
    if name in names():
        return False
    if isdir(name):
        return True
    if not isfile(name):
        return False
    head = _head(name)
    if b'"credits":' in head.replace(b" ", b""):
        return False
    return name.removesuffix(".gz").endswith(_RECORDINGS) or any(sign in head for sign in _RECORDED)


def _head(name: str) -> bytes:
    """Return the beginning of a file, unpacked; nothing if it cannot be read."""
    try:
        with open(name, "rb") as stream:
            head = stream.read(_HEAD)
    except (OSError, ValueError):
        return b""
    if not head.startswith(_GZIP):
        return head
    import zlib  # only for those who pack

    try:
        return zlib.decompressobj(_GZIP_ONLY).decompress(head, _HEAD)
    except zlib.error:
        return b""


def _to_be_generated(name: str, kind: str) -> DataError:
    from shlex import quote  # only for those who err

    return DataError(
        name,
        "",
        f"is {kind}; mock-webshare generate --data {quote(name)} -o mine.json makes a data set of it",
    )


def _content(name: str) -> bytes:
    path = data_path("fixtures") / f"{name}.json" if name in names() else Path(name)
    try:
        return _unpacked(path.read_bytes(), name)
    except IsADirectoryError as error:
        raise _to_be_generated(name, "a folder") from error
    except FileNotFoundError as error:
        if path.suffix or len(path.parts) > 1:
            raise UnreadableInput.from_os_error(name, error) from error
        raise UnknownName("data set file or data set", name, names()) from error
    except OSError as error:
        raise UnreadableInput.from_os_error(name, error) from error
    except ValueError as error:  # a path that no file can have: "embedded null byte"
        raise UnreadableInput(f"cannot read {name!r}: {error}") from error


def _unpacked(content: bytes, name: str) -> bytes:
    if not content.startswith(_GZIP):
        return content
    import gzip  # only for those who pack
    import zlib

    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableInput(f"cannot read {name!r}: {error}") from error


def parse(content: bytes, *, source: str) -> Dataset:
    """Given the JSON of a data set, return it; raise `DataError` for the first thing that is wrong."""
    return from_wire(read_json(content, source=source), source=source)


def from_wire(document: Any, *, source: str) -> Dataset:
    """Given a data set as `Dataset.wire` returns it, return it; raise `DataError` as `parse` does."""
    return _Reader(source).dataset(document)


def read_credit(fields: Any, channels: Iterable[Channel], *, source: str) -> Credit:
    """Given a credit as the service writes it and the channels there are, return it, or raise `DataError`."""
    reader = _Reader(source)
    credit = Credit(**reader.row("", fields, _CREDIT_FIELDS))
    reader.check_relations("", credit, {channel.id: channel.code for channel in channels})
    return credit


def read_channel(fields: Any, *, source: str) -> Channel:
    """Given a channel of a data set, return it, or raise `DataError`."""
    return Channel(**_Reader(source).row("", fields, _CHANNEL_FIELDS))


LARGEST_ID = 2**63 - 1


def _is_id(value: Any) -> bool:
    # bool is a subclass of int, and JSON's true is no id.
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID


def _is_amount(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300 and math.isfinite(value)


def _is_code(value: Any) -> bool:
    return is_text(value) and value != ""


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and parse_instant(value) >= 0
    except ValueError:
        return False


ID = Kind(_is_id, "a whole number from 1 to 2^63 - 1")
_CODE = Kind(_is_code, "a string of Unicode characters that is not empty")
DATE = Kind(
    _is_date,
    "a date and time with an offset, from 1970 to 9998, like 2022-06-14T11:58:10.246406-07:00",
    parse_instant,
)

_CHANNEL_FIELDS = {"id": ID, "code": _CODE}
_CREDIT_FIELDS = {
    "id": ID,
    "user_id": ID,
    "mode": one_of(*MODES),
    "amount": Kind(_is_amount, "a number, up to 1e300 either way", float),
    "status": one_of(*STATUSES),
    "referral_channel": ID.or_null(),
    "referral_channel_code": _CODE.or_null(),
    "created_at": DATE,
    "updated_at": DATE,
    "reverted_at": DATE.or_null(),
}
NULLABLE = tuple(name for name, kind in _CREDIT_FIELDS.items() if kind.is_allowed(None))
"""The fields of a credit that may be null."""
SEEDED_NOW = parse_instant("2026-03-16T09:00:00-07:00")
"""When every generated account is looked at: a constant, or the data would change with the calendar."""


def _latest(credits: Sequence[Credit]) -> int:
    """Return the latest instant in the credits: no earlier can they have been as they are."""
    instants = (max(filter(None, (each.created_at, each.updated_at, each.reverted_at))) for each in credits)
    return max(instants, default=SEEDED_NOW)


class _Reader:
    """One reading of one document: every refusal names the source, the place and the value."""

    def __init__(self, source: str) -> None:
        self.source = source

    def dataset(self, document: Any) -> Dataset:
        """Given the parsed document, return the data set."""
        needed = ("credits", "channels")
        require_keys(self.source, "", document, needed, (*needed, "now"))
        channels = [Channel(**row) for row in self._rows(document, "channels", _CHANNEL_FIELDS)]
        credits = [Credit(**row) for row in self._rows(document, "credits", _CREDIT_FIELDS)]
        codes = dict(channels)
        for index, credit in enumerate(credits):
            self.check_relations(f"/credits/{index}", credit, codes)
        credits.sort(key=lambda credit: credit.id)
        channels.sort(key=lambda channel: channel.id)
        now = self._now(document) if "now" in document else _latest(credits)
        return Dataset(credits=credits, channels=channels, now=now)

    def _now(self, document: Any) -> int:
        if not DATE.is_allowed(document["now"]):
            raise self._refusal("/now", document["now"], DATE.allowed)
        now: int = DATE.read(document["now"])
        return now

    def _rows(self, document: Any, key: str, fields: Mapping[str, Kind]) -> list[dict[str, Any]]:
        rows = document[key]
        if not isinstance(rows, list):
            raise self._refusal(f"/{key}", rows, "a list")
        result = [self.row(f"/{key}/{index}", row, fields) for index, row in enumerate(rows)]
        seen: set[int] = set()
        for index, row in enumerate(result):
            if row["id"] in seen:
                raise self._refusal(f"/{key}/{index}/id", row["id"], "an id that no other row has")
            seen.add(row["id"])
        return result

    def row(self, pointer: str, row: Any, fields: Mapping[str, Kind]) -> dict[str, Any]:
        return read_object(self.source, pointer, row, fields)

    def check_relations(self, pointer: str, credit: Credit, codes: dict[int, str]) -> None:
        if (credit.reverted_at is None) == (credit.status == "reverted"):
            value = None if credit.reverted_at is None else format_instant(credit.reverted_at)
            raise self._refusal(
                f"{pointer}/reverted_at",
                value,
                f"null exactly when status is not reverted (it is {credit.status})",
            )
        if credit.referral_channel is not None and credit.referral_channel not in codes:
            raise self._refusal(
                f"{pointer}/referral_channel", credit.referral_channel, "an id of /channels, or null"
            )
        code = None if credit.referral_channel is None else codes[credit.referral_channel]
        if credit.referral_channel_code != code:
            allowed = (
                f"the code of that channel, {json.dumps(code)}" if code else "null, as there is no channel"
            )
            raise self._refusal(f"{pointer}/referral_channel_code", credit.referral_channel_code, allowed)

    def _refusal(self, pointer: str, value: Any, allowed: str) -> DataError:
        return DataError.refused(self.source, pointer, value, allowed)
