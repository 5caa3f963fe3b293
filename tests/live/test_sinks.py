"""Sinks: recordings that are whole after every step, and existing files that are kept."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mock_webshare.errors import UnwritableOutput, UsageError
from mock_webshare.exchange.model import Exchange
from mock_webshare.live.sinks import Sink, deferred_sink, open_sink
from tests.capabilities import needs_devices, needs_links
from tests.recordings import read_exchanges

FORMS = ("a.ndjson", "a.jsonl", "A.HAR", "folder")


def exchange(number: int, size: int = 10) -> Exchange:
    url = f"https://proxy.webshare.io/{number}"
    return Exchange(
        source="-", method="GET", url=url, request_headers=(), status=200, headers=(), body=b"x" * size
    )


def urls(path: Path) -> list[int]:
    return [int(str(each.url).rpartition("/")[2]) for each in read_exchanges(path)]


def add_all(sink: Sink, path: Path, before: Sequence[int], numbers: Iterable[int]) -> None:
    """Add exchanges one by one, to a recording that is whole each time."""
    for number in numbers:
        sink.add(exchange(number))
        before = [*before, number]
        assert urls(path) == before


@contextmanager
def limited_files() -> Iterator[None]:
    """Let no file grow beyond 20,000 bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("form", FORMS)
def test_a_recording_is_whole_after_each_exchange(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    sink = open_sink(str(path))
    for number in range(7):
        assert urls(path) == list(range(number)) if form != "folder" else True
        sink.add(exchange(number, size=10 + 3000 * number))
        assert urls(path) == list(range(number + 1))
    sink.close()
    assert [each for each in tmp_path.iterdir() if each != path] == []


@pytest.mark.parametrize("form", FORMS)
def test_only_the_user_can_read_the_files(form: str, tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / form))
    sink.add(exchange(1))
    sink.add(exchange(2))
    files = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    sink.close()


@pytest.mark.parametrize("form", ["a.ndjson", "a.har"])
def test_only_the_user_can_read_a_file_that_is_appended_to(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    open_sink(str(path)).close()
    path.chmod(0o644)
    sink = open_sink(str(path), is_appended=True)
    for number in range(3):
        sink.add(exchange(number))
        assert {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()} == {0o600}
    sink.close()


def test_others_can_never_read_a_copy_of_a_har(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    real = shutil.copyfileobj

    def watched(source: Any, target: Any) -> None:
        modes.append(stat.S_IMODE(os.fstat(target.fileno()).st_mode))
        real(source, target)

    monkeypatch.setattr(shutil, "copyfileobj", watched)
    monkeypatch.setattr(shutil, "copyfile", None)
    open_sink(str(tmp_path / "a.har")).close()
    assert modes == [0o600]


@needs_links
def test_a_symbolic_link_in_place_of_the_twin_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("mine", encoding="utf-8")
    (tmp_path / ".a.har.twin").symlink_to(tmp_path / "other")
    open_sink(str(tmp_path / "a.har")).close()
    assert (tmp_path / "other").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("form", FORMS)
def test_a_deferred_sink_is_created_with_its_first_exchange(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    deferred_sink(str(path)).close()
    assert list(tmp_path.iterdir()) == []
    sink = deferred_sink(str(path))
    add_all(sink, path, [], range(3))
    sink.close()
    with pytest.raises(UsageError, match="already exists; choose another name"):
        deferred_sink(str(path))


def test_a_deferred_sink_names_the_path_that_cannot_be_written(tmp_path: Path) -> None:
    sink = deferred_sink(str(tmp_path / "no" / "a.ndjson"))
    with pytest.raises(UnwritableOutput, match=r"cannot write '.*no/a\.ndjson'"):
        sink.add(exchange(1))


@pytest.mark.parametrize("form", FORMS)
def test_an_existing_recording_is_never_overwritten(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    sink = open_sink(str(path))
    sink.add(exchange(1))
    sink.close()
    with pytest.raises(UsageError, match="already exists; add to it with --append"):
        open_sink(str(path))
    assert urls(path) == [1]


@pytest.mark.parametrize("form", FORMS)
def test_appending_continues_the_recording(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    for number in range(3):
        sink = open_sink(str(path), is_appended=True)
        sink.add(exchange(2 * number))
        sink.add(exchange(2 * number + 1))
        sink.close()
    assert urls(path) == list(range(6))


@needs_links
@pytest.mark.parametrize("form", FORMS)
def test_a_dangling_link_exists(form: str, tmp_path: Path) -> None:
    (tmp_path / form).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="already exists"):
        open_sink(str(tmp_path / form))


def test_an_empty_folder_is_accepted(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path))
    sink.add(exchange(1))
    assert [each.name for each in tmp_path.iterdir()] == ["000001.json"]


def test_an_incomplete_last_line_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text('{"request":', encoding="utf-8")
    sink = open_sink(str(path), is_appended=True)
    sink.add(exchange(1))
    first, second = path.read_text(encoding="utf-8").splitlines()
    assert first == '{"request":' and json.loads(second)["request"]["method"] == "GET"


@pytest.mark.parametrize("content", ["{}", '{"log":{"version":"1.2","entries":[\n]}}\n', "x" * 500])
def test_a_har_of_another_program_is_not_appended_to(content: str, tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="is not a recording of ours"):
        open_sink(str(path), is_appended=True)
    assert path.read_text(encoding="utf-8") == content


def test_a_file_system_without_hard_links_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "a.har"
    sink = open_sink(str(path))
    add_all(sink, path, [], range(5))
    sink.close()
    assert [each.name for each in tmp_path.iterdir()] == ["a.har"]


FILES = ("a.ndjson", "a.har")


@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("failing", ["rename", "link"])
def test_a_file_is_whole_at_each_step_of_its_writing(
    failing: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill can happen before any step: the file is whole, with the new exchange or without."""
    path = tmp_path / form
    sink = open_sink(str(path))
    sink.add(exchange(0))
    seen = []
    real = getattr(os, failing)

    def watched(*names: Any) -> None:
        seen.append(urls(path))
        real(*names)
        seen.append(urls(path))

    monkeypatch.setattr(os, failing, watched)
    sink.add(exchange(1, size=100_000))
    assert seen and all(each in ([0], [0, 1]) for each in seen)


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupted_write_leaves_a_whole_recording(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    sink = open_sink(str(path))
    sink.add(exchange(0))
    with limited_files(), pytest.raises(UnwritableOutput, match="File too large"):
        sink.add(exchange(1, size=100_000))
    assert urls(path) == [0]


@needs_links
@pytest.mark.parametrize("form", FILES)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_symbolic_link_stays_and_its_target_is_appended_to(
    is_there: bool, form: str, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / form, tmp_path / form
    if is_there:
        open_sink(str(real)).close()
    link.symlink_to(real)
    sink = open_sink(str(link), is_appended=True)
    add_all(sink, real, [], range(3))
    sink.close()
    assert link.readlink() == real
    assert [*tmp_path.rglob("*.*")] == [link, real]


@pytest.mark.parametrize("form", FILES)
def test_the_later_of_two_sinks_on_one_file_continues(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    first = open_sink(str(path))
    first.add(exchange(0))
    second = open_sink(str(path), is_appended=True)
    second.add(exchange(1))
    with pytest.raises(UnwritableOutput, match="another recorder writes it"):
        first.add(exchange(2))
    first.close()
    second.add(exchange(3))
    second.close()
    assert urls(path) == [0, 1, 3]


@needs_devices
@needs_links
@pytest.mark.parametrize("form", FILES)
def test_a_device_is_not_recorded_to(form: str, tmp_path: Path) -> None:
    (tmp_path / form).symlink_to("/dev/null")
    with pytest.raises(UsageError, match="is not a file"):
        open_sink(str(tmp_path / form), is_appended=True)


@pytest.mark.parametrize("form", FILES)
def test_leftovers_of_a_kill_are_hidden_and_removed_by_the_next_recording(form: str, tmp_path: Path) -> None:
    open_sink(str(tmp_path / form)).add(exchange(0))
    (tmp_path / f".{form}.spare").write_text("left", encoding="utf-8")
    assert urls(tmp_path) == [0]
    open_sink(str(tmp_path / form), is_appended=True).close()
    assert [each.name for each in tmp_path.iterdir()] == [form]


@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a.txt"])
def test_another_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"allowed: FILE.ndjson, FILE.har, or a folder"):
        open_sink(str(tmp_path / name))


@pytest.mark.parametrize("form", FORMS)
def test_an_unwritable_path_is_named(form: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableOutput, match="cannot write"):
        open_sink(str(tmp_path / "file" / form))


@pytest.mark.parametrize("form", FORMS)
def test_recording_continues_after_a_write_that_failed(form: str, tmp_path: Path) -> None:
    """A disk too full for a long exchange may have room for a short one."""
    path = tmp_path / form
    sink = open_sink(str(path))
    with limited_files():
        sink.add(exchange(0))
        with pytest.raises(UnwritableOutput, match="File too large"):
            sink.add(exchange(1, size=100_000))
        add_all(sink, path, [0], range(2, 4))
