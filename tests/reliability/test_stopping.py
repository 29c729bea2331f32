"""SIGTERM under load: every request that reached the service is answered, and what was answered is there."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from moderation.engines.ownership import current_owner
from tests.engines_fixture import engine_processes, wait_until
from tests.program import free_port, started
from tests.reliability.desk import Desk, running_desk
from tests.service import comment

CLIENTS = 32


class Client:
    """Sends on one connection; tells a request that was cut off from a connection that was never made or closed between two."""

    def __init__(self, desk: Desk, name: str) -> None:
        self.desk = desk
        self.name = name
        self.answers: dict[int, int] = {}
        self.cut_off = 0

    async def run(self) -> None:
        number, port = 0, int(self.desk.service.url.rpartition(":")[2])
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return  # nobody listens any more
            try:
                if not await self._talk(reader, writer, number):
                    self.cut_off += 1
            except OSError:
                self.cut_off += 1
            finally:
                writer.close()
            number += 1

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        external_id = f"{self.name}-{number}"
        writer.write(request(self.desk, external_id))
        await writer.drain()
        answer = await reader.read()
        if not answer:
            return False
        status = int(answer.split(b" ", 2)[1])
        self.answers[status] = self.answers.get(status, 0) + 1
        if status == 201:
            body = answer.partition(b"\r\n\r\n")[2]

            self.desk.acknowledged[external_id] = json.loads(body)["id"]
        return True


def request(desk: Desk, external_id: str) -> bytes:

    body = json.dumps(comment(external_id=external_id)).encode()
    head = (
        f"POST /v1/comments HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {desk.site['key']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_sigterm_under_load_drops_no_request(tmp_path: Path, workers: str) -> None:
    async with running_desk(tmp_path / "data", workers=workers) as desk:
        clients = [Client(desk, f"c{n}") for n in range(CLIENTS)]
        running = [asyncio.create_task(client.run()) for client in clients]
        async with asyncio.timeout(60):
            while len(desk.acknowledged) < 200:
                await asyncio.sleep(0.05)
        desk.service.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*running), 60)
        assert await asyncio.to_thread(desk.service.process.wait, 60) == 0
    assert engine_processes(tmp_path / "data") == []
    assert sum(client.cut_off for client in clients) == 0
    assert {status for client in clients for status in client.answers} <= {201, 503}
    await stored(tmp_path / "data", desk)


async def stored(data_dir: Path, desk: Desk) -> None:
    from moderation.engines import EmbeddedEngines

    engines = EmbeddedEngines(data_dir, valkey=False)
    addresses = await engines.start()
    try:
        desk.database_url = addresses.database_url
        await desk.everything_is_there_once()
    finally:
        await engines.stop()


async def test_a_service_that_is_told_to_stop_says_so_before_it_has(engine_data: Path) -> None:
    """So that one which is started meanwhile waits for it, and only then."""
    async with started(engine_data, port=free_port()) as service:
        (worker,) = [member for member in service.family() if "moderation.worker" in member.cmdline()]
        worker.suspend()  # it is waited for, for 25 seconds
        service.process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(wait_until, lambda: _is_leaving(engine_data), timeout_s=20.0)
        worker.resume()
        assert await asyncio.to_thread(service.process.wait, 90) == 0


def _is_leaving(data_dir: Path) -> bool:
    owner = current_owner(data_dir)
    assert owner is not None
    return owner.is_lasting and owner.addresses is None
