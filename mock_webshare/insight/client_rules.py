"""What a client does wrong though nothing fails, as one table of rules.

A rule looks at the requests of one client in their order, and only at what the client could see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from mock_webshare.contract.model import Contract, Endpoint, Kind
from mock_webshare.insight.client_requests import ClientRequest
from mock_webshare.insight.walks import Span, Walk

MANY_DETAILS = 10
"""So many details, requested one after the other, should be read from a list instead."""
MANY_REFUSALS = 3
"""So many equal requests in a row, all refused, are retries; two may come from two tests with one key."""
MANY_REDIRECTS = 2
"""So many redirected requests to an endpoint, and no direct one, show that the client omits the slash."""
MANY_PAGES = 3
"""So many pages in a row are a walk; two may come from two tests with one key."""
MOST_NAMES = 1000
"""Different parameter names that are compared with known ones, at most: a comparison takes a while."""
TOLERANCE = 0.05
"""Seconds by which a client may wait less than `Retry-After` says."""
_SIMILAR = 0.75  # from 0 to 1
_LONGEST_NAME = 20


class Found(NamedTuple):
    """Requests that break a rule, and the values of the placeholders in the texts of the rule."""

    requests: Sequence[ClientRequest]
    names: Mapping[str, object] = {}


class Rule(NamedTuple):
    """One mistake of clients: how it is found, what it means, and what to do."""

    id: str
    find: Callable[[Span], Iterable[Found]]
    explanation: str
    advice: str
    find_alone: Callable[[Span], Iterable[Found]] | None = None
    """Finds the mistake in one request, whatever comes before and after. None: one does not show it."""


# Parameters and sizes of pages.

_SYNONYMS = {
    "page_size": ("limit", "perpage", "size", "maxresults", "pagelength", "pagelimit", "resultsperpage"),
    "page": ("offset", "start", "skip", "pagenumber", "pageno", "pageindex"),
    "ordering": ("sort", "sortby", "order", "orderby", "sorting"),
}
"""Names that other services have for parameters of this one, without their underscores."""


def _ignored_parameters(span: Span) -> Iterator[Found]:
    return (each for each in _all_ignored_parameters(span) if each.names["instead"])


def _all_ignored_parameters(span: Span) -> Iterator[Found]:
    """Yield all ignored parameters, also those that are like nothing known, such as one against caches."""
    found: dict[tuple[str, str], list[ClientRequest]] = {}
    for request in span.requests:
        if request.endpoint is not None and request.status == 200 and request.method == "GET":
            for name in request.params:
                if (request.path, name) in found or len(found) < MOST_NAMES:
                    found.setdefault((request.path, name), []).append(request)
    for (_, name), requests in found.items():
        endpoint = requests[0].endpoint
        assert endpoint
        if name not in parameters_of(endpoint.endpoint):
            advice = _instead(name, endpoint.endpoint, span.contract)
            yield Found(requests, {"name": _shown(name, requests[0]), "instead": advice})


def parameters_of(endpoint: Endpoint) -> Sequence[str]:
    """Return the names of the parameters that an endpoint reads."""
    lookup = () if endpoint.lookup is None else (endpoint.lookup.name,)
    ordering = ("ordering",) if endpoint.orderings else ()
    paging = ("page", "page_size") if endpoint.paging else ()
    return (*(each.name for each in endpoint.filters), *lookup, *ordering, *paging, "format")


def _instead(name: str, endpoint: Endpoint, contract: Contract) -> str:
    """Return what to do instead of sending an ignored parameter; empty if nothing is like it."""
    known = parameters_of(endpoint)
    if len(name) > 2 * _LONGEST_NAME:
        return ""
    if similar := _similar(name, known):
        return f"use `{similar}`"
    base = name.lower().partition("__")[0]
    if base in endpoint.orderings:
        return f"order by it instead: `ordering={base}`"
    if base in {each.name for each in contract.served[endpoint.path]}:
        return "select the rows in your own code"
    return _ABSENT.get(base, "") if endpoint.kind in (Kind.LIST, Kind.ARRAY) else ""


_ABSENT = {
    "page": "the response has all rows",
    "page_size": "the response has all rows",
    "ordering": "order the rows in your own code",
    "search": "select the rows in your own code",
}
"""What to do instead of sending a parameter that other lists have, but not this one."""


def _similar(name: str, known: Sequence[str]) -> str | None:
    """Return the known parameter that a name means, or None: `page_size` for `pageSize` or `limit`."""
    plain = {_plain(each): each for each in known if each != "format"}
    base = _plain(name.partition("__")[0])
    for each, synonyms in _SYNONYMS.items():
        if base in synonyms and each in known:
            return each
    part = next((each for each in known if len(base) > 3 and base in each.split("_")), None)
    found = get_close_matches(base, plain, n=1, cutoff=_SIMILAR)
    return plain[found[0]] if found else part


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _shown(name: str, request: ClientRequest) -> str:
    """Return a parameter in words, without its name if that may be a key."""
    is_word = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    is_key = any(word == name or (len(word) > 3 and word in name) for word in (request.client or "").split())
    is_harmless = is_word and len(name) <= _LONGEST_NAME and not is_key
    return f"the parameter `{name}`" if is_harmless else "one of the parameters"


def _capped_sizes(span: Span) -> Iterator[Found]:
    capped = [each for each in _pages(span) if each.page.has_next and each.target.size > each.page.size > 0]
    for size, requests in _grouped(capped, lambda each: each.page.size):
        yield Found(requests, {"size": size})


def _ignored_sizes(span: Span) -> Iterator[Found]:
    wrong = [each for each in _pages(span) if "page_size" in each.params and each.target.size < 1]
    for size, requests in _grouped(wrong, _usual_size):
        yield Found(requests, {"size": size})


def _pages(span: Span) -> Iterator[Any]:
    return (each for each in span.requests if each.page is not None)


def _usual_size(request: ClientRequest) -> int:
    paging = None if request.endpoint is None else request.endpoint.endpoint.paging
    assert paging
    return paging.page_size


def _grouped(
    requests: Iterable[ClientRequest], key: Callable[[Any], object]
) -> Iterator[tuple[object, list[ClientRequest]]]:
    """Yield the requests in groups of equal endpoint and equal `key`, each group after that key."""
    groups: dict[object, list[ClientRequest]] = {}
    for each in requests:
        groups.setdefault((each.path, key(each)), []).append(each)
    return ((key(group[0]), group) for group in groups.values())


# Walks through pages.


def _one_page(span: Span) -> Iterator[Found]:
    """Yield each first page of the largest size whose `next`, like any other page, was not requested.

    A client that requests a smaller page, or an ordering, may want no more than that page.
    """
    others = {each.list for each in span.requests if each.number != 1}
    for walk in span.walks:
        (first, *more) = walk.steps
        if not more and first.list not in others and _is_largest(first) and _is_cut(span, walk):
            yield Found([first])


def _is_largest(request: ClientRequest) -> bool:
    paging = None if request.endpoint is None else request.endpoint.endpoint.paging
    return paging is not None and request.target.size == paging.max_page_size


def _ended_early(span: Span) -> Iterator[Found]:
    for walk in span.walks:
        if max(walk.numbers) >= MANY_PAGES and walk.is_in_order and _is_cut(span, walk):
            yield Found([walk.steps[-1]])


def _is_cut(span: Span, walk: Walk) -> bool:
    """Return whether a client left a walk before the last page, and did not then request one of its rows."""
    last = walk.steps[-1]
    if not walk.has_more or walk.is_broken or not span.is_left(walk) or last.params.get("ordering"):
        return False
    rest = span.requests[walk.place + 1 :]
    row = rest[0].endpoint.id if rest and rest[0].endpoint else None
    return row is None or last.page is None or row not in last.page.ids


def _counted(span: Span) -> Iterator[Found]:
    """Yield requests of a client that counts pages: it ignores the URLs in `next`, or goes a page too far."""
    for walk in span.walks:
        is_long = walk.is_in_order and max(walk.numbers) >= MANY_PAGES
        if walk.beyond is not None and len(walk.steps) > 1:
            yield Found([*walk.steps[1:], walk.beyond])
        elif is_long and _has_other_links(walk):
            yield Found(walk.steps[1:])


def _has_other_links(walk: Walk) -> bool:
    """Return whether every page was requested by a URL other than the `next` of the page before."""
    return all(
        before.page is not None
        and before.page.next is not None
        and after.link is not None
        and before.page.next.pairs != after.link.pairs
        for before, after in pairwise(walk.steps)
    )


def _twice(span: Span) -> Iterator[Found]:
    """Yield the pages that a walk requests twice in a row before it goes on."""
    for walk in span.walks:
        last = walk.numbers[-1]
        places = (place for place, pair in enumerate(pairwise(walk.numbers), 1) if pair[0] == pair[1] < last)
        repeated = [walk.steps[place] for place in places]
        if repeated and walk.is_in_order and walk.is_alone:
            yield Found(repeated)


# Requests that are sent again.


_REDIRECTS = frozenset({301, 302, 307, 308})


def _redirects(span: Span) -> Iterator[Found]:
    if span.statuses.isdisjoint(_REDIRECTS):
        return
    followed: dict[str, list[ClientRequest]] = {}
    direct: set[str] = set()
    earlier: ClientRequest | None = None
    for request in span.requests:
        if request.endpoint is None:
            pass
        elif earlier is not None and _is_redirect_of(earlier, request):
            followed.setdefault(request.path, []).append(earlier)
        elif request.endpoint.is_slashed and "page" not in request.params:
            direct.add(request.path)
        earlier = request
    for path, requests in followed.items():
        if path not in direct and len(requests) >= MANY_REDIRECTS:
            yield Found(requests)


def _lost_methods(span: Span) -> Iterator[Found]:
    for redirected, request in span.pairs:
        if (
            redirected.status in _REDIRECTS
            and _is_redirect_of(redirected, request)
            and redirected.method != request.method
        ):
            yield Found([redirected], {"method": redirected.method, "other": request.method})


def _is_redirect_of(request: ClientRequest, after: ClientRequest) -> bool:
    """Return whether `request` was redirected to its path with a slash, and `after` follows the redirect."""
    if request.endpoint is None or after.endpoint is None or request.status not in _REDIRECTS:
        return False
    slashed = (after.path, after.endpoint.id, after.endpoint.is_slashed)
    return (request.path, request.endpoint.id, not request.endpoint.is_slashed) == slashed


_WAITING = frozenset({429, 503})


def _early_retries(span: Span) -> Iterator[Found]:
    if span.statuses.isdisjoint(_WAITING):
        return
    early = [retry for refused, retry in span.pairs if span.can_wait and _is_early(refused, retry)]
    for _, requests in _grouped(early, lambda _: None):
        yield Found(requests)


def _is_early(refused: ClientRequest, retry: ClientRequest) -> bool:
    wait, waited = refused.retry_after, retry.waited_since(refused)
    if refused.status not in _WAITING or wait is None or waited is None:
        return False
    return refused.identity == retry.identity and waited < wait - _tolerance(refused, retry)


def _tolerance(*requests: ClientRequest) -> float:
    """Return by how many seconds a wait may seem too short: a second if both times are whole seconds."""
    are_whole = all(each.arrived == int(each.arrived or 0) for each in requests)
    return 1 if are_whole else TOLERANCE


_NEVER_BETTER = frozenset(range(400, 500)) - {408, 409, 423, 425, 429}
"""The statuses that a request gets again if it is sent again unchanged."""


def _refused_again(span: Span) -> Iterator[Found]:
    if span.statuses.isdisjoint(_NEVER_BETTER):
        return
    for _, equal in groupby(span.requests, lambda each: each.identity):
        requests = list(equal)
        is_refused = requests[0].status in _NEVER_BETTER and requests[0].endpoint is not None
        if is_refused and len(requests) >= MANY_REFUSALS and len({each.status for each in requests}) == 1:
            yield Found(requests[1:], {"status": requests[0].status})


def _many_details(span: Span) -> Iterator[Found]:
    for (path, is_detail), run in groupby(span.requests, lambda each: (each.path, _is_detail(each))):
        requests = list(run)
        rows = {each.endpoint.id for each in requests if each.endpoint}
        if is_detail and len(rows) >= MANY_DETAILS and (found := _list_of(requests[0], span.contract)):
            yield Found(requests, {"path": path, "list": found})


def _is_detail(request: ClientRequest) -> bool:
    return request.kind is Kind.DETAIL and request.method == "GET" and request.status == 200


def _list_of(request: ClientRequest, contract: Contract) -> str | None:
    """Return the path of the endpoint that lists the rows of a requested detail; None without one."""
    assert request.endpoint
    resource = request.endpoint.endpoint.resource
    lists = (each for each in contract.endpoints if each.kind in (Kind.LIST, Kind.ARRAY))
    return next((each.path for each in lists if each.resource == resource), None)


def _other_origins(span: Span) -> Iterator[Found]:
    """Yield the requests with a key that follow a `next` to another origin than its page has."""
    linked: set[object] = set()
    for request in span.requests:
        link = request.link
        if link is not None and link in linked and request.client is not None:
            yield Found([request])
        next_link = None if request.page is None else request.page.next
        if next_link is not None and link is not None and next_link.origin != link.origin:
            linked.add(next_link)


# fmt: off
RULES: Sequence[Rule] = (
    Rule("parameter.ignored", _ignored_parameters,
         "{path} does not have {name}, and ignores it", "{instead}",
         _all_ignored_parameters),
    Rule("page-size.capped", _capped_sizes,
         "a page of {path} has at most {size} rows, however many `page_size` names",
         "ask for at most {size}, and follow `next` until it is null", _capped_sizes),
    Rule("page-size.ignored", _ignored_sizes,
         "{path} ignores a `page_size` that is not a positive number; the page has {size} rows",
         "send a number from 1 on, and follow `next` until it is null", _ignored_sizes),
    Rule("walk.one-page", _one_page,
         "only the first page of {path} was read, the largest possible one, though it has a `next`",
         "follow `next` until it is null"),
    Rule("walk.ended-early", _ended_early,
         "the walk through {path} ended at a page that has a `next`", "follow `next` until it is null"),
    Rule("walk.counted", _counted,
         "the pages of {path} were requested by counting, though each has a `next`",
         "follow `next` until it is null: it keeps the other parameters and knows the last page"),
    Rule("walk.page-twice", _twice,
         "a walk through {path} requested the same page twice",
         "follow the `next` of the page that was read last"),
    Rule("redirect.every-call", _redirects,
         "each request to {path} is redirected, because its path lacks the final slash",
         "end the path in a slash"),
    Rule("redirect.method-lost", _lost_methods,
         "{path} redirected a {method}, because its path lacks the final slash, and a {other} followed",
         "end the path in a slash: most clients follow a redirect with GET and without the body"),
    Rule("retry.too-soon", _early_retries,
         "a request to {path} was sent again before the time that `Retry-After` names",
         "wait as many seconds as `Retry-After` says"),
    Rule("retry.refused", _refused_again,
         "a request to {path} that got {status} was sent again unchanged, with the same result",
         "do not retry a {status}: the same request is refused again"),
    Rule("detail.many", _many_details,
         "many rows were requested one by one from {path}", "read them from {list}, a page at a time"),
    Rule("next.other-origin", _other_origins,
         "a `next` of {path} that leads to another origin was followed with the key",
         "refuse a `next` of another origin, or send no key there"),
)
# fmt: on
"""The rules about several requests, or about parameters of one."""
