"""Usage rules on shared messages: a violator breaks the rule its name tells, its origin does not.

The origins are not all valid otherwise (see the set's notes); only the named rule is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.usage.usage import violations

_RULES = {
    "commodity_currency_XAU": "currency",
    "slash_in_instrid": "slash",
    "msgdefidr_mismatch": "header-definition",
}
# These origins break the rule too, as their own names say.
_BROKEN_TOO = ("slash_in_instrid", "tag_mismatch")


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("iso20022-usage", shared, "finance/cbpr/2025", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    for file in sorted((folder / "violators").glob("*.xml")):
        origin, _, told = file.stem.partition("__violates_")
        rule = next(rule for name, rule in _RULES.items() if told.endswith(name))
        yield file.name, rule in _broken(file)
        if not any(name in origin for name in _BROKEN_TOO):
            yield f"{origin} keeps {rule}", rule not in _broken(folder / f"{origin}.xml")


def _broken(file: Path) -> set[str]:
    return {each.rule for each in violations(read_envelope(file.read_bytes()), year=2025)}
