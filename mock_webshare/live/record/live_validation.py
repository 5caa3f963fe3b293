"""Watch: judges exchanges as they are recorded, and in the end the whole recording."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from mock_webshare import recordings
from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.judge.reports import text
from mock_webshare.judge.run import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_webshare.errors import UnreadableInput
    from mock_webshare.exchange.model import BadRecord
    from mock_webshare.judge.model.options import Terms
    from mock_webshare.judge.run import Verdict


class Watch:
    """Judges by the same terms what comes and what has come; `secrets` may be in a recording as they are."""

    def __init__(self, path: str, terms: Terms, secrets: Iterable[str] = ()) -> None:
        self._path, self._terms, self._secrets = path, terms, tuple(secrets)
        self._told: set[tuple[str, ...]] = set()

    def look(self, exchange: Exchange) -> Iterator[str]:
        """Given an exchange, yield the lines that tell what is wrong with it and was not told before."""
        verdict = judge([exchange], self._terms)
        found = {group.likeness for group in verdict.groups}
        if found - self._told:
            self._told |= found
            *lines, _summary = text.lines(verdict)
            yield from lines

    def verdict(self) -> Verdict:
        """Return the verdict on all that is in the recording, which shows no secrets."""
        return judge(self._recorded(), self._terms)

    def _recorded(self) -> Iterator[Exchange | BadRecord | UnreadableInput]:
        redactor = Redactor(self._secrets)
        for record in recordings.read([self._path], BytesIO()):
            yield redactor.exchange(record) if isinstance(record, Exchange) else record
