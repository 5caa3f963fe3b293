"""Settings of the command line: recordings as data, and in what state worlds begin."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_webshare import MockServer, Settings, cli, create_app
from mock_webshare.cli.settings import SERVE_OPTIONS, recorded_dataset, settings_of
from mock_webshare.errors import DataError, UnreadableInput, UsageError
from mock_webshare.exchange.model import Exchange
from mock_webshare.service.data import dataset
from tests.cli import Run
from tests.paths import RECORDED, ROOT
from tests.waiting import PATIENCE

SAMPLES = ROOT / "fixtures" / "recordings"
STREAMS = cli.Streams(io.BytesIO(), io.StringIO(), io.StringIO())


@pytest.mark.parametrize(
    ("path", "count"),
    [
        (RECORDED / "chromium.har", 17),
        (RECORDED / "curl-pages.ndjson", 15),
        (SAMPLES / "credit-page.json", 3),
        (SAMPLES / "credit.json", 1),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_credits_of_a_recording_are_served(path: Path, count: int) -> None:
    replayed = recorded_dataset(str(path), io.StringIO())
    assert replayed is not None and len(replayed.rows["credits"]) == count
    with MockServer(Settings(port=0), dataset=replayed) as server:
        assert len(server.world("any").credits()) == count


def test_a_journal_is_served_unchanged(tmp_path: Path) -> None:
    import urllib.request

    with MockServer() as server:
        world = server.world("any")
        request = urllib.request.Request(
            f"{server.url}/api/v2/referral/credit/?page_size=100", headers={"Authorization": "Token any"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE):
            pass
        path = tmp_path / "journal.ndjson"
        path.write_text(world.ndjson(), encoding="utf-8")
        replayed = recorded_dataset(str(path), io.StringIO())
        assert replayed is not None
        assert [credit.wire() for credit in replayed.rows["credits"]] == world.credits()


def test_python_and_the_control_plane_refuse_a_recording_and_name_generate() -> None:
    path = RECORDED / "curl-pages.ndjson"
    said = r"curl-pages\.ndjson#: is a recording; mock-webshare generate --data .* -o mine\.json makes"
    with pytest.raises(DataError, match=said):
        create_app(Settings(data=path))
    with pytest.raises(DataError, match=said), MockServer(Settings(port=0, data=path)):
        pass
    with MockServer() as server, pytest.raises(DataError, match=said):
        server.world("any").begin(data=path)


def test_a_data_set_made_from_a_recording_is_accepted_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    assert generate(RECORDED / "curl-pages.ndjson", path).code == 0
    create_app(Settings(data=path))
    with MockServer(Settings(port=0, data=path)) as server:
        world = server.world("any")
        assert len(world.credits()) == 15
        world.begin(credits=1)
        world.begin(data=path)
        assert len(world.credits()) == 15


def test_a_compressed_data_set_is_not_a_recording(tmp_path: Path) -> None:
    path, made = tmp_path / "set.json.gz", tmp_path / "set.json"
    path.write_bytes(gzip.compress(json.dumps({"credits": [], "channels": []}).encode()))
    assert generate(path, made).code == 0
    assert dataset.load(made).rows["credits"] == []


def generate(data: Path, output: Path) -> Run:
    return Run("generate", "--data", str(data), "-o", str(output))


def test_a_data_set_is_not_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"credits": [], "channels": []}), encoding="utf-8")
    for data in ("edge-cases", str(path), str(tmp_path / "missing.har")):
        assert recorded_dataset(data, io.StringIO()) is None


def test_credits_that_are_left_out_are_reported() -> None:
    stderr = io.StringIO()
    assert recorded_dataset(str(SAMPLES), stderr)
    assert ": 1 credit is left out: not what the documentation says a credit is\n" in stderr.getvalue()


def test_malformed_records_are_counted_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    lines = (RECORDED / "curl-pages.ndjson").read_text(encoding="utf-8")
    path.write_text(f'{lines}{{"request":\n{{"response":1,"request":2}}\n', encoding="utf-8")
    stderr = io.StringIO()
    dataset = recorded_dataset(str(path), stderr)
    assert dataset is not None and len(dataset.rows["credits"]) == 15
    assert stderr.getvalue() == f"mock-webshare: {str(path)!r}: 2 records are left out: malformed\n"


def test_records_are_read_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, most = 0, 0

    class Body(bytes):
        """A body that notes when it is deleted."""

        def __del__(self) -> None:
            nonlocal held
            held -= 1

    def read(*arguments: object) -> Iterator[Exchange]:
        nonlocal held, most
        for _ in range(50):
            held += 1
            most = max(most, held)
            yield Exchange(source="a", status=200, body=Body(b"{}"))

    path = tmp_path / "a.ndjson"
    path.touch()
    monkeypatch.setattr("mock_webshare.recordings.read", read)
    with pytest.raises(UnreadableInput, match="no response in it has a credit"):
        recorded_dataset(str(path), io.StringIO())
    assert most < 5


def test_a_recording_without_a_credit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.ndjson"
    path.write_text("", encoding="utf-8")
    with pytest.raises(UnreadableInput, match="no response in it has a credit"):
        recorded_dataset(str(path), io.StringIO())


@pytest.mark.parametrize(("number", "says"), [(1, "1 credit is left out"), (3, "3 credits are left out")])
def test_a_recording_of_broken_credits_alone_says_how_many(number: int, says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    broken = json.loads((SAMPLES / "broken-credit.json").read_text(encoding="utf-8"))
    path.write_text(f"{json.dumps(broken)}\n" * number, encoding="utf-8")
    with pytest.raises(UnreadableInput) as raised:
        recorded_dataset(str(path), io.StringIO())
    assert str(raised.value) == (
        f"cannot serve {str(path)!r}: no credit in it can be served; {says}: "
        "not what the documentation says a credit is (mock-webshare validate shows details)"
    )


def test_a_recording_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.har.gz"
    path.write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(UnreadableInput, match=r"broken\.har\.gz"):
        recorded_dataset(str(path), io.StringIO())


TWO = ['{"status": 503}', '{"status": 500}']


@pytest.mark.parametrize(
    ("argv", "environ", "faults", "scenario"),
    [
        (["--fault", '{"status": 503}'], {}, ['{"status": 503}'], None),
        (["--fault", '{"status": 503}', "--fault", '{"status":500}'], {}, TWO, None),
        ([], {"FAULT": '{"status":503, "detail":"a  b"}'}, ['{"status": 503, "detail": "a  b"}'], None),
        ([], {"FAULT": '[{"status": 503}, {"status": 500}]'}, TWO, None),
        (["--fault", '{"status": 503}'], {"FAULT": "wrong"}, ['{"status": 503}'], None),
        ([], {"SCENARIO": "flaky"}, [], "flaky"),
        (["--scenario", "down"], {"SCENARIO": "flaky"}, [], "down"),
    ],
)
def test_faults_and_scenario_are_read(
    argv: list[str], environ: dict[str, str], faults: list[str], scenario: str | None
) -> None:
    options = cli._parse(STREAMS, ["serve", *argv])
    variables = {f"MOCK_WEBSHARE_{name}": value for name, value in environ.items()}
    found = settings_of(options, variables, SERVE_OPTIONS)
    assert (list(found.faults), found.scenario) == (faults, scenario)


@pytest.mark.parametrize(
    ("argv", "environ", "message"),
    [
        (["--scenario", "empty", "--credits", "5"], {}, "--credits cannot go with a scenario that has data"),
        (["--scenario", "edge-cases"], {"SEED": "5"}, "MOCK_WEBSHARE_SEED cannot go with a scenario"),
        (["--scenario", "empty", "--data", "default"], {}, "--data cannot go with a scenario that has data"),
        (["--scenario", "flakey"], {}, "scenario 'flakey' is not allowed"),
        ([], {"SCENARIO": "flakey"}, "MOCK_WEBSHARE_SCENARIO: scenario 'flakey' is not allowed"),
        (["--fault", "503"], {}, "an object with one action"),
        ([], {"FAULT": "{"}, "MOCK_WEBSHARE_FAULT: fault '{' is not allowed; allowed: a fault as JSON"),
    ],
)
def test_wrong_faults_and_scenarios_are_refused(
    argv: list[str], environ: dict[str, str], message: str
) -> None:
    options = cli._parse(STREAMS, ["serve", *argv])
    variables = {f"MOCK_WEBSHARE_{name}": value for name, value in environ.items()}
    with pytest.raises(UsageError) as refusal:
        settings_of(options, variables, SERVE_OPTIONS)
    assert message in str(refusal.value)
