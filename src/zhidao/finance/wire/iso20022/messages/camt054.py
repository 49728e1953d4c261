"""BankToCustomerDebitCreditNotification, camt.054.001.08: the payee's bank tells of a credit."""

from __future__ import annotations

from typing import Final

from zhidao.finance.domain.payments.payment import Payment
from zhidao.finance.wire.iso20022.syntax import shared_elements as shared
from zhidao.finance.wire.iso20022.syntax.grammar import Branch, Node, branch, read, write
from zhidao.finance.wire.iso20022.syntax.shared_elements import leaf

DEFINITION: Final = "camt.054.001.08"
_ROOT: Final = "BkToCstmrDbtCdtNtfctn"
_PARTY: Final = Branch((("Pty", shared.PERSON),))
_DETAILS: Final = Branch(
    (
        (
            "Refs",
            Branch(
                (
                    ("InstrId", shared.REFERENCE),
                    ("EndToEndId", shared.REFERENCE),
                    ("UETR", shared.UETR),
                )
            ),
        ),
        ("Amt", shared.AMOUNT),
        ("CdtDbtInd", shared.fixed("CRDT")),
        (
            "RltdPties",
            Branch(
                (
                    ("Dbtr", _PARTY),
                    ("DbtrAcct", shared.ACCOUNT),
                    ("Cdtr", _PARTY),
                )
            ),
        ),
        ("RltdAgts", Branch((("DbtrAgt", shared.AGENT), ("CdtrAgt", shared.AGENT)))),
        ("RmtInf", Branch((("Ustrd", shared.LINE),))),
    )
)
# Bank transaction code of the external code list: payments, received credit transfers, cross-border
# credit transfer.
_CODE: Final = Branch(
    (
        (
            "Domn",
            Branch(
                (
                    ("Cd", shared.fixed("PMNT")),
                    (
                        "Fmly",
                        Branch((("Cd", shared.fixed("RCDT")), ("SubFmlyCd", shared.fixed("XBCT")))),
                    ),
                )
            ),
        ),
    )
)
_ENTRY: Final = Branch(
    (
        ("Amt", shared.AMOUNT),
        ("CdtDbtInd", shared.fixed("CRDT")),
        ("Sts", Branch((("Cd", shared.fixed("BOOK")),))),
        ("BookgDt", Branch((("Dt", shared.DAY),))),
        ("ValDt", Branch((("Dt", shared.DAY),))),
        ("BkTxCd", _CODE),
        ("NtryDtls", Branch((("TxDtls", _DETAILS),))),
    )
)
_GRAMMAR: Final = Branch(
    (
        ("GrpHdr", Branch((("MsgId", shared.REFERENCE), ("CreDtTm", shared.MOMENT)))),
        (
            "Ntfctn",
            Branch((("Id", shared.REFERENCE), ("Acct", shared.OWN_ACCOUNT), ("Ntry", _ENTRY))),
        ),
    )
)


def encode(payment: Payment) -> bytes:
    """The notification of this payment to its payee."""
    return write(DEFINITION, _document(payment), _GRAMMAR)


def decode(data: bytes) -> Payment:
    """Reads a notification of exactly this form. Raises MalformedInput (or Refused)."""
    document = read(DEFINITION, data, _ROOT, _GRAMMAR)
    entry = document.at("Ntfctn/Ntry")
    details = entry.at("NtryDtls/TxDtls")
    payment = Payment(
        message=document.at("GrpHdr/MsgId").text,
        instruction=details.at("Refs/InstrId").text,
        end_to_end=details.at("Refs/EndToEndId").text,
        uetr=shared.read_uetr(details.at("Refs/UETR").text),
        created=shared.read_moment(document.at("GrpHdr/CreDtTm").text),
        settled_on=shared.read_day(entry.at("BookgDt/Dt").text),
        amount=shared.read_amount(entry.at("Amt")),
        payer=shared.read_person(details.at("RltdPties/Dbtr/Pty")),
        payer_account=details.at("RltdPties/DbtrAcct/Id/Othr/Id").text,
        payer_bank=details.at("RltdAgts/DbtrAgt/FinInstnId/BICFI").text,
        payee=shared.read_person(details.at("RltdPties/Cdtr/Pty")),
        payee_account=document.at("Ntfctn/Acct/Id/Othr/Id").text,
        payee_bank=details.at("RltdAgts/CdtrAgt/FinInstnId/BICFI").text,
        remittance=details.at("RmtInf/Ustrd").text,
    )
    # What stands in two places (amount, day, currency, reference) must agree.
    return shared.same(payment, document, _document(payment))


def _document(payment: Payment) -> Node:
    day = payment.settled_on.isoformat()
    return branch(
        _ROOT,
        branch(
            "GrpHdr",
            leaf("MsgId", payment.message),
            leaf("CreDtTm", shared.moment(payment.created)),
        ),
        branch(
            "Ntfctn",
            leaf("Id", payment.message),
            branch(
                "Acct",
                shared.account_number(payment.payee_account),
                leaf("Ccy", payment.amount.currency.code),
            ),
            branch(
                "Ntry",
                shared.amount("Amt", payment.amount),
                leaf("CdtDbtInd", "CRDT"),
                branch("Sts", leaf("Cd", "BOOK")),
                branch("BookgDt", leaf("Dt", day)),
                branch("ValDt", leaf("Dt", day)),
                _transaction_code(),
                branch("NtryDtls", _details(payment)),
            ),
        ),
    )


def _transaction_code() -> Node:
    family = branch("Fmly", leaf("Cd", "RCDT"), leaf("SubFmlyCd", "XBCT"))
    return branch("BkTxCd", branch("Domn", leaf("Cd", "PMNT"), family))


def _details(payment: Payment) -> Node:
    return branch(
        "TxDtls",
        branch(
            "Refs",
            leaf("InstrId", payment.instruction),
            leaf("EndToEndId", payment.end_to_end),
            leaf("UETR", str(payment.uetr)),
        ),
        shared.amount("Amt", payment.amount),
        leaf("CdtDbtInd", "CRDT"),
        branch(
            "RltdPties",
            branch("Dbtr", shared.person("Pty", payment.payer)),
            branch("DbtrAcct", shared.account_number(payment.payer_account)),
            branch("Cdtr", shared.person("Pty", payment.payee)),
        ),
        branch(
            "RltdAgts",
            shared.agent("DbtrAgt", payment.payer_bank),
            shared.agent("CdtrAgt", payment.payee_bank),
        ),
        branch("RmtInf", leaf("Ustrd", payment.remittance)),
    )
