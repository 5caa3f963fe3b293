from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_webshare import contract, dataset
from mock_webshare.errors import DataError, UnknownName, UnreadableInput

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


@pytest.mark.parametrize("name", dataset.names())
def test_our_data_sets_are_written_as_they_are_read(name: str) -> None:
    loaded, stream = dataset.load(name), io.StringIO()
    dataset.write(loaded, stream)
    assert stream.getvalue() == (contract.data_path("fixtures") / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", dataset.names())
def test_our_data_sets_keep_the_schema(name: str) -> None:
    validator = contract.validator("referral-credit")
    for credit in dataset.load(name).wire()["credits"]:
        validator.validate(credit)


def test_the_edge_cases_hold_every_combination() -> None:
    credits = dataset.load("edge-cases").credits
    combinations = {(credit.status, credit.mode, credit.referral_channel is None) for credit in credits}
    assert len(combinations) == len(contract.STATUSES) * len(contract.MODES) * 2


def test_rows_are_sorted_by_id() -> None:
    rows = [CREDIT | {"id": number} for number in (3, 1, 2)]
    loaded = parse({"credits": rows, "channels": [CHANNEL]})
    assert [credit.id for credit in loaded.credits] == [1, 2, 3]


def test_a_whole_amount_is_served_as_a_float() -> None:
    assert json.dumps(parse(document(amount=3)).wire()["credits"][0]["amount"]) == "3.0"


REFUSED: list[tuple[Any, str, str]] = [
    ([], "", "an object with the keys credits, channels"),
    ({"credits": []}, "", "lacks 'channels'"),
    ({"credits": [], "channels": [], "earnouts": []}, "", "unknown key 'earnouts'"),
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
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(DataError):
        dataset.parse(content, source="set.json")


CHANGES: list[Callable[[dict[str, Any]], object]] = [
    lambda row: row,
    *(lambda row, name=name: row.update({name: None}) for name in CREDIT),
    *(lambda row, name=name: row.update({name: "x"}) for name in CREDIT if name != "referral_channel_code"),
    *(lambda row, name=name: row.pop(name) for name in CREDIT),
    *(lambda row, status=status: row.update(status=status) for status in contract.STATUSES),
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
    assert is_read == contract.validator("referral-credit").is_valid(row)


def test_a_name_that_does_not_exist_lists_the_names() -> None:
    with pytest.raises(UnknownName, match="default, edge-cases"):
        dataset.load("edge-case")


@pytest.mark.parametrize("name", ["missing.json", "folder/missing"])
def test_a_file_that_does_not_exist_is_named(name: str) -> None:
    with pytest.raises(UnreadableInput, match=name):
        dataset.load(name)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="directory"):
        dataset.load(str(tmp_path))
