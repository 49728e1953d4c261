"""Reasons that payment messages give, by four letters: the codes that this house uses or explains.

The lists are ISO 20022 external code lists, which grow every quarter; here stands the part that
payments between banks use, with meanings in our own words (from memory, not checked against a
published list). Whether a code of somebody else exists is only judged with an operator's copy of
the lists (`zhidao finance packs add`).
"""

from __future__ import annotations

from typing import Final

STATUS: Final = {
    "AC01": "no account of that number",
    "AC03": "the payee's account number is wrong",
    "AC04": "the account is closed",
    "AC06": "the account is blocked",
    "AG01": "this account may not take part in such a payment",
    "AG02": "no such kind of payment here",
    "AM01": "an amount of zero",
    "AM02": "an amount that is not allowed",
    "AM03": "a currency that is not taken",
    "AM04": "not enough money",
    "AM05": "sent before",
    "AM09": "not the amount that was agreed",
    "AM10": "the control sum is not the sum",
    "AM12": "an amount that is written wrongly",
    "AM14": "above a limit that was agreed",
    "AM18": "not as many transactions as announced",
    "BE04": "the payee's address is missing",
    "BE06": "the end customer is not known",
    "CUST": "the customer says no",
    "DT01": "a day that is wrong",
    "DUPL": "a duplicate",
    "FF01": "the file is not what its format says",
    "FOCR": "back because it was asked back",
    "LEGL": "the law forbids it",
    "MS03": "no reason is given",
    "NARR": "the reason stands in words",
    "RC01": "a bank's identifier is wrong",
    "RR04": "a reason of regulation",
    "TM01": "after the hour at which the day is closed",
}
RECALL: Final = {
    "AGNT": "a bank's mistake",
    "AM09": "the wrong amount",
    "COVR": "the cover was recalled",
    "CURR": "the wrong currency",
    "CUST": "the customer asks for it",
    "CUTA": "an investigation has no answer",
    "DUPL": "sent twice",
    "FRAD": "a fraud is suspected",
    "TECH": "a technical mistake",
    "UPAY": "paid without a duty to pay",
}
RECALL_REFUSED: Final = {
    "AC04": "the account is closed",
    "AGNT": "the bank decided against it",
    "AM04": "not enough money to give back",
    "ARDT": "given back already",
    "CUST": "the payee does not agree",
    "INDM": "an indemnity is asked for first",
    "LEGL": "the law forbids it",
    "NOAS": "the payee does not answer",
    "NOOR": "no such payment came in",
    "PTNA": "handed on to the next bank",
    "RQDA": "asked for otherwise",
}

_ENUMERATED: Final = {
    "pacs.002": "ExternalStatusReason1Code",
    "pain.002": "ExternalStatusReason1Code",
    "pacs.004": "ExternalReturnReason1Code",
    "camt.056": "ExternalCancellationReason1Code",
    "camt.029": "ExternalPaymentCancellationRejection1Code",
}


def list_of(definition: str) -> str:
    """The name of the external list that the reasons of a message come from, or nothing."""
    return _ENUMERATED.get(definition[:8], "")
