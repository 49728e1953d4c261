"""The origin of an entry's item by its bill of materials, as a page asks while one types."""

from __future__ import annotations

from collections.abc import Mapping

from zhidao.trade.domain.documents.determined import OriginBasis, determined
from zhidao.trade.domain.model.consignment import Origin, completed, enter
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.origin.agreements import AGREEMENTS
from zhidao.trade.wire import origin_file


def determination(
    typed: Mapping[str, str], item: str, bill: bytes, codes: KnownCodes = SHORT_CODES
) -> list[OriginBasis]:
    """The criterion of an item under each agreement that the entry claims; none where none is.

    Raises MalformedInput for a bill that is none, of no item or of other goods, Refused
    (`no_preference`) where the goods do not originate or no rule at hand says so.
    """
    values = {path: text for path, text in typed.items() if text}
    consignment = completed(enter(values, digest="", origin=Origin.ENTRY), codes)
    found = determined(consignment, {item: origin_file.read_bill(bill)}, AGREEMENTS)
    return [basis for basis in found.bases if basis.is_determined]
