"""The floor: a bare aiohttp handler that parses the same JSON and answers, on one process."""

import socket

import orjson
from aiohttp import web

ANSWER = {
    "id": "01a20aa0-228c-72c6-92e6-409d37d071f9",
    "external_id": "c1",
    "revision": 1,
    "state": "held",
    "verdict": "hold",
    "reasons": [
        {"code": "premoderation", "message": "كل تعليق في هذا الموقع ينتظر موافقة المشرف.", "evidence": []}
    ],
    "scores": {"spam": 0.01, "abuse": 0.02},
}


async def answer(request: web.Request) -> web.Response:
    """Parse and answer; nothing else."""
    orjson.loads(await request.read())
    return web.Response(status=201, body=orjson.dumps(ANSWER), content_type="application/json")


def main() -> None:
    """Serve on a port of the kernel's choice, printed on the first line."""
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)
    app = web.Application()
    app.add_routes([web.post("/v1/comments", answer)])
    web.run_app(app, sock=listening, access_log=None, print=lambda *_: None)


if __name__ == "__main__":
    main()
