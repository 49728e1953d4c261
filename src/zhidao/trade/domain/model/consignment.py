"""The canonical consignment: values by path, and for every value where it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.model.catalogue import (
    EQUIPMENT,
    FIELDS,
    GROUP_MAX,
    ITEM,
    canonical,
    unsaid,
)

_GROUPED: Final = re.compile(r"([A-Za-z]+)\[(0|[1-9]\d{0,3})\]\.")


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
        found = {ITEM: 0, EQUIPMENT: 0}
        for path in self.values:
            match = _GROUPED.match(path)
            if match and match[1] in found:
                found[match[1]] = max(found[match[1]], int(match[2]) + 1)
        return found

    def each(self, group: str, name: str) -> list[str]:
        """The values of one field over a group, `` where a member lacks it."""
        return [self.get(f"{group}[{k}].{name}") for k in range(self.counts.get(group, 0))]

    @property
    def has_more_invoices(self) -> bool:
        """Whether an item stands on another invoice than the entry's own."""
        own = self.get("invoiceDocument.id")
        return any(number not in ("", own) for number in self.each(ITEM, "invoiceId"))

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


def completed(consignment: CanonicalConsignment) -> CanonicalConsignment:
    """With the values of fields that need not be typed; their source is the field they are from."""
    more = unsaid(consignment.values)
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


def require(consignment: CanonicalConsignment) -> None:
    """Refuses an entry that lacks a needed field or says what cannot be.

    Raises MalformedInput naming every missing field at once, so that a person types them once.
    """
    lacks = sorted(missing(consignment))
    if lacks:
        more = f" and {len(lacks) - 10} more" if len(lacks) > 10 else ""
        raise MalformedInput(
            f"{len(lacks)} fields are missing: {', '.join(lacks[:10])}{more}",
            code="missing_fields",
            where=lacks[0],
            remedy="add them to the entry",
        )
    ids = consignment.each(ITEM, "id")
    containers = consignment.each(EQUIPMENT, "id")
    for what, values in (("item", ids), ("container", containers)):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise MalformedInput(f"the {what} {twice!r} stands twice")
    for k, container in enumerate(consignment.each(ITEM, "equipmentId")):
        where = f"{ITEM}[{k}]"
        if container not in containers:
            raise MalformedInput(
                f"{container} is not among the containers", where=f"{where}.equipmentId"
            )
        net, gross = (
            Decimal(consignment.get(f"{where}.{n}")) for n in ("netWeight", "grossWeight")
        )
        if net > gross:
            raise MalformedInput(
                f"net weight {net} kg is above gross weight {gross} kg", where=f"{where}.netWeight"
            )


def missing(consignment: CanonicalConsignment) -> Iterator[str]:
    """The fields that every document set needs and the consignment has not."""
    for path, field in FIELDS.items():
        if not field.asked(consignment.values):
            continue
        group, found, name = path.partition("[].")
        if not found:
            if path not in consignment.values:
                yield path
            continue
        size = consignment.counts[group]
        if not size:
            yield f"{group}[0].{name}"
        yield from (
            f"{group}[{k}].{name}"
            for k in range(size)
            if f"{group}[{k}].{name}" not in consignment.values
        )
