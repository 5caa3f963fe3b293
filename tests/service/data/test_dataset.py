from __future__ import annotations

import gzip
import io
import json
import os
import shlex
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_webshare.contract.endpoints import MODES, STATUSES
from mock_webshare.contract.schemas import SERVICE_SCHEMAS, data_path
from mock_webshare.errors import DataError, UnknownName, UnreadableInput
from mock_webshare.exchange import streams
from mock_webshare.service.data import dataset, fields
from tests.capabilities import needs_pipes

CREDIT: dict[str, Any] = {
    "id": 1,
    "user_id": 2,
    "mode": "payout",
    "amount": 2.5,
    "status": "reverted",
    "referral_channel": 7,
    "referral_channel_code": "SPRING10",
    "created_at": "2022-06-14T11:58:10.246406-07:00",
    "updated_at": "2022-06-14T11:58:10.246406-07:00",
    "reverted_at": "2022-06-14T11:58:10.246406-07:00",
}
CHANNEL = {"id": 7, "code": "SPRING10"}


def document(**changes: Any) -> dict[str, Any]:
    return {"credits": [CREDIT | changes], "channels": [CHANNEL]}


def parse(document: Any) -> dataset.Dataset:
    return dataset.parse(json.dumps(document).encode(), source="set.json")


def exchange(number: int) -> str:
    return json.dumps({"method": "GET", "request": {"url": "http://a/"}, "status": 200, "entry": number})


RECORDINGS = {
    "rec.ndjson": f"{exchange(1)}\n{exchange(2)}\n",
    "rec.har": json.dumps({"log": {"entries": []}}),
    "rec.json": json.dumps({"count": 0, "next": None, "previous": None, "results": []}),
    "body.json": json.dumps(CREDIT),
    "cassette.yaml": "interactions:\n- request: {}\n",
    "nothing it says": json.dumps({"interactions": []}),
    "rec.zip": "PK\x03\x04\x00\x00",
}


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_recording_is_refused_with_the_command_that_makes_a_data_set(
    tmp_path: Path, name: str, packed: bool
) -> None:
    path = tmp_path / (f"{name}.gz" if packed else name)
    content = RECORDINGS[name].encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DataError) as refusal:
        dataset.load(path)
    assert refusal.value.problem == (
        f"is a recording; mock-webshare generate --data {shlex.quote(str(path))} -o mine.json "
        "makes a data set of it"
    )


def test_a_folder_is_refused_with_the_command_that_makes_a_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is a folder; mock-webshare generate --data .* makes a data set"):
        dataset.load(tmp_path)


def test_a_data_set_with_an_error_is_not_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps(document(status="pendin")), encoding="utf-8")
    with pytest.raises(DataError, match='"pendin" is not allowed'):
        dataset.load(path)


def test_a_data_set_may_be_packed(tmp_path: Path) -> None:
    path = tmp_path / "set.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document()).encode()))
    assert not dataset.is_recording(str(path))
    assert dataset.load(path).wire()["credits"] == [CREDIT]


DEVICES = [each for each in (os.devnull, "/dev/zero", "/dev/full") if Path(each).is_char_device()]


@pytest.mark.parametrize("content", [b"", b"{}", b"\x1f\x8bnonsense", gzip.compress(b"[" * 100_000, mtime=0)])
def test_what_shows_no_sign_of_a_recording_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "set.json.gz"
    path.write_bytes(content)
    assert not dataset.is_recording(str(path))
    assert not dataset.is_recording(f"{path}.missing.har")
    assert not any(map(dataset.is_recording, DEVICES))


@pytest.mark.parametrize("name", ["a.ndjson", "a.har.gz"])
def test_a_name_shows_a_recording_whatever_is_in_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8bnonsense")
    assert dataset.is_recording(str(tmp_path / name))


@pytest.mark.parametrize(
    "content",
    [b" " * 1001, gzip.compress(b" " * 10**6), gzip.compress(b" " * 600) * 2],
    ids=["plain", "gzip", "members of gzip"],
)
def test_a_data_set_that_is_too_large_is_refused(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "LARGEST", 1000)
    path = tmp_path / "set.json.gz"
    path.write_bytes(content)
    with pytest.raises(UnreadableInput, match="unpacked, it has more than"):
        dataset.load(path)


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_is_not_a_data_set(device: str) -> None:
    with pytest.raises(UnreadableInput, match="it is a device, not a file"):
        dataset.load(device)


@needs_pipes
def test_a_pipe_that_sends_nothing_is_not_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableInput, match=r"a pipe that sent nothing for 0\.1 seconds"):
        dataset.load(tmp_path / "pipe")


def test_a_data_set_that_is_compressed_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "set.json.gz").write_bytes(gzip.compress(gzip.compress(b"{}")))
    with pytest.raises(UnreadableInput, match="it is compressed twice; decompress it once"):
        dataset.load(tmp_path / "set.json.gz")


@pytest.mark.parametrize("element", [b"[],", b"{},", b"1,"])
def test_a_data_set_of_too_many_values_is_not_parsed(element: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "MOST_OBJECTS", 100)
    monkeypatch.setattr(fields, "MOST_VALUES", 100)
    monkeypatch.setattr(json, "loads", None)
    with pytest.raises(DataError, match="has more than 100 objects or 100 values"):
        dataset.parse(b"[" + element * 101 + b"1]", source="set.json")


@needs_pipes
def test_a_data_set_may_come_through_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(json.dumps(document()).encode()))
    writer.start()
    assert dataset.load(pipe).wire()["credits"] == [CREDIT]
    writer.join()


@pytest.mark.parametrize("content", [b"\x1f\x8bnonsense", gzip.compress(b"{}", mtime=0)[:-6]])
def test_a_broken_gzip_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "set.json.gz"
    path.write_bytes(content)
    with pytest.raises(UnreadableInput, match=r"cannot read '.*set\.json\.gz': "):
        dataset.load(path)


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"set\.json#: is empty, not JSON$"):
        dataset.load(path)


@pytest.mark.parametrize("name", dataset.names())
def test_our_data_sets_are_written_as_they_are_read(name: str) -> None:
    loaded, stream = dataset.load(name), io.StringIO()
    dataset.write(loaded, stream)
    text = (data_path("fixtures") / f"{name}.json").read_text(encoding="utf-8")
    assert dataset.parse(stream.getvalue().encode(), source="written").wire() == loaded.wire()
    assert (stream.getvalue() == text) == ('"format"' in text)


@pytest.mark.parametrize("name", dataset.names())
def test_our_data_sets_keep_the_schema(name: str) -> None:
    validator = SERVICE_SCHEMAS.validator("referral-credit")
    for credit in dataset.load(name).wire()["credits"]:
        validator.validate(credit)


def test_the_edge_cases_hold_every_combination() -> None:
    credits = dataset.load("edge-cases").rows["credits"]
    combinations = {(credit.status, credit.mode, credit.referral_channel is None) for credit in credits}
    assert len(combinations) == len(STATUSES) * len(MODES) * 2


def test_rows_are_sorted_by_id() -> None:
    rows = [CREDIT | {"id": number} for number in (3, 1, 2)]
    loaded = parse({"credits": rows, "channels": [CHANNEL]})
    assert [credit.id for credit in loaded.rows["credits"]] == [1, 2, 3]


def test_a_whole_amount_is_served_as_a_float() -> None:
    assert json.dumps(parse(document(amount=3)).wire()["credits"][0]["amount"]) == "3.0"


REFUSED: list[tuple[Any, str, str]] = [
    ([], "", "an object with the keys credits, channels"),
    ({"credits": []}, "", "lacks 'channels'"),
    ({"credits": [], "channels": [], "payments": []}, "", "unknown key 'payments'"),
    ({"format": 3, "credits": [], "channels": []}, "/format", "allowed: 2"),
    ({"format": 2, "credits": [], "channels": []}, "", "lacks 'config'"),
    ({"credits": {}, "channels": []}, "/credits", "a list"),
    ({"credits": [1], "channels": []}, "/credits/0", "1 is not allowed"),
    (document(id=True), "/credits/0/id", "a whole number"),
    (document(id=0), "/credits/0/id", "from 1 to"),
    (document(user_id="2"), "/credits/0/user_id", '"2" is not allowed'),
    (document(mode="credit"), "/credits/0/mode", "allowed: payout, credits"),
    (document(mode=["payout"]), "/credits/0/mode", "allowed: payout, credits"),
    (document(amount="2.50"), "/credits/0/amount", '"2.50" is not allowed; allowed: a number'),
    (document(amount=True), "/credits/0/amount", "a number"),
    (document(amount=10**350), "/credits/0/amount", "a number"),
    (document(status="pendin"), "/credits/0/status", "allowed: pending, available, reverted"),
    (document(created_at="2022-06-14"), "/credits/0/created_at", "with an offset"),
    (document(created_at=None), "/credits/0/created_at", "null is not allowed"),
    (document(reverted_at=None), "/credits/0/reverted_at", "exactly when status is not reverted"),
    (document(status="pending"), "/credits/0/reverted_at", "exactly when status is not reverted"),
    (document(referral_channel=8), "/credits/0/referral_channel", "an id of /channels"),
    (
        document(referral_channel_code="OTHER"),
        "/credits/0/referral_channel_code",
        'the code of that channel, "SPRING10"',
    ),
    (document(referral_channel=None), "/credits/0/referral_channel_code", "null, as there is no channel"),
    (document(amout=1), "/credits/0", "unknown key 'amout'"),
    ({"credits": [CREDIT, CREDIT], "channels": [CHANNEL]}, "/credits/1/id", "that no other row has"),
    ({"credits": [], "channels": [{"id": 7, "code": ""}]}, "/channels/0/code", "not empty"),
    ({"credits": [], "channels": [{"id": 7, "code": "\ud800"}]}, "/channels/0/code", "Unicode"),
    (document(created_at="9999-12-31T23:59:59-12:00"), "/credits/0/created_at", "to 9998"),
    (document(mode="x" * 1000), "/credits/0/mode", "…"),
]


@pytest.mark.parametrize(("document", "pointer", "problem"), REFUSED)
def test_a_malformed_data_set_is_refused_with_the_place(document: Any, pointer: str, problem: str) -> None:
    with pytest.raises(DataError) as refusal:
        parse(document)
    assert str(refusal.value).startswith(f"set.json#{pointer}: ")
    assert problem in refusal.value.problem
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\xfa",
        b'{"credits": [], "credits": [], "channels": []}',
        b'{"credits": NaN, "channels": []}',
        b"[" * 100_000,
        b'{"credits": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_not_json_is_refused(content: bytes) -> None:
    with pytest.raises(DataError):
        dataset.parse(content, source="set.json")


CHANGES: list[Callable[[dict[str, Any]], object]] = [
    lambda row: row,
    *(lambda row, name=name: row.update({name: None}) for name in CREDIT),
    *(lambda row, name=name: row.update({name: "x"}) for name in CREDIT if name != "referral_channel_code"),
    *(lambda row, name=name: row.pop(name) for name in CREDIT),
    *(lambda row, status=status: row.update(status=status) for status in STATUSES),
    lambda row: row.update(referral_channel=None, referral_channel_code=None),
    lambda row: row.update(amount=-1),
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_reader_and_the_schema_agree_on_what_a_credit_is(
    change: Callable[[dict[str, Any]], object],
) -> None:
    row = dict(CREDIT)
    change(row)
    try:
        parse({"credits": [row], "channels": [CHANNEL]})
        is_read = True
    except DataError:
        is_read = False
    assert is_read == SERVICE_SCHEMAS.validator("referral-credit").is_valid(row)


def test_a_name_that_does_not_exist_lists_the_names() -> None:
    with pytest.raises(UnknownName, match="default, edge-cases"):
        dataset.load("edge-case")


@pytest.mark.parametrize("name", ["missing.json", "folder/missing"])
def test_a_file_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(UnreadableInput, match=name):
        dataset.load(name)
