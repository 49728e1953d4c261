"""Whether a file of payments by columns plainly breaks no rule, looked at column by column.

It says yes only where the walk over every element would find nothing; whatever is not plain, it
leaves to the walk. So what is refused, and where, is always the walk's word.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.profiles import Profile
from zhidao.finance.wire.iso20022.syntax.columns import Columns
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope
from zhidao.finance.wire.iso20022.syntax.trees import minor_of
from zhidao.finance.wire.iso20022.usage.rules import (
    POSITIVE,
    TRANSACTIONS,
    UETR,
    Walk,
    day_wrong,
    is_iban,
)

_REFERENCES: Final = ("MsgId", "InstrId", "EndToEndId", "TxId", "PmtInfId")


def plainly_fine(
    envelope: Envelope, columns: Columns, profile: Profile, *, year: int, at: datetime | None
) -> bool:
    """Whether nothing is wrong with the file, as far as that is plain to see."""
    kind = envelope.definition[:8]
    amount = TRANSACTIONS[kind][1]
    if envelope.header is not None or amount not in columns.texts:
        return False
    if "PmtId/UETR" not in columns.texts and profile.uetr_required:
        return False
    if year >= profile.structured_addresses_from and not _structured(columns, profile):
        return False
    for path, texts in columns.texts.items():
        name = path.rpartition("/")[2]
        if path in columns.currencies:
            if not _amounts(name, texts, columns.currencies[path], profile, is_main=path == amount):
                return False
        elif not _texts(name, kind, texts, profile):
            return False
    if at is not None and "IntrBkSttlmDt" in columns.texts:
        days = set(zip(columns.texts["IntrBkSttlmDt"], columns.currencies[amount], strict=True))
        if any(day_wrong(day, currency, profile, at) for day, currency in days):
            return False
    walk = Walk(envelope, profile, year=year, at=at, codes={})
    if not walk.run_beside(columns.heads, columns.count, columns.texts[amount]):
        return False
    return at is None or _rolls(walk.asked_day, set(columns.currencies[amount]), profile, at)


def _rolls(asked: str | None, currencies: set[str], profile: Profile, at: datetime) -> bool:
    """Whether the day that payments are asked for is no fault, in whatever currency."""
    return asked is None or not any(
        day_wrong(asked, currency, profile, at, rolls=True) for currency in currencies
    )


def _texts(name: str, kind: str, texts: list[str], profile: Profile) -> bool:
    if name in _REFERENCES:
        # A slash may be in order; the walk looks where it stands.
        return "/" not in "".join(texts)
    if name in ("UETR", "OrgnlUETR"):
        return all(map(UETR.fullmatch, texts)) and len(set(texts)) == len(texts)
    if name == "ChrgBr":
        return kind != "pacs.008" or set(texts) <= set(profile.charges)
    if name == "IBAN":
        return all(map(is_iban, texts))
    return True


def _amounts(
    name: str, texts: list[str], currencies: list[str], profile: Profile, *, is_main: bool
) -> bool:
    try:
        minors = list(map(minor_of, texts, currencies))
    except MalformedInput:
        return False
    if name in POSITIVE and min(minors) <= 0:
        return False
    if not is_main:
        return True
    limits = {code: profile.currencies.get(code) for code in set(currencies)}
    return bool(not any(rules and rules.amount_minor_max for rules in limits.values()))


def _structured(columns: Columns, profile: Profile) -> bool:
    """Whether each address of the shape has town and country, and no line too many."""
    addresses = {path[: path.index("PstlAdr/")] for path in columns.texts if "PstlAdr/" in path}
    if any(path.endswith("PstlAdr") or path.count("PstlAdr/") > 1 for path in columns.texts):
        return False
    return all(
        f"{start}PstlAdr/TwnNm" in columns.texts
        and f"{start}PstlAdr/Ctry" in columns.texts
        and (profile.address_lines_max or f"{start}PstlAdr/AdrLine" not in columns.texts)
        for start in addresses
    )
