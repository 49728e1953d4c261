"""Private keys, the passphrase and the salts of others reach no log line, error or API answer."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.live_node import admin_of, logged, operator_of, order
from tests.trust.proof_bench import ProofBench

from zhidao.core.encoding import base58btc, base64url
from zhidao.core.errors import ZhidaoError
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.simulation.entrance import agreed_token
from zhidao.simulation.node_process import NodeProcess
from zhidao.trust.adapters.chain.chain_accounts import SecretAccount
from zhidao.trust.wire.proof_file.zdproof import decode_proof


def spellings(secret: bytes) -> Iterator[str]:
    """How bytes might stand in a text."""
    yield secret.hex()
    yield secret.hex().upper()
    yield base64.b64encode(secret).decode().rstrip("=")
    yield base64url(secret)
    yield base58btc(secret)
    yield repr(secret)[2:-1]
    yield str(int.from_bytes(secret, "big"))


def found_in(text: str, secrets: dict[str, bytes]) -> list[str]:
    """Which secrets stand in a text, in any spelling."""
    return [name for name, s in secrets.items() if any(each in text for each in spellings(s))]


@pytest.mark.service
async def test_a_running_node_tells_none_of_its_secrets(tmp_path: Path):
    node = NodeProcess(tmp_path)
    await node.start()
    told: dict[str, str] = {}
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=20.0) as http:
            admin = await admin_of(node, http)
            who = {"party": "maker", "name": "Maker", "trade_role": "exporter", "country": "CN"}
            await admin.post("/v1/parties", who)
            operator = await operator_of(node, admin, http)
            token = await agreed_token(admin, operator, {"party": "maker", "role": "party"})
            assert (await order(http, token, "order-1"))[0] == 201
            await logged(http, token, 1)
            schema = (await http.get("/schema/openapi.json")).json()
            party = {"Authorization": f"Bearer {token}"}
            for path, methods in schema["paths"].items():
                for method in methods:
                    named = path
                    for name in ("index", "number"):
                        named = named.replace(f"{{{name}}}", "0")
                    if "{" in named and method == "get":
                        named = named.replace("{party}", "maker").replace("{name}", "maker")
                    words: dict[str, Any] = {} if method == "get" else {"json": {"bad": "body"}}
                    for caller, headers in (("party", party), ("admin", admin._headers)):
                        with contextlib.suppress(TimeoutError):
                            # A stream of events never ends; its beginning was asked for.
                            async with asyncio.timeout(2):
                                answer = await http.request(method, named, headers=headers, **words)
                                told[f"{method} {named} {caller}"] = answer.text
    finally:
        await node.stop()
    files = KeyFiles(tmp_path / "node" / "keys", (tmp_path / "passphrase").read_bytes().strip(),
                     SystemRandomness())  # fmt: skip
    secrets = {}
    for label in files.names():
        name, _, algorithm = label.removesuffix(".key").rpartition(".")
        key = files.get(name, Algorithm.named(algorithm))
        assert key is not None, label
        secrets[label] = key.secret
    assert len(secrets) > 6
    assert found_in(f"x{secrets['node.ed25519'].hex()}", secrets) == ["node.ed25519"]
    told["log"] = node.log.read_text(errors="replace")
    for file in (tmp_path / "node").glob("*.json"):
        told[str(file)] = file.read_text(errors="replace")
    assert len(told) > 150
    passphrase = (tmp_path / "passphrase").read_text().strip()
    for place, text in told.items():
        assert found_in(text, secrets) == [], place
        assert passphrase not in text, place


def test_keys_and_accounts_do_not_show_themselves_in_errors():
    secret = bytes(range(1, 33))
    shown = []
    for algorithm in (Algorithm.ED25519, Algorithm.P256, Algorithm.SECP256K1, Algorithm.ML_DSA_44):
        key = SoftwareKey(algorithm, secret)
        shown += [repr(key), str(key), repr(key.public), repr(vars(key).keys())]
    shown += [repr(SecretAccount(secret)), str(SecretAccount(secret))]
    for bad in (b"", secret[:-1], secret + b"\0"):
        try:
            SoftwareKey(Algorithm.ED25519, bad)
        except ZhidaoError:
            shown.append(traceback.format_exc())
    assert len(shown) > 18
    assert found_in("\n".join(shown), {"key": secret}) == []


async def test_a_proof_holds_the_salts_of_its_own_events_and_no_others():
    bench = ProofBench()
    data = await bench.proof(leave_out=(1,))
    salts = {str(at): entry.salt for at, entry in enumerate(bench.journal.written)}
    proof = decode_proof(data)
    opened = {opened.index for opened in proof.events if opened.salt}
    text = json.dumps(json.loads(data))
    shown = {int(name) for name in found_in(text, salts)}
    assert shown == opened
    # The log itself shows none.
    leaves = [await bench.log.reader.proof(index) for index in range(4)]
    assert all(found_in(leaf.leaf.decode(), salts) == [] for leaf in leaves)
