"""The reference of the benchmarks: a bare aiohttp application that answers given bytes, and nothing else.

`python bare.py PORT PATH ANSWER.json`, where the file holds `{"headers": {…}, "body": "…"}`.
"""

import json
import sys

from aiohttp import web
from multidict import CIMultiDict


def main() -> None:
    port, path, file = sys.argv[1:]
    with open(file, encoding="utf-8") as stream:
        answer = json.load(stream)
    headers, body = CIMultiDict(answer["headers"]), answer["body"].encode()

    async def handle(request: web.Request) -> web.Response:
        return web.Response(headers=headers, body=body)

    app = web.Application()
    app.router.add_get(path, handle)
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None)


if __name__ == "__main__":
    main()
