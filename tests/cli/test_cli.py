from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from mock_webshare import Settings, __version__, cli
from mock_webshare.cli import serve, settings, validate
from mock_webshare.cli.files import progress_bar
from mock_webshare.cli.options import Option, Parser, setting_name, variable_of
from mock_webshare.contract.endpoints import PAGES, PENDING_DAYS
from mock_webshare.contract.schemas import SERVICE_SCHEMAS, Schemas, data_path
from mock_webshare.judge.model.options import Options
from mock_webshare.service.data import dataset, generator
from tests.capabilities import needs_fork, needs_links, needs_pipes, needs_shell
from tests.cli import Run, Stream
from tests.sampling import sampled, sampled_rows

COMMAND = [sys.executable, "-m", "mock_webshare"]
STREAMS = cli.Streams(io.BytesIO(), io.StringIO(), io.StringIO())


def test_the_help_lists_every_command_on_one_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    run = Run("--help")
    assert (run.code, run.err) == (0, "")
    assert [name for name in cli.COMMANDS if f"\n    {name} " not in run.out] == []
    lines = run.out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80


@pytest.mark.parametrize("columns", [None, "", "0", "-1", "x", "40", "200"])
def test_the_help_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: str | None) -> None:
    if columns is None:
        monkeypatch.delenv("COLUMNS", raising=False)
    else:
        monkeypatch.setenv("COLUMNS", columns)
    usual = argparse.ArgumentParser("mock-webshare", epilog="word " * 100)
    ours = Parser(prog="mock-webshare", epilog="word " * 100, streams=STREAMS)
    assert ours.format_help() == usual.format_help()


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_a_help(command: str) -> None:
    run = Run(command, "--help")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith(f"usage: mock-webshare {command} ")


def test_the_version() -> None:
    assert Run("--version").out == f"mock-webshare {__version__}\n"


def test_an_import_without_certificates_leaves_the_environment_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for usual in ("mine.pem", None):
        if usual is None:
            monkeypatch.delenv("SSL_CERT_FILE")
        else:
            monkeypatch.setenv("SSL_CERT_FILE", usual)
        with suppress(ImportError), serve.without_certificates():
            assert os.environ["SSL_CERT_FILE"] == os.devnull
            raise ImportError
        assert os.environ.get("SSL_CERT_FILE") == usual


WRONG_ARGUMENTS: list[tuple[tuple[str, ...], str]] = [
    ((), "no command is given; mock-webshare --help lists them"),
    (("serv",), f"there are: {', '.join(cli.COMMANDS)}; did you mean serve?"),
    (("serve", "--prot", "1"), "unknown option '--prot'; did you mean --port?"),
    (("serve", "--nothing-like-it"), "unknown option '--nothing-like-it'\n"),
    (("serve", "--bo\ngus"), r"unknown option '--bo\ngus'"),
    (("serve", "--host", "a\nb"), r"host 'a\nb' is not allowed"),
    (("rules", "--format", "json"), "unknown option '--format'\n"),
    (("validate", "--jbos", "2", "x"), "did you mean --jobs?"),
    (("serve", "here"), "1 argument too many"),
    (("serve", "here", "there"), "2 arguments too many"),
    (("serve", "--default-ordering", "-id"), "written as --option=value"),
    (("serve", "--port", "x"), "--port 'x' is not allowed; allowed: a whole number"),
    (("serve", "--port", "70000"), "port 70000 is not allowed; allowed: 0 (a free one) to 65535"),
    (("serve", "--credits", "1e3"), "--credits '1e3'"),
    (("serve", "--rate-limit", "fast"), "like 240/min"),
    (("serve", "--now", "tomorrow"), "like 2022-06-14T11:58:10.246406-07:00"),
    (("serve", "--data", "nothing"), "there are: default, edge-cases"),
    (("serve", "--data", "nothing.json"), "cannot read 'nothing.json'"),
    (("serve", "--api-key", "two words"), "one word"),
    (("generate", "--credits", "-1"), "allowed: a whole number from 0 to 1000000"),
    (("generate", "-o", "no/such/folder/set.json"), "cannot write"),
    (("schema", "nothing"), "there are: body-errors, error-detail"),
    (("serve", "--seed", "9" * 5000), "allowed: a whole number"),
    (("serve", "--seed", "9" * 20), "seed 99999999999999999999 is not allowed"),
    (("serve", "--data", "x" * 300), "cannot read"),
    (
        ("serve", "--data", "default", "--credits", "3"),
        "--credits cannot go with --data, which is not generated",
    ),
    (("generate", "--data", "default", "--seed", "3"), "--seed cannot go with --data"),
    (("validate",), "PATH"),
    (("run",), "after --, like mock-webshare run -- pytest -q"),
    (("run", "--"), "no command is given"),
    (("run", "pytest"), "put -- before the command, like mock-webshare run -- pytest -q"),
    (("run", "pytest", "-q"), "put -- before the command, like mock-webshare run -- pytest -q"),
    (("run", "--port", "0", "npm", "test"), "2 arguments too many; put -- before the command"),
    (("run", "npm", "test", "--", "--watch"), "put -- before the command"),
    (("run", "pytest", "--cov", "-x"), "put -- before the command"),
    (("run", "sh", "-c", "true", "--"), "put -- before the command"),
    (("run", "--prot", "1", "--", "true"), "unknown option '--prot'; did you mean --port?"),
    (("run", "--lgo", "x", "--", "true"), "did you mean --log?"),
    (("run", "here", "--", "true"), "1 argument too many"),
    (("run", "--port", "70000", "--", "true"), "port 70000 is not allowed"),
    (("run", "--data", "default", "--seed", "3", "--", "true"), "--seed cannot go with --data"),
    (("validate", "-", "--schema", "nothing"), "there are: body-errors, error-detail"),
    (("validate", "-", "--schema", "report"), "there are: body-errors, error-detail"),
    (("validate", "-", "--fail-on", "news"), "allowed: error, warning, note"),
    (("validate", "-", "--format", "pdf"), "there are: github, html, json, junit, sarif, text"),
    (("validate", "-", "--unknown-fields", "x"), "allowed: ignore, report, forbid"),
    (("validate", "-", "--jobs", "1000"), "allowed: 0 to 64"),
    (("validate", "-", "--max-page-size", "x"), "allowed: a whole number"),
    (("validate", "-", "--input-format", "x"), "there are: auto"),
    (("validate", "a.json", "--default-ordering=-created-at"), "id, mode, amount, status"),
    (("validate", "a.json", "--default-ordering=id,,amount"), "nothing, or id"),
    (("validate", "a.json", "--max-page-size=0"), "1 to 1000000"),
    (("validate", "a.json", "--pending-days=-1"), "0 to 1000000"),
]


@pytest.mark.parametrize(("argv", "part"), WRONG_ARGUMENTS)
def test_a_wrong_argument_is_reported_in_one_helpful_line(argv: tuple[str, ...], part: str) -> None:
    run = Run(*argv)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("mock-webshare: ") and run.err.count("\n") == 1
    assert part in run.err


def test_a_wrong_value_in_the_environment_is_reported_with_its_variable() -> None:
    run = Run("serve", environ={"MOCK_WEBSHARE_PORT": "x"})
    assert (run.code, run.out) == (2, "")
    assert "MOCK_WEBSHARE_PORT 'x' is not allowed" in run.err


@pytest.mark.parametrize("argv", [("serve",), ("run", "--", "true")], ids=lambda argv: argv[0])
def test_variables_that_exclude_each_other_are_named(argv: tuple[str, ...]) -> None:
    run = Run(*argv, environ={"MOCK_WEBSHARE_CREDITS": "5", "MOCK_WEBSHARE_DATA": "default"})
    assert run.code == 2
    assert "MOCK_WEBSHARE_CREDITS cannot go with MOCK_WEBSHARE_DATA, which is not generated" in run.err


@pytest.mark.parametrize(
    ("argv", "variable", "expected"),
    [
        (("--data", "default"), ("CREDITS", "5"), {"data": "default"}),
        (("--data", "default"), ("SEED", "5"), {"data": "default"}),
        (("--credits", "7"), ("DATA", "default"), {"credits": 7}),
        (("--seed", "7"), ("DATA", "edge-cases"), {"seed": 7}),
        (("--credits", "7"), ("CREDITS", "wrong"), {"credits": 7}),
        ((), ("DATA", "edge-cases"), {"data": "edge-cases"}),
    ],
)
def test_an_option_wins_over_a_variable(
    argv: tuple[str, ...], variable: tuple[str, str], expected: dict[str, object]
) -> None:
    options = cli._parse(STREAMS, ("serve", *argv))
    environ = {f"MOCK_WEBSHARE_{variable[0]}": variable[1]}
    assert settings.settings_of(options, environ, settings.SERVE_OPTIONS) == Settings(**expected)  # type: ignore[arg-type]  # of many types


CREDIT = str(data_path("fixtures") / "recordings" / "credit.json")
ENDING: dict[str, list[tuple[str, ...]]] = {
    "serve": [("--public-url", "nowhere")],
    "run": [("--public-url", "nowhere", "--", "true")],
    "mutate": [("--public-url", "nowhere", "--", "true")],
    "wait": [("--timeout", "0")],
    "generate": [("--credits", "1"), ("--data", "edge-cases")],
    "validate": [(CREDIT,)],
    "rules": [()],
    "openapi": [()],
    "schema": [()],
    "record": [(), ("--output", "no/such/folder/a.har", "--validate")],
    "probe": [("http://127.0.0.1:1",)],
    "redact": [(CREDIT,)],
}
"""Arguments with which each command ends by itself, after it has read its environment."""
WRONG = "é\n x"  # for every option


def variables_of(command: str) -> set[str]:
    parser = cli._parse(STREAMS, (command, *ENDING[command][-1]))
    return {f"MOCK_WEBSHARE_{name[2:].upper().replace('-', '_')}" for name in parser.names}


VARIABLES = sorted(set().union(*map(variables_of, ENDING)) - {"MOCK_WEBSHARE_HELP"})


LATE = ("MOCK_WEBSHARE_DATA", "MOCK_WEBSHARE_PUBLIC_URL")
"""The variables that are checked only after the option that ends `serve` and `run` here."""


@pytest.mark.parametrize(
    ("command", "argv"),
    sampled_rows(
        ((command, argv) for command in cli.COMMANDS for argv in ENDING[command]), kind=lambda row: row[0]
    ),
)
def test_a_variable_reaches_a_command_exactly_if_its_help_names_it(
    command: str, argv: tuple[str, ...]
) -> None:
    named = re.findall(r"\bMOCK_WEBSHARE_\w+", Run(command, "--help").out)
    read = [name for name in VARIABLES if name in named and name not in LATE]
    for variable in read:
        run = Run(command, *argv, environ={variable: WRONG})
        assert (run.code, run.out) == (2, "")
        assert re.match(rf"mock-webshare: {variable}\b.* is not allowed", run.err)
    ignored = [name for name in VARIABLES if name not in named and name not in LATE]
    usual, run = Run(command, *argv), Run(command, *argv, environ=dict.fromkeys(ignored, WRONG))
    warning = re.compile(r"mock-webshare: warning: the variable (\w+) is ignored.*\n")
    assert (run.code, run.out, warning.sub("", run.err)) == (usual.code, usual.out, usual.err)
    assert {*warning.findall(run.err)} <= {*ignored}


def test_a_variable_reaches_the_commands_that_say_so() -> None:
    named = {command: set(re.findall(r"MOCK_WEBSHARE_\w+", Run(command, "--help").out)) for command in ENDING}
    serve = {variable_of(name) for name in settings.VARIABLES}
    assert named.pop("serve") == serve
    assert named.pop("run") == named.pop("mutate") == serve - {"MOCK_WEBSHARE_PORT"}
    assert named.pop("wait") == {"MOCK_WEBSHARE_HOST", "MOCK_WEBSHARE_PORT"}
    assert set().union(*named.values()) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("SEED", "9" * 20),
        ("CREDITS", "-1"),
        ("DATA", "nothing"),
        ("DATA", "nothing.json"),
        ("DATA", f"{data_path('schemas')}/error-detail.schema.json"),
        ("API_KEY", "key invalid"),
        ("RATE_LIMIT", "fast"),
        ("RATE_LIMIT_CLOCK", "wall"),
        ("NOW", "tomorrow"),
        ("CONTROL_TOKEN", "short"),
        ("PUBLIC_URL", "nowhere"),
        ("HOST", "a..b"),
        ("HOST", " "),
        ("MAX_PAGE_SIZE", "0"),
        ("DEFAULT_ORDERING", "colour"),
    ],
)
def test_a_wrong_variable_is_reported_by_its_name(name: str, value: str) -> None:
    variable = f"MOCK_WEBSHARE_{name}"
    run = Run("serve", environ={variable: value})
    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert re.match(rf"mock-webshare: {variable}\b", run.err)


@needs_fork
@pytest.mark.parametrize(
    "case", sampled([("HOST", "a..b"), ("DATA", "nothing"), ("NOW", "tomorrow")], name=lambda case: case[0])
)
def test_run_reports_a_wrong_variable_by_its_name_too(case: tuple[str, str]) -> None:
    name, value = case
    variable = f"MOCK_WEBSHARE_{name}"
    process = subprocess.run(
        [*COMMAND, "run", "--", "true"],
        env=os.environ | {variable: value},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (process.returncode, process.stdout, process.stderr.count("\n")) == (2, "", 1)
    assert process.stderr.startswith(f"mock-webshare: {variable}: ")


ASSUMED = Options(max_page_size=PAGES.max_page_size, pending_days=PENDING_DAYS)
"""The judge's defaults, with the values of the contract that None stands for."""


@pytest.mark.parametrize(
    ("options", "defaults"), [(settings.SERVE_OPTIONS, Settings()), (validate.JUDGE_OPTIONS, ASSUMED)]
)
def test_the_help_shows_the_default_of_every_value(options: Sequence[Option], defaults: object) -> None:
    for name, kind, shown, _ in options:
        default = getattr(defaults, setting_name(name, kind))
        assert default in (None, ()) or str(default) == shown, name


def test_the_help_names_the_variable_that_is_for_all_commands() -> None:
    assert "MOCK_WEBSHARE_DEBUG" in Run("--help").out


def test_a_message_is_one_line_whatever_a_file_is_called(tmp_path: Path) -> None:
    path = tmp_path / "a\nb.json"
    path.write_text("{}", encoding="utf-8")
    run = Run("serve", "--data", str(path))
    assert (run.code, run.err.count("\n")) == (2, 1)
    assert r"a\nb.json#: lacks 'credits'" in run.err


def test_generate_writes_what_serve_reads(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    assert Run("generate", "--seed", "3", "--credits", "30", "-o", str(path)).code == 0
    assert dataset.load(str(path)).wire() == generator.generate(3, 30).wire()
    assert [each.name for each in tmp_path.iterdir()] == ["set.json"]


@pytest.mark.parametrize("name", dataset.names())
def test_generate_writes_a_data_set_of_ours_too(name: str) -> None:
    assert json.loads(Run("generate", "--data", name).out) == dataset.load(name).wire()


def test_generate_makes_a_data_set_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    recording = RECORDINGS / "credit-page.json"
    assert Run("generate", "--data", str(recording), "-o", str(path)).code == 0
    rows = json.loads(recording.read_text(encoding="utf-8"))["results"]
    assert [credit["id"] for credit in dataset.load(path).wire()["credits"]] == [row["id"] for row in rows]


@needs_links
def test_generate_writes_through_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "set.json", tmp_path / "link.json"
    target.touch()
    link.symlink_to(target)
    assert Run("generate", "--credits", "1", "--force", "-o", str(link)).code == 0
    assert link.is_symlink()
    assert len(dataset.load(str(target)).rows["credits"]) == 1


@needs_pipes
def test_generate_writes_into_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([*COMMAND, "generate", "--credits", "3", "-o", str(pipe)]) as process:
        assert len(json.loads(pipe.read_text(encoding="utf-8"))["credits"]) == 3
        assert process.wait(30) == 0
    assert pipe.is_fifo()


def test_generate_writes_to_standard_output() -> None:
    assert len(json.loads(Run("generate", "--credits", "5").out)["credits"]) == 5


def test_schema_lists_and_prints() -> None:
    assert Run("schema").out.split() == SERVICE_SCHEMAS.names
    for name in SERVICE_SCHEMAS.names:
        assert json.loads(Run("schema", name).out) == SERVICE_SCHEMAS.document(name)


RECORDINGS = data_path("fixtures") / "recordings"


@pytest.mark.parametrize(
    ("argv", "stdin", "code"),
    [
        ((str(RECORDINGS / "credit.json"), str(RECORDINGS / "credit-page.json")), b"", 0),
        ((str(RECORDINGS / "broken-credit.json"),), b"", 1),
        (("-",), b'{"detail": "Not found."}', 0),
        (("-",), b"", 1),
        (("missing.json",), b"", 2),
        ((str(RECORDINGS),), b"", 1),
        ((str(RECORDINGS / "credit.json"), "--schema", "referral-credit-page"), b"", 1),
    ],
)
def test_the_exit_code_of_validate(argv: tuple[str, ...], stdin: bytes, code: int) -> None:
    assert Run("validate", *argv, stdin=stdin).code == code


def test_what_the_mock_serves_validates(tmp_path: Path) -> None:
    for credit in dataset.load("edge-cases").wire()["credits"]:
        assert Run("validate", "-", stdin=json.dumps(credit).encode()).code == 0


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    process = subprocess.Popen(
        [*COMMAND, "generate", "--credits", "5000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 141


SECRETS = [
    ("serve", "--api-key", "key", "secret"),
    ("serve", "--apikey", "secret"),
    ("serve", "--api-keyy=secret"),
    ("serve", "--api-key", "secret secret"),
    ("secret",),
    ("schema", "--secret=secret"),
    ("run", "curl", "-H", "secret"),
    ("run", "--api-key", "key", "secret", "--", "true"),
    ("run", "--apikey", "key", "--", "curl", "secret", "--secret=secret"),
]


@pytest.mark.parametrize("argv", SECRETS)
def test_an_argument_that_may_be_a_key_is_never_repeated(argv: tuple[str, ...]) -> None:
    run = Run(*argv)
    assert run.code == 2
    assert "secret" not in (run.out + run.err).replace("--secret", "")


@needs_shell
@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-"])
def test_a_stream_that_is_closed_is_no_traceback(redirection: str) -> None:
    command = f"{sys.executable} -m mock_webshare schema {redirection}"
    process = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.skipif(
    not Path("/dev/full").is_char_device(), reason="only Linux has a device that is always full"
)
@pytest.mark.parametrize("arguments", ["schema referral-credit", "generate --credits 3000", "serve --port 0"])
def test_a_full_disk_is_reported_in_one_helpful_line(arguments: str) -> None:
    command = f"{sys.executable} -m mock_webshare {arguments} > /dev/full"
    process = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert process.returncode == 2
    assert process.stderr == "mock-webshare: cannot write the output: No space left on device\n"


def test_a_terminal_that_knows_ascii_only_is_shown_progress_in_ascii() -> None:
    class Ascii(Stream):
        encoding = "ascii"

    stderr = Ascii(is_terminal=True)
    show = progress_bar(stderr, "credits of a long name " * 9)
    assert show
    show(1, 2)
    assert stderr.getvalue().startswith("\r##########.......... 1 of 2 credits")
    assert len(stderr.getvalue().encode("ascii")) == 80


def test_long_work_shows_its_progress_on_a_terminal() -> None:
    run = Run("generate", "--credits", "20000", terminal=True)
    assert "10,000 of 20,000 credits" in run.err
    assert run.err.endswith("\r\x1b[K")
    assert Run("generate", "--credits", "20000").err == ""


def test_an_internal_error_is_reported_in_one_line_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a secret")

    monkeypatch.setattr(Schemas, "names", property(fail))
    run = Run("schema")
    assert run.code == 2
    assert re.fullmatch(
        r"mock-webshare: internal error, please report it: ValueError in test_cli\.py:\d+; "
        r"MOCK_WEBSHARE_DEBUG=1 shows the traceback\n",
        run.err,
    )
    with pytest.raises(ValueError, match="a secret"):
        Run("schema", environ={"MOCK_WEBSHARE_DEBUG": "1"})


def test_an_unknown_schema_is_reported_with_all_names() -> None:
    run = Run("schema", "nope")
    assert (run.code, run.err.endswith("applied-coupon, coupon, coverage, mutation, report\n")) == (
        2,
        True,
    )


def test_a_data_set_does_not_replace_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(Path("fixtures/recordings/credit-page.json").read_bytes())
    before = path.read_bytes()
    run = Run("generate", "--data", str(path), "-o", str(path))
    assert (run.code, "write to another file" in run.err, path.read_bytes()) == (2, True, before)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("MOCK_WEBSHARE_CREDTS", "; did you mean MOCK_WEBSHARE_CREDITS?"),
        ("MOCK_WEBSHARE_PROT", "; did you mean MOCK_WEBSHARE_PORT?"),
        ("MOCK_WEBSHARE_APIKEY", "; did you mean MOCK_WEBSHARE_API_KEY?"),
        ("MOCK_WEBSHARE_ZZZZZZZZZZ", ""),
        ("MOCK_WEBSHARE_", ""),
    ],
)
def test_a_variable_that_is_not_read_is_reported(name: str, hint: str) -> None:
    run = Run("wait", "http://127.0.0.1:1", "--timeout", "0", environ={name: "secret-value"})
    assert f"warning: the variable {name} is ignored{hint}" in run.err
    assert "secret-value" not in run.err


@pytest.mark.parametrize(
    "name", ["MOCK_WEBSHARE_DEBUG", "MOCK_WEBSHARE_PUBLIC_URL", "_MOCK_WEBSHARE_COVERAGE"]
)
def test_a_variable_that_is_read_somewhere_is_not(name: str) -> None:
    run = Run("wait", "http://127.0.0.1:1", "--timeout", "0", environ={name: ""})
    assert "warning" not in run.err


@pytest.mark.parametrize("name", ["a.yaml", "package.json", "notes.har"])
def test_redact_passes_over_other_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("a: 1\n" if name == "a.yaml" else '{"name":"x","scripts":{}}', encoding="utf-8")
    assert Run("redact", "--check", path).code == 2
    assert Run("redact", "--check", "--skip-others", path).code == 0


def test_purchases_need_months() -> None:
    run = Run("generate", "--purchases", "5/month")
    assert (run.code, run.err) == (2, "mock-webshare: --purchases needs --months, in which they are made\n")
