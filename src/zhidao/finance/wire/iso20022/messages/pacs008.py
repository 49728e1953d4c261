"""FIToFICustomerCreditTransfer, pacs.008.001.08: one payment from bank to bank.

Settled on the books of the instructing bank (SttlmMtd INGA): it keeps the other bank's account.
"""

from __future__ import annotations

from typing import Final

from zhidao.finance.domain.payments.payment import Payment
from zhidao.finance.wire.iso20022.syntax import shared_elements as shared
from zhidao.finance.wire.iso20022.syntax.grammar import Branch, Node, branch, read, write
from zhidao.finance.wire.iso20022.syntax.shared_elements import leaf

DEFINITION: Final = "pacs.008.001.08"
_ROOT: Final = "FIToFICstmrCdtTrf"
_HEADER: Final = Branch(
    (
        ("MsgId", shared.REFERENCE),
        ("CreDtTm", shared.MOMENT),
        ("NbOfTxs", shared.fixed("1")),
        ("SttlmInf", Branch((("SttlmMtd", shared.fixed("INGA")),))),
    )
)
_TRANSFER: Final = Branch(
    (
        (
            "PmtId",
            Branch(
                (
                    ("InstrId", shared.REFERENCE),
                    ("EndToEndId", shared.REFERENCE),
                    ("UETR", shared.UETR),
                )
            ),
        ),
        ("IntrBkSttlmAmt", shared.AMOUNT),
        ("IntrBkSttlmDt", shared.DAY),
        ("ChrgBr", shared.fixed("SHAR")),
        ("InstgAgt", shared.AGENT),
        ("InstdAgt", shared.AGENT),
        ("Dbtr", shared.PERSON),
        ("DbtrAcct", shared.ACCOUNT),
        ("DbtrAgt", shared.AGENT),
        ("CdtrAgt", shared.AGENT),
        ("Cdtr", shared.PERSON),
        ("CdtrAcct", shared.ACCOUNT),
        ("RmtInf", Branch((("Ustrd", shared.LINE),))),
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
        uetr=shared.read_uetr(transfer.at("PmtId/UETR").text),
        created=shared.read_moment(header.at("CreDtTm").text),
        settled_on=shared.read_day(transfer.at("IntrBkSttlmDt").text),
        amount=shared.read_amount(transfer.at("IntrBkSttlmAmt")),
        payer=shared.read_person(transfer.at("Dbtr")),
        payer_account=transfer.at("DbtrAcct/Id/Othr/Id").text,
        payer_bank=transfer.at("DbtrAgt/FinInstnId/BICFI").text,
        payee=shared.read_person(transfer.at("Cdtr")),
        payee_account=transfer.at("CdtrAcct/Id/Othr/Id").text,
        payee_bank=transfer.at("CdtrAgt/FinInstnId/BICFI").text,
        remittance=transfer.at("RmtInf/Ustrd").text,
    )
    # Instructing and instructed agents must be the payer's and the payee's banks here.
    return shared.same(payment, document, _document(payment))


def _document(payment: Payment) -> Node:
    return branch(
        _ROOT,
        branch(
            "GrpHdr",
            leaf("MsgId", payment.message),
            leaf("CreDtTm", shared.moment(payment.created)),
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
            shared.amount("IntrBkSttlmAmt", payment.amount),
            leaf("IntrBkSttlmDt", payment.settled_on.isoformat()),
            leaf("ChrgBr", "SHAR"),
            shared.agent("InstgAgt", payment.payer_bank),
            shared.agent("InstdAgt", payment.payee_bank),
            shared.person("Dbtr", payment.payer),
            branch("DbtrAcct", shared.account_number(payment.payer_account)),
            shared.agent("DbtrAgt", payment.payer_bank),
            shared.agent("CdtrAgt", payment.payee_bank),
            shared.person("Cdtr", payment.payee),
            branch("CdtrAcct", shared.account_number(payment.payee_account)),
            branch("RmtInf", leaf("Ustrd", payment.remittance)),
        ),
    )
