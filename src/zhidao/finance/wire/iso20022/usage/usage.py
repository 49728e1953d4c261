"""Usage rules over any ISO 20022 message: what a schema cannot say.

The rules are ours, in the manner of CBPR+ (whose texts were not at hand), with a network's own
limits out of its profile. `code`: the reason of the external code list that a pacs.002 would give.
One walk over the document holds each element to the rules of its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.profiles import Profile, built_in
from zhidao.finance.wire.iso20022.syntax.columns import Columns
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope
from zhidao.finance.wire.iso20022.usage.plain import plainly_fine
from zhidao.finance.wire.iso20022.usage.rules import Violation, Walk
from zhidao.finance.wire.iso20022.usage.statements import statement_violations

__all__ = ["STRUCTURED_FROM", "Violation", "violations"]

YEAR_MIN: Final = 2023
STRUCTURED_FROM: Final = 2026
"""From the release of November of this year an address has at least town and country."""
_NO_CODES: Final[Mapping[str, frozenset[str]]] = {}


def violations(
    envelope: Envelope,
    *,
    year: int = STRUCTURED_FROM,
    profile: Profile | None = None,
    at: datetime | None = None,
    codes: Mapping[str, frozenset[str]] = _NO_CODES,
    columns: Columns | None = None,
) -> list[Violation]:
    """All broken rules in the order of the document, those of the whole message last.

    `year`: of the usage guidelines in force. `at`: when the message came in, with its offset;
    with it cut-offs, holidays and days of the past are looked at. `codes`: external code lists by
    name, as far as they are installed. `columns`: the payments by columns, which are then looked at
    together first. Raises MalformedInput for a year before 2023.
    """
    if not YEAR_MIN <= year <= 9999:
        raise MalformedInput(f"usage rules begin with {YEAR_MIN}")
    network = profile or built_in("cross-border")
    if columns is not None and plainly_fine(envelope, columns, network, year=year, at=at):
        return []
    found = Walk(envelope, network, year=year, at=at, codes=codes).run()
    return [*found, *statement_violations(envelope, year=year)]
