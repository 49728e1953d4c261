from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nats
import nats.errors
import pytest

from zhidao.bus.embedded import EmbeddedNats
from zhidao.bus.nats import NatsBus
from zhidao.bus.port import Message
from zhidao.core.errors import Refused, Unavailable

pytestmark = pytest.mark.service


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedNats]:
    nats_server = EmbeddedNats(tmp_path / "nats")
    nats_server.start()
    try:
        yield nats_server
    finally:
        nats_server.stop()


def message(number: int) -> Message:
    return Message("zhidao.trade.Said.v1", f"leaf-{number}", str(number).encode())


async def publish_until_stored(bus: NatsBus, messages: list[Message]) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await bus.publish(messages)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return


async def read(bus: NatsBus, wanted: int) -> list[str]:
    seen: list[str] = []

    async def handle(arrived: Message) -> None:
        seen.append(arrived.id)

    async def on_dead(_: Message, reason: str) -> None:
        seen.append(reason)

    task = asyncio.create_task(
        bus.consume(name="reader", subjects=["zhidao.>"], handle=handle, on_dead=on_dead)
    )
    async with asyncio.timeout(30):
        while len(seen) < wanted:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return seen


async def test_kill_9_loses_nothing_and_leaves_no_gap(server: EmbeddedNats):
    bus = await NatsBus.connect(server.url())
    killed_at = (300, 700)
    try:
        reading = asyncio.create_task(read(bus, 1000))
        for start in range(0, 1000, 20):
            if start in killed_at:
                assert server.pid is not None
                os.kill(server.pid, signal.SIGKILL)
                again = asyncio.create_task(
                    publish_until_stored(bus, [message(n) for n in range(start, start + 20)])
                )
                await asyncio.sleep(0.2)
                server.start()
                await again
            else:
                await publish_until_stored(bus, [message(n) for n in range(start, start + 20)])
        seen = await reading
    finally:
        await bus.close()
    # A kill may repeat acknowledged messages (the server writes acknowledgements a little later),
    # and the inbox of a consumer makes that harmless; it never skips one.
    assert list(dict.fromkeys(seen)) == [f"leaf-{n}" for n in range(1000)]


async def test_a_lost_folder_is_noticed_and_filled_again(tmp_path: Path):
    server = EmbeddedNats(tmp_path / "nats")
    bus = await NatsBus.connect(server.start())
    try:
        await bus.publish([message(n) for n in range(5)])
        server.stop()
        shutil.rmtree(tmp_path / "nats")
        # The port and the password stay, so the same client finds the empty server.
        server.start()
        async with asyncio.timeout(20):
            while not await bus.ready():
                await asyncio.sleep(0.02)
        assert await bus.newest_id() is None
        await publish_until_stored(bus, [message(n) for n in range(5)])
        assert await read(bus, 5) == [f"leaf-{n}" for n in range(5)]
    finally:
        await bus.close()
        server.stop()


async def test_one_call_stores_many_messages_in_their_order(server: EmbeddedNats):
    bus = await NatsBus.connect(server.url())
    try:
        await bus.publish([message(number) for number in range(10_300)])
        assert await bus.newest_id() == "leaf-10299"
        assert (await read(bus, 300))[:300] == [f"leaf-{number}" for number in range(300)]
    finally:
        await bus.close()


async def test_strangers_and_foreign_subjects_are_refused(server: EmbeddedNats):
    told: list[str] = []

    async def note(error: Exception) -> None:
        told.append(str(error))

    port = server.url().rpartition(":")[2]
    stranger = nats.NATS()
    with pytest.raises(nats.errors.Error):
        await stranger.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False, error_cb=note)
    await stranger.close()
    client = nats.NATS()
    await client.connect(server.url(), error_cb=note)
    await client.publish("other.tenant", b"x")
    await client.flush()
    await asyncio.sleep(0.05)
    await client.close()
    assert any("permissions violation" in text for text in told)


def test_a_second_node_on_the_same_folder_is_refused(server: EmbeddedNats, tmp_path: Path):
    with pytest.raises(Refused) as caught:
        EmbeddedNats(tmp_path / "nats").start()
    assert caught.value.code == "data_in_use"


def test_what_holds_the_password_is_closed_to_others(server: EmbeddedNats, tmp_path: Path):
    assert stat.S_IMODE((tmp_path / "nats" / "server.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "nats").stat().st_mode) == 0o700


def test_the_server_dies_with_its_node(tmp_path: Path):
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from zhidao.bus.embedded import EmbeddedNats\n"
        "server = EmbeddedNats(Path(sys.argv[1])); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    node = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "nats")], stdout=subprocess.PIPE
    )
    assert node.stdout
    pid = int(node.stdout.readline())
    node.kill()
    node.wait()
    node.stdout.close()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()


async def test_an_absent_server_is_unavailable():
    with pytest.raises(Unavailable):
        await NatsBus.connect("nats://127.0.0.1:1")


def test_a_server_that_met_a_full_disk_is_started_again_when_there_is_space(tmp_path: Path):
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    inside = 'mount -t tmpfs -o size=64m tmpfs "$1" && exec "$2" "$3" "$1"'
    script = Path(__file__).with_name("full_disk.py")
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", inside, "sh", tmp_path, sys.executable, script],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    if "mount:" in done.stderr:
        pytest.skip(f"no mount here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "refused": 1,
        "alive_while_full": True,
        "found_dead": 1,
        "in_order": True,
    }
