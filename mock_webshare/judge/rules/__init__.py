"""Rules about one exchange: generators of findings, listed in `RULES`.

A rule takes a context, and returns at once if it does not apply. `history` has those about several
exchanges.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from mock_webshare.judge.rules import error_body, headers, ordering, pagination, rows, schema, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_webshare.judge.model.context import RuleContext
    from mock_webshare.judge.model.finding import Finding

    Rule: TypeAlias = Callable[[RuleContext], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    schema.has_known_shape,
    schema.keeps_schema,
    schema.is_of_this_edition,
    schema.has_known_fields,
    status.status_fits,
    error_body.detail_fits,
    error_body.throttling_fits,
    error_body.has_code,
    error_body.field_errors_fit,
    rows.dates_are_local,
    rows.fields_are_in_order,
    rows.numbers_are_floats,
    rows.filters_are_honoured,
    rows.is_the_requested_one,
    rows.status_fits_the_age,
    ordering.rows_are_in_order,
    pagination.numbers_fit,
    pagination.links_are_there,
    pagination.links_lead_on,
    pagination.rows_are_distinct,
    headers.has_content_type,
    headers.is_compact,
    headers.allows_methods,
    headers.refusal_has_its_header,
    headers.leads_to_the_slash,
    headers.has_no_body,
    headers.describes_the_endpoint,
)

WITHOUT_BODY: tuple[Rule, ...] = (
    status.status_fits,
    headers.has_content_type,
    headers.allows_methods,
    headers.refusal_has_its_header,
)
"""The rules that apply even if the body cannot be read."""

MOST_FINDINGS = 1000
"""Of one rule in one exchange: more would not help to fix a body that is wrong throughout."""


def check(context: RuleContext, rules: tuple[Rule, ...] = RULES) -> Iterator[Finding]:
    """Yield the findings of some rules, in their order."""
    for rule in rules:
        yield from islice(rule(context), MOST_FINDINGS)
