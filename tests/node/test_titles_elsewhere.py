"""A node whose titles live on a chain of others carries a consignment to its end, killed or not."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.trust.anvil import running
from tests.trust.title_bench import BILL, TitleBench, actor
from tests.trust.title_bench import CHAIN as INSIDE

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.node.wiring.trust.chain import chain_settings, check_place
from zhidao.simulation.client import NodeRefused
from zhidao.simulation.demonstration import Demonstration
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.scenario import simulated_scenario
from zhidao.simulation.sides import Sides

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(400)]
CHAIN = 31_337
KILLS = 3
# First four bytes of Keccak-256 of ownerOf(uint256), holder() and beneficiary().
OWNER_OF, HOLDER, BENEFICIARY = "0x6352211e", "0xe534155d", "0x38af3eed"


async def rpc(url: str, method: str, *parameters: object) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    async with httpx.AsyncClient() as http:
        answer = (await http.post(url, json=body)).json()
    assert "error" not in answer, answer
    return answer["result"]


async def killed(node: NodeProcess, chain: dict[str, object]) -> int:
    """Kills the node at moments when acts are on their way to the chain; how many times."""
    done = 0
    async with httpx.AsyncClient(base_url=node.url) as http:
        while done < KILLS:
            await asyncio.sleep(0.1)
            try:
                state = (await http.get("/v1/trust/chain")).json()
            except httpx.HTTPError:
                continue
            chain |= state
            if state["waiting"] and node.pid:
                os.kill(node.pid, signal.SIGKILL)
                done += 1
                # Long enough for the node to stand again and go on, however busy the machine is.
                await asyncio.sleep(2)
    return done


@pytest.mark.every_days(2)
async def test_a_road_is_paid_with_its_title_on_a_chain_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with running(CHAIN, "--block-time", "1") as url:
        monkeypatch.setenv("ZHIDAO_TITLES_RPC_URLS", f"http://127.0.0.1:9,{url}")
        monkeypatch.setenv("ZHIDAO_TITLES_CHAIN_ID", str(CHAIN))
        monkeypatch.setenv("ZHIDAO_TITLES_CONFIRMATIONS", "1")
        node = NodeProcess(tmp_path)
        await node.start()
        killing = None
        try:
            async with httpx.AsyncClient(base_url=node.url) as http:
                chain = (await http.get("/v1/trust/chain")).json()
            await rpc(url, "anvil_setBalance", chain["registrar"], hex(10**20))
            killing = asyncio.create_task(killed(node, chain))
            scenario = simulated_scenario("zd-2026-0417", fail="", seed=417)
            demonstration = Demonstration(
                Sides.of_one(node), scenario, folder=tmp_path, output=tmp_path, fail="",
                randomness=SystemRandomness(), say=lambda *_: None, pace_s=0.02,
            )  # fmt: skip
            with pytest.raises(NodeRefused) as refusal:
                await demonstration.run()
            # All is done but the proof, of which the node says that it cannot give it.
            assert refusal.value.code == "title_elsewhere"
            assert demonstration._outcome.paid
            assert killing.done()
            assert killing.result() == KILLS
            headers = demonstration._by("importer")._headers
            async with httpx.AsyncClient(base_url=node.url, headers=headers) as http:
                title = (await http.get(f"/v1/trust/titles/{demonstration._title}")).json()
                state = (await http.get("/v1/trust/chain")).json()
            assert (title["chain_id"], title["holder_party"]) == (CHAIN, "importer")
            assert (state["waiting"], state["problem"]) == (0, "")
            # The chain says the same: who has the title, and after how many transactions.
            asked = {"to": title["registry"], "data": OWNER_OF + demonstration._title}
            escrow = "0x" + (await rpc(url, "eth_call", asked, "latest"))[-40:]
            for question in (HOLDER, BENEFICIARY):
                asked = {"to": escrow, "data": question}
                told = await rpc(url, "eth_call", asked, "latest")
                assert "0x" + told[-40:] == title["holder"]
            receipts = [await rpc(url, "eth_getTransactionReceipt", h)
                        for h in title["transactions"]]  # fmt: skip
            assert [receipt["status"] for receipt in receipts] == ["0x1"] * 3
            await node.stop()
            monkeypatch.delenv("ZHIDAO_TITLES_RPC_URLS")
            with pytest.raises(Unavailable, match=f"titles live on chain {CHAIN}"):
                await node.start()
        finally:
            if killing:
                killing.cancel()
            await node.stop()


async def test_titles_do_not_move_from_chain_to_chain():
    bench = TitleBench()
    try:
        await check_place(bench.journal, CHAIN, elsewhere=True)
        await bench.titles.mint(
            actor("carrier"), document=BILL, consignment="c", holder="exporter", readers=[]
        )
        await check_place(bench.journal, INSIDE, elsewhere=False)
        with pytest.raises(Refused) as refusal:
            await check_place(bench.journal, CHAIN, elsewhere=True)
        assert refusal.value.code == "titles_on_another_chain"
    finally:
        await bench.stop()


@pytest.mark.parametrize(
    "bad", [("https://a", 0, 1), ("https://a", 1, -1), ("https://a", 1 << 60, 1)]
)
def test_settings_that_name_no_chain_are_refused(bad: tuple[str, int, int]):
    urls, chain_id, confirmations = bad
    with pytest.raises(MalformedInput):
        chain_settings(urls, chain_id, confirmations=confirmations)
    assert chain_settings(" , ", 0, confirmations=12) is None
