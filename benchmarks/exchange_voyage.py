"""Documents both ways between two real nodes, over a bad line, through kills; then the count.

Nothing may be lost, nothing may take effect twice, and every sender must hold receipts that a
stranger can verify: the same question for the service test and for the long benchmark. On a small
disk of its own (`on_small_disk`) the disk is full once in the middle of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from uuid import UUID

import httpx

from benchmarks.exchange_nodes import FaultyLine, RunningNode, document_body
from zhidao.core.keys import PublicKey
from zhidao.exchange.service.verification import verify_export
from zhidao.trust.wire.governance.trust_list import decode_trust_list

_SENDERS = 8
_PAUSE_S = 0.05
_DEAD_S_MAX = 180.0
# A disk for two nodes with some 10,000 documents, of which so much must stay free for writing.
DISK_MIB = 1400
RESERVE_BYTES = 120 * 1024 * 1024
_FULL_S = 4.0
# What a line must have cut before its bad weather ends.
_CUTS_MIN = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `doubled`: documents in an inbox, or their events, more than once.

    `unproven`: documents without verified receipts. `healed_s`: from the end of all faults until
    the last receipt. `full`: how often a node answered that its disk is full. `left`: for each
    document without verified receipts, how often its sender gives which state and reason.
    """

    sent: int
    lost: int
    doubled: int
    out_of_order: int
    unproven: int
    kills: int
    cuts: int
    healed_s: float
    full: int = 0
    left: dict[str, int] = field(default_factory=dict)


def on_small_disk(**plan: float) -> Outcome:
    """The voyage in a mount namespace of its own, on a disk that only it sees and may fill.

    Raises OSError where no such disk can be mounted (it takes root).
    """
    inside = (
        f'mount -t tmpfs -o size={DISK_MIB}m tmpfs "$1" && exec "$2" -m benchmarks.exchange_voyage'
        ' "$1" "$3"'
    )
    with tempfile.TemporaryDirectory(prefix="zx-") as folder:
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", inside, "sh", folder, sys.executable, json.dumps(plan)],
            capture_output=True,
            text=True,
            check=False,
        )
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        raise OSError(done.stderr.strip())
    assert done.returncode == 0, done.stderr[-3000:]
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))


async def voyage(
    folder: Path,
    *,
    documents: int,
    kills: int,
    faults: float,
    seed: int,
    timeout_s: float,
    fill: bool = False,
) -> Outcome:
    """Sends `documents` each way while nodes are killed by turns; then lets them heal.

    `fill`: the folder is a disk of its own, and is filled for a while after half of the kills.
    """
    chance = random.Random(seed)
    settings = {"ZHIDAO_NODE_DISK_RESERVE_BYTES": str(RESERVE_BYTES)} if fill else {}
    nodes = [RunningNode(folder, name, settings) for name in ("exporter", "importer")]
    full = 0
    one, two = nodes
    try:
        for node in nodes:
            node.launch()
        for node in nodes:
            await asyncio.to_thread(node.await_ready)
        async with (
            FaultyLine(two.port, seed=seed, faults=faults) as there,
            FaultyLine(one.port, seed=seed + 1, faults=faults) as back,
        ):
            await asyncio.to_thread(one.admit, two, url=there.url)
            await asyncio.to_thread(two.admit, one, url=back.url)
            work = asyncio.gather(
                _send_all(one, two, documents, seed), _send_all(two, one, documents, seed + 9)
            )
            for number in range(kills):
                if fill and number == kills // 2:
                    full = await _fill(folder, nodes)
                await asyncio.sleep(chance.uniform(0.3, 2.0))
                victim = nodes[number % 2]
                victim.kill()
                await asyncio.sleep(chance.uniform(0.0, 0.5))
                victim.launch()
                await asyncio.to_thread(victim.await_ready)
            await work
            await _bad_weather(there, back)
            there.faults = back.faults = 0.0
            healed_s = await _settled(nodes, timeout_s)
            cuts = there.cuts + back.cuts
        counted = await asyncio.to_thread(_count, nodes, documents, kills, cuts, healed_s)
        return replace(counted, full=full)
    finally:
        for node in nodes:
            node.stop()


async def _bad_weather(*lines: FaultyLine) -> None:
    """Leaves the faults on until they told: on a busy machine all documents wait for the end."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + 10
    while loop.time() < until_s:
        if sum(line.cuts for line in lines) >= _CUTS_MIN:
            return
        await asyncio.sleep(_PAUSE_S)


async def _fill(disk: Path, nodes: list[RunningNode]) -> int:
    """Fills the disk until both nodes say so, and frees it; how many of them said so."""
    filler = disk / "filler"
    status = os.statvfs(disk)
    room = status.f_bavail * status.f_frsize - RESERVE_BYTES // 2
    assert room > 0, f"the disk is too full to begin with: {status.f_bavail * status.f_frsize}"
    try:
        with filler.open("wb") as file:
            for _ in range(room // 65_536):
                file.write(bytes(65_536))
        await asyncio.sleep(_FULL_S)
        ready = [await asyncio.to_thread(node.ask, "GET", "/readyz") for node in nodes]
        alarms = [{alarm["code"] for alarm in answer.json()["alarms"]} for answer in ready]
        return sum("disk_full" in each for each in alarms)
    finally:
        filler.unlink(missing_ok=True)


async def _send_all(node: RunningNode, other: RunningNode, documents: int, seed: int) -> None:
    chance = random.Random(seed)
    numbers = iter(range(documents))

    async def sender() -> None:
        async with node.client() as http:
            for number in numbers:
                document = UUID(int=chance.getrandbits(128), version=4)
                body = document_body(other, number, node.name, str(document))
                await _post(http, body)

    await asyncio.gather(*(sender() for _ in range(_SENDERS)))


async def _post(http: httpx.AsyncClient, body: dict[str, str]) -> None:
    """Sends until the node says that it has the document: it may be dead just now."""
    until_s = time.monotonic() + _DEAD_S_MAX
    while time.monotonic() < until_s:
        try:
            answer = await http.post("/v1/exchange/outbox", json=body)
        except httpx.TransportError:
            await asyncio.sleep(_PAUSE_S)
            continue
        if answer.status_code == httpx.codes.CREATED:
            return
        assert answer.status_code in (500, 503), answer.text
        await asyncio.sleep(_PAUSE_S)
    raise AssertionError(f"the node took no document in {_DEAD_S_MAX:.0f} s")


async def _settled(nodes: list[RunningNode], timeout_s: float) -> float:
    """Seconds until no document waits any more, on both sides."""
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    while loop.time() - started_s < timeout_s:
        left = 0
        for node in nodes:
            for state in ("waiting", "received"):
                path = f"/v1/exchange/outbox?in_state={state}&limit=1"
                answer = await asyncio.to_thread(node.ask, "GET", path)
                left += len(answer.json())
        if not left:
            return loop.time() - started_s
        await asyncio.sleep(_PAUSE_S)
    return float("inf")


def _count(
    nodes: list[RunningNode], documents: int, kills: int, cuts: int, healed_s: float
) -> Outcome:
    lost = doubled = out_of_order = unproven = 0
    left: Counter[str] = Counter()
    keys = [_records(node) for node in nodes]

    def records(name: str, key: PublicKey) -> bool:
        return any(each(name, key) for each in keys)

    for node, other in (nodes, reversed(nodes)):
        exported = node.ask("GET", "/v1/exchange/export", "party").content
        checked = verify_export(exported, records)
        mine = [each for each in checked if each.envelope.heading.sender == node.name]
        proven = {
            each.envelope.heading.document
            for each in mine
            if [r.stage.value for r in each.receipts] == ["received", "accepted"]
        }
        unproven += documents - len(proven)
        left += _left(node, proven)
        theirs = verify_export(other.ask("GET", "/v1/exchange/export", "party").content, records)
        arrived = Counter(
            each.content for each in theirs if each.envelope.heading.sender == node.name
        )
        wanted = {f"{node.name} document {n}".encode() for n in range(documents)}
        lost += len(wanted - set(arrived))
        doubled += sum(count - 1 for count in arrived.values())
        out_of_order += _out_of_order(other)
    counts = (2 * documents, lost, doubled, out_of_order, unproven, kills, cuts)
    return Outcome(*counts, healed_s, left=dict(left))


def _left(node: RunningNode, proven: set[UUID]) -> Counter[str]:
    """What a sender says of its documents that have no verified receipts."""
    found: Counter[str] = Counter()
    after = ""
    while page := node.ask("GET", f"/v1/exchange/outbox?limit=200{after}", "party").json():
        for each in page:
            if UUID(each["document"]) not in proven:
                found[f"{each['state']} {each['code']} {each['reason']}".strip()] += 1
        after = f"&after={page[-1]['document']}"
    return found


def _records(node: RunningNode) -> Callable[[str, PublicKey], bool]:
    return decode_trust_list(node.ask("GET", "/v1/trust-list").content).records


def _out_of_order(node: RunningNode) -> int:
    """How many numbers of a consignment's documents are missing or stand twice."""
    numbers: dict[str, list[int]] = {}
    after = ""
    while page := node.ask("GET", f"/v1/exchange/inbox?limit=200{after}", "party").json():
        for each in page:
            numbers.setdefault(each["consignment"], []).append(each["sequence"])
        after = f"&after_sender={page[-1]['sender']}&after={page[-1]['document']}"
    return sum(sorted(found) != [*range(1, len(found) + 1)] for found in numbers.values())


def main() -> None:
    """Runs a voyage on the disk that is mounted at the folder; prints its outcome as JSON."""
    disk, plan = Path(sys.argv[1]), json.loads(sys.argv[2])
    print(json.dumps(asdict(asyncio.run(voyage(disk, fill=True, **plan)))))


if __name__ == "__main__":
    main()
