"""One API process: takes its settings from standard input, serves until SIGTERM or until its supervisor is gone.

The pipe on standard input stays open for as long as the supervisor lives; its end, also after `kill -9`, ends the worker.
"""

import asyncio
import ctypes
import gc
import json
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
import uvloop
from aiohttp import web

from moderation import settings as settings_module
from moderation.app import create_app, server_options
from moderation.privacy.keys import load_keyring
from moderation.settings import Settings
from moderation.telemetry import RESTARTS, configure_logging

SHUTDOWN_TIMEOUT_S = 15.0
BACKLOG = 1024
KNOCKING_S = 0.1
SPEAKING_S = 1.0
SO_ATTACH_FILTER = 26
"""Of Linux (socket(7)); Python has no name for it."""
NO_BEGINNING = (
    (0x30, 0, 0, 13),  # take the byte of flags of a segment's head
    (0x54, 0, 0, 0x12),  # of these SYN and ACK
    (0x15, 0, 1, 0x02),  # SYN alone begins a connection,
    (0x06, 0, 0, 0),  # and is dropped;
    (0x06, 0, 0, 0xFFFFFFFF),  # all else passes, above all the ACK that ends a beginning
)
"""A filter of segments: operation, steps if true, steps if false, operand."""
LONGEST_WORD_BYTES = 4096
"""Pipes write this much at once or not at all (PIPE_BUF), so a line never arrives in parts."""

LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
YOUNG_OBJECTS = 20_000
"""How many new objects the cyclic garbage collector waits for: at its default of 700 it looks at every live request."""

log = structlog.get_logger()


def main() -> None:
    """Run a worker."""
    # Unbuffered: what follows this line is read by the loop.
    first = os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0).readline()
    settings = settings_module.load(json.loads(first), require_keys=False)
    configure_logging(settings.log_format, settings.log_level)
    with asyncio.Runner(loop_factory=LOOPS[settings.event_loop]) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_reader(sys.stdin.fileno(), _hear_supervisor, stop)
    app = create_app(settings, load_keyring(settings))
    app.on_response_prepare.append(_say_farewell(stop))
    options = server_options(app, is_leaving=stop.is_set) | {"keepalive_timeout": settings.keep_alive_s}
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S, **options)
    await runner.setup()
    listening = listening_socket(settings.host, settings.port)
    site = web.SockSite(runner, listening, backlog=BACKLOG)
    await site.start()
    gc.collect()
    gc.freeze()  # modules and the model stay; the collector need not walk them again and again
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
    print("ready", flush=True)  # noqa: T201 - the supervisor waits for this line
    await stop.wait()
    loop.remove_reader(sys.stdin.fileno())
    await _take_leave(runner, site, listening)
    await runner.cleanup()


def _say_farewell(stop: asyncio.Event) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def farewell(_request: web.Request, response: web.StreamResponse) -> None:
        """Once we are to stop, answer and end the connection, so that no next request is sent on it."""
        if stop.is_set():
            response.force_close()

    return farewell


async def _take_leave(runner: web.AppRunner, site: web.SockSite, listening: socket.socket) -> None:
    """Let in who knocked already, then nobody; give those who are in a moment to say what they came for.

    A listening socket that is closed cuts off whoever waits in its queue, and the server those that have not spoken yet.
    """
    server = runner.server
    assert server is not None
    _hear_no_knock(listening)
    await asyncio.sleep(KNOCKING_S)
    knocked = _accept_all(listening)  # whom a busy loop has not come to
    await site.stop()
    for connection in knocked:
        with suppress(OSError):  # who has gone already must not cut off those behind
            await asyncio.get_running_loop().connect_accepted_socket(server, connection)
    until_s = time.monotonic() + SPEAKING_S
    while server.connections and time.monotonic() < until_s:
        await asyncio.sleep(0.02)


def _hear_no_knock(listening: socket.socket) -> None:
    """Let nobody begin to come in, and let in who has begun: whoever knocks now tries again a second later, elsewhere.

    Where there are no such filters a queue of none comes near it: it still takes one in, who may come just before the end.
    """
    if sys.platform == "linux":
        program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in NO_BEGINNING))
        filtering = struct.pack("HP", len(NO_BEGINNING), ctypes.addressof(program))
        with suppress(OSError):
            listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filtering)
            return
    listening.listen(0)


def _accept_all(listening: socket.socket) -> list[socket.socket]:
    """Accept whoever waits in the queue of a socket that does not block."""
    accepted = []
    with suppress(OSError):  # the queue is empty
        for _ in range(BACKLOG):
            connection, _address = listening.accept()
            connection.setblocking(False)
            accepted.append(connection)
    return accepted


def _hear_supervisor(stop: asyncio.Event) -> None:
    """Take the counts of restarts, one JSON object a line; its end means that the supervisor is gone."""
    heard = os.read(sys.stdin.fileno(), LONGEST_WORD_BYTES)
    for line in heard.splitlines():
        for part, restarts in json.loads(line).items():
            RESTARTS.labels(part).set(restarts)
    if not heard:
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        log.warning("supervisor_gone")
        stop.set()


def listening_socket(host: str, port: int) -> socket.socket:
    """Bind a socket that shares its port with the other workers. Raises `OSError` when somebody else has it."""
    info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    bound = socket.socket(info[0], socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(info[4])
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


if __name__ == "__main__":
    main()
