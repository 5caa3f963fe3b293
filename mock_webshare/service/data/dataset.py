"""A data set: the rows of an account at an instant."""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from os.path import isdir, isfile
from pathlib import Path
from typing import IO, Any, TextIO

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.contract.schemas import data_path
from mock_webshare.contract.timestamps import format_instant, parse_instant
from mock_webshare.errors import Contradiction, DataError, UnknownName, UnreadableInput
from mock_webshare.exchange import streams
from mock_webshare.service.data import upgrade
from mock_webshare.service.data.fields import DATE, choice, read_json, read_object, require_keys
from mock_webshare.service.data.resources import RowType, row_types

FORMAT = 2
"""The format of data sets that are written. A data set without the key `format` is of format 1."""


@dataclass(frozen=True, eq=False, slots=True)
class Dataset:
    """The rows of each resource by ascending id; a resource may be one object."""

    contract: Contract
    rows: Mapping[str, Sequence[Any]]
    now: int
    sizes: Mapping[str, int] = field(default_factory=dict)  # bytes of the rows, if they were counted

    def wire(self) -> dict[str, Any]:
        """Return the data set as JSON data."""
        result: dict[str, Any] = {"format": FORMAT, "now": format_instant(self.now)}
        for name, rows in self.rows.items():
            written = [row.wire() for row in rows]
            result[name] = written[0] if self.contract.resources[name].is_object else written
        return result


def write(dataset: Dataset, stream: TextIO) -> None:
    """Write a data set as JSON with one row per line, for readable diffs."""
    stream.write(f'{{\n"format": {FORMAT},\n"now": "{format_instant(dataset.now)}"')
    for name, rows in dataset.rows.items():
        is_object = dataset.contract.resources[name].is_object
        stream.write(f',\n"{name}": ' + ("" if is_object else "["))
        for index, row in enumerate(rows):
            separator = "" if is_object else ",\n" if index else "\n"
            stream.write(separator + json.dumps(row.wire(), ensure_ascii=False))
        stream.write("" if is_object else "\n]")
    stream.write("\n}\n")


def names() -> list[str]:
    """Return the names of the bundled data sets, sorted."""
    return sorted(path.stem for path in data_path("fixtures").glob("*.json"))


def load(data: str | PathLike[str], contract: Contract = WEBSHARE) -> Dataset:
    """Return the data set of a file, plain or in gzip, or a bundled one by its name.

    Bundled names have precedence: `./default` is a file. Raise `UnreadableInput` if the file cannot be read,
    `DataError` if it is not a data set.
    """
    name = fspath(data)
    content = read_content(name)
    try:
        return parse(content, source=name, contract=contract)
    except DataError as error:
        if is_recording(name, contract):
            raise _to_be_generated(name, "a recording") from error
        raise


_HEAD = 65_536
"""Bytes at the beginning of a file by which its format is detected."""
LARGEST = 512 * 1024**2
"""Bytes of a data set, unpacked. One of a million credits has 270 million."""
_GZIP, _GZIP_ONLY = b"\x1f\x8b", 31
_RECORDINGS = (".har", ".ndjson", ".jsonl", ".yaml", ".yml", ".zip")
_RECORDED = (b'"results"', b'"log"', b'"interactions"', b'"request"')
_FIRST_FIELDS = 3  # of a row, by which a body that is a single row is detected


def is_recording(name: str, contract: Contract = WEBSHARE) -> bool:
    """Return whether a file or folder may be a recording, and not a data set.

    A recording is detected by its name or its beginning, plain or in gzip; that of a data set has the name
    of a resource.
    """
    if name in names():
        return False
    if isdir(name):
        return True
    if not isfile(name):
        return False
    head = _head(name)
    if f'"{next(iter(contract.resources))}":'.encode() in head.replace(b" ", b""):
        return False
    has_suffix = name.removesuffix(".gz").endswith(_RECORDINGS)
    return has_suffix or any(sign in head for sign in _RECORDED) or _has_row(head, contract)


def _has_row(head: bytes, contract: Contract) -> bool:
    return any(
        all(f'"{field.name}"'.encode() in head for field in contract.served[endpoint.path][:_FIRST_FIELDS])
        for endpoint in contract.endpoints
    )


def _head(name: str) -> bytes:
    """Return the beginning of a file, unpacked; empty if it cannot be read."""
    try:
        with open(name, "rb") as stream:
            head = stream.read(_HEAD)
        is_packed = head.startswith(_GZIP)
        return zlib.decompressobj(_GZIP_ONLY).decompress(head, _HEAD) if is_packed else head
    except (OSError, ValueError, zlib.error):
        return b""


def _to_be_generated(name: str, kind: str) -> DataError:
    from shlex import quote  # only for this error

    return DataError(
        name,
        "",
        f"is {kind}; mock-webshare generate --data {quote(name)} -o mine.json makes a data set of it",
    )


def read_content(name: str) -> bytes:
    """Return the unpacked content of a data set; raise `UnreadableInput` if it cannot be read."""
    path = data_path("fixtures") / f"{name}.json" if name in names() else Path(name)
    try:
        with streams.open_file(path) as file:
            return _read(file, name)
    except IsADirectoryError as error:
        raise _to_be_generated(name, "a folder") from error
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.suffix and len(path.parts) <= 1:
            raise UnknownName("data set file or data set", name, names()) from error
        raise UnreadableInput.from_os_error(name, error) from error
    except ValueError as error:  # an impossible path: "embedded null byte"
        raise UnreadableInput(f"cannot read {name!r}: {error}") from error


def _read(file: IO[bytes], name: str) -> bytes:
    """Return the content of a file, unpacked; raise `UnreadableInput` if it is too large, or a device."""
    if stat.S_ISCHR(os.fstat(file.fileno()).st_mode):
        raise UnreadableInput(f"cannot read {name!r}: it is a device, not a file")
    try:
        content = streams.read_all(streams.unpacked(file), LARGEST)
    except streams.Broken as error:
        raise UnreadableInput(f"cannot read {name!r}: {error}") from error
    if len(content) > LARGEST:
        raise UnreadableInput(f"cannot read {name!r}: unpacked, it has more than {LARGEST // 1024**2} MiB")
    return content


def parse(content: bytes, *, source: str, contract: Contract = WEBSHARE) -> Dataset:
    """Parse the JSON of a data set; raise `DataError` for the first bad value."""
    return from_wire(read_json(content, source=source), source=source, contract=contract)


def from_wire(document: Any, *, source: str, contract: Contract = WEBSHARE) -> Dataset:
    """Return the data set of JSON data, as from `Dataset.wire`; raise `DataError` for the first bad value."""
    names, types = tuple(contract.resources), row_types(contract)
    if isinstance(document, dict) and "format" not in document:
        require_keys(source, "", document, upgrade.required_keys(contract), (*names, "now"))
        document = upgrade.upgraded(document, contract, SEEDED_NOW)
    else:
        if isinstance(document, dict):
            read_object(source, "", {"format": document["format"]}, {"format": choice(FORMAT)})
        require_keys(source, "", document, names, (*names, "now", "format"))
    # Rows to which others refer come last; they are read first, so that their errors are reported first.
    tables = {name: _read_rows(source, types[name], document[name]) for name in reversed(names)}
    for name in names:
        sources = types[name].sources(tables)
        for index, row in enumerate(tables[name]):
            types[name].check_relations(source, f"/{name}/{index}", row, sources)
    rows = {name: sorted(tables[name], key=_id) for name in names}
    given = {"now": document["now"]} if "now" in document else {}
    now = read_object(source, "", given, {"now": DATE}, optional=True).get("now")
    return Dataset(contract, rows, _latest(contract, rows) if now is None else now)


def _id(row: Any) -> int:
    return getattr(row, "id", 0)  # a resource that is one object may have none


def _read_rows(source: str, row_type: RowType, value: Any) -> list[Any]:
    resource = row_type.resource
    if resource.is_object:
        return [row_type.read(source, f"/{resource.name}", value)]
    if not isinstance(value, list):
        raise DataError.invalid(source, f"/{resource.name}", value, "a list")
    rows = [row_type.read(source, f"/{resource.name}/{index}", row) for index, row in enumerate(value)]
    seen: set[int] = set()
    for index, row in enumerate(rows):
        if row.id in seen:
            pointer = f"/{resource.name}/{index}/id"
            raise Contradiction.invalid(source, pointer, row.id, "an id that no other row has")
        seen.add(row.id)
    return rows


SEEDED_NOW = parse_instant("2026-03-16T09:00:00-07:00")
"""The time of every generated account: a constant, so that the data do not depend on the calendar."""


def _latest(contract: Contract, rows: Mapping[str, Sequence[Any]]) -> int:
    """Return the latest instant in the rows that is not a future date: before it, not all rows can exist."""
    ahead = {name: each.ahead for name, each in contract.resources.items()}
    dates = {
        name: [each.name for each in fields if each.is_date and each.name not in ahead[name]]
        for name, fields in contract.fields.items()
    }
    instants = (getattr(row, date) for name, each in rows.items() for date in dates[name] for row in each)
    return max((instant for instant in instants if instant), default=SEEDED_NOW)
