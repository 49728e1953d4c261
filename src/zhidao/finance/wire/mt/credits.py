"""Credits and refusals as FIN messages: MT 700 from terms, MT 734 and 750 from discrepancies.

Texts are put into the letters that such messages have; what has none becomes `?`.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from zhidao.finance.domain.credit.credit_terms import Credit, CreditParty
from zhidao.finance.wire.mt.blocks import MtMessage, amount_text
from zhidao.finance.wire.mt.formats import X_LETTERS, Z_LETTERS

_BY: Final = {
    "sight": "BY PAYMENT",
    "acceptance": "BY ACCEPTANCE",
    "deferred": "BY DEF PAYMENT",
    "negotiation": "BY NEGOTIATION",
}
_NOT_X: Final = re.compile(f"[^{X_LETTERS}]")
_NOT_Z: Final = re.compile(f"[^{Z_LETTERS}]")


def issue(credit: Credit, *, sender: str, receiver: str) -> MtMessage:
    """MT 700: the credit's terms, as the issuing bank sends them to the adviser.

    Raises MalformedInput, when written, for terms that do not fit its fields.
    """
    shipment = credit.shipment
    may = {True: "ALLOWED", False: "NOT ALLOWED"}
    fields = [
        ("27", "1/1"),
        ("40A", "IRREVOCABLE"),
        ("20", x_text(credit.number)),
        ("31C", _day(credit.issued_on)),
        ("40E", "EUCP LATEST VERSION" if credit.electronic else "UCP LATEST VERSION"),
        ("31D", _day(credit.expires_on) + x_text(credit.expiry_place)[:29]),
        ("50", _party(credit.applicant)),
        ("59", _party(credit.beneficiary)),
        ("32B", amount_text(credit.amount_minor, credit.currency)),
    ]
    if credit.tolerance_plus or credit.tolerance_minus:
        fields.append(("39A", f"{credit.tolerance_plus}/{credit.tolerance_minus}"))
    fields.append(("41D", f"ANY BANK\n{_BY[credit.available_by]}"))
    if credit.available_by == "deferred":
        fields.append(("42P", f"{credit.tenor_days} DAYS AFTER SHIPMENT"))
    elif credit.available_by == "acceptance":
        fields.append(("42C", f"{credit.tenor_days} DAYS AFTER SIGHT"))
    fields += [
        ("43P", may[shipment.partial_allowed]),
        ("43T", may[shipment.transhipment_allowed]),
        ("44E", z_text(shipment.loading)[:140]),
        ("44F", z_text(shipment.discharge)[:140]),
        ("44C", _day(shipment.latest_on)),
        ("45A", _lines(_goods(credit), 65)),
        ("46A", _lines(_documents(credit), 65)),
    ]
    if credit.conditions:
        fields.append(("47A", _lines([f"+ {one}" for one in credit.conditions], 65)))
    fields.append(("48", str(credit.presentation_days)))
    fields.append(("49", "CONFIRM" if credit.confirming_bank else "WITHOUT"))
    return MtMessage("700", sender, receiver, tuple(fields))


def refusal(
    credit: Credit,
    *,
    sender: str,
    receiver: str,
    presenter_reference: str,
    utilised_on: date,
    amount_minor: int,
    discrepancies: Sequence[str],
    disposal: str = "HOLD",
) -> MtMessage:
    """MT 734: the one notice of refusal, with every discrepancy (UCP 600 article 16(c)).

    `disposal`: what happens to the documents: HOLD, NOTIFY, PREVINST or RETURN.
    """
    money = amount_text(amount_minor, credit.currency)
    return MtMessage(
        "734",
        sender,
        receiver,
        (
            ("20", x_text(credit.number)),
            ("21", x_text(presenter_reference)),
            ("32A", _day(utilised_on) + money),
            ("77J", _lines([f"+ {one}" for one in discrepancies], 50)),
            ("77B", f"/{disposal}/"),
        ),
    )


def discrepancy_advice(
    credit: Credit,
    *,
    sender: str,
    receiver: str,
    reference: str,
    amount_minor: int,
    discrepancies: Sequence[str],
) -> MtMessage:
    """MT 750: the presenter's bank tells the issuer what is wrong and asks whether to pay."""
    return MtMessage(
        "750",
        sender,
        receiver,
        (
            ("20", x_text(reference)),
            ("21", x_text(credit.number)),
            ("32B", amount_text(amount_minor, credit.currency)),
            ("77J", _lines([f"+ {one}" for one in discrepancies], 50)),
        ),
    )


def x_text(text: str) -> str:
    """A text in the letters of set x."""
    return _NOT_X.sub("?", _plain(text))


def z_text(text: str) -> str:
    """A text in the letters of set z."""
    return _NOT_Z.sub("?", _plain(text))


def _plain(text: str) -> str:
    taken = unicodedata.normalize("NFKD", text)
    return "".join(one for one in taken if not unicodedata.combining(one)).replace("\n", " ")


def _party(party: CreditParty) -> str:
    return "\n".join([*_wrapped(x_text(party.name), 35)[:3], party.country])


def _goods(credit: Credit) -> list[str]:
    """What is sold, by kinds where there are several, and on which terms (Incoterms rule)."""
    goods = credit.goods
    about = "ABOUT " if goods.about else ""

    def told(quantity: int, price_minor: int) -> str:
        each = f" AT {amount_text(price_minor, credit.currency)} EACH" if price_minor else ""
        return f"{about}{quantity} {goods.unit}{each}"

    kinds = [
        f"+ {told(line.quantity, line.unit_price_minor)}: {line.description}"
        for line in goods.lines
    ]
    return [
        goods.description,
        *(kinds or [told(goods.quantity, goods.unit_price_minor)]),
        *([f"ORIGIN {goods.origin}"] if goods.origin else []),
        *([f"{goods.rule} {goods.place}".strip()] if goods.rule else []),
    ]


def _documents(credit: Credit) -> list[str]:
    told = []
    for one in credit.requirements:
        name = one.kind.replace("_", " ").upper()
        issuer = f" ISSUED BY {one.issuer}" if one.issuer else ""
        says = "".join(f", SAYING {word}" for word in one.says)
        told.append(f"+ {name}: {one.originals} ORIGINAL, {one.copies} COPIES{issuer}{says}")
    return told


def _lines(texts: Iterable[str], wide: int) -> str:
    return "\n".join(line for text in texts for line in _wrapped(z_text(text), wide))


def _wrapped(text: str, wide: int) -> list[str]:
    # A line that began with a colon or hyphen would be taken for a field or the end.
    lines = textwrap.wrap(text, wide, break_on_hyphens=False) or ["?"]
    return [f".{line[1:]}" if line[0] in ":-" else line for line in lines]


def _day(day: date) -> str:
    return f"{day:%y%m%d}"
