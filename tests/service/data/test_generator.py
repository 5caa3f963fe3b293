from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from mock_webshare.contract.endpoints import PENDING_DAYS
from mock_webshare.contract.timestamps import DAY
from mock_webshare.service.data import dataset, generator
from mock_webshare.service.data.dataset import SEEDED_NOW, Dataset

DIGEST = "0e81420c40a4e15f2b67b3af96a1680e100116209029b42c8ed1aaaa99a9f971"
"""SHA-256 of the default data set as written.

If it changes, what users have recorded breaks: that takes a new minor version, an entry in the change
log, and `mock-webshare generate -o fixtures/default.json`.
"""


def written(generated: Dataset) -> str:
    stream = io.StringIO()
    dataset.write(generated, stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def thousand() -> Dataset:
    return generator.generate(0, 1000)


def test_the_default_data_set_is_the_one_that_users_know() -> None:
    text = written(generator.generate(0, 100))
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST
    assert text == written(dataset.load("default"))


@pytest.mark.parametrize("credits", [0, 1, 99, 100, 101, 10_000])
def test_what_is_served_is_what_is_generated(credits: int) -> None:
    assert written(generator.seeded(0, credits)) == written(generator.generate(0, credits))


def test_the_first_credits_do_not_change_when_more_are_generated(thousand: Dataset) -> None:
    assert generator.generate(0, 100).rows["credits"] == thousand.rows["credits"][:100]
    assert generator.generate(0, 100).rows["channels"] == thousand.rows["channels"]


def test_another_seed_is_another_account(thousand: Dataset) -> None:
    assert generator.generate(1, 1000).rows["credits"] != thousand.rows["credits"]


@pytest.mark.parametrize(("hash_seed", "zone"), [("1", "UTC"), ("2", "Asia/Kolkata")])
def test_neither_hashing_nor_the_time_zone_matters(hash_seed: str, zone: str) -> None:
    command = [sys.executable, "-m", "mock_webshare", "generate", "--seed", "0", "--credits", "101"]
    environ = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": zone}
    process = subprocess.run(command, env=environ, capture_output=True, check=True)
    assert process.stdout.decode() == written(generator.generate(0, 101))


def test_ids_and_creation_rise_together(thousand: Dataset) -> None:
    for earlier, later in pairwise(thousand.rows["credits"]):
        assert earlier.id < later.id
        assert earlier.created_at <= later.created_at


def test_updates_and_reversals_come_after_creation_and_before_now(thousand: Dataset) -> None:
    for credit in thousand.rows["credits"]:
        assert credit.created_at <= (credit.reverted_at or credit.created_at) <= credit.updated_at
        assert credit.updated_at <= SEEDED_NOW


def test_a_credit_is_pending_exactly_while_its_period_runs(thousand: Dataset) -> None:
    period = PENDING_DAYS * DAY
    for credit in thousand.rows["credits"]:
        if credit.status != "reverted":
            assert (credit.status == "pending") == (credit.created_at + period > SEEDED_NOW)
        if credit.status == "available":
            assert credit.updated_at >= credit.created_at + period


def test_a_user_spends_more_than_once_and_keeps_the_channel(thousand: Dataset) -> None:
    by_user: dict[int, set[int | None]] = {}
    for credit in thousand.rows["credits"]:
        by_user.setdefault(credit.user_id, set()).add(credit.referral_channel)
    assert len(by_user) < 800
    assert all(len(channels) == 1 for channels in by_user.values())


def test_codes_belong_to_channels(thousand: Dataset) -> None:
    codes = {channel.id: channel.code for channel in thousand.rows["channels"]}
    assert len(set(codes.values())) == len(codes) == 5
    for credit in thousand.rows["credits"]:
        assert credit.referral_channel_code == codes.get(credit.referral_channel or 0)


def test_the_default_data_set_has_all_that_a_list_can_show() -> None:
    default = generator.seeded(0, 100)
    kinds = {
        (credit.status, credit.mode, credit.referral_channel is None) for credit in default.rows["credits"]
    }
    amounts = Counter(credit.amount for credit in default.rows["credits"])
    created = Counter(credit.created_at for credit in default.rows["credits"])
    offsets = {credit["created_at"][-6:] for credit in default.wire()["credits"]}
    assert len(kinds) == 10  # all but the pending ones of the mode before the last change
    assert max(amounts.values()) > 1
    assert max(created.values()) == 1
    assert offsets == {"-07:00", "-08:00"}


def test_amounts_are_whole_cents(thousand: Dataset) -> None:
    assert all(len(json.dumps(credit.amount).partition(".")[2]) <= 2 for credit in thousand.rows["credits"])
    assert all(credit.amount > 0 for credit in thousand.rows["credits"])


def test_a_million_credits_fit_before_now() -> None:
    last = generator._created_at(999_999.95)
    assert last + 61 < SEEDED_NOW
    assert generator._created_at(999_999) - generator._created_at(999_998) > 1000
    assert SEEDED_NOW - generator._created_at(0) == 600 * DAY


def test_progress_is_reported_up_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    generator.generate(0, 20_001, lambda done, total: seen.append((done, total)))
    assert seen == [(10_000, 20_001), (20_000, 20_001), (20_001, 20_001)]
