"""The commands by which a seller presents and a bank opens what came."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhidao.cli.main import main
from zhidao.core.ids import party_id
from zhidao.core.keys import Algorithm
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.peer import Card
from zhidao.exchange.wire.card import sign_card
from zhidao.exchange.wire.sealing import SealingKey
from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.security.party_keys import party_key_name

ENTRY = Path(__file__).parents[2] / "trade" / "data" / "set_entry.json"


def node(folder: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFiles:
    """A data folder with keys; its passphrase stands in a file beside it."""
    passphrase = folder.parent / "passphrase"
    passphrase.write_text("correct horse")
    passphrase.chmod(0o600)
    monkeypatch.setenv("ZHIDAO_KEYS_PASSPHRASE_FILE", str(passphrase))
    return KeyFiles(folder / "keys", b"correct horse", SystemRandomness())


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path, Path]:
    seller, bank, card = tmp_path / "seller", tmp_path / "bank", tmp_path / "bank.zdcard"
    node(seller, monkeypatch).make(party_key_name("exporter", 1), Algorithm.ED25519)
    keys = node(bank, monkeypatch)
    own = keys.make("node", Algorithm.ED25519)
    sealing = SealingKey(keys.make("sealing", Algorithm.ED25519).secret)
    unsigned = Card(
        node=party_id("bank-node"),
        organisation="Bank",
        url="https://bank.example",
        key=own.public,
        sealing=sealing.public,
        certificate="",
        at=Utc.parse("2026-09-01T00:00:00Z"),
        signature=b"",
    )
    card.write_bytes(sign_card(unsigned, own))
    return seller, bank, card


@pytest.mark.slow  # Scrypt opens a vault five times.
def test_a_sealed_set_goes_from_entry_to_the_bank_and_to_nobody_else(
    nodes: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    seller, bank, card = nodes
    file, out = tmp_path / "set.zdpresent", tmp_path / "drawing"
    make = ["trade", "present", "make", str(ENTRY), "--party", "exporter", "--to", str(card)]
    assert main([*make, "-o", str(file), "--data", str(seller), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sealed"] is True
    look = ["trade", "present", "open", str(file), "--json"]
    assert main([*look, "--out", str(out), "--data", str(bank)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["findings"] == []
    assert {p.name for p in out.iterdir()} >= {"invoice_ubl.xml", "transport_document.json"}
    assert main([*look, "--data", str(seller)]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "cannot_open"


def test_who_has_no_key_here_presents_nothing(
    nodes: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    make = ["trade", "present", "make", str(ENTRY), "--party", "rival", "--data", str(nodes[0])]
    assert main([*make, "-o", str(tmp_path / "x")]) == 1
    assert "no key of rival" in capsys.readouterr().err
