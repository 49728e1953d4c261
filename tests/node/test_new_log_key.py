"""After a recovery the operator declares a new log key, and the node works on in sight of both."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.node.live_node import answer_of, logged, order, zhidao
from tests.node.test_recovery import Lost, bring_back, lost, second

from zhidao.core.canonical import parse_strict
from zhidao.core.events import SignedEvent
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.identity.log_keys import log_keys_of
from zhidao.simulation.node_process import NodeProcess
from zhidao.trust.domain.log_key import check_declaration, log_origin
from zhidao.trust.events import LogKeyDeclared
from zhidao.trust.wire.governance.trust_list import decode_trust_list
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

pytestmark = pytest.mark.service
__all__ = ["lost", "second"]
REASON = "the disk was lost and the newer backup with it"


def declare(lost: Lost, data: Path, *words: str, name: str = "corridor"):
    settings = lost.folder / "settings.toml"
    settings.write_text(f'[node]\nname = "{name}"\n')
    where = ("--config", settings, "--data", data, "--json", "--yes")
    return zhidao("log", "new-key", *where, "--reason", REASON, *words, passphrase=lost.passphrase)


async def test_a_recovering_node_goes_on_under_a_new_key(
    lost: Lost, second: NodeProcess, tmp_path: Path
):
    data = tmp_path / "second" / "node"
    bring_back(lost, lost.older, tmp_path / "second")
    # Under another name nobody would know the log.
    assert answer_of(declare(lost, data, name="stranger"), 1)["error"] == "other_node"
    told = answer_of(declare(lost, data))
    carried, known = lost.sizes
    assert (told["carried_leaves"], told["known_leaves"]) == (carried, known)
    former_head, new_head = decode_note(lost.head.read_bytes()), (data / "log/checkpoint")
    assert told["known_root"] == parse_checkpoint(former_head.text).root.hex()
    begun = parse_checkpoint(decode_note(new_head.read_bytes()).text)
    assert (begun.origin, begun.size) == (told["origin"], carried)
    assert begun.root.hex() == told["carried_root"]
    # The former head is put aside, and the act is done once: the log is in order now.
    aside = set((data / "log").glob("checkpoint.*")) - {data / "log" / "checkpoint.lock"}
    assert [path.read_bytes() for path in aside] == [lost.head.read_bytes()]
    assert answer_of(declare(lost, data), 1)["error"] == "log_in_order"

    await second.start()
    async with httpx.AsyncClient(base_url=second.url, timeout=20.0) as http:
        assert (await http.get("/readyz")).json() == {"ready": True, "down": [], "alarms": []}
        assert answer_of(declare(lost, data), 1)["error"] == "node_runs"
        assert (await order(http, lost.token, "order-3"))[0] == 201
        size = await logged(http, lost.token, carried + 2)
        assert size >= carried + 2
        head = decode_note((await http.get("/log/checkpoint")).content)
        leaves = [
            (await http.get(f"/v1/trust/log/{index}")).json()["leaf"]
            for index in range(carried, size)
        ]
        headers = {"Authorization": f"Bearer {lost.token}"}
        trust = decode_trust_list((await http.get("/v1/trust-list", headers=headers)).content)
        report = (await http.get("/v1/insight/report", headers=headers)).json()
    # The list names both keys, and both heads are the node's under it.
    [node] = trust.nodes
    assert node.log.name == told["origin"]
    assert [log.name for log in head.signed_by(trust.logs)] == [told["origin"]]
    [former] = former_head.signed_by(trust.logs)
    assert trust.node_of_log(former) == node
    # The declaration stands open in the new log, right after what was carried over.
    event = _declaration(leaves)
    fact = check_declaration(event, former=former, new=node.log)
    assert fact.reason == REASON
    assert decode_note(fact.known_head.encode()) == former_head
    # What the maker may see of the new log is read from it, old leaves and new ones.
    assert 2 < report["opened"]["value"] <= size
    keys = {row["name"] for row in answer_of(zhidao("keys", "list", "--json", "--data", data))}
    assert {"node", "log-2"} <= keys


def _declaration(leaves: list[str]) -> SignedEvent:
    from zhidao.core.encoding import parse_base64url

    for leaf in leaves:
        plain = parse_strict(parse_base64url(leaf))
        if plain["kind"] == "open" and plain["event"]["type"] == LogKeyDeclared.TYPE:
            event = SignedEvent.from_plain(plain["event"])
            event.verify()
            return event
    raise AssertionError("no declaration is logged")


async def test_an_act_that_died_after_making_the_key_is_finished_with_that_key(
    lost: Lost, second: NodeProcess, tmp_path: Path
):
    data = tmp_path / "second" / "node"
    bring_back(lost, lost.older, tmp_path / "second")
    keys = KeyFiles(data / "keys", lost.passphrase.read_bytes(), SystemRandomness())
    key = keys.make("log-2", Algorithm.ED25519)
    # A node that starts now has a head beside it which is not its log's: it signs nothing.
    await second.start()
    async with httpx.AsyncClient(base_url=second.url, timeout=20.0) as http:
        ready = (await http.get("/readyz")).json()
        assert [alarm["code"] for alarm in ready["alarms"]] == ["recovering"]
        assert (await order(http, lost.token, "order-3"))[1]["code"] == "recovering"
    await second.stop()
    told = answer_of(declare(lost, data))
    assert told["origin"] == log_origin("corridor", key.public)
    assert told["carried_leaves"] == lost.sizes[0]
    assert log_keys_of(keys)[-1].public == key.public
