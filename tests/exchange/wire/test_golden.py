"""What was written once stays readable: files of version 1, never edited."""

from __future__ import annotations

from pathlib import Path

from zhidao.core.keys import PublicKey
from zhidao.exchange.service.verification import verify_export
from zhidao.exchange.wire.card import decode_card

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
KEYS = {
    "exporter": "z6MkhnJwgFnFeL4HwXRqJYujW7w1CVAHMXV5hAyzphBa42mR",
    "importer": "z6MkpY4xU7wJRpcBqQDsXCcrTdhuCLjht8xcjdxz5CX4KYBe",
}


def records(node: str, key: PublicKey) -> bool:
    return KEYS.get(node) == key.multikey


def test_an_export_of_version_1_still_verifies() -> None:
    checked = verify_export((GOLDEN / "exchange-v1.zdbundle").read_bytes(), records)
    assert [each.content for each in checked] == [b"commercial invoice 17", b"order"]
    assert [receipt.stage.value for receipt in checked[0].receipts] == [
        *("received", "accepted", "decided"),
    ]
    assert checked[0].receipts[2].code == "amount_differs"


def test_a_card_of_version_1_is_still_read() -> None:
    card = decode_card((GOLDEN / "exporter-v1.zdcard").read_bytes())
    assert (card.node, card.key.multikey) == ("exporter", KEYS["exporter"])
