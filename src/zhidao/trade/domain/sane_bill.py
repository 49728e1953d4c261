"""The rows of common sense asked of a carrier's bill, beside the entry that it joins.

What merely differs from the other papers is a conflict, which the cross-checks tell: a bill joins
with it. Here stands what no bill can say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from zhidao.trade.domain.codes import KILOGRAMS
from zhidao.trade.domain.model.catalogue import ITEM
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.forms import plain
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.papers import BillOfLading
from zhidao.trade.domain.sane_values import why_out_of_time
from zhidao.trade.domain.sanity import Absurdity, absurdities, lone_day

_OF_ENTRY = ("mainCarriageTransportMovement.modeCode", "hsEditionCode")
_ON_BOARD = "$.shippedOnBoardDate"
# SCAC has two to four letters, SMDG's liner codes digits too (DCSA eBL 3.0: at most 4 characters).
_CARRIER = re.compile(r"[A-Z0-9]{2,4}", re.ASCII)
_PLACES = {
    "loadingBaseportLocation.id": "$.transports.portOfLoading.UNLocationCode",
    "unloadingBaseportLocation.id": "$.transports.portOfDischarge.UNLocationCode",
}


def absurdities_of_bill(
    bill: BillOfLading,
    entry: CanonicalConsignment,
    codes: KnownCodes = SHORT_CODES,
    *,
    today: date | None = None,
) -> list[Absurdity]:
    """What a bill says that cannot be, with the places in the bill itself."""
    values = {path: entry.get(path) for path in _OF_ENTRY if entry.get(path)}
    values["loadingBaseportLocation.id"] = bill.loading
    values["unloadingBaseportLocation.id"] = bill.discharge
    places = dict(_PLACES)
    for k, (goods, place) in enumerate(_goods(bill)):
        values |= {f"{ITEM}[{k}].{name}": text for name, text in goods.items()}
        places[f"{ITEM}[{k}].grossWeight"] = f"{place}.cargoGrossWeight.value"
        places[f"{ITEM}[{k}].typeCode"] = f"{place.rpartition('.cargoItems')[0]}.HSCodes"
    found = [
        Absurdity(places.get(one.path, one.path), one.sentence)
        for one in absurdities(CanonicalConsignment(values, {}), codes)
    ]
    if bill.carrier_code and not _CARRIER.fullmatch(bill.carrier_code):
        told = f"{bill.carrier_code[:8]!r} is no carrier's code: two to four letters and digits"
        found.insert(0, Absurdity("$.carrierCode", told))
    why = why_out_of_time(bill.on_board, today)
    wrong = Absurdity(_ON_BOARD, why) if why else lone_day(_ON_BOARD, bill.on_board, entry)
    return [*([wrong] if wrong else []), *found]


def _goods(bill: BillOfLading) -> Iterator[tuple[dict[str, str], str]]:
    """Each cargo with its weight and first code, then its further codes, by its place."""
    for cargo in bill.cargo:
        kilograms = plain(cargo.weight * KILOGRAMS[cargo.weight_unit])
        first = {"grossWeight": kilograms, "equipmentId": cargo.container}
        if cargo.hs:
            first["typeCode"] = cargo.hs[0]
        yield first, cargo.place
        for code in cargo.hs[1:]:
            yield {"typeCode": code}, cargo.place
