"""Two real nodes over loopback TLS: a line that cuts and delays, and kills at any moment."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from benchmarks.exchange_nodes import RunningNode
from benchmarks.exchange_voyage import on_small_disk, voyage
from tests.node.live_node import zhidao

from zhidao.exchange.wire.bundle import Item, decode_bundle, encode_bundle
from zhidao.trade.service.document_set import make_set
from zhidao.trade.wire import canonical_entry

ENTRY = Path(__file__).parents[1] / "trade" / "data" / "set_entry.json"
INVOICE = make_set(canonical_entry.read(ENTRY.read_bytes()))[0].data

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(280)]


@pytest.mark.every_days(2)
def test_kills_cuts_delays_and_a_full_disk_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    plan = {"documents": 60, "kills": 3, "faults": 0.12, "seed": 4, "timeout_s": 90}
    try:
        found = on_small_disk(**plan)
    except OSError:
        found = asyncio.run(voyage(tmp_path, **plan))
    else:
        assert found.full == 2, "both nodes said that the disk is full"
    assert found.cuts > 3, "the line was too good for this test"
    assert found.kills == 3
    assert (found.lost, found.doubled, found.out_of_order, found.unproven) == (0, 0, 0, 0), found
    assert found.healed_s <= 30


@pytest.mark.every_days(2)
def test_an_operator_admits_peers_and_carries_documents_by_hand(tmp_path: Path) -> None:
    one, two = RunningNode(tmp_path, "exporter"), RunningNode(tmp_path, "importer")
    try:
        for node in (one, two):
            node.launch()
        for node in (one, two):
            node.await_ready()
        at = {node.name: CommandLine(tmp_path, node) for node in (one, two)}
        admitted_by_invitation(tmp_path, at)
        admitted_by_link(at)
        for here, there in ((one, two), (two, one)):
            card, trust = tmp_path / f"{there.name}.card", tmp_path / f"{there.name}.json"
            at[there.name].zhidao("peer", "card", "-o", card)
            trust.write_text(there.ask("GET", "/v1/trust-list").text)
            # Nothing answers at port 9: what they exchange goes by hand.
            far = ("--at", "https://127.0.0.1:9")
            admitted = at[here.name].zhidao("peer", "add", card, "--trust", trust, *far)
            assert json.loads(admitted)[0]["node"] == there.name
        other_trust = tmp_path / "exporter.json"
        card = tmp_path / "importer.card"
        at["exporter"].zhidao("peer", "add", card, "--trust", other_trust, status=1)
        invoice = tmp_path / "invoice.xml"
        invoice.write_text("<Invoice/>")
        to = ("--to", f"importer/{two.party}", "--consignment", "C-1", "--kind", "trade.invoice")
        at["exporter"].zhidao("exchange", "send", invoice, *to, role="party")
        broken = tmp_path / "broken.xml"
        broken.write_bytes(INVOICE.replace(b">47400.00<", b">47400.01<", 1))
        xml = ("--media-type", "application/xml")
        send = ("exchange", "send", broken, *to, *xml)
        assert "invoice_invalid" in at["exporter"].zhidao(*send, role="party", status=1)
        stick, back = tmp_path / "stick", tmp_path / "back"
        told = json.loads(at["exporter"].zhidao("exchange", "pack", "importer", "-o", stick))
        assert told == {"output": str(stick), "bytes": stick.stat().st_size}
        wrong = at["exporter"].zhidao("exchange", "unpack", stick, "-o", back, status=1)
        assert json.loads(wrong)["error"] == "own_file"
        at["importer"].zhidao("exchange", "unpack", stick, "-o", back)
        (got,) = json.loads(at["importer"].zhidao("exchange", "inbox", "--look", role="party"))
        assert (got["state"], got["kind"]) == ("accepted", "trade.invoice")
        assert (got["look"]["verdict"], got["look"]["size"]) == ("not_checked", len("<Invoice/>"))
        word = ("exporter", got["document"], "--refuse", "amount_differs", "--reason", "clause 4")
        at["importer"].zhidao("exchange", "decide", *word, role="party")
        at["exporter"].zhidao("exchange", "unpack", back, "-o", stick)
        at["importer"].zhidao("exchange", "pack", "exporter", "-o", back)
        at["exporter"].zhidao("exchange", "unpack", back, "-o", stick)
        (sent,) = json.loads(at["exporter"].zhidao("exchange", "outbox", role="party"))
        assert (sent["outcome"], sent["code"], sent["reason"]) == (
            *("refused", "amount_differs", "clause 4"),
        )
        export = tmp_path / "all"
        at["exporter"].zhidao("exchange", "export", "-o", export, role="party")
        lists = ("--trust", tmp_path / "exporter.json", "--trust", tmp_path / "importer.json")
        done = zhidao("exchange", "verify", export, *lists)
        assert done.returncode == 0, done.stderr
        assert "decided amount_differs" in done.stdout
        assert "LOGGED 1 of 1 documents: 3 events" in done.stdout
        assert "no witness has cosigned the log" in done.stdout
        items = list(decode_bundle(export.read_bytes()))
        assert [item.kind for item in items] == [*"EORRRP"]
        # A receipt that the log knows is left out; a proof of another export is put in.
        for name, cut in (("receipt", [*items[:2], *items[3:]]), ("document", [items[-1]])):
            less = tmp_path / f"less-{name}"
            less.write_bytes(encode_bundle(cut))
            refused = zhidao("exchange", "verify", less, *lists)
            assert refused.returncode == 1
            assert "leaves out" in refused.stderr
        proof = bytearray(items[-1].data)
        proof[-20] ^= 1
        spoiled = tmp_path / "spoiled"
        spoiled.write_bytes(encode_bundle([*items[:-1], Item("P", bytes(proof))]))
        assert zhidao("exchange", "verify", spoiled, *lists).returncode in (1, 2)
        spoiled.write_bytes(encode_bundle(items[:-1]))
        bare = zhidao("exchange", "verify", spoiled, *lists)
        assert (bare.returncode, "nothing in the file says" in bare.stdout) == (0, True)
        assert zhidao("exchange", "verify", export, *lists[:2]).returncode == 1
    finally:
        one.stop()
        two.stop()


def admitted_by_invitation(folder: Path, at: dict[str, CommandLine]) -> None:
    """By its file and what the other side reads out; only shown, or by another word: not."""
    file = folder / "importer.invitation.json"
    invited = json.loads(at["importer"].zhidao("peer", "invite", "-o", file))
    shown = json.loads(at["exporter"].zhidao("peer", "admit", file))
    assert (shown["node"], shown["admitted"]) == ("importer", False)
    assert shown["fingerprint"] == invited["fingerprint"]
    told = invited["fingerprint"]
    other = ("--fingerprint", told[::-1])
    assert "fingerprint_differs" in at["exporter"].zhidao("peer", "admit", file, *other, status=1)
    assert json.loads(at["exporter"].zhidao("peer", "list")) == []
    said = ("--fingerprint", told.upper())
    assert json.loads(at["exporter"].zhidao("peer", "admit", file, *said))["admitted"]
    peer = json.loads(at["exporter"].zhidao("peer", "show", "importer"))
    assert peer["fingerprints"] == [told]
    at["exporter"].zhidao("peer", "withdraw", "importer")
    at["exporter"].zhidao("peer", "show", "importer", status=1)


def admitted_by_link(at: dict[str, CommandLine]) -> None:
    """One side makes a link, the other takes it; each admits the other by its fingerprint."""
    made = json.loads(at["importer"].zhidao("peer", "invite", "--link"))
    shown = json.loads(at["exporter"].zhidao("peer", "admit", "--link", made["link"]))
    assert (shown["node"], shown["admitted"]) == ("importer", False)
    [link] = json.loads(at["importer"].zhidao("peer", "links"))
    assert (link["name"], link["state"]) == (made["name"], "open"), "looking uses nothing up"
    said = ("--fingerprint", shown["fingerprint"])
    assert json.loads(at["exporter"].zhidao("peer", "admit", "--link", made["link"], *said))[
        "admitted"
    ]
    [link] = json.loads(at["importer"].zhidao("peer", "links"))
    assert (link["state"], link["node"]) == ("used", "exporter")
    assert json.loads(at["importer"].zhidao("peer", "list")) == []
    other = ("--fingerprint", link["fingerprint"])
    assert json.loads(at["importer"].zhidao("peer", "admit", "--taken", link["name"], *other))[
        "admitted"
    ]
    again = at["importer"].zhidao("peer", "unlink", made["name"], status=1)
    assert "link_used" in again
    for name, peer in (("exporter", "importer"), ("importer", "exporter")):
        at[name].zhidao("peer", "withdraw", peer)


class CommandLine:
    """The command line at one node."""

    def __init__(self, folder: Path, node: RunningNode) -> None:
        self._node = node
        self._folder = folder
        self._ca = folder / f"{node.name}.pem"
        self._ca.write_text(node.certificate)
        for role in ("party", "operator"):
            file = folder / f"{node.name}.{role}"
            file.touch(0o600)
            file.write_text(node.token(role))

    def zhidao(self, *words: str | Path, role: str = "operator", status: int = 0) -> str:
        where = ("--url", self._node.url, "--ca", self._ca, "--json")
        token = ("--token-file", self._folder / f"{self._node.name}.{role}")
        done = zhidao(*words, *where, *token)
        assert done.returncode == status, done.stderr or done.stdout
        return done.stdout
