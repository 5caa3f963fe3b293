"""Rules: what the judge asks of an exchange, each a small generator of findings.

A rule is given a context, and returns at once when it is not concerned. Those across several exchanges,
`lives` and `walks`, are given what `observation` keeps of each.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from mock_webshare.judge.model.rulebook import rules_of
from mock_webshare.judge.rules import (
    error_body,
    headers,
    lifecycle,
    ordering,
    pagination,
    rows,
    schema,
    status,
)

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
    error_body.names_the_wrong_fields,
    error_body.field_errors_read_right,
    rows.dates_are_local,
    rows.fields_are_in_order,
    rows.numbers_are_floats,
    rows.filters_are_honoured,
    rows.is_the_one_asked_for,
    lifecycle.is_not_ripe_too_soon,
    lifecycle.is_not_pending_too_long,
    ordering.rows_are_in_order,
    pagination.page_exists,
    pagination.cap_is_as_assumed,
    pagination.page_is_full,
    pagination.count_fits,
    pagination.links_are_there,
    pagination.links_lead_on,
    pagination.rows_are_distinct,
    headers.has_content_type,
    headers.is_compact,
    headers.allows_methods,
    headers.asks_for_credentials,
    headers.says_when_to_retry,
    headers.leads_to_the_slash,
    headers.has_no_body,
    headers.describes_the_endpoint,
)


MOST_FINDINGS = 1000
"""What one rule may say of one exchange: a body that is nothing but mistakes is not worth more words."""


def check(context: RuleContext) -> Iterator[Finding]:
    """Given a context, yield what every rule has to say."""
    return _ask(RULES, context)


def _ask(rules: tuple[Rule, ...], context: RuleContext) -> Iterator[Finding]:
    known = rules_of(context.contract)
    for rule in rules:
        yield from (found for found in islice(rule(context), MOST_FINDINGS) if found.rule in known)


WITHOUT_BODY: tuple[Rule, ...] = (
    status.status_fits,
    headers.has_content_type,
    headers.allows_methods,
    headers.asks_for_credentials,
    headers.says_when_to_retry,
)


def check_without_body(context: RuleContext) -> Iterator[Finding]:
    """Given a case whose body cannot be read, yield what can be said all the same."""
    return _ask(WITHOUT_BODY, context)
