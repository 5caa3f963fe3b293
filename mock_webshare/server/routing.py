"""A subtree: every path from a root on, as one resource of aiohttp's router.

What a path means is decided as Django decides it (`framework.find_route`), from the bytes that came.
aiohttp's own patterns would match other spellings, and cost a tenth of the whole request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_urldispatcher import UrlMappingMatchInfo
from yarl import URL


class Subtree(web.AbstractResource):
    """All methods on all paths from `root` on go to one handler."""

    def __init__(self, root: str, handler: Handler) -> None:
        super().__init__()
        self._root = root
        self._route = web.ResourceRoute("*", handler, self)

    @property
    def canonical(self) -> str:
        return self._root

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        return UrlMappingMatchInfo({}, self._route), {"*"}

    def url_for(self, **kwargs: str) -> URL:
        return URL(self._root)

    def add_prefix(self, prefix: str) -> None:
        self._root = prefix + self._root

    def raw_match(self, path: str) -> bool:
        return path == self._root

    def get_info(self) -> Any:
        return {"path": self._root}

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter((self._route,))
