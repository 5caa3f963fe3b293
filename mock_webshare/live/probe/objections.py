"""Against: what speaks against a rule, and the expectations from which most of it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mock_webshare.judge.model.finding import excerpt, printable, shorten
from mock_webshare.live.probe.responses import Answers, Undecidable, described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.exchange.model import Exchange


class Against(NamedTuple):
    """What speaks against a rule, as a phrase; `option` of `serve` makes the mock do likewise."""

    says: str
    option: str | None = None


def expect(exchange: Exchange, status: int) -> Iterator[Against]:
    if exchange.status != status:
        yield Against(f"{described(exchange)} is {exchange.status}, not {status}")


def expect_detail(answers: Answers, name: str, status: int, text: str) -> Iterator[Against]:
    """The answer to a question is an error of one sentence."""
    yield from expect(answers.to(name), status)
    if answers.to(name).status == status and (detail := answers.detail(name)) != text:
        yield Against(f"{described(answers.to(name))} says {excerpt(detail)}, not {excerpt(text)}")


def expect_rows(answers: Answers, name: str, rows: int) -> Iterator[Against]:
    exchange = answers.to(name)
    if exchange.status != 200 or len(answers.rows(name)) != rows:
        shown = f"{len(answers.rows(name))} rows" if exchange.status == 200 else str(exchange.status)
        yield Against(f"{described(exchange)} is {shown}, not {rows} rows")


def expect_header(exchange: Exchange, name: str, wanted: str | None) -> Iterator[Against]:
    value = exchange.header(name)
    if value != wanted:
        yield Against(f"{name} of {described(exchange)} is {_shown(value)}, not {_shown(wanted)}")


def _shown(value: str | None) -> str:
    return "absent" if value is None else printable(shorten(value))


def unless_it_moved(answers: Answers) -> None:
    """Raise `Undecidable` if the list was another one at the end than at the beginning."""
    try:
        counts = {answers.count(name) for name in ("first", "by id down", "last page", "indented")}
    except Undecidable:
        return
    if len(counts) > 1:
        raise Undecidable("the number of credits changed meanwhile")
