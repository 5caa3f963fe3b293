"""Recorded responses: single credits and pages as a client got them, made by hand, and their findings."""

from __future__ import annotations

import json
from typing import Any

from mock_webshare.contract.timestamps import SECOND, parse_instant
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge

LIST = "https://proxy.webshare.io/api/v2/referral/credit/"
BEGIN = parse_instant("2026-03-16T12:00:00-07:00")
ROW = {
    "id": 1,
    "user_id": 2,
    "mode": "credits",
    "amount": 2.5,
    "status": "pending",
    "referral_channel": None,
    "referral_channel_code": None,
    "created_at": "2026-02-14T10:00:00-08:00",
    "updated_at": "2026-02-14T10:00:00-08:00",
    "reverted_at": None,
}
LATER = "2026-03-10T10:00:00-07:00"


def response(body: Any, url: str, at: int | None, **more: Any) -> Exchange:
    return Exchange(
        source=more.pop("source", "a.ndjson"),
        method="GET",
        url=url,
        request_headers=(("Authorization", more.pop("key", "Token k")),),
        status=more.pop("status", 200),
        body=json.dumps(body, separators=(",", ":")).encode(),
        started=None if at is None else BEGIN + at * SECOND,
        seconds=more.pop("seconds", 0.1),
    )


def one(at: int | None, *, changes: dict[str, Any] | None = None, **more: Any) -> Exchange:
    return response(ROW | (changes or {}), f"{LIST}1/", at, **more)


def page(number: int, ids: range, count: int, at: int | None, query: str = "", **more: Any) -> Exchange:
    last = -(-count // 2)

    def link(to: int) -> str | None:
        params = sorted([*filter(None, query.split("&")), *([f"page={to}"] if to > 1 else [])])
        return None if not 1 <= to <= last else LIST + (f"?{'&'.join(params)}" if params else "")

    rows = [ROW | {"id": row_id} for row_id in ids]
    body = {"count": count, "next": link(number + 1), "previous": link(number - 1), "results": rows}
    params = "&".join(filter(None, [query, f"page={number}" if number > 1 else ""]))
    return response(body, f"{LIST}?{params}", at, **more)


def found(*records: Exchange) -> list[tuple[str, str, Level]]:
    findings = judge(list(records), Options()).findings
    return [(each.rule, each.place.pointer, each.level) for each in findings]
