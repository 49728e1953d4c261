"""An invoice that rules refuse is neither sealed nor taken; beside each stands what it is."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from tests.exchange.two_nodes import Node, carry, make_pair
from tests.trade.rules_in_process import RulesInProcess

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.node.wiring.trade import PapersInspection
from zhidao.trade.domain.verdict import Verdict
from zhidao.trade.service.carried_documents import CarriedDocuments, PaperLook
from zhidao.trade.service.document_set import make_set
from zhidao.trade.service.validation import Validation
from zhidao.trade.wire import canonical_entry

ENTRY = (Path(__file__).parents[1] / "data" / "set_entry.json").read_bytes()
SET = {d.form.kind: d.data for d in make_set(canonical_entry.read(ENTRY))}
GOOD = SET["invoice_ubl"]
# The sum of the lines is another one: BR-CO-10 and more.
BROKEN = GOOD.replace(b">47400.00<", b">47400.01<", 1)
XML = "application/xml"


@pytest.fixture
def carried(judge) -> CarriedDocuments:
    return CarriedDocuments(Validation(RulesInProcess(judge)))


@pytest.fixture
async def pair() -> tuple[Node, Node]:
    return await make_pair()


async def sent(one: Node, two: Node, number: int, content: bytes, media_type: str = XML) -> None:
    await one.exchange.send(
        one.party,
        document=UUID(int=number),
        recipient=two.name,
        to_party=two.party.party,
        consignment="C-1",
        kind="trade.invoice",
        media_type=media_type,
        content=content,
    )


async def test_an_invalid_invoice_is_refused_before_it_is_sealed(carried, pair) -> None:
    one, two = pair
    one.outbox.inspection = carried
    with pytest.raises(Refused) as refusal:
        await sent(one, two, 1, BROKEN)
    assert refusal.value.code == "invoice_invalid"
    assert "BR-" in str(refusal.value)
    assert await one.outbox.listed(one.party) == []
    await sent(one, two, 1, GOOD)
    assert [row.state for row in await one.outbox.listed(one.party)] == ["waiting"]


async def test_an_invalid_invoice_is_refused_by_its_receiver_whatever_its_sender_thinks(
    carried, pair
) -> None:
    one, two = pair
    two.inbox.inspection = carried
    await sent(one, two, 1, BROKEN)
    await sent(one, two, 2, GOOD)
    await carry(one, two)
    last, first = await one.outbox.listed(one.party)
    assert (first.outcome, first.code) == ("refused", "invoice_invalid")
    assert "BR-" in first.reason
    assert last.state == "accepted"
    assert [told.document for told in two.told] == [str(UUID(int=2))]


async def test_what_is_no_invoice_or_cannot_be_judged_passes(carried) -> None:
    for content in (b"<Invoice/>", b"<Invoice", b"<note>Invoice</note>", b"<!DOCTYPE Invoice>"):
        await carried.check(XML, content)
    await carried.check("application/json", SET["packing_list"])

    class NoRules:
        async def judge(self, document: bytes) -> Verdict:
            raise Unavailable("the rules ended")

    await CarriedDocuments(Validation(NoRules())).check(XML, BROKEN)


@pytest.mark.parametrize("media_type", ["application/octet-stream", "text/plain", XML])
async def test_an_invoice_is_judged_by_what_it_is_whatever_it_is_called(
    carried, media_type
) -> None:
    far = b"<!--" + b" " * 10_000 + b"-->"
    wide = BROKEN.decode().replace("UTF-8", "UTF-16", 1).encode("utf-16")
    with_remark = BROKEN.replace(b"?>", b"?>" + far, 1)
    for content in (BROKEN, b"\xef\xbb\xbf" + BROKEN, with_remark, wide):
        with pytest.raises(Refused) as refusal:
            await carried.check(media_type, content)
        assert refusal.value.code == "invoice_invalid"


async def test_what_is_not_what_it_says_is_neither_sealed_nor_taken(pair) -> None:
    one, two = pair
    for number, content in enumerate((GOOD[:1500], b"<html/>", b"\n\n" + GOOD), 1):
        with pytest.raises(MalformedInput) as refusal:
            await sent(one, two, number, content)
        assert refusal.value.code == "content_differs"
    assert await one.outbox.listed(one.party) == []


async def test_a_look_tells_name_number_type_and_verdict_on_both_sides(carried, pair) -> None:
    one, two = pair
    one.exchange.inspection = two.exchange.inspection = PapersInspection(carried)
    await sent(one, two, 1, BROKEN)
    await carry(one, two)
    here = await one.exchange.look_at_sent(one.party, UUID(int=1))
    there = await two.exchange.look(two.party, one.name, UUID(int=1))
    assert here == there
    assert (here.en, here.number, here.media_type) == ("Commercial invoice", "INV-2026-0417", XML)
    assert (here.verdict, here.size) == ("invalid", len(BROKEN))
    assert "BR-" in here.summary
    good = await carried.look(XML, GOOD)
    assert (good.verdict, good.zh) == ("valid", "商业发票")
    packing = await carried.look("application/json", SET["packing_list"])
    assert (packing.en, packing.verdict) == ("Packing list", "none")
    unknown = await carried.look("image/png", b"\x89PNG")
    assert unknown == PaperLook("", "", "")


BODY = BROKEN.decode().partition("?>")[2]
ROOT = "Invoice"


def declared(charset: str) -> str:
    return f'<?xml version="1.0" encoding="{charset}"?>{BODY}'


SBD = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
JUDGED = {
    "UTF-16 without a mark": declared("UTF-16").encode("utf-16-le"),
    "UTF-16 of the other end": declared("UTF-16").encode("utf-16-be"),
    "UTF-32": declared("UTF-32").encode("utf-32"),
    "windows-1252": declared("windows-1252").encode("cp1252", "xmlcharrefreplace"),
    "ISO-8859-15": declared("ISO-8859-15").encode("iso-8859-15", "xmlcharrefreplace"),
    "a wrapper": f'<S xmlns="{SBD}"><H/>{BODY}tail</S>'.encode(),
    "the second of a wrapper": f'<S xmlns="{SBD}">'.encode()
    + GOOD.partition(b"?>")[2]
    + f"{BODY}</S>".encode(),
}
UNREADABLE = {
    "a DOCTYPE": (f"<!DOCTYPE {ROOT}>{BODY}".encode(), "xml_doctype"),
    "a DOCTYPE elsewhere": (f'<!DOCTYPE {ROOT} SYSTEM "x.dtd">{BODY}'.encode(), "xml_doctype"),
    "400 levels": (
        BODY.replace("<cbc:", f"{'<x>' * 400}{'</x>' * 400}<cbc:", 1).encode(),
        "xml_broken",
    ),
    "5,000 attributes": (
        BODY.replace(
            "<cbc:ID>", "<cbc:ID " + " ".join(f'a{i}="x"' for i in range(5000)) + ">", 1
        ).encode(),
        "xml_too_dense",
    ),
    "cut off": (BROKEN[:-30], "xml_broken"),
    "something in front": (b"\xc2\xa0" + BROKEN, "xml_broken"),
    "a blank of no width in front": ("\u200b".encode() + BROKEN, "xml_broken"),
    "a wide blank in front": ("\u3000".encode() + BROKEN, "xml_broken"),
    "a mail's head in front": (b"Content-Type: application/xml\r\n\r\n" + BROKEN, "xml_broken"),
    "another character set": (declared("utf-7").encode(), "xml_encoding"),
    "too many in one": (
        b"<S>" + GOOD.partition(b"?>")[2] * 21 + b"</S>",
        "too_many_invoices",
    ),
}


@pytest.mark.parametrize("name", sorted(JUDGED))
async def test_an_invoice_is_judged_in_any_character_set_and_in_a_wrapper(carried, name) -> None:
    for media_type in (XML, "application/octet-stream"):
        with pytest.raises(Refused) as refusal:
            await carried.check(media_type, JUDGED[name])
        assert refusal.value.code == "invoice_invalid"
    assert (await carried.look(XML, JUDGED[name])).verdict == "invalid"


async def test_an_invoice_that_breaks_rules_is_found_behind_those_that_nobody_can_judge(
    carried,
) -> None:
    whole = GOOD.decode().partition("?>")[2]
    peppol = whole.replace(
        "urn:cen.eu:en16931:2017<",
        "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0<",
    )
    assert peppol != whole
    broken = BROKEN.decode().partition("?>")[2]
    for inside in ((peppol, broken), (whole, peppol, broken), (broken, peppol)):
        content = f"<S>{''.join(inside)}</S>".encode()
        with pytest.raises(Refused) as refusal:
            await carried.check(XML, content)
        assert refusal.value.code == "invoice_invalid"
    look = await carried.look(XML, f"<S>{whole}{peppol}{whole}</S>".encode())
    assert look.verdict == "partly_judged"


@pytest.mark.bound("trade.service.carried_documents.INNER_MAX")
@pytest.mark.parametrize("name", sorted(UNREADABLE))
async def test_what_is_called_an_invoice_and_cannot_be_read_is_refused_on_both_sides(
    carried, pair, name
) -> None:
    content, code = UNREADABLE[name]
    for kind in ("trade.invoice", "Trade.Invoice ", "trade.credit_note"):
        with pytest.raises(MalformedInput) as refusal:
            await carried.check("application/octet-stream", content, kind=kind)
        assert refusal.value.code == code
    # By another kind it may be anything: beside it stands why nobody judged it.
    await carried.check("application/octet-stream", content, kind="trade.other")
    look = await carried.look("application/octet-stream", content, kind="trade.other")
    assert look.verdict == "not_checked"
    assert refusal.value.args[0] in look.summary
    one, two = pair
    one.outbox.inspection = carried
    with pytest.raises(MalformedInput):
        await sent(one, two, 1, content, "application/octet-stream")
    assert await one.outbox.listed(one.party) == []


async def test_a_receiver_refuses_what_is_called_an_invoice_and_cannot_be_read(
    carried, pair
) -> None:
    one, two = pair
    two.inbox.inspection = carried
    await sent(one, two, 1, UNREADABLE["a DOCTYPE"][0])
    await carry(one, two)
    (row,) = await one.outbox.listed(one.party)
    assert (row.outcome, row.code) == ("refused", "xml_doctype")
    assert two.told == []


async def test_twenty_invoices_of_one_document_are_judged(carried) -> None:
    await carried.check(XML, b"<S>" + GOOD.partition(b"?>")[2] * 20 + b"</S>", kind="trade.invoice")


async def test_beside_an_invoice_that_no_rules_are_for_stands_that_it_is_not_checked(
    carried,
) -> None:
    await carried.check("application/pdf", b"%PDF-1.7 Invoice", kind="trade.invoice")
    look = await carried.look("application/pdf", b"%PDF-1.7 Invoice", kind="trade.invoice")
    assert (look.verdict, "application/pdf" in look.summary) == ("not_checked", True)

    class NoRules:
        async def judge(self, document: bytes) -> Verdict:
            raise Unavailable("the rules ended")

    look = await CarriedDocuments(Validation(NoRules())).look(XML, GOOD)
    assert (look.verdict, "the rules ended" in look.summary) == ("not_checked", True)
