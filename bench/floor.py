"""The floor: a bare aiohttp handler that parses the same JSON and answers, on Python's own event loop."""

import multiprocessing
import signal
import socket
import sys

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
    """Serve from as many processes as asked for, on a port of the kernel's choice, printed on the first line."""
    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    sockets = [_listen(0)]
    sockets += [_listen(sockets[0].getsockname()[1]) for _ in range(workers - 1)]
    print(sockets[0].getsockname()[1], flush=True)
    children = [
        multiprocessing.get_context("fork").Process(target=_serve, args=(s,), daemon=True) for s in sockets
    ]
    for child in children:
        child.start()
    for each in sockets:
        each.close()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # ends the children, too
    for child in children:
        child.join()


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(1024)
    return listening


def _serve(listening: socket.socket) -> None:
    app = web.Application()
    app.add_routes([web.post("/v1/comments", answer)])
    web.run_app(app, sock=listening, access_log=None, print=lambda *_: None)


if __name__ == "__main__":
    main()
