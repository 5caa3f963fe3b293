"""The rules of the service by topic, each with its mark (see docs/fidelity.md)."""

from __future__ import annotations

from mock_webshare.contract.model import Mark, Rule

_D, _O, _F, _A = Mark

RULES = (
    Rule("object.fields", _D, "A credit has the documented ten fields, in the documented order."),
    Rule("object.new-fields", _D, "New fields may appear at any time; clients must ignore unknown fields."),
    Rule("object.older-edition", _D, "An earlier edition of the documentation had no `referral_channel*`."),
    Rule("object.amount", _D, "`amount` is a JSON number in USD, not a string."),
    Rule("object.amount-form", _F, "`amount` is written as a float: `2.5`, not the documented `2.50`."),
    Rule("object.mode", _D, "`mode` is `payout` or `credits` and never changes."),
    Rule("object.status", _D, "`status` is `pending`, `available` or `reverted`."),
    Rule("object.reverted", _D, "`reverted_at` is null exactly when `status` is not `reverted`."),
    Rule("object.channel", _D, "`referral_channel` and `referral_channel_code` are null together."),
    Rule("object.dates", _D, "Dates are ISO 8601 in Los Angeles time, with its offset on that date."),
    Rule("object.microseconds", _F, "Dates have six fractional digits, or none if the microsecond is 0."),
    Rule(
        "object.pending",
        _D,
        "A pending credit becomes available when its pending period has passed.",
        "--pending-days",
    ),
    Rule("object.lifecycle", _D, "`pending` becomes `available` or `reverted`; `reverted` is final."),
    Rule("object.updated-at", _D, "`updated_at` never decreases."),
    Rule("object.same", _D, "A credit is the same in the list and by its id until it is updated."),
    Rule("error.detail", _D, "Errors not about a field are an object with `detail`, sometimes with `code`."),
    Rule("error.kinds", _D, "The error statuses are 400, 401, 403, 404, 405, 406, 429 and 5xx."),
    Rule("wire.json", _F, "Bodies are compact UTF-8 JSON, `Content-Type: application/json` without charset."),
    Rule("wire.indent", _F, "`Accept: application/json; indent=4` indents the response."),
    Rule("wire.allow", _F, "Every response of an endpoint has `Allow`; none has `Vary` or `ETag`."),
    Rule("wire.accept", _F, "An `Accept` that excludes JSON is a 406, an unknown `format` a 404."),
    Rule("wire.head", _F, "HEAD responds like GET, without a body."),
    Rule("auth.token", _D, "The key is sent as `Authorization: Token <key>`, the keyword in any case."),
    Rule(
        "auth.unauthorized",
        _F,
        "A 401 has `WWW-Authenticate: Token` and a text about what is wrong with the key.",
    ),
    Rule("route.slash", _O, "A missing final slash is a 301, before anything else is checked."),
    Rule("route.unknown", _F, "An unknown path is Django's HTML 404 page."),
    Rule("route.methods", _D, "GET, HEAD and OPTIONS; any other method is 405."),
    Rule("route.options", _F, "OPTIONS returns the framework's description of the endpoint."),
    Rule(
        "route.order",
        _F,
        "Checks come in the order 400 (too many parameters), 404, 406, 401, 429, 405, 400, 404.",
    ),
    Rule("list.envelope", _D, "A page is an object with `count`, `next`, `previous` and `results`."),
    Rule("list.count", _D, "`count` is the number of rows on all pages together."),
    Rule("list.page-size", _D, "A page has 25 rows unless `page_size` is set."),
    Rule("list.page-size-limit", _A, "No page has more than 100 rows.", "--max-page-size"),
    Rule("list.page-numbers", _F, "`page` and `page_size` are read as Python's `int()` reads them."),
    Rule("list.last-page", _F, "`page=last` is the last page; an empty `page` is the first."),
    Rule(
        "list.invalid-page",
        _F,
        "A page that does not exist is a 404 `Invalid page.`; an empty list has page 1.",
    ),
    Rule("list.links", _D, "`next` and `previous` are absolute URLs, or null."),
    Rule("list.links-query", _F, "Links keep every parameter, sorted; the link to page 1 has no `page`."),
    Rule("list.links-origin", _O, "Links begin with the scheme and host of the request."),
    Rule("list.walk", _D, "A walk through the pages returns every row once, and always the same `count`."),
    Rule("filter.and", _D, "`mode`, `status` and `referral_channel` combine with AND."),
    Rule("filter.no-channel", _D, "An empty `referral_channel` selects the credits without a channel."),
    Rule("filter.own-channel", _D, "`referral_channel` accepts the user's own channels; any other is a 400."),
    Rule("filter.errors", _O, "A 400 lists the errors of all fields, each with `message` and `code`."),
    Rule("filter.unknown", _F, "Unknown parameters are ignored, and kept in the links."),
    Rule("order.fields", _D, "`ordering` accepts seven fields, comma-separated, each with `-` to descend."),
    Rule(
        "order.unknown",
        _F,
        "Unknown fields in `ordering` are skipped; if none is left, the default order applies.",
    ),
    Rule("order.default", _A, "The default order is by `id`.", "--default-ordering"),
    Rule("order.ties", _A, "Rows with equal values are ordered by `id`."),
    Rule("order.nulls", _F, "Nulls come last ascending and first descending, as in PostgreSQL."),
    Rule("detail.id", _D, "A detail response is the credit with the requested id."),
    Rule(
        "detail.not-found", _O, "An unknown id is a 404 `Not found.`, and so is one that is not an integer."
    ),
    Rule("detail.filters", _F, "The filters of the list apply to the detail, too."),
    Rule(
        "limit.rate",
        _D,
        "Each key may make 240 requests a minute; then the response is a 429.",
        "--rate-limit",
    ),
    Rule("limit.retry-after", _F, "A 429 has `Retry-After`; rejected requests do not prolong the wait."),
)
