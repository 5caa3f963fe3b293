"""The HTML report: one page that shows foreign texts literally and has a bounded size."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange
from mock_webshare.judge import reports
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge

Record = Exchange | BadRecord | UnreadableInput
CREDIT = SERVICE_SCHEMAS.document("referral-credit")["examples"][0]
ORIGIN = "https://proxy.webshare.io/api/v2/referral"
HEADERS = (("Content-Type", "application/json"), ("Allow", ", ".join(CREDIT_LIST.methods)))
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """The elements of a page: its tags with their attributes, its ids and links, and its texts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.style = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.texts.append(data)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    @property
    def text(self) -> str:
        return "".join(self.texts)


def report_on(*records: Record, **options: Any) -> str:
    stream = StringIO()
    reports.write("html", judge(records, Options(keeps_details=True, **options)), stream)
    return stream.getvalue()


def exchange(number: int = 1, entry: int = 0, target: str = "", **changes: Any) -> Exchange:
    body = json.dumps(
        CREDIT | {"id": number} | changes | changes.pop("more", {}), ensure_ascii=False, separators=(",", ":")
    )
    return Exchange(
        source="live.har",
        entry=entry,
        method="GET",
        url=f"{ORIGIN}{target or f'/credit/{number}/'}",
        request_headers=(("Authorization", "Token secret-of-the-key"),),
        status=200,
        headers=HEADERS,
        started=1_700_000_000_246_000 + entry,
        body=body.encode(),
    )


BROKEN = [
    exchange(1, 0, amount="2.50"),
    exchange(2, 1),
    exchange(3, 2, user_id=None),
    exchange(4, 3, mode="cash"),
]


@pytest.mark.parametrize("records", [[], [exchange()], BROKEN, [UnreadableInput("cannot read 'a'")]])
def test_a_page_is_well_formed_and_stands_alone(records: list[Record]) -> None:
    page = Page(report_on(*records))
    assert page.tags[:3] == ["html", "head", "meta"] and "script" not in page.tags
    assert {"link", "img", "iframe", "object", "form"}.isdisjoint(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "style")]
    assert "url(" not in page.style and "@import" not in page.style
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    assert all(link.startswith("#") and link[1:] in ids for link in page.values("href"))


def test_both_colour_schemes_narrow_screens_and_paper_have_a_style() -> None:
    style = Page(report_on()).style
    for condition in ("prefers-color-scheme: dark", "max-width: 40rem", "print"):
        assert condition in style


def test_the_title_is_the_number_of_findings_of_each_level() -> None:
    assert "<title>3 errors</title>" in report_on(*BROKEN)
    assert "<title>No findings</title>" in report_on(exchange())
    assert "<title>Nothing was judged</title>" in report_on()


def test_a_finding_has_its_headline_rule_place_and_lines() -> None:
    text = Page(report_on(BROKEN[0])).text
    assert '"amount" is a string, not a number' in text
    assert "object.amount, documented: `amount` is a JSON number in USD, not a string." in text
    assert "live.har, entry 0#/amount" in text
    assert '5  "amount": "2.50"' in text


def test_no_other_value_of_a_body_is_shown() -> None:
    text = Page(
        report_on(
            exchange(amount="2.50", user_id=777_111, referral_channel=7, referral_channel_code="PRIVATE")
        )
    ).text
    assert '"user_id": …' in text
    assert "777111" not in text and "PRIVATE" not in text


def test_a_timeline_has_time_request_status_and_findings_of_each_exchange() -> None:
    other = Exchange(
        source="live.har", entry=9, method="GET", url="https://private.example/a?b=c", status=200
    )
    bad = BadRecord(source="live.har", entry=10, problem="its status is not a number")
    text = Page(report_on(*BROKEN, other, bad)).text
    assert "2023-11-14 22:13:20.246" in text
    assert f"GET {ORIGIN}/credit/2/200none" in text
    assert f"GET {ORIGIN}/credit/1/2001 (error)" in text
    assert "live.har, entry 9200skipped: another endpoint" in text
    assert "live.har, entry 101 (error)" in text
    assert "private.example" not in text


HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt; &amp; $title ${style} $$",
    "<!-- fragment: foot -->",
    "\x1b[31m\u202e\x00\u2028",
    "]]><![CDATA[",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_appear_literally(text: str) -> None:
    records = (
        exchange(1, 0, mode=text[:60]),
        exchange(2, 1, more={text: 1}),
        exchange(3, 2, target=f"/credit/?ordering={text}"),
        Exchange(source=text, body=b"{"),
        UnreadableInput(text),
    )
    source = report_on(*records)
    page = Page(source)
    assert {"script", "img", "b!"}.isdisjoint(page.tags)
    assert page.tags.count("title") == page.tags.count("style") == page.tags.count("footer") == 1
    if text.isprintable():
        assert text in page.text
    assert all(line.isprintable() for line in source.splitlines())


def test_secrets_are_in_no_part_of_the_page() -> None:
    key = "abcdefghijklmnopqrstuvwxyz012345"
    sent = (("Authorization", f"Token {key}"),)
    records = [
        exchange(1, 0, target=f"/credit/?page={key}&token={key}", amount=key, more={key: 1}),
        exchange(2, 1, target=f"/credit/{key}/"),
    ]
    source = report_on(*(replace(each, request_headers=sent) for each in records))
    assert key not in source and "REDACTED-1" in source


def test_the_size_is_bounded_and_what_is_left_out_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_webshare.judge.reports.html_report.MOST_GROUPS", 20)
    monkeypatch.setattr("mock_webshare.judge.verdict.MOST_STEPS", 30)
    monkeypatch.setattr("mock_webshare.judge.verdict.MOST_FAULTY", 10)
    small, large = (
        report_on(*(exchange(n, n, mode=f"mode {n}") for n in range(number))) for number in (60, 600)
    )
    assert len(large) < len(small) + 500
    assert "580 findings in 580 further groups are left out; --format json has them." in large
    assert "40 of 600 exchanges in the order of the files" in large


def test_a_page_of_three_thousand_findings_of_one_kind_is_small() -> None:
    source = report_on(*(exchange(n, n, amount="2.50") for n in range(300)))
    assert "and 299 more like it; the first 9 are here:" in source
    assert source.count("<article") == 1


def test_a_verdict_without_details_has_a_page_too() -> None:
    stream = StringIO()
    reports.write("html", judge(BROKEN, Options()), stream)
    page = Page(stream.getvalue())
    assert '"amount" is a string, not a number' in page.text
    assert "table" not in page.tags and "pre" not in page.tags


def test_several_processes_write_the_same_page() -> None:
    records = [exchange(n, n, mode=f"mode {n % 3}") for n in range(1, 100)]
    pages = []
    for jobs in (1, 2):
        stream = StringIO()
        reports.write("html", judge(records, Options(keeps_details=True), jobs=jobs), stream)
        pages.append(stream.getvalue())
    assert pages[0] == pages[1]
