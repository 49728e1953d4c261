"""`zhidao trust log|witness|monitor|title|prove|did`, against a small server over plain HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.cli.trust.test_fraud import proofs
from tests.cli.trust.test_verify import Files, files  # noqa: F401 (a fixture)
from tests.trust.proof_bench import ProofBench

from zhidao.cli.main import main
from zhidao.core.encoding import base64url
from zhidao.core.errors import MalformedInput, NotFound
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.wire.governance.trust_list import encode_trust_list
from zhidao.trust.wire.log.fraud import encode_fraud
from zhidao.trust.wire.log.note import vkey
from zhidao.trust.wire.log.tiles import parse_tile_path
from zhidao.trust.wire.proof_file.zdproof import decode_proof

Answer = tuple[int, str]
TITLE = "ab" * 32


class Node:
    """A log in memory behind HTTP; `answers` are further paths and their bodies."""

    def __init__(self) -> None:
        self.bench = ProofBench()
        asyncio.run(self.bench.proof())
        self.answers: dict[str, bytes] = {
            "/v1/trust/witness": _json(
                {"keys": ["k"], "logs": [], "corridors": [], "problems": {}, "frauds": []}
            )
        }
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = node.answer(self.path)
                self.send_response(200 if body is not None else 404)
                self.end_headers()
                self.wfile.write(body or b'{"code":"not_found","detail":"nothing here"}')

            def log_message(self, *words: object) -> None:
                del words

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, path: str) -> bytes | None:
        if path in self.answers:
            return self.answers[path]
        reader, asked = self.bench.log.reader, urlsplit(path)
        if asked.path == "/log/checkpoint":
            return asyncio.run(reader.checkpoint())
        if asked.path.startswith("/mirror/"):
            return self._plain_log(asked.path.removeprefix("/mirror"))
        if asked.path == "/v1/trust/log/consistency":
            sizes = parse_qs(asked.query)
            first, second = int(sizes["first"][0]), int(sizes["second"][0])
            proof = asyncio.run(reader.consistency(first, second))
            return _json({"proof": [base64url(one) for one in proof]})
        if asked.path.startswith("/v1/trust/log/"):
            found = asyncio.run(reader.proof(int(asked.path.rpartition("/")[2])))
            inclusion = [base64url(one) for one in found.inclusion]
            note = found.checkpoint.decode()
            return _json(
                {"leaf": base64url(found.leaf), "inclusion": inclusion, "checkpoint": note}
            )
        return None

    def _plain_log(self, path: str) -> bytes | None:
        """What a log serves that knows nothing of nodes: its head and its tiles."""
        reader = self.bench.log.reader
        if path == "/checkpoint":
            return asyncio.run(reader.checkpoint())
        try:
            return asyncio.run(reader.tile(parse_tile_path(path.removeprefix("/tile/"))))
        except (MalformedInput, NotFound):
            return None

    def grow(self, *leaves: bytes) -> None:
        async def more() -> None:
            async with self.bench.store.transaction() as transaction:
                await self.bench.log.append(transaction, list(leaves))
            await self.bench.log.sign_checkpoint()

        asyncio.run(more())


@pytest.fixture
def node() -> Iterator[Node]:
    found = Node()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def ask(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nothing"))
    trust = tmp_path / "trust.json"
    trust.write_bytes(encode_trust_list(node.bench.trust()))

    def call(*words: object) -> Answer:
        told = ["trust", *map(str, words), "--url", node.url]
        if words[0] in ("log", "monitor"):
            told += ["--trust", str(trust)]
        return main(told), capsys.readouterr().out

    return call


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_log_is_checked_against_the_list_and_the_head_kept_before(
    node: Node, ask: Callable[..., Answer], tmp_path: Path
) -> None:
    head = tmp_path / "head"
    status, told = ask("log", "--keep", head, "--json")
    answer = json.loads(told)
    assert (status, answer["size"], answer["trusted"]) == (0, 4, "Corridor test")
    node.grow(b"five", b"six")
    status, told = ask("log", "--since", head, "--leaf", 5, "--json")
    answer = json.loads(told)
    assert (status, answer["grown_from"], answer["leaf"]["entry"]) == (0, 4, "six")
    assert "none of them changed" in ask("log", "--since", head)[1]


def test_a_log_that_forgets_or_rewrites_is_refused(
    node: Node, ask: Callable[..., Answer], tmp_path: Path
) -> None:
    head = tmp_path / "head"
    node.grow(b"five")
    assert ask("log", "--keep", head)[0] == 0
    before = node.bench
    node.bench = ProofBench()
    asyncio.run(node.bench.proof())
    status, told = ask("log", "--since", head, "--json")
    assert (status, json.loads(told)["error"]) == (1, "turned_back")
    node.grow(b"other", b"six")
    status, told = ask("monitor", "--state", head, "--once", "--json")
    assert (status, json.loads(told)["error"]) == (1, "rewritten")
    node.bench = before
    assert ask("monitor", "--state", head, "--once")[0] == 0


def test_a_log_of_another_key_is_untrusted(node: Node, ask: Callable[..., Answer]) -> None:
    node.bench = ProofBench("forger")
    asyncio.run(node.bench.proof())
    status, told = ask("log", "--json")
    assert (status, json.loads(told)["error"]) == (1, "untrusted_root")


def test_a_monitor_tells_a_fraud_that_it_checked_itself(
    node: Node, ask: Callable[..., Answer], tmp_path: Path
) -> None:
    fraud, *_ = asyncio.run(proofs())
    state = json.loads(node.answers["/v1/trust/witness"])
    node.answers["/v1/trust/witness"] = _json(state | {"frauds": ["one"]})
    node.answers["/v1/trust/frauds/one"] = encode_fraud(fraud)
    status, told = ask("monitor", "--state", tmp_path / "s", "--once", "--json")
    mirror = {"url": "https://m", "leaves": 7, "cosigned": 5, "problem": "it answered 503"}
    node.answers["/v1/trust/witness"] = _json(state | {"frauds": ["one"], "brought": [mirror]})
    assert "https://m: keeps 7 leaves, signed for 5; it answered 503" in ask("witness")[1]
    [found] = json.loads(told)["frauds"]
    assert (status, found["proven"]) == (1, True)
    assert "FRAUD" in ask("witness")[1]
    assert ask("witness", "--json")[0] == 1


def test_a_title_is_told_with_its_chain_and_what_it_lacks(
    node: Node, ask: Callable[..., Answer], tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    token.chmod(0o600)
    title = {
        "title": TITLE, "consignment": "c-1", "active": True, "custody": "", "registry": "0x1",
        "holder": "0x2", "holder_party": "exporter", "chain_id": 7,
    }  # fmt: skip
    link = {
        "number": 1, "action": "mint", "at": "2026-11-24T10:00:00Z", "signer": "0x3",
        "signer_party": "carrier", "holder": "0x2", "holder_party": "exporter",
    }  # fmt: skip
    good = {"name": "integrity", "articles": "10", "verdict": "ok", "evidence": "hash"}
    node.answers |= {
        "/v1/lists/titles?limit=100": _json({"rows": [title], "next": TITLE}),
        f"/v1/lists/titles?limit=100&after={TITLE}": _json({"rows": [title], "next": ""}),
        f"/v1/trust/titles/{TITLE}": _json(title),
        f"/v1/trust/titles/{TITLE}/endorsements": _json([link]),
        f"/v1/trust/titles/{TITLE}/assessment": _json([good]),
    }
    status, told = ask("title", "--token-file", token, "--json")
    assert (status, len(json.loads(told))) == (0, 2)
    status, told = ask("title", TITLE, "--token-file", token)
    assert status == 0
    assert "carrier -> exporter" in told
    bad = good | {"verdict": "unregistered_title"}
    node.answers[f"/v1/trust/titles/{TITLE}/assessment"] = _json([bad])
    assert ask("title", TITLE, "--token-file", token, "--json")[0] == 1
    assert ask("title", "cd" * 32, "--token-file", token)[0] == 1
    assert ask("title", "xyz", "--token-file", token)[0] == 2


@pytest.mark.slow
def test_a_proof_is_fetched_and_made_small(
    node: Node,
    ask: Callable[..., Answer],
    files: Files,  # noqa: F811 (the fixture)
    tmp_path: Path,
) -> None:
    token, out = tmp_path / "token", tmp_path / "p.zdproof"
    token.write_text("t")
    token.chmod(0o600)
    node.answers["/v1/consignments/zd-2026-0001/proof"] = files.proof.read_bytes()
    status, told = ask("prove", "zd-2026-0001", "--token-file", token, "-o", out, "--json")
    assert (status, json.loads(told)["compact"]) == (0, False)
    whole = decode_proof(out.read_bytes())
    assert whole.blobs == decode_proof(files.proof.read_bytes()).blobs
    assert main(["verify", str(out), "--trust", str(files.trust)]) == 0
    small = tmp_path / "small.zdproof"
    assert main(["trust", "prove", str(out), "--compact", "-o", str(small)]) == 0
    assert small.stat().st_size < out.stat().st_size < files.proof.stat().st_size
    assert main(["verify", str(small), "--trust", str(files.trust), "--json"]) == 0
    assert ask("prove", "zd-2026-0001", "-o", out)[0] == 2


def test_identifiers_that_need_nobody_are_resolved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = SoftwareKey(Algorithm.ED25519, b"k" * 32).public
    assert main(["trust", "did", f"did:key:{key.multikey}", "--json"]) == 0
    [found] = json.loads(capsys.readouterr().out)["keys"]
    assert found["fingerprint"] == key.fingerprint
    document = {
        "id": "did:web:node.example",
        "verificationMethod": [
            {
                "id": "#k",
                "type": "Multikey",
                "controller": "did:web:node.example",
                "publicKeyMultibase": key.multikey,
            }
        ],
        "assertionMethod": ["#k"],
    }
    file = tmp_path / "did.json"
    file.write_text(json.dumps(document))
    assert main(["trust", "did", "did:web:node.example", "--document", str(file)]) == 0
    assert key.fingerprint in capsys.readouterr().out
    assert main(["trust", "did", "did:web:other.example", "--document", str(file)]) == 1
    assert main(["trust", "did", "did:key:zzz", "--json"]) == 2


@pytest.fixture
def follow(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Asks a log that serves its head and tiles, and nothing else."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nothing"))
    key = vkey(node.bench.log.note_key)

    def call(*words: object) -> tuple[int, dict[str, Any]]:
        told = ["trust", *map(str, words), "--tiles", "--url", f"{node.url}/mirror", "--json"]
        status = main([*told, *(() if "--key" in words else ("--key", key))])
        return status, json.loads(capsys.readouterr().out or "{}")

    return call


def test_any_tile_log_is_followed_by_its_key_alone(
    node: Node, follow: Callable[..., tuple[int, dict[str, Any]]], tmp_path: Path
) -> None:
    kept = tmp_path / "head"
    status, first = follow("log", "--keep", kept)
    assert (status, first["trusted"]) == (0, "the key given")
    for grown in (1, 255, 300):
        node.grow(*(b"leaf %d" % number for number in range(grown)))
        status, answer = follow("log", "--since", kept, "--keep", kept)
        assert (status, answer["grown_from"]) == (0, first["size"]), answer
        first = answer
    for index in (0, 255, 256, first["size"] - 1):
        status, answer = follow("log", "--leaf", index)
        assert (status, answer["leaf"]["index"]) == (0, index)
    assert answer["leaf"]["entry"] == "leaf 299"
    assert follow("log", "--leaf", first["size"])[0] == 1
    status, answer = follow("monitor", "--state", kept, "--once")
    assert (status, answer["frauds"]) == (0, [])
    other = SoftwareKey(Algorithm.ED25519, b"o" * 32).public
    strange = vkey(NoteKey(node.bench.log.origin, other))
    assert follow("log", "--key", strange)[1]["error"] == "untrusted_root"


def test_a_tile_log_that_was_rewritten_or_lacks_tiles_is_refused(
    node: Node, follow: Callable[..., tuple[int, dict[str, Any]]], tmp_path: Path
) -> None:
    node.grow(*(b"leaf %d" % number for number in range(300)))
    kept = tmp_path / "head"
    assert follow("monitor", "--state", kept, "--once")[0] == 0
    node.grow(b"one more")
    size = follow("log")[1]["size"]
    tile = f"/mirror/tile/0/001.p/{size - 256}"
    honest = node.answer(tile)
    assert honest is not None
    node.answers[tile] = bytes(32) + honest[32:]
    for words in (("log", "--since", kept), ("monitor", "--state", kept, "--once")):
        status, answer = follow(*words)
        assert (status, answer["error"]) == (1, "rewritten")
    node.answers[tile] = honest[:32]
    assert follow("log", "--since", kept)[0] == 2
