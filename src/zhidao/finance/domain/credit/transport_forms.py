"""What each transport document must show, by the way the goods go: UCP 600 articles 19 to 25.

Numbers of articles are cited, and what they ask is told in our own words: the texts were not at
hand. A document is examined as what it is; a rail waybill needs no vessel, a bill of lading does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Form = Literal[
    "bill_of_lading",
    "sea_waybill",
    "charter_party_bill",
    "multimodal",
    "air",
    "road",
    "rail",
    "inland_waterway",
    "courier",
    "post",
]

_SEA: Final = frozenset({"carrier", "master", "agent for carrier", "agent for master"})
_LAND: Final = frozenset({"carrier", "agent for carrier"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRules:
    """What one form of document must show.

    `article`: its own; `places`: the paragraphs of it that speak of each matter. `shipped`: what
    shows that the goods went: `on board`, `taken` (dispatched, taken in charge or on board),
    `accepted` for carriage, or nothing beyond a date. `transhipment`: `asked` if the credit must
    allow it, `whole` if one document must cover the whole carriage, `any`. `originals`: the full
    set that was `issued`, the one for the `consignor`, or `any` that is there.
    """

    article: int
    signers: frozenset[str]
    places: dict[str, str] = field(default_factory=dict)
    carrier: bool = True
    shipped: Literal["on board", "taken", "accepted", "date"] = "date"
    vessel: bool = False
    order: bool = False
    arrives: bool = True
    originals: Literal["issued", "consignor", "any"] = "any"
    terms: bool = False
    charter: Literal["never", "always", "any"] = "any"
    transhipment: Literal["asked", "whole", "any"] = "whole"

    def at(self, matter: str) -> str:
        """The paragraph that speaks of a matter."""
        return f"UCP 600 {self.article}{self.places.get(matter, '')}"


_MARITIME: Final = {
    **dict.fromkeys(("carrier", "capacity"), "(a)(i)"),
    **dict.fromkeys(("on_board", "vessel", "latest"), "(a)(ii)"),
    **dict.fromkeys(("loading", "discharge"), "(a)(iii)"),
    "originals": "(a)(iv)",
    "terms": "(a)(v)",
    "charter": "(a)(vi)",
    "transhipment": "(c)(ii)",
}
_BY_LAND: Final = {
    **dict.fromkeys(("carrier", "capacity"), "(a)(i)"),
    **dict.fromkeys(("on_board", "latest"), "(a)(ii)"),
    **dict.fromkeys(("loading", "discharge"), "(a)(iii)"),
    "originals": "(b)",
    "transhipment": "(e)(ii)",
}
_RECEIPT: Final = dict.fromkeys(("carrier", "capacity"), "(a)(i)")
FORMS: Final[dict[str, FormRules]] = {
    "bill_of_lading": FormRules(
        article=20,
        signers=_SEA,
        places=_MARITIME,
        shipped="on board",
        vessel=True,
        order=True,
        originals="issued",
        terms=True,
        charter="never",
        transhipment="asked",
    ),
    "sea_waybill": FormRules(
        article=21,
        signers=_SEA,
        places=_MARITIME,
        shipped="on board",
        vessel=True,
        originals="issued",
        terms=True,
        charter="never",
        transhipment="asked",
    ),
    "charter_party_bill": FormRules(
        article=22,
        signers=frozenset(
            {
                *("master", "owner", "charterer"),
                *("agent for master", "agent for owner", "agent for charterer"),
            }
        ),
        places=_MARITIME | {"charter": "(a)", "originals": "(a)(iv)"},
        carrier=False,
        shipped="on board",
        vessel=True,
        order=True,
        originals="issued",
        charter="always",
        transhipment="any",
    ),
    "multimodal": FormRules(
        article=19,
        signers=_SEA,
        places=_MARITIME | {"transhipment": "(c)(i)"},
        shipped="taken",
        order=True,
        originals="issued",
        terms=True,
        charter="never",
    ),
    "air": FormRules(
        article=23,
        signers=_LAND,
        places={
            **dict.fromkeys(("carrier", "capacity"), "(a)(i)"),
            "on_board": "(a)(ii)",
            "latest": "(a)(iii)",
            "originals": "(a)(v)",
            **dict.fromkeys(("loading", "discharge"), "(a)(iv)"),
            "terms": "(a)(vi)",
            "transhipment": "(c)(i)",
        },
        shipped="accepted",
        originals="consignor",
        terms=True,
    ),
    "road": FormRules(article=24, signers=_LAND, places=_BY_LAND, originals="consignor"),
    # The railway's own stamp is as good as a carrier's signature (24(a)(i)).
    "rail": FormRules(article=24, signers=_LAND | {"railway stamp"}, places=_BY_LAND),
    "inland_waterway": FormRules(
        article=24, signers=_LAND | {"master", "agent for master"}, places=_BY_LAND
    ),
    "courier": FormRules(
        article=25,
        signers=_LAND,
        places=_RECEIPT | {"latest": "(a)(ii)"},
        arrives=False,
        transhipment="any",
    ),
    "post": FormRules(
        article=25,
        signers=frozenset({"post"}),
        places={"capacity": "(c)", "loading": "(c)", "latest": "(c)"},
        carrier=False,
        arrives=False,
        transhipment="any",
    ),
}
