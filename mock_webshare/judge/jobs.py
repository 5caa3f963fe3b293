"""Jobs: the records of a recording, examined by several processes, in the order in which they came."""

from __future__ import annotations

import signal
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from mock_webshare.judge.check import examine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from mock_webshare.errors import UnreadableInput
    from mock_webshare.exchange.model import BadRecord, Exchange
    from mock_webshare.judge.check import Examined
    from mock_webshare.judge.model.options import Options

    Record = Exchange | BadRecord | UnreadableInput
    Result = Examined | UnreadableInput

CHUNK = 64
"""Records that are handed over at once: enough to make the handing over cheap."""
AHEAD = 3
"""Chunks for each process that are under way: what is read is held until then."""


def examine_all(records: Iterable[Record], options: Options, jobs: int) -> Iterator[Result]:
    """Given records, yield what each comes to, in their order."""
    if jobs == 1:
        return (examine(record, options) for record in records)
    return _in_processes(iter(records), options, jobs)


def _in_processes(records: Iterator[Record], options: Options, jobs: int) -> Iterator[Result]:
    first = list(islice(records, CHUNK))
    if len(first) < CHUNK:  # not worth a process
        yield from _examine_chunk(first, options)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(jobs, initializer=_leave_interrupts_to_the_parent) as pool:
        waiting: deque[Future[list[Result]]] = deque([pool.submit(_examine_chunk, first, options)])
        while chunk := list(islice(records, CHUNK)):
            waiting.append(pool.submit(_examine_chunk, chunk, options))
            if len(waiting) > AHEAD * jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _examine_chunk(records: list[Record], options: Options) -> list[Result]:
    return [examine(record, options) for record in records]


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
