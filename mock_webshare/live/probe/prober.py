"""Prober: asks a service, slowly and without changing anything, which of our guesses about it are right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from mock_webshare.contract.model import Rule
from mock_webshare.contract.rules import RULES
from mock_webshare.errors import ServiceError
from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.judge.model.finding import excerpt, shorten
from mock_webshare.live.probe.checks import DECIDED, DECISIONS
from mock_webshare.live.probe.objections import Against
from mock_webshare.live.probe.report import Decision, Findings, Outcome
from mock_webshare.live.probe.requests import QUESTIONS, Question
from mock_webshare.live.probe.responses import Answers, Undecidable, described
from mock_webshare.live.upstream import Upstream, UpstreamError, connected
from mock_webshare.version import __version__

TIMEOUT = 30.0
"""Seconds that an answer may take."""
LARGEST_BODY = 4 * 1024 * 1024
"""Bytes; all answers are held until the end, and a thousand credits have about 250,000."""
LONGEST_WHY = 250
"""Characters of a reason: it may tell numbers of the service, such as a count of four thousand digits."""
FASTEST = 60
"""Requests a minute; the documented limit is 240, and the account's own clients need some of them."""


async def probe(
    origin: str,
    key: str,
    *,
    pause: Callable[[], Awaitable[object]],
    keep: Callable[[Exchange], object] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Findings:
    """Given a service and a key, ask all questions, with a pause between them, and return the findings.

    `keep` is given each exchange, and `progress` how many of how many are done. Both see no secrets.
    Raise `ServiceError` if the first answer is none to go on from, the rate limit is reached, or an
    answer does not come in time.
    """
    answers = Answers()
    async with connected(origin, TIMEOUT, LARGEST_BODY) as upstream:
        asking = _Asking(upstream, key, keep or _nothing)
        for number, question in enumerate(QUESTIONS, start=1):
            await asking.ask(question, answers, pause if answers.requests else None)
            if number == 1:
                _require_a_list(answers, origin)
            if progress:
                progress(number, len(QUESTIONS))
    return Findings(origin, answers.requests, tuple(decide(answers)))


def decide(answers: Answers) -> Iterator[Decision]:
    """Given the answers, yield a decision for each rule."""
    for rule in RULES:
        if rule.mark in DECIDED:
            yield _decision(rule, answers)


def _decision(rule: Rule, answers: Answers) -> Decision:
    found: list[Against] = []
    try:
        for against in DECISIONS[rule.id](answers):
            found += [against] * (against not in found)
    except Undecidable as reason:
        if not found:  # what speaks against a rule does so whatever else cannot be told
            return Decision(rule, Outcome.UNDECIDABLE, (_why(str(reason)),))
    if not found:
        return Decision(rule, Outcome.KEPT)
    options = tuple(each.option for each in found if each.option)
    return Decision(rule, Outcome.BROKEN, tuple(_why(each.says) for each in found), options)


def _why(phrase: str) -> str:
    return shorten(phrase, LONGEST_WHY)


class _Asking:
    """Asks one service with one key."""

    def __init__(self, upstream: Upstream, key: str, keep: Callable[[Exchange], object]) -> None:
        self._upstream, self._keep = upstream, keep
        self._redactor = Redactor([key])
        self._key = key

    async def ask(
        self, question: Question, answers: Answers, pause: Callable[[], Awaitable[object]] | None
    ) -> None:
        """Ask a question, if the answers so far give a reason to, and add its answer."""
        try:
            target = question.aimed(answers)
        except Undecidable as reason:
            answers.miss(question.name, str(reason))
            return
        if pause:
            await pause()
        try:
            exchange = await self._upstream.send(question.method, target, self._headers(question))
        except UpstreamError as error:
            answers.miss(question.name, str(error))
            self._keep(self._redactor.exchange(error.exchange))
            if error.is_late:
                raise ServiceError(
                    f"{error.exchange.source} did not answer {described(error.exchange)} "
                    f"within {TIMEOUT:g} seconds; nothing more is asked of it"
                ) from error
            return
        redacted = self._redactor.exchange(exchange)
        self._keep(redacted)
        answers.add(question.name, redacted)
        _require_no_limit(redacted)

    def _headers(self, question: Question) -> Headers:
        ours = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Token {self._key}",
            "User-Agent": f"mock-webshare/{__version__} probe",
        }
        if question.is_anonymous:
            del ours["Authorization"]
        return tuple({**ours, **dict(question.headers)}.items())


def _nothing(exchange: Exchange) -> None:
    """Keep nothing."""


def _require_no_limit(exchange: Exchange) -> None:
    if exchange.status == 429:
        wait = exchange.header("retry-after") or ""
        when = f"in {wait} seconds" if wait.isdigit() and len(wait) < 6 else "in a minute"
        raise ServiceError(f"{exchange.source} is at the rate limit of this key; try again {when}")


def _says(answers: Answers) -> str:
    """Return the service's own words for a refusal, as far as it has some."""
    detail = answers.detail("first")
    return f" and says {excerpt(detail)}" if detail is not None else ""


def _require_a_list(answers: Answers, origin: str) -> None:
    """Raise `ServiceError` unless the first answer is a page of credits."""
    try:
        exchange = answers.to("first")
        if exchange.status == 401:
            raise ServiceError(
                f"{origin} does not accept the key; WEBSHARE_API_KEY has to hold one of its keys"
            )
        if exchange.status in range(300, 400):
            raise ServiceError(
                f"{origin} redirects to another place, which is not followed; give that base URL"
            )
        if exchange.status != 200:
            raise ServiceError(f"{origin} cannot be probed: it answers {exchange.status}{_says(answers)}")
        answers.page("first")
    except Undecidable as reason:
        raise ServiceError(f"{origin} cannot be probed: {reason}") from reason
