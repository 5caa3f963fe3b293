"""The judge, judged: hundreds of seeded defects in clean traffic, each of which it has to find.

A kind of defect is a function that is given a random generator and a clean session, and returns the
session with one defect, with the rule, pointer, level and record under which the judge must find it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from mock_webshare import MockServer, Settings
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.contract.timestamps import DAY, SECOND, format_instant, parse_instant
from mock_webshare.exchange.limits import MOST_PARTS
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.model.rulebook import NOT_JUDGED, rules_of
from mock_webshare.judge.run import judge
from mock_webshare.judge.verdict import Verdict
from tests import recorded_session as sessions
from tests.judge import test_family_mutations
from tests.sampling import sampled

SEEDS = 8

Session = list[Exchange]
Body = dict[str, Any]


@dataclass
class Defect:
    """A session with one defect, and what must be found in it."""

    session: Session
    rule: str
    pointer: str = ""
    level: Level = Level.ERROR
    entry: int | None = None


Kind = Callable[[Random, Session], Defect]
KINDS: dict[str, Kind] = {}


def kind(function: Kind) -> Kind:
    KINDS[function.__name__] = function
    return function


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with MockServer(Settings(port=0, rate_limit="off")) as server:
        yield sessions.record(server.url)


def judged(records: Session) -> Verdict:
    return judge(iter(records), Options())


# How a session is changed.


def put(session: Session, changed: Exchange) -> Session:
    return [changed if each.entry == changed.entry else each for each in session]


def alone(exchange: Exchange) -> Session:
    """Return a session of one exchange, so that no other one contradicts the defect."""
    return [exchange]


def body_of(exchange: Exchange) -> Body:
    body: Body = json.loads(exchange.body)
    return body


def with_body(exchange: Exchange, body: Any) -> Exchange:
    return replace(exchange, body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def with_header(exchange: Exchange, name: str, value: str | None) -> Exchange:
    assert exchange.headers
    others = [pair for pair in exchange.headers if pair[0].lower() != name.lower()]
    return replace(exchange, headers=(*others, *([(name, value)] if value is not None else [])))


def requested(session: Session, pattern: str) -> list[Exchange]:
    """Return the exchanges whose method and target match."""
    return [each for each in session if re.search(pattern, f"{each.method} {each.url}")]


def pages(session: Session, at_least: int = 2) -> list[Exchange]:
    return [each for each in sessions.lists(session) if len(body_of(each)["results"]) >= at_least]


def details(session: Session) -> list[Exchange]:
    return [each for each in requested(session, r"GET .*/credit/\d+/$") if each.status == 200]


def a_row(random: Random, session: Session) -> tuple[Exchange, Body, Body, str]:
    """Return a response, its body, a row in it, and the pointer of the row: of a page or a single one."""
    exchange = random.choice([random.choice(pages(session)), random.choice(details(session))])
    body = body_of(exchange)
    if "results" not in body:
        return exchange, body, body, ""
    index = random.randrange(len(body["results"]))
    return exchange, body, body["results"][index], f"/results/{index}"


def changed_row(random: Random, session: Session, field: str, value: Any, rule: str, **more: Any) -> Defect:
    exchange, body, row, pointer = a_row(random, session)
    row[field] = value(row) if callable(value) else value
    return Defect(alone(with_body(exchange, body)), rule, f"{pointer}/{field}", entry=exchange.entry, **more)


# Shape.

FIELDS = tuple(SERVICE_SCHEMAS.document("referral-credit")["properties"])
RULE_OF_FIELD = {
    name: each["x-rule"] for name, each in SERVICE_SCHEMAS.document("referral-credit")["properties"].items()
}


def field_is_missing(field: str) -> Kind:
    def mutate(random: Random, session: Session) -> Defect:
        exchange, body, row, pointer = a_row(random, session)
        del row[field]
        return Defect(
            alone(with_body(exchange, body)), "object.fields", f"{pointer}/{field}", entry=exchange.entry
        )

    return mutate


def field_has_another_type(field: str) -> Kind:
    def mutate(random: Random, session: Session) -> Defect:
        wrong = random.choice([[], {"a": 1}, True, {}])
        return changed_row(random, session, field, wrong, RULE_OF_FIELD[field])

    return mutate


for name in FIELDS:
    KINDS[f"{name}_is_missing"] = field_is_missing(name)
    KINDS[f"{name}_has_another_type"] = field_has_another_type(name)


@kind
def amount_is_a_string(random: Random, session: Session) -> Defect:
    return changed_row(random, session, "amount", lambda row: f"{row['amount']:.2f}", "object.amount")


@kind
def mode_is_unknown(random: Random, session: Session) -> Defect:
    value = random.choice(["credit", "Payout", "", "cash"])
    return changed_row(random, session, "mode", value, "object.mode")


@kind
def status_is_unknown(random: Random, session: Session) -> Defect:
    value = random.choice(["Pending", "reversed", "", "paid"])
    return changed_row(random, session, "status", value, "object.status")


@kind
def a_date_is_malformed(random: Random, session: Session) -> Defect:
    field = random.choice(["created_at", "updated_at"])
    value = random.choice(["2026-02-30T10:00:00-08:00", "2026-02-03T10:00:00", "yesterday", ""])
    return changed_row(random, session, field, value, "object.dates")


@kind
def a_date_is_in_another_zone(random: Random, session: Session) -> Defect:
    def in_utc(row: Body) -> str:
        instant = parse_instant(row["created_at"])
        seconds = (instant // SECOND) % 86_400
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return f"{format_instant(instant)[:10]}T{clock}.{instant % SECOND:06}{random.choice(['Z', '+00:00'])}"

    return changed_row(random, session, "created_at", in_utc, "object.dates")


@kind
def a_date_has_three_digits_of_fraction(random: Random, session: Session) -> Defect:
    def shortened(row: Body) -> str:
        date: str = row["created_at"]
        return f"{date[:19]}.{random.choice(['123', '000000', '1'])}{date[-6:]}"

    return changed_row(random, session, "created_at", shortened, "object.microseconds", level=Level.WARNING)


@kind
def reverted_at_does_not_fit_the_status(random: Random, session: Session) -> Defect:
    def other(row: Body) -> str | None:
        return None if row["status"] == "reverted" else str(row["updated_at"])

    exchange = random.choice(details(session))
    row = body_of(exchange)
    row["reverted_at"] = other(row)
    return Defect(alone(with_body(exchange, row)), "object.reverted", "/reverted_at", entry=exchange.entry)


@kind
def the_code_does_not_fit_the_channel(random: Random, session: Session) -> Defect:
    def other(row: Body) -> str | None:
        return "CODE" if row["referral_channel_code"] is None else None

    return changed_row(random, session, "referral_channel_code", other, "object.channel")


@kind
def amount_has_a_zero_too_many(random: Random, session: Session) -> Defect:
    exchange = random.choice(details(session))
    amount = body_of(exchange)["amount"]
    body = exchange.body.replace(f'"amount":{amount},'.encode(), f'"amount":{amount}0,'.encode())
    return Defect(
        alone(replace(exchange, body=body)), "object.amount-form", "/amount", Level.WARNING, exchange.entry
    )


@kind
def fields_are_in_another_order(random: Random, session: Session) -> Defect:
    exchange = random.choice(details(session))
    body = body_of(exchange)
    names = list(body)
    first, second = sorted(random.sample(range(len(names)), 2))
    names[first], names[second] = names[second], names[first]
    shuffled = {name: body[name] for name in names}
    return Defect(alone(with_body(exchange, shuffled)), "object.fields", "", Level.WARNING, exchange.entry)


@kind
def a_field_is_new(random: Random, session: Session) -> Defect:
    exchange, body, row, pointer = a_row(random, session)
    target, pointer = random.choice([(row, pointer), (body, "")])
    target["currency"] = random.choice(["USD", None, {"a": []}, 7])
    return Defect(
        alone(with_body(exchange, body)),
        "object.new-fields",
        f"{pointer}/currency",
        Level.INFO,
        exchange.entry,
    )


@kind
def rows_are_of_the_older_edition(random: Random, session: Session) -> Defect:
    exchange, body, row, pointer = a_row(random, session)
    del row["referral_channel"], row["referral_channel_code"]
    return Defect(
        alone(with_body(exchange, body)), "object.older-edition", pointer, Level.NOTE, exchange.entry
    )


def envelope_lacks(field: str) -> Kind:
    def mutate(random: Random, session: Session) -> Defect:
        exchange = random.choice(pages(session))
        body = body_of(exchange)
        del body[field]
        return Defect(alone(with_body(exchange, body)), "list.envelope", f"/{field}", entry=exchange.entry)

    return mutate


for name in ("count", "next", "previous", "results"):
    KINDS[f"envelope_lacks_{name}"] = envelope_lacks(name)


def changed_page(random: Random, exchange: Exchange, rule: str, pointer: str, **changes: Any) -> Defect:
    level = changes.pop("level", Level.ERROR)
    return Defect(
        alone(with_body(exchange, body_of(exchange) | changes)), rule, pointer, level, entry=exchange.entry
    )


@kind
def count_is_no_number(random: Random, session: Session) -> Defect:
    exchange, count = random.choice(pages(session)), random.choice(["100", None, -1, 1.5, True])
    return changed_page(random, exchange, "list.envelope", "/count", count=count)


@kind
def a_link_is_relative(random: Random, session: Session) -> Defect:
    field = random.choice(["next", "previous"])
    exchange = random.choice([each for each in pages(session) if body_of(each)[field]])
    link = body_of(exchange)[field].removeprefix(sessions.LIVE)
    return changed_page(random, exchange, "list.links", f"/{field}", **{field: link})


# Numbers and links of a page.


def last_pages(session: Session) -> list[Exchange]:
    return [each for each in pages(session) if body_of(each)["next"] is None]


def middle_pages(session: Session) -> list[Exchange]:
    return [each for each in pages(session) if body_of(each)["next"]]


@kind
def count_is_off_on_the_last_page(random: Random, session: Session) -> Defect:
    exchanges = [
        each for each in last_pages(session) if re.search(r"=40|\?(mode|status)=\w+$", str(each.url))
    ]
    exchange, off = random.choice(exchanges), random.choice([-2, -1, 1, 2, 40])
    return changed_page(random, exchange, "list.count", "/count", count=body_of(exchange)["count"] + off)


@kind
def a_page_has_a_row_too_many(random: Random, session: Session) -> Defect:
    exchange = random.choice(requested(session, r"/\?page=[23]$"))
    rows = body_of(exchange)["results"]
    extra = rows[-1] | {"id": rows[-1]["id"] + 1}
    return changed_page(random, exchange, "list.page-size", "/results", results=[*rows, extra])


@kind
def a_page_in_the_middle_has_a_row_too_few(random: Random, session: Session) -> Defect:
    exchange = random.choice(requested(session, r"(credit/|page=[23])$"))
    exchange = (
        exchange if exchange.method == "GET" and exchange.status == 200 else requested(session, "page=2$")[0]
    )
    rows = body_of(exchange)["results"]
    del rows[random.randrange(len(rows))]
    return changed_page(random, exchange, "list.page-size", "/results", results=rows)


@kind
def the_cap_is_higher(random: Random, session: Session) -> Defect:
    exchange = requested(session, "page_size=1000")[0]
    body = body_of(exchange)
    last = body["results"][-1]
    rows = body["results"] + [last | {"id": last["id"] + n} for n in range(1, random.randint(2, 9))]
    count = max(body["count"], len(rows))
    return changed_page(
        random, exchange, "list.page-size-limit", "/results", results=rows, count=count, level=Level.NOTE
    )


@kind
def next_is_missing(random: Random, session: Session) -> Defect:
    exchange = random.choice(middle_pages(session))
    return changed_page(random, exchange, "list.links", "/next", next=None)


@kind
def next_is_on_the_last_page(random: Random, session: Session) -> Defect:
    exchange = random.choice([each for each in last_pages(session) if "page=last" not in str(each.url)])
    link = f"{sessions.LIVE}{sessions.LIST}?page=9"
    return changed_page(random, exchange, "list.links", "/next", next=link)


@kind
def the_last_page_is_not_the_last(random: Random, session: Session) -> Defect:
    exchange = requested(session, "page=last")[0]
    link = f"{sessions.LIVE}{sessions.LIST}?page=5&page_size=30"
    return changed_page(random, exchange, "list.last-page", "/next", next=link, level=Level.WARNING)


@kind
def previous_is_missing(random: Random, session: Session) -> Defect:
    exchange = random.choice([each for each in pages(session) if body_of(each)["previous"]])
    return changed_page(random, exchange, "list.links", "/previous", previous=None)


@kind
def previous_is_on_the_first_page(random: Random, session: Session) -> Defect:
    exchange = random.choice([each for each in pages(session) if not body_of(each)["previous"]])
    link = f"{sessions.LIVE}{sessions.LIST}"
    return changed_page(random, exchange, "list.links", "/previous", previous=link)


def relinked(
    random: Random, session: Session, pattern: str, old: str, new: str, rule: str, **more: Any
) -> Defect:
    field = more.pop("field", "next")
    exchange = random.choice([each for each in requested(session, pattern) if body_of(each).get(field)])
    link = re.sub(old, new, body_of(exchange)[field])
    assert link != body_of(exchange)[field]
    return changed_page(random, exchange, rule, f"/{field}", **{field: link}, **more)


@kind
def next_leads_too_far(random: Random, session: Session) -> Defect:
    return relinked(
        random, session, r"GET .*\?page=[23]$", r"page=\d+", f"page={random.randint(7, 99)}", "list.links"
    )


@kind
def next_loses_a_parameter(random: Random, session: Session) -> Defect:
    lost = random.choice(["z=%?[+ 0-9a-z]+&?", "a=&"])
    return relinked(random, session, r"z=%20a", lost, "", "list.links-query", level=Level.WARNING)


@kind
def next_loses_a_filter(random: Random, session: Session) -> Defect:
    return relinked(random, session, r"GET .*\?mode=payout$", "mode=payout&", "", "list.links")


@kind
def a_link_leads_to_another_path(random: Random, session: Session) -> Defect:
    return relinked(
        random,
        session,
        r"GET .*\?page=[23]$",
        "/credit/",
        random.choice(["/credits/", "/earnout/"]),
        "list.links",
    )


@kind
def a_link_is_not_sorted(random: Random, session: Session) -> Defect:
    return relinked(
        random, session, r"z=%20a", r"a=&page=(\d+)&", r"page=\1&a=&", "list.links-query", level=Level.WARNING
    )


@kind
def a_link_to_page_1_says_so(random: Random, session: Session) -> Defect:
    return relinked(
        random,
        session,
        r"GET .*\?page=2$",
        "$",
        "?page=1",
        "list.links-query",
        field="previous",
        level=Level.WARNING,
    )


@kind
def a_link_leads_to_another_server(random: Random, session: Session) -> Defect:
    other = random.choice(
        ["http://proxy.webshare.io", "https://example.com", "https://proxy.webshare.io:8443"]
    )
    return relinked(
        random,
        session,
        r"GET .*\?page=[23]$",
        "https://proxy.webshare.io",
        other,
        "list.links-origin",
        level=Level.WARNING,
    )


@kind
def a_page_beyond_the_last_is_served(random: Random, session: Session) -> Defect:
    beyond, page = requested(session, "page=77")[0], body_of(requested(session, "page=2$")[0])
    link = f"{sessions.LIVE}{sessions.LIST}?page=76"
    empty = page | {"results": [], "next": None, "previous": link}
    return Defect(
        alone(with_body(replace(beyond, status=200), empty)),
        "list.invalid-page",
        "",
        Level.WARNING,
        beyond.entry,
    )


# Rows: the requested ones, in the requested order.


@kind
def a_row_is_twice_on_a_page(random: Random, session: Session) -> Defect:
    exchange = random.choice(requested(session, r"GET .*ordering=-amount"))
    rows = body_of(exchange)["results"]
    index = random.randrange(1, len(rows))
    rows[index] = rows[index - 1]
    return changed_page(random, exchange, "list.walk", f"/results/{index}/id", results=rows)


@kind
def two_rows_are_swapped(random: Random, session: Session) -> Defect:
    exchange = random.choice(requested(session, r"GET .*ordering=(-amount|created_at|-updated_at,id)"))
    field = re.findall(r"ordering=-?(\w+)", str(exchange.url))[0]
    rows = body_of(exchange)["results"]
    index = random.choice([n for n in range(1, len(rows)) if rows[n][field] != rows[n - 1][field]])
    rows[index - 1], rows[index] = rows[index], rows[index - 1]
    return changed_page(random, exchange, "order.fields", f"/results/{index}/{field}", results=rows)


@kind
def the_default_order_is_another(random: Random, session: Session) -> Defect:
    exchange = random.choice(requested(session, r"GET .*\?page=[234]$"))
    rows = body_of(exchange)["results"]
    index = random.randrange(1, len(rows))
    rows[index - 1], rows[index] = rows[index], rows[index - 1]
    return changed_page(
        random, exchange, "order.default", f"/results/{index}/id", results=rows, level=Level.NOTE
    )


@kind
def text_is_in_another_order(random: Random, session: Session) -> Defect:
    exchange = requested(session, "ordering=status,bogus")[0]
    rows = body_of(exchange)["results"]
    rows[0]["status"], rows[0]["reverted_at"] = "reverted", rows[0]["updated_at"]
    return changed_page(
        random, exchange, "order.unknown", "/results/1/status", results=rows, level=Level.WARNING
    )


@kind
def ties_are_in_another_order(random: Random, session: Session) -> Defect:
    exchange = requested(session, r"GET .*ordering=-amount")[0]
    rows = body_of(exchange)["results"]
    index = random.randrange(1, len(rows))
    rows[index]["amount"] = rows[index - 1]["amount"]
    rows[index]["id"], rows[index - 1]["id"] = sorted((rows[index]["id"], rows[index - 1]["id"]))
    return changed_page(
        random, exchange, "order.ties", f"/results/{index}/id", results=rows, level=Level.NOTE
    )


@kind
def nulls_come_at_the_other_end(random: Random, session: Session) -> Defect:
    exchange = random.choice(requested(session, r"ordering=-?reverted_at"))
    rows = body_of(exchange)["results"]
    index = next(
        n
        for n in range(1, len(rows))
        if (rows[n]["reverted_at"] is None) != (rows[n - 1]["reverted_at"] is None)
    )
    rows = rows[index:] + rows[:index]
    place = len(rows) - index
    return changed_page(
        random, exchange, "order.nulls", f"/results/{place}/reverted_at", results=rows, level=Level.WARNING
    )


OTHER = {
    "mode": {"payout": "credits", "credits": "payout"},
    "status": {"available": "pending", "pending": "available"},
}


@kind
def a_filter_is_not_honoured(random: Random, session: Session) -> Defect:
    exchange = random.choice(requested(session, r"GET .*\?mode=(payout|credits)"))
    field = random.choice([each for each in OTHER if f"{each}=" in str(exchange.url)])
    rows = body_of(exchange)["results"]
    index = random.randrange(len(rows))
    rows[index][field] = OTHER[field][rows[index][field]]
    return changed_page(random, exchange, "filter.and", f"/results/{index}/{field}", results=rows)


@kind
def a_row_has_a_channel_though_none_was_asked_for(random: Random, session: Session) -> Defect:
    exchange = requested(session, r"referral_channel=$")[0]
    rows = body_of(exchange)["results"]
    index = random.randrange(len(rows))
    rows[index] |= {"referral_channel": 7, "referral_channel_code": "CODE"}
    return changed_page(
        random, exchange, "filter.no-channel", f"/results/{index}/referral_channel", results=rows
    )


@kind
def a_filter_of_a_single_row_is_not_honoured(random: Random, session: Session) -> Defect:
    exchange = random.choice(details(session))
    mode = OTHER["mode"][body_of(exchange)["mode"]]
    changed = replace(exchange, url=f"{exchange.url}?mode={mode}")
    return Defect(alone(changed), "detail.filters", "/mode", Level.WARNING, exchange.entry)


@kind
def a_single_row_is_another_one(random: Random, session: Session) -> Defect:
    exchange = random.choice(details(session))
    body = body_of(exchange) | {"id": random.randrange(10**6)}
    return Defect(alone(with_body(exchange, body)), "detail.id", "/id", entry=exchange.entry)


@kind
def a_row_is_available_too_soon(random: Random, session: Session) -> Defect:
    exchange = random.choice(details(session))
    assert exchange.started
    created = format_instant(exchange.started - random.randint(1, 29) * DAY)
    dates = {"created_at": created, "updated_at": created, "reverted_at": None}
    row = body_of(exchange) | {"status": "available"} | dates
    return Defect(alone(with_body(exchange, row)), "object.pending", "/status", Level.NOTE, exchange.entry)


# Statuses, errors and headers.


def changed(
    exchange: Exchange, rule: str, pointer: str = "", level: Level = Level.WARNING, **changes: Any
) -> Defect:
    return Defect(alone(replace(exchange, **changes)), rule, pointer, level, exchange.entry)


@kind
def a_wrong_method_is_served(random: Random, session: Session) -> Defect:
    post, page = requested(session, "POST")[0], pages(session)[0]
    post = replace(post, method=random.choice(["POST", "PUT", "PATCH", "DELETE"]))
    return changed(post, "route.methods", level=Level.ERROR, status=200, body=page.body)


@kind
def a_documented_method_is_refused(random: Random, session: Session) -> Defect:
    return changed(requested(session, "POST")[0], "route.methods", level=Level.ERROR, method="GET")


@kind
def a_wrong_filter_is_served(random: Random, session: Session) -> Defect:
    page = requested(session, "GET .*credit/$")[0]
    wrong = random.choice(["mode=bogus", "status=x", "referral_channel=abc", "mode=credit"])
    return changed(page, "filter.errors", url=f"{page.url}?{wrong}")


@kind
def a_right_filter_is_refused(random: Random, session: Session) -> Defect:
    refused = requested(session, "mode=bogus")[0]
    right = random.choice(["mode=payout", "status=pending", "page_size=3", ""])
    url = f"{sessions.LIVE}{sessions.LIST}?{right}"
    return changed(refused, "filter.errors", level=Level.ERROR, url=url)


@kind
def an_unknown_parameter_is_refused(random: Random, session: Session) -> Defect:
    refused = requested(session, "mode=bogus")[0]
    unknown = random.choice(["x=1", "ordering=bogus", "mode=payout&mode=payout"])
    return changed(refused, "filter.errors", url=f"{sessions.LIVE}{sessions.LIST}?{unknown}")


@kind
def an_impossible_page_is_served(random: Random, session: Session) -> Defect:
    page = requested(session, "GET .*credit/$")[0]
    return changed(page, "list.invalid-page", url=f"{page.url}?page={random.choice(['0', '-1', 'x', '1.0'])}")


@kind
def the_first_page_is_not_found(random: Random, session: Session) -> Defect:
    missing = requested(session, "page=77")[0]
    query = random.choice(["", "?page=1", "?page_size=3"])
    return changed(missing, "list.invalid-page", url=f"{sessions.LIVE}{sessions.LIST}{query}")


@kind
def the_last_page_is_not_found(random: Random, session: Session) -> Defect:
    return changed(
        requested(session, "page=77")[0], "list.last-page", url=f"{sessions.LIVE}{sessions.LIST}?page=last"
    )


@kind
def a_missing_slash_is_served(random: Random, session: Session) -> Defect:
    one = random.choice(details(session) + pages(session))
    return changed(one, "route.slash", url=re.sub("/($|[?])", r"\1", str(one.url), count=1))


@kind
def a_slash_is_redirected(random: Random, session: Session) -> Defect:
    moved = requested(session, r"credit\?a=1")[0]
    return changed(moved, "route.slash", url=f"{sessions.LIVE}{sessions.LIST}?a=1")


@kind
def a_redirect_leads_elsewhere(random: Random, session: Session) -> Defect:
    moved = requested(session, r"credit\?a=1")[0]
    location = random.choice(["/", "/api/v2/referral/credit/", "/api/v2/referral/credits/?a=1", None])
    return Defect(
        alone(with_header(moved, "Location", location)), "route.slash", "", Level.WARNING, moved.entry
    )


@kind
def another_format_is_served(random: Random, session: Session) -> Defect:
    page = requested(session, "GET .*credit/$")[0]
    return changed(page, "wire.accept", url=f"{page.url}?format={random.choice(['xml', 'api', 'csv'])}")


@kind
def html_is_asked_for_and_json_served(random: Random, session: Session) -> Defect:
    page = requested(session, "GET .*credit/$")[0]
    headers = (sessions.KEY, ("Accept", random.choice(["text/html", "image/*", "application/xml"])))
    return changed(page, "wire.accept", request_headers=headers)


@kind
def json_is_asked_for_and_refused(random: Random, session: Session) -> Defect:
    refused = next(each for each in session if each.status == 406)
    accept = random.choice(["application/json", "*/*", "text/html, application/*;q=0.1"])
    return changed(refused, "wire.accept", request_headers=(sessions.KEY, ("Accept", accept)))


@kind
def credentials_come_before_the_slash(random: Random, session: Session) -> Defect:
    refused = next(each for each in session if each.status == 401)
    return changed(refused, "route.order", url=str(refused.url).rstrip("/"))


@kind
def an_unknown_error_is_answered(random: Random, session: Session) -> Defect:
    page = random.choice(pages(session))
    return changed(
        page, "error.kinds", level=Level.ERROR, status=random.choice([402, 409, 410, 418, 422, 451])
    )


@kind
def an_unknown_success_is_answered(random: Random, session: Session) -> Defect:
    return changed(
        random.choice(pages(session)), "error.kinds", status=random.choice([201, 204, 206, 302, 304])
    )


@kind
def options_describes_less(random: Random, session: Session) -> Defect:
    options = requested(session, "OPTIONS")[0]
    body, field = body_of(options), random.choice(["name", "description", "renders", "parses"])
    del body[field]
    return Defect(alone(with_body(options, body)), "route.options", f"/{field}", Level.WARNING, options.entry)


@kind
def head_has_a_body(random: Random, session: Session) -> Defect:
    return changed(requested(session, "HEAD")[0], "wire.head", body=random.choice(pages(session)).body)


def errors(session: Session) -> list[Exchange]:
    return [each for each in session if each.status in (401, 404, 405, 406)]


@kind
def detail_is_missing(random: Random, session: Session) -> Defect:
    error = random.choice(errors(session))
    return Defect(alone(with_body(error, {"error": "No."})), "error.detail", "/detail", entry=error.entry)


@kind
def detail_is_no_text(random: Random, session: Session) -> Defect:
    error = random.choice(errors(session))
    body = {"detail": random.choice([None, ["No."], {"message": "No."}, 404])}
    return Defect(alone(with_body(error, body)), "error.detail", "/detail", entry=error.entry)


RULE_OF_STATUS = {
    401: ("auth.unauthorized",),
    404: ("list.invalid-page", "detail.not-found", "wire.accept"),
    405: ("route.methods",),
    406: ("wire.accept",),
}


@kind
def detail_says_something_else(random: Random, session: Session) -> Defect:
    error = random.choice(errors(session))
    assert error.status
    body = {"detail": random.choice(["Nope.", "", "Error"])}
    rules = RULE_OF_STATUS[error.status]
    rule = rules[0]
    if error.status == 404:
        rule = rules[2] if "format=" in str(error.url) else rules["page=" not in str(error.url)]
    return Defect(alone(with_body(error, body)), rule, "/detail", Level.WARNING, error.entry)


@kind
def an_unknown_id_is_told_in_the_newer_words(random: Random, session: Session) -> Defect:
    error = requested(session, "credit/1/$")[0]
    body = {"detail": "No ReferralCredit matches the given query."}
    return Defect(alone(with_body(error, body)), "detail.not-found", "/detail", Level.NOTE, error.entry)


def forbidden(session: Session, body: Body) -> Exchange:
    page = requested(session, "GET .*credit/$")[0]
    return with_body(replace(page, status=403), body)


@kind
def a_403_has_no_known_code(random: Random, session: Session) -> Defect:
    body = random.choice([{"detail": "No."}, {"detail": "No.", "code": "other"}])
    error = forbidden(session, body)
    return Defect(alone(error), "error.detail", "/code", Level.WARNING, error.entry)


def throttled(session: Session, wait: str | None, detail: str) -> Exchange:
    page = requested(session, "GET .*credit/$")[0]
    return with_header(with_body(replace(page, status=429), {"detail": detail}), "Retry-After", wait)


@kind
def a_429_does_not_say_how_long(random: Random, session: Session) -> Defect:
    wait = random.choice([None, "soon", "1.5", ""])
    error = throttled(session, wait, "Request was throttled. Expected available in 42 seconds.")
    return Defect(alone(error), "limit.retry-after", "", Level.WARNING, error.entry)


@kind
def a_429_contradicts_itself(random: Random, session: Session) -> Defect:
    detail = random.choice(["Slow down.", "Request was throttled. Expected available in 7 seconds."])
    error = throttled(session, "42", detail)
    return Defect(alone(error), "limit.retry-after", "/detail", Level.WARNING, error.entry)


def field_errors(session: Session) -> tuple[Exchange, Body]:
    error = requested(session, "mode=bogus")[0]
    return error, body_of(error)


@kind
def a_wrong_field_is_not_named(random: Random, session: Session) -> Defect:
    error, body = field_errors(session)
    field = random.choice(["mode", "status"])
    del body[field]
    return Defect(alone(with_body(error, body)), "filter.errors", f"/{field}", Level.WARNING, error.entry)


@kind
def a_right_field_is_named(random: Random, session: Session) -> Defect:
    error, body = field_errors(session)
    field = random.choice(["page", "ordering", "referral_channel"])
    body[field] = body["mode"]
    return Defect(alone(with_body(error, body)), "filter.errors", f"/{field}", Level.WARNING, error.entry)


@kind
def a_field_error_lacks_its_code(random: Random, session: Session) -> Defect:
    error, body = field_errors(session)
    field, part = random.choice(["mode", "status"]), random.choice(["code", "message"])
    del body[field][0][part]
    return Defect(
        alone(with_body(error, body)), "filter.errors", f"/{field}/0/{part}", Level.WARNING, error.entry
    )


@kind
def a_field_error_says_something_else(random: Random, session: Session) -> Defect:
    error, body = field_errors(session)
    field, part = random.choice(["mode", "status"]), random.choice(["code", "message"])
    body[field][0][part] = "other"
    return Defect(
        alone(with_body(error, body)), "filter.errors", f"/{field}/0/{part}", Level.WARNING, error.entry
    )


def routed(session: Session) -> list[Exchange]:
    return [each for each in session if each.status != 301 and each.method in ("GET", "POST")]


@kind
def the_content_type_is_another(random: Random, session: Session) -> Defect:
    exchange = random.choice(routed(session))
    value = random.choice([None, "application/json; charset=utf-8", "text/plain", "application/problem+json"])
    return Defect(
        alone(with_header(exchange, "Content-Type", value)), "wire.json", "", Level.WARNING, exchange.entry
    )


@kind
def allow_is_another(random: Random, session: Session) -> Defect:
    exchange = random.choice(routed(session))
    value = random.choice([None, "GET", "GET, POST, HEAD, OPTIONS", ""])
    return Defect(
        alone(with_header(exchange, "Allow", value)), "wire.allow", "", Level.WARNING, exchange.entry
    )


@kind
def a_401_names_no_scheme(random: Random, session: Session) -> Defect:
    error = random.choice([each for each in session if each.status == 401])
    value = random.choice([None, "Basic", "Bearer", 'Token realm="api"'])
    return Defect(
        alone(with_header(error, "WWW-Authenticate", value)),
        "auth.unauthorized",
        "",
        Level.WARNING,
        error.entry,
    )


# Bodies that are no clean JSON.


def broken_body(rule: str, change: Callable[[Random, bytes], bytes], level: Level, pointer: str = "") -> Kind:
    def mutate(random: Random, session: Session) -> Defect:
        exchange = random.choice(details(session))
        body = change(random, exchange.body)
        return Defect(alone(replace(exchange, body=body)), rule, pointer, level, exchange.entry)

    return mutate


KINDS |= {
    "a_body_is_cut_off": broken_body(
        "json.syntax", lambda random, body: body[: random.randrange(1, len(body))], Level.ERROR
    ),
    "a_body_is_empty": broken_body(
        "json.empty", lambda random, body: random.choice([b"", b" \n"]), Level.ERROR
    ),
    "a_body_is_html": broken_body("json.syntax", lambda random, body: b"<html></html>", Level.ERROR),
    "a_body_is_followed_by_more": broken_body(
        "json.syntax", lambda random, body: body + random.choice([b"{}", b"x", b",", b"\0"]), Level.ERROR
    ),
    "a_body_is_latin_1": broken_body(
        "json.utf-8", lambda random, body: body[:-1] + b',"name":"Ren\xe9"}', Level.WARNING
    ),
    "a_body_has_a_byte_order_mark": broken_body(
        "json.byte-order-mark", lambda random, body: b"\xef\xbb\xbf" + body, Level.WARNING
    ),
    "a_key_is_twice": broken_body(
        "json.duplicate-key",
        lambda random, body: b'{"id":1,' + body[1:],
        Level.WARNING,
    ),
    "an_amount_is_no_number_of_json": broken_body(
        "object.amount",
        lambda random, body: re.sub(
            rb'"amount":[^,]+', b'"amount":' + random.choice([b"NaN", b"-Infinity"]), body
        ),
        Level.ERROR,
        "/amount",
    ),
    "a_new_field_is_no_number_of_json": broken_body(
        "json.constant",
        lambda random, body: body[:-1] + b',"bonus":' + random.choice([b"NaN", b"Infinity"]) + b"}",
        Level.WARNING,
        "/bonus",
    ),
    "a_user_id_is_endless": broken_body(
        "json.number",
        lambda random, body: re.sub(rb'"user_id":\d+', b'"user_id":' + b"9" * 400, body),
        Level.WARNING,
        "/user_id",
    ),
    "a_body_is_nested_without_end": broken_body(
        "json.depth",
        lambda random, body: body[:-1] + b',"x":' + b"[" * 500 + b"]" * 500 + b"}",
        Level.WARNING,
    ),
    "a_body_has_too_many_values": broken_body(
        "json.size",
        lambda random, body: body[:-1] + b',"x":[' + b"0," * (MOST_PARTS + random.randrange(1000)) + b"0]}",
        Level.ERROR,
    ),
    "a_body_is_something_else": broken_body(
        "object.fields", lambda random, body: random.choice([b"[]", b'"x"', b"7", b"null"]), Level.ERROR
    ),
}


@kind
def a_body_is_pretty(random: Random, session: Session) -> Defect:
    exchange = random.choice(details(session))
    body = json.dumps(json.loads(exchange.body), indent=random.choice([1, 2, 4])).encode()
    sent = with_header(replace(exchange, body=body), "Content-Length", str(len(body)))
    return Defect(alone(sent), "wire.json", "", Level.WARNING, exchange.entry)


# Several exchanges.


def walk(session: Session) -> Session:
    return session[: len(sessions.WALK)]


@kind
def a_row_comes_again_on_the_next_page(random: Random, session: Session) -> Defect:
    pages = walk(session)
    at = random.randrange(1, len(pages))
    body = body_of(pages[at])
    earlier = body_of(random.choice(pages[:at]))["results"]
    body["results"][0] = random.choice(earlier)
    changed = put(pages, with_body(pages[at], body))
    return Defect(changed, "list.walk", "/results/0/id", entry=pages[at].entry)


@kind
def a_row_comes_again_in_a_list_of_what_changes(random: Random, session: Session) -> Defect:
    pages = [
        replace(each, url=f"{str(each.url).partition('?')[0]}?status=pending") for each in walk(session)[:2]
    ]
    first, second = body_of(pages[0]), body_of(pages[1])
    second["results"][0] = first["results"][random.randrange(20)]
    for row in first["results"] + second["results"]:
        row |= {"status": "pending", "reverted_at": None}
    pages[0] = with_body(pages[0], first)
    pages[1] = with_body(replace(pages[1], url=f"{pages[1].url}&page=2"), second)
    return Defect(pages, "list.walk", "/results/0/id", Level.INCONCLUSIVE, pages[1].entry)


@kind
def count_moves_during_a_walk(random: Random, session: Session) -> Defect:
    pages = walk(session)
    body = body_of(pages[1])
    body["count"] += random.choice([-1, 1, 5])
    changed = put(pages, with_body(pages[1], body))
    return Defect(changed, "list.walk", "/count", Level.INCONCLUSIVE, pages[1].entry)


def seen_twice(random: Random, session: Session, change: Callable[[Body], Body]) -> tuple[Session, Exchange]:
    """Return a row as it was and as it is a minute later, changed."""
    before = random.choice(details(session))
    assert before.started
    after = replace(before, entry=999, line=1000, started=before.started + 60 * SECOND)
    after = with_body(after, body_of(before) | change(body_of(before)))
    return [before, after], after


def later(row: Body, seconds: int) -> str:
    return format_instant(parse_instant(row["updated_at"]) + seconds * SECOND)


@kind
def mode_changes(random: Random, session: Session) -> Defect:
    records, after = seen_twice(random, session, lambda row: {"mode": OTHER["mode"][row["mode"]]})
    return Defect(records, "object.mode", "/mode", entry=after.entry)


@kind
def a_status_goes_back(random: Random, session: Session) -> Defect:
    def change(row: Body) -> Body:
        back = {
            "available": "pending",
            "pending": "pending",
            "reverted": random.choice(["pending", "available"]),
        }
        return {"status": back[row["status"]], "reverted_at": None, "updated_at": later(row, 1)}

    settled = [
        each for each in session if each not in details(session) or body_of(each)["status"] != "pending"
    ]
    records, after = seen_twice(random, settled, change)
    return Defect(records, "object.lifecycle", "/status", entry=after.entry)


@kind
def an_available_row_is_reverted(random: Random, session: Session) -> Defect:
    def change(row: Body) -> Body:
        return {"status": "reverted", "reverted_at": later(row, 1), "updated_at": later(row, 1)}

    kept = [
        each for each in session if each not in details(session) or body_of(each)["status"] == "available"
    ]
    records, after = seen_twice(random, kept, change)
    return Defect(records, "object.lifecycle", "/status", Level.NOTE, after.entry)


@kind
def an_update_goes_back(random: Random, session: Session) -> Defect:
    records, after = seen_twice(
        random, session, lambda row: {"updated_at": later(row, -random.randint(1, 9))}
    )
    return Defect(records, "object.updated-at", "/updated_at", entry=after.entry)


@kind
def a_row_changes_without_an_update(random: Random, session: Session) -> Defect:
    field, value = random.choice(
        [("amount", 0.01), ("user_id", 7), ("created_at", "2020-01-01T00:00:00-08:00")]
    )
    records, after = seen_twice(random, session, lambda row: {field: value})
    return Defect(records, "object.same", f"/{field}", entry=after.entry)


@kind
def a_user_changes_with_an_update(random: Random, session: Session) -> Defect:
    records, after = seen_twice(random, session, lambda row: {"user_id": 7, "updated_at": later(row, 60)})
    return Defect(records, "object.constant", "/user_id", Level.WARNING, after.entry)


@kind
def a_status_changes_without_an_update(random: Random, session: Session) -> Defect:
    changes = {"status": "available", "reverted_at": None}
    (before, after), _ = seen_twice(random, session, lambda row: changes)
    before = with_body(before, body_of(before) | changes | {"status": "pending"})
    return Defect([before, after], "object.same", "/status", Level.WARNING, after.entry)


@kind
def a_filter_loses_a_row(random: Random, session: Session) -> Defect:
    """Return a row, a whole list that lacks it though it has what is selected, and the row again."""
    before, again = seen_twice(random, session, lambda row: {})[0]
    mode, started = body_of(before)["mode"], before.started
    assert started
    page: Body = {"count": 0, "next": None, "previous": None, "results": []}
    url = f"{sessions.LIVE}{sessions.LIST}?mode={mode}"
    listed = with_body(replace(before, url=url, started=started + 30 * SECOND, entry=7), page)
    return Defect([before, listed, again], "list.complete", "", entry=7)


@kind
def dates_of_a_row_are_reversed(random: Random, session: Session) -> Defect:
    def early(row: Body) -> str:
        return format_instant(parse_instant(row["created_at"]) - random.choice((1, 60, 10**6)) * SECOND)

    return changed_row(random, session, "updated_at", early, "object.date-order", level=Level.WARNING)


@kind
def a_row_was_updated_in_the_future(random: Random, session: Session) -> Defect:
    late = format_instant(sessions.BEGIN + random.randint(1, 10**6) * DAY // 1000 + 300 * SECOND)
    return changed_row(random, session, "updated_at", late, "object.past-dates", level=Level.WARNING)


@kind
def an_integer_has_a_point(random: Random, session: Session) -> Defect:
    exchange, field = random.choice(details(session)), random.choice(("id", "user_id"))
    number = str(body_of(exchange)[field]).encode()
    written = random.choice((number + b".0", number + b"e0", number + b".00", number + b"E+0"))
    name = f'"{field}":'.encode()
    body = exchange.body.replace(name + number, name + written)
    changed = alone(replace(exchange, body=body))
    return Defect(changed, "object.integer-form", f"/{field}", Level.WARNING, exchange.entry)


@kind
def a_channel_has_two_codes(random: Random, session: Session) -> Defect:
    exchange = random.choice(requested(session, r"GET .*ordering=-amount"))
    rows = body_of(exchange)["results"]
    index = random.randrange(1, len(rows))
    for row, code in ((rows[0], "ONE"), (rows[index], "TWO")):
        row |= {"referral_channel": 987, "referral_channel_code": code}
    pointer = f"/results/{index}/referral_channel_code"
    return changed_page(random, exchange, "object.copy", pointer, results=rows)


@kind
def a_channel_is_renamed(random: Random, session: Session) -> Defect:
    with_channel = [
        each for each in session if each not in details(session) or body_of(each)["referral_channel_code"]
    ]
    records, after = seen_twice(random, with_channel, lambda row: {"referral_channel_code": "NEW"})
    return Defect(records, "object.same", "/referral_channel_code", Level.INCONCLUSIVE, after.entry)


@kind
def a_row_is_another_one_in_the_list(random: Random, session: Session) -> Defect:
    single = random.choice(details(session))
    page = next(each for each in walk(session) if f'"id":{body_of(single)["id"]},' in each.body.decode())
    body = body_of(page)
    index = next(n for n, row in enumerate(body["results"]) if row["id"] == body_of(single)["id"])
    body["results"][index]["amount"] += random.randint(1, 9)
    return Defect([with_body(page, body), single], "object.same", "/amount", entry=single.entry)


# The proof.


def test_there_are_enough_kinds_and_defects() -> None:
    assert len(KINDS) >= 30
    assert len(KINDS) * SEEDS >= 300


def test_the_clean_session_is_clean(session: Session) -> None:
    verdict = judged(session)
    assert verdict.findings == ()
    assert verdict.judged == len(session) > 40


@pytest.mark.parametrize("seed", sampled(range(SEEDS)))
@pytest.mark.parametrize("name", KINDS)
def test_a_defect_is_found_where_it_is(session: Session, name: str, seed: int) -> None:
    defect = KINDS[name](Random(f"{name}{seed}"), session)
    findings = judged(defect.session).findings
    found = [(each.rule, each.place.pointer, each.level, each.place.entry) for each in findings]
    assert (defect.rule, defect.pointer, defect.level, defect.entry) in found
    graver = [each for each in found if list(Level).index(each[2]) < list(Level).index(defect.level)]
    assert not graver or name in COMPOUND, graver


COMPOUND = {
    # Defects that break a graver rule as well.
    "a_page_beyond_the_last_is_served",
    "a_row_comes_again_in_a_list_of_what_changes",
    "a_row_was_updated_in_the_future",
    "a_wrong_filter_is_served",
    "another_format_is_served",
    "dates_of_a_row_are_reversed",
    "an_impossible_page_is_served",
    "fields_are_in_another_order",
}


def test_every_rule_that_is_judged_has_a_defect(session: Session) -> None:
    proved = {kind(Random(seed), session).rule for kind in KINDS.values() for seed in range(SEEDS)}
    proved |= test_family_mutations.PROVED
    assert rules_of().keys() - NOT_JUDGED.keys() - {"record.malformed", "body.shape"} <= proved
