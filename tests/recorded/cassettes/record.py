"""Record with a tool of Python: record.py TOOL TARGET URL..."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

HEADERS = {"Authorization": "Token test-key", "User-Agent": "client"}


def get_with_requests(urls: Sequence[str]) -> None:
    import requests

    for url in urls:
        requests.get(url, headers=HEADERS, timeout=10)


def get_with_httpx(urls: Sequence[str]) -> None:
    import httpx

    with httpx.Client() as client:
        for url in urls:
            client.get(url, headers=HEADERS)


def get_with_aiohttp(urls: Sequence[str]) -> None:
    import aiohttp

    async def get() -> None:
        async with aiohttp.ClientSession(headers=HEADERS) as session:
            for url in urls:
                async with session.get(url) as response:
                    await response.read()

    asyncio.run(get())


def with_vcrpy(target: str, urls: Sequence[str], get: Callable[[Sequence[str]], None]) -> None:
    import vcr

    form = "json" if target.endswith(".json") else "yaml"
    with vcr.use_cassette(target, serializer=form):
        get(urls)


def with_betamax(target: str, urls: Sequence[str]) -> None:
    import betamax  # type: ignore[import-not-found,unused-ignore]
    import requests

    session = requests.Session()
    session.headers.update(HEADERS)
    name, _ = os.path.splitext(os.path.basename(target))
    with betamax.Betamax(session, cassette_library_dir=os.path.dirname(target)).use_cassette(name):
        for url in urls:
            session.get(url)


def with_responses(target: str, urls: Sequence[str]) -> None:
    from responses import _recorder  # type: ignore[import-not-found,unused-ignore]

    decorate: Any = _recorder.record(file_path=target)
    decorate(get_with_requests)(urls)


CLIENTS = {"requests": get_with_requests, "httpx": get_with_httpx, "aiohttp": get_with_aiohttp}

if __name__ == "__main__":
    tool, path, *wanted = sys.argv[1:]
    if tool in CLIENTS:
        with_vcrpy(path, wanted, CLIENTS[tool])
    elif tool == "betamax":
        with_betamax(path, wanted)
    else:
        with_responses(path, wanted)
