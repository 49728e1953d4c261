"""The canonical consignment: values by path, and for every value where it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.model.catalogue import (
    GROUP_MAX,
    ITEM,
    canonical,
    sizes_of,
    unsaid,
)
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes


class Origin(StrEnum):
    """What kind of thing a value was read from."""

    ENTRY = "entry"
    DOCUMENT = "document"
    EVENT = "event"
    CREDENTIAL = "credential"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from: the kind, the thing's digest (SHA-256, hex), the place in it."""

    origin: Origin
    digest: str
    place: str


@dataclass(frozen=True)
class CanonicalConsignment:
    """Canonical texts by concrete path, with the source of each."""

    values: Mapping[str, str]
    sources: Mapping[str, Source]

    def get(self, path: str, default: str = "") -> str:
        """The value at a path, or the default."""
        return self.values.get(path, default)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many members each repeated group has."""
        return sizes_of(self.values)

    def each(self, group: str, name: str) -> list[str]:
        """The values of one field over a group, `` where a member lacks it."""
        return [self.get(f"{group}[{k}].{name}") for k in range(self.counts.get(group, 0))]

    @property
    def has_more_invoices(self) -> bool:
        """Whether an item stands on another invoice than the entry's own."""
        own = self.get("invoiceDocument.id")
        return any(number not in ("", own) for number in self.each(ITEM, "invoiceId"))

    def without(self, unwanted: Callable[[str], bool]) -> CanonicalConsignment:
        """The consignment without the fields at some paths."""
        values = {path: text for path, text in self.values.items() if not unwanted(path)}
        return CanonicalConsignment(values, self.sources)

    def total(self, name: str) -> Decimal:
        """The sum of a number over all items."""
        return sum((Decimal(text) for text in self.each(ITEM, name) if text), Decimal(0))


def enter(values: Mapping[str, str], *, digest: str, origin: Origin) -> CanonicalConsignment:
    """A consignment from typed values; each is checked by its field's form.

    Raises MalformedInput with the path of the first wrong value, Refused never; whether all that
    an entry needs is there is `require`'s question.
    """
    texts = {path: canonical(path, value) for path, value in values.items()}
    consignment = CanonicalConsignment(
        texts, {path: Source(origin, digest, path) for path in texts}
    )
    for group, size in consignment.counts.items():
        if size > GROUP_MAX:
            raise MalformedInput(f"more than {GROUP_MAX} members", where=group)
    return consignment


def completed(
    consignment: CanonicalConsignment, codes: KnownCodes = SHORT_CODES
) -> CanonicalConsignment:
    """With the values of fields that need not be typed; their source is the field they are from."""
    more = unsaid(consignment.values, codes)
    if not more:
        return consignment
    digest = next((source.digest for source in consignment.sources.values()), "")
    return CanonicalConsignment(
        {**consignment.values, **{path: value for path, (value, _) in more.items()}},
        {
            **consignment.sources,
            **{path: Source(Origin.ENTRY, digest, whose) for path, (_, whose) in more.items()},
        },
    )
