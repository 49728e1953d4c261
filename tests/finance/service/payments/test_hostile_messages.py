"""A hostile message of the largest size holds nobody else: it is read in a thread, in small steps.

Measured in processor time of this process, so that a busy machine is not blamed: what the reader
used while another thread that wanted to run could not.
"""

from __future__ import annotations

import threading
import time

import pytest
from tests.finance.service.bank_services import NoSchemas
from tests.stalls import STALL_MS

from zhidao.finance.domain.payments.payment_legs import Refusal
from zhidao.finance.service.payments.validation import Examined, Rules, Unreadable, examine
from zhidao.finance.wire.iso20022.profiles import built_in

# As much as a node takes by default, less what stands around it.
SIZE = 8 * 1024 * 1024 - 1024
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
PAYMENT = "<CdtTrfTxInf><PmtId><EndToEndId>1</EndToEndId></PmtId></CdtTrfTxInf>"


def document(inside: str) -> bytes:
    return (
        f'<Document xmlns="{NAMESPACE}"><CstmrCdtTrfInitn>{inside}</CstmrCdtTrfInitn></Document>'
    ).encode()


def filled(piece: str, before: str = "", behind: str = "") -> bytes:
    return document(before + piece * (SIZE // len(piece) - 50) + behind)


HOSTILE = {
    "flat": lambda: filled("<A/>"),
    "deep": lambda: document("<A>" * (SIZE // 8) + "</A>" * (SIZE // 8)),
    "one text": lambda: filled("x", "<GrpHdr><MsgId>", "</MsgId></GrpHdr>"),
    "entities": lambda: filled("&amp;", "<A>", "</A>"),
    "attributes": lambda: document("".join(f'<A b{n}="1"/>' for n in range(SIZE // 18))),
    "comments": lambda: filled("<!---->"),
    "payments": lambda: filled(PAYMENT, "<PmtInf>", "</PmtInf>"),
    "spaces": lambda: filled(" "),
    "unclosed": lambda: b"<" * SIZE,
    "half open": lambda: filled("<A><"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_message_is_refused_and_holds_nobody(kind: str) -> None:
    data = HOSTILE[kind]()
    assert SIZE * 0.5 < len(data) <= SIZE + 1024
    rules = Rules(NoSchemas(), built_in("cross-border"), 2026)
    told: list[Examined | Unreadable] = []
    reading = threading.Thread(target=lambda: told.append(examine(data, rules, at=None)))
    held_s = 0.0
    reading.start()
    last_s = time.process_time()
    while reading.is_alive():
        time.sleep(0.001)
        now_s = time.process_time()
        held_s, last_s = max(held_s, now_s - last_s), now_s
    reading.join()
    [found] = told
    why = found.why if isinstance(found, Unreadable) else found.whole
    assert isinstance(why, Refusal)
    assert held_s * 1e3 < STALL_MS
