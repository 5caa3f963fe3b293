"""Rules about one exchange: generators of findings, listed in `RULES`.

A rule takes a context, and returns at once if it does not apply. Rules about several exchanges are in
`history`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeAlias

from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Finding
from mock_webshare.judge.rules import error_body, headers, ordering, pagination, rows, schema, status

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
    rows.integers_are_digits,
    rows.filters_apply,
    rows.parts_fit_totals,
    rows.id_matches_the_request,
    rows.status_matches_the_age,
    rows.dates_are_in_order,
    rows.past_dates_are_past,
    rows.references_agree,
    ordering.rows_are_in_order,
    pagination.size_and_count_fit,
    pagination.links_are_present,
    pagination.links_point_to_neighbours,
    pagination.rows_are_distinct,
    headers.has_content_type,
    headers.is_compact,
    headers.allows_methods,
    headers.error_has_its_header,
    headers.redirect_adds_slash,
    headers.has_no_body,
    headers.describes_the_endpoint,
)

WITHOUT_BODY: tuple[Rule, ...] = (
    status.status_fits,
    headers.has_content_type,
    headers.allows_methods,
    headers.error_has_its_header,
)
"""The rules that apply even if the body cannot be read."""

OF_ANOTHER_KIND: tuple[Rule, ...] = (schema.has_due_kind, *WITHOUT_BODY)
"""The rules that apply if the body is of another kind; the others would list all that it lacks."""

MOST_FINDINGS = 1000
"""Findings of one rule in one exchange: more would not help to fix a body that is wrong throughout."""


def check(context: RuleContext, rules: tuple[Rule, ...] | None = None) -> Iterator[Finding]:
    """Yield the findings in an exchange, in the order of the rules; None: all rules that apply."""
    for rule in rules or (RULES if context.kind_mismatch is None else OF_ANOTHER_KIND):
        yield from islice(rule(context), MOST_FINDINGS)
