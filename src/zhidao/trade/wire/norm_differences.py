"""Where the norm asks what the published rules of EN 16931 do not: told beside the verdict.

The rules decide, since every partner runs them; but a document that only the norm refuses may be
refused by a partner who added the missing rule. Source: issue 500 of the rules' own repository
(ConnectingEurope/eInvoicing-EN16931), which quotes EN 16931-1 sections 6.13.7 and 6.16 for BR-CO-25
and BR-CO-27, both absent from release 1.3.16; issue 423 there, after which BR-CO-27 binds the
payee's account only. The norm itself was not at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from zhidao.rules import Element
from zhidao.trade.domain.rule_families import CII
from zhidao.trade.domain.verdict import NormDifference
from zhidao.trade.wire.places import first_spot, first_text, own_text, path_of, place_of_node, spots

_DUE_SENTENCE: Final = (
    "The norm asks a due date (BT-9) or payment terms (BT-20) where an amount is due; the rules "
    "do not."
)
_ACCOUNT_SENTENCE: Final = (
    "The norm asks an IBAN or another identifier (BT-84) of the payee's account; the rules do not."
)


def differences(root: Element, rule_ids: frozenset[str]) -> tuple[NormDifference, ...]:
    """What the norm would add to the findings of the document with this root.

    `rule_ids`: the rules that were run; one that the installed release has again is no difference.
    """
    return tuple(
        NormDifference(rule, place_of_node(spot), sentence)
        for rule, sentence, look in _LOOKS
        if rule not in rule_ids
        for spot in look(root)
    )


def _due(root: Element) -> Iterator[Element]:
    amounts, others = _CII_DUE if root.tag == CII else _UBL_DUE
    spot = first_spot(root, amounts)
    if spot is None or not _is_positive(own_text(spot)):
        return
    if not any(first_text(root, path) for path in others):
        yield spot


_UBL_DUE: Final = (
    path_of("cac:LegalMonetaryTotal/cbc:PayableAmount"),
    (
        path_of("cbc:DueDate"),
        path_of("cac:PaymentMeans/cbc:PaymentDueDate"),
        path_of("cac:PaymentTerms/cbc:Note"),
    ),
)
_SETTLED: Final = path_of("rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement")
_TERMS: Final = (*_SETTLED, *path_of("ram:SpecifiedTradePaymentTerms"))
_SUM: Final = "ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:DuePayableAmount"
_CII_DUE: Final = (
    (*_SETTLED, *path_of(_SUM)),
    (
        (*_TERMS, *path_of("ram:DueDateDateTime/udt:DateTimeString")),
        (*_TERMS, *path_of("ram:Description")),
    ),
)
_PAYEE: Final = "ram:SpecifiedTradeSettlementPaymentMeans/ram:PayeePartyCreditorFinancialAccount"
_ACCOUNTS: Final = (*_SETTLED, *path_of(_PAYEE))
_IDENTIFIERS: Final = (path_of("ram:IBANID"), path_of("ram:ProprietaryID"))


def _account(root: Element) -> Iterator[Element]:
    if root.tag != CII:
        # In UBL both identifiers are one element, which BR-50 asks already.
        return
    for spot in spots(root, _ACCOUNTS):
        if not any(first_text(spot, path) for path in _IDENTIFIERS):
            yield spot


def _is_positive(text: str) -> bool:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return False
    return value.is_finite() and value > 0


_LOOKS: Final[tuple[tuple[str, str, Callable[[Element], Iterator[Element]]], ...]] = (
    ("BR-CO-25", _DUE_SENTENCE, _due),
    ("BR-CO-27", _ACCOUNT_SENTENCE, _account),
)
