"""Which fields stand in which message, in order: tags, whether they must, and their formats.

Facts of SWIFT's category 7 as far as they were remembered and held against a bank system's public
tables; SWIFT's own books were not at hand, and lengths change with the yearly releases. Names are
ours. A tag with a small letter stands for its options, of which one is given.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Field(NamedTuple):
    """A field of a message. `formats`: by option letter, or under "" for one without."""

    tag: str
    name: str
    must: bool
    formats: dict[str, str]


_BANK: Final = {"A": "[/1!a][/34x$]4!a2!a2!c[3!c]", "D": "[/1!a][/34x$]4*35x"}
_BANK_ACCOUNT: Final = {**_BANK, "B": "[/1!a][/34x$]35x"}
_AVAILABLE: Final = {"A": "4!a2!a2!c[3!c]$14x", "D": "4*35x$14x"}
_LONG: Final = "100*65z"


def _field(tag: str, name: str, formats: str | dict[str, str], *, must: bool = False) -> Field:
    return Field(tag, name, must, formats if isinstance(formats, dict) else {"": formats})


def _must(tag: str, name: str, formats: str | dict[str, str]) -> Field:
    return _field(tag, name, formats, must=True)


_SHIPMENT: Final = (
    _field("43P", "partial_shipments", "11x"),
    _field("43T", "transhipment", "11x"),
    _field("44A", "taking_in_charge", "140z"),
    _field("44E", "loading", "140z"),
    _field("44F", "discharge", "140z"),
    _field("44B", "final_destination", "140z"),
    _field("44C", "latest_shipment", "6!n"),
    _field("44D", "shipment_period", "6*65z"),
)
_DRAFTS: Final = (
    _field("42C", "drafts_at", "3*35z"),
    _field("42a", "drawee", _BANK),
    _field("42M", "mixed_payment", "4*35z"),
    _field("42P", "deferred_payment", "4*35z"),
)
_LAST: Final = (
    _field("58a", "confirming_bank", _BANK),
    _field("53a", "reimbursing_bank", _BANK),
    _field("78", "instructions", "12*65z"),
    _field("57a", "advise_through", _BANK_ACCOUNT),
    _field("72Z", "bank_to_bank", "6*35z"),
)

MT_700: Final = (
    _must("27", "sequence", "1!n/1!n"),
    _must("40A", "form", "24x"),
    _must("20", "number", "16x"),
    _field("23", "pre_advice", "16x"),
    _must("31C", "issued_on", "6!n"),
    _must("40E", "rules", "30x[/35x]"),
    _must("31D", "expiry", "6!n29x"),
    _field("51a", "applicant_bank", _BANK),
    _must("50", "applicant", "4*35x"),
    _must("59", "beneficiary", "[/34x$]4*35x"),
    _must("32B", "amount", "3!a15d"),
    _field("39A", "tolerance", "2n/2n"),
    _field("39C", "additional_amounts", "4*35x"),
    _must("41a", "available", _AVAILABLE),
    *_DRAFTS,
    *_SHIPMENT,
    _field("45A", "goods", _LONG),
    _field("46A", "documents", _LONG),
    _field("47A", "conditions", _LONG),
    _field("49G", "payment_of_beneficiary", _LONG),
    _field("49H", "payment_of_bank", _LONG),
    _field("71D", "charges", "6*35z"),
    _field("48", "presentation_days", "3n[/35x]"),
    _must("49", "confirmation", "7x"),
    *_LAST,
)
MT_707: Final = (
    _must("27", "sequence", "1!n/1!n"),
    _must("20", "number", "16x"),
    _must("21", "receivers_reference", "16x"),
    _must("23", "issuers_reference", "16x"),
    _field("52a", "issuing_bank", _BANK),
    _field("50B", "other_issuer", "4*35x"),
    _must("31C", "issued_on", "6!n"),
    _must("26E", "amendment", "3n"),
    _must("30", "amended_on", "6!n"),
    _must("22A", "purpose", "4!c"),
    _field("23S", "cancellation", "6!a"),
    _field("40A", "form", "24x"),
    _field("40E", "rules", "30x[/35x]"),
    _field("31D", "expiry", "6!n29x"),
    _field("50", "applicant", "4*35x"),
    _field("59", "beneficiary", "[/34x$]4*35x"),
    _field("32B", "increase", "3!a15d"),
    _field("33B", "decrease", "3!a15d"),
    _field("39A", "tolerance", "2n/2n"),
    _field("39C", "additional_amounts", "4*35x"),
    _field("41a", "available", _AVAILABLE),
    *_DRAFTS,
    *_SHIPMENT,
    _field("45B", "goods", _LONG),
    _field("46B", "documents", _LONG),
    _field("47B", "conditions", _LONG),
    _field("49M", "payment_of_beneficiary", _LONG),
    _field("49N", "payment_of_bank", _LONG),
    _field("71D", "charges", "6*35z"),
    _field("71N", "amendment_charges", "4!c[$6*35z]"),
    _field("48", "presentation_days", "3n[/35x]"),
    _field("49", "confirmation", "7x"),
    *_LAST,
)
MT_734: Final = (
    _must("20", "number", "16x"),
    _must("21", "presenters_reference", "16x"),
    _must("32A", "utilised", "6!n3!a15d"),
    _field("73A", "charges", "6*35z"),
    _field("33a", "claimed", {"A": "6!n3!a15d", "B": "3!a15d"}),
    _field("57a", "account_with", _BANK_ACCOUNT),
    _field("72Z", "bank_to_bank", "6*35z"),
    _must("77J", "discrepancies", "70*50z"),
    _must("77B", "disposal", "3*35x"),
)
MT_750: Final = (
    _must("20", "number", "16x"),
    _must("21", "related_reference", "16x"),
    _must("32B", "principal", "3!a15d"),
    _field("33B", "additional", "3!a15d"),
    _field("71D", "deducted", "6*35z"),
    _field("73A", "added", "6*35z"),
    _field("34B", "total", "3!a15d"),
    _field("57a", "account_with", _BANK_ACCOUNT),
    _field("72Z", "bank_to_bank", "6*35z"),
    _must("77J", "discrepancies", "70*50z"),
)
MESSAGES: Final = {"700": MT_700, "707": MT_707, "734": MT_734, "750": MT_750}

WORDS: Final = {
    ("700", "40A"): ("IRREVOCABLE", "IRREVOCABLE TRANSFERABLE"),
    ("700", "49"): ("CONFIRM", "MAY ADD", "WITHOUT"),
    ("700", "43P"): ("ALLOWED", "NOT ALLOWED", "CONDITIONAL"),
    ("700", "43T"): ("ALLOWED", "NOT ALLOWED", "CONDITIONAL"),
    ("707", "22A"): ("ACNF", "ADVI", "ISSU"),
    ("707", "23S"): ("CANCEL",),
}
"""Fields that hold one of some words."""
