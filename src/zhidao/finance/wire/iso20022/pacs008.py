"""FIToFICustomerCreditTransfer, pacs.008.001.08: one payment from bank to bank.

Settled on the books of the instructing bank (SttlmMtd INGA): it keeps the other bank's account.
"""

from __future__ import annotations

from typing import Final

from zhidao.finance.domain.payment import Payment
from zhidao.finance.wire.iso20022 import terms
from zhidao.finance.wire.iso20022.grammar import Branch, Node, branch, read, write
from zhidao.finance.wire.iso20022.terms import leaf

DEFINITION: Final = "pacs.008.001.08"
_ROOT: Final = "FIToFICstmrCdtTrf"
_HEADER: Final = Branch(
    (
        ("MsgId", terms.REFERENCE),
        ("CreDtTm", terms.MOMENT),
        ("NbOfTxs", terms.fixed("1")),
        ("SttlmInf", Branch((("SttlmMtd", terms.fixed("INGA")),))),
    )
)
_TRANSFER: Final = Branch(
    (
        (
            "PmtId",
            Branch(
                (
                    ("InstrId", terms.REFERENCE),
                    ("EndToEndId", terms.REFERENCE),
                    ("UETR", terms.UETR),
                )
            ),
        ),
        ("IntrBkSttlmAmt", terms.AMOUNT),
        ("IntrBkSttlmDt", terms.DAY),
        ("ChrgBr", terms.fixed("SHAR")),
        ("InstgAgt", terms.AGENT),
        ("InstdAgt", terms.AGENT),
        ("Dbtr", terms.PERSON),
        ("DbtrAcct", terms.ACCOUNT),
        ("DbtrAgt", terms.AGENT),
        ("CdtrAgt", terms.AGENT),
        ("Cdtr", terms.PERSON),
        ("CdtrAcct", terms.ACCOUNT),
        ("RmtInf", Branch((("Ustrd", terms.LINE),))),
    )
)
_GRAMMAR: Final = Branch((("GrpHdr", _HEADER), ("CdtTrfTxInf", _TRANSFER)))


def encode(payment: Payment) -> bytes:
    """The payment's message."""
    return write(DEFINITION, _document(payment), _GRAMMAR)


def decode(data: bytes) -> Payment:
    """Reads a message of exactly this form. Raises MalformedInput (or Refused for its amount)."""
    document = read(DEFINITION, data, _ROOT, _GRAMMAR)
    header, transfer = document.at("GrpHdr"), document.at("CdtTrfTxInf")
    payment = Payment(
        message=header.at("MsgId").text,
        instruction=transfer.at("PmtId/InstrId").text,
        end_to_end=transfer.at("PmtId/EndToEndId").text,
        uetr=terms.read_uetr(transfer.at("PmtId/UETR").text),
        created=terms.read_moment(header.at("CreDtTm").text),
        settled_on=terms.read_day(transfer.at("IntrBkSttlmDt").text),
        amount=terms.read_amount(transfer.at("IntrBkSttlmAmt")),
        payer=terms.read_person(transfer.at("Dbtr")),
        payer_account=transfer.at("DbtrAcct/Id/Othr/Id").text,
        payer_bank=transfer.at("DbtrAgt/FinInstnId/BICFI").text,
        payee=terms.read_person(transfer.at("Cdtr")),
        payee_account=transfer.at("CdtrAcct/Id/Othr/Id").text,
        payee_bank=transfer.at("CdtrAgt/FinInstnId/BICFI").text,
        remittance=transfer.at("RmtInf/Ustrd").text,
    )
    # Instructing and instructed agents must be the payer's and the payee's banks here.
    return terms.same(payment, document, _document(payment))


def _document(payment: Payment) -> Node:
    return branch(
        _ROOT,
        branch(
            "GrpHdr",
            leaf("MsgId", payment.message),
            leaf("CreDtTm", terms.moment(payment.created)),
            leaf("NbOfTxs", "1"),
            branch("SttlmInf", leaf("SttlmMtd", "INGA")),
        ),
        branch(
            "CdtTrfTxInf",
            branch(
                "PmtId",
                leaf("InstrId", payment.instruction),
                leaf("EndToEndId", payment.end_to_end),
                leaf("UETR", str(payment.uetr)),
            ),
            terms.amount("IntrBkSttlmAmt", payment.amount),
            leaf("IntrBkSttlmDt", payment.settled_on.isoformat()),
            leaf("ChrgBr", "SHAR"),
            terms.agent("InstgAgt", payment.payer_bank),
            terms.agent("InstdAgt", payment.payee_bank),
            terms.person("Dbtr", payment.payer),
            branch("DbtrAcct", terms.account_number(payment.payer_account)),
            terms.agent("DbtrAgt", payment.payer_bank),
            terms.agent("CdtrAgt", payment.payee_bank),
            terms.person("Cdtr", payment.payee),
            branch("CdtrAcct", terms.account_number(payment.payee_account)),
            branch("RmtInf", leaf("Ustrd", payment.remittance)),
        ),
    )
