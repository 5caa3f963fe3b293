"""LiveValidation: judges exchanges while they are recorded, and then the whole recording.

Only this module of the recorder imports the judge, so that recording without `--validate` starts faster.
"""

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
    from mock_webshare.judge.model.options import Options
    from mock_webshare.judge.verdict import Verdict


class LiveValidation:
    """Judges a recording while it grows; `secrets` are redacted, for the recording may contain them."""

    def __init__(self, path: str, options: Options, secrets: Iterable[str] = ()) -> None:
        self._path, self._options, self._secrets = path, options, tuple(secrets)
        self._reported: set[tuple[str, ...]] = set()

    def new_findings(self, exchange: Exchange) -> Iterator[str]:
        """Yield the lines of a report on an exchange, unless all its findings were reported before."""
        verdict = judge([exchange], self._options)
        found = {group.likeness for group in verdict.groups}
        if found - self._reported:
            self._reported |= found
            *lines, _summary = text.lines(verdict)
            yield from lines

    def verdict(self) -> Verdict:
        """Return the verdict on the whole recording, which contains no secrets."""
        return judge(self._recorded(), self._options)

    def _recorded(self) -> Iterator[Exchange | BadRecord | UnreadableInput]:
        redactor = Redactor(self._secrets)
        for record in recordings.read([self._path], BytesIO()):
            yield redactor.exchange(record) if isinstance(record, Exchange) else record
