"""A message of one payment whose shape was met before, read by its shape instead of its elements.

Programs write each payment alike: the same elements around other texts. A shape is the message
without the texts of its leaves. When it is met first, the reader that walks reads it with a marker
in the place of each text, and so shows where each one goes; later messages of the shape are cut
into shape and texts by one search. Texts bear nothing that XML would read otherwise, so a text in
the place of a marker changes nothing but itself. Whatever is not plain is left to the walk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers, Tree
from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.profiles import Profile
from zhidao.finance.wire.iso20022.syntax.cutting import cut_of
from zhidao.finance.wire.iso20022.syntax.envelope import local, read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import minor_of
from zhidao.finance.wire.iso20022.usage.rules import (
    POSITIVE,
    UETR,
    Walk,
    day_wrong,
    is_iban,
    rule_of,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

_BYTES_MAX: Final = 8 * 1024
_SHAPES_MAX: Final = 256
_KINDS: Final = ("pacs.008", "pacs.009")
# Digits, so that an amount can be one of them; so long that nothing else is.
_MARKER: Final = 700_000_000
_MAIN: Final = "IntrBkSttlmAmt"
_UETR: Final = 2
_NO_TOWN: Final = 99
_Make: TypeAlias = Callable[[Sequence[str]], Tree]


class _Amount(NamedTuple):
    place: int
    currency: str
    positive: bool
    main: bool


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Where each text of a message goes, and which rules look at it. Places count its texts.

    An absent text has the place -1, where an empty one stands.
    """

    definition: str
    envelope: tuple[int, ...]
    """Places of message, created, sender and receiver."""
    told: tuple[int, ...]
    """Places of instruction, end-to-end reference, UETR, day and charges."""
    amount: _Amount
    trees: tuple[_Make, ...]
    references: tuple[int, ...]
    uetrs: tuple[int, ...]
    ibans: tuple[int, ...]
    days: tuple[tuple[int, str], ...]
    """With the currency of the amount before, as the walk knows it there."""
    charges: tuple[int, ...]
    amounts: tuple[_Amount, ...]
    counts: tuple[int, ...]
    sums: tuple[int, ...]
    addresses: tuple[int, ...]
    """Of each postal address how many lines it has; `_NO_TOWN` without town and country."""


@dataclass(frozen=True, slots=True, eq=False)
class Shaped:
    """A message as its shape and its texts."""

    shape: Shape
    texts: list[str]

    def message(self) -> Transfers | None:
        """The message as the reader that walks reads it; None if its amount is none."""
        shape, texts = self.shape, self.texts
        try:
            minor = minor_of(texts[shape.amount.place], shape.amount.currency)
        except MalformedInput:
            return None
        name, created, sender, receiver = shape.envelope
        instruction, end_to_end, uetr, day, charges = shape.told
        payment = CreditTransfer(
            "",
            texts[instruction],
            texts[end_to_end],
            texts[uetr],
            minor,
            shape.amount.currency,
            texts[day],
            texts[charges],
            *[make(texts) for make in shape.trees],
        )
        return Transfers(
            shape.definition,
            texts[name],
            texts[created],
            texts[sender],
            texts[receiver],
            (payment,),
        )

    def plainly_fine(self, profile: Profile, *, year: int, at: datetime | None) -> bool:
        """Whether no usage rule is broken, as far as that is plain to see.

        What it says yes to, the walk over every element finds nothing wrong with.
        """
        return (
            self._fits_as_a_shape(profile, year)
            and self._has_fine_texts(profile)
            and self._is_counted()
            and (at is None or self._is_open(profile, at))
        )

    def _fits_as_a_shape(self, profile: Profile, year: int) -> bool:
        """What no text of it changes: lines of addresses, and whether there is a UETR."""
        structured = year >= profile.structured_addresses_from
        lines_max = profile.address_lines_max if structured else _NO_TOWN
        has_uetr = self.shape.told[_UETR] >= 0
        return (has_uetr or not profile.uetr_required) and all(
            lines <= lines_max for lines in self.shape.addresses
        )

    def _has_fine_texts(self, profile: Profile) -> bool:
        shape, texts = self.shape, self.texts
        return (
            not any("/" in texts[place] for place in shape.references)
            and all(UETR.fullmatch(texts[place]) for place in shape.uetrs)
            and all(texts[place] in profile.charges for place in shape.charges)
            and all(is_iban(texts[place]) for place in shape.ibans)
            and all(_is_fine(one, texts[one.place], profile) for one in shape.amounts)
        )

    def _is_counted(self) -> bool:
        texts, told = self.texts, self.texts[self.shape.amount.place]
        return all(texts[place] == "1" for place in self.shape.counts) and all(
            texts[place] == told or _is_same(texts[place], told) for place in self.shape.sums
        )

    def _is_open(self, profile: Profile, at: datetime) -> bool:
        return all(
            day_wrong(self.texts[place][:10], currency, profile, at) is None
            for place, currency in self.shape.days
        )


def shaped(data: bytes) -> Shaped | None:
    """The message by its shape, or None if it is not plain enough for that.

    It was read before and found in order by an official schema, or by its outline.
    """
    cut = cut_of(data) if len(data) <= _BYTES_MAX else None
    if cut is None:
        return None
    between, texts = cut
    shape = _shape_of(tuple(between))
    if shape is None:
        return None
    texts.append("")
    return Shaped(shape, texts)


@lru_cache(maxsize=_SHAPES_MAX)
def _shape_of(pieces: tuple[str, ...]) -> Shape | None:
    """What the reader that walks finds if each text is a marker."""
    markers = [str(_MARKER + place) for place in range(len(pieces) - 1)]
    texts = (f">{marker}</{piece}" for marker, piece in zip(markers, pieces[1:], strict=True))
    whole = "".join((pieces[0], *texts))
    try:
        envelope = read_envelope(whole.encode())
        if envelope.definition[:8] not in _KINDS or envelope.header is not None:
            return None
        message = decode(envelope, checked=True)
    except (MalformedInput, KeyError, IndexError):
        return None
    leaves = [one for one in envelope.document.iter() if not len(one)]
    if not isinstance(message, Transfers) or [one.text for one in leaves] != markers:
        return None
    return _Finder(envelope.definition, message, leaves, markers).shape()


class _Finder:
    def __init__(
        self,
        definition: str,
        message: Transfers,
        leaves: list[_Element],
        markers: list[str],
    ) -> None:
        self._definition = definition
        self._message = message
        self._leaves = leaves
        self._places = {marker: place for place, marker in enumerate(markers)} | {"": -1}

    def shape(self) -> Shape | None:
        payment = self._message.transfers[0]
        amounts = self._amounts()
        main = [one for one in amounts if one.main]
        if len(main) != 1 or len(self._message.transfers) != 1 or len(self._by(Walk.uetr)) > 1:
            return None
        place, names = self._places, self._message
        told = (payment.instruction, payment.end_to_end, payment.uetr, payment.day)
        return Shape(
            definition=self._definition,
            envelope=tuple(place[one] for one in (*names[1:5],)),
            told=tuple(place[one] for one in (*told, payment.charges)),
            amount=main[0],
            trees=tuple(self._maker(tree) for tree in payment[8:]),
            references=self._by(Walk.reference),
            uetrs=self._by(Walk.uetr),
            ibans=self._by(Walk.iban),
            days=tuple(
                (place, main[0].currency if place > main[0].place else "")
                for place in self._by(Walk.day)
            ),
            charges=self._by(Walk.charges),
            amounts=amounts,
            counts=self._named("NbOfTxs"),
            sums=self._named("CtrlSum"),
            addresses=self._addresses(),
        )

    def _by(self, rule: object) -> tuple[int, ...]:
        kind = self._definition[:8]
        return tuple(k for k, one in enumerate(self._leaves) if rule_of(local(one), kind) is rule)

    def _named(self, name: str) -> tuple[int, ...]:
        return tuple(k for k, one in enumerate(self._leaves) if local(one) == name)

    def _amounts(self) -> tuple[_Amount, ...]:
        found = []
        for place in self._by(Walk.amount):
            leaf = self._leaves[place]
            currency, name = leaf.get("Ccy"), local(leaf)
            if currency is not None:
                found.append(_Amount(place, str(currency), name in POSITIVE, name == _MAIN))
        return tuple(found)

    def _addresses(self) -> tuple[int, ...]:
        inside: dict[_Element, list[str]] = {}
        for leaf in self._leaves:
            above = leaf.getparent()
            if above is not None and local(above) == "PstlAdr":
                inside.setdefault(above, []).append(local(leaf))
        return tuple(
            names.count("AdrLine") if {"TwnNm", "Ctry"} <= set(names) else _NO_TOWN
            for names in inside.values()
        )

    def _maker(self, tree: Tree) -> _Make:
        """What makes the tree out of texts."""
        names = tuple(name for name, _ in tree)
        inside = [one for _, one in tree]
        if all(isinstance(one, str) for one in inside):
            first = self._places[str(inside[0])] if inside else 0
            end = first + len(inside)
            assert [self._places[str(one)] for one in inside] == list(range(first, end))
            return lambda texts: tuple(zip(names, texts[first:end], strict=True))
        steps = [
            (name, self._places[one] if isinstance(one, str) else self._maker(one))
            for name, one in tree
        ]
        return lambda texts: tuple(
            [(name, texts[step] if isinstance(step, int) else step(texts)) for name, step in steps]
        )


def _is_fine(amount: _Amount, text: str, profile: Profile) -> bool:
    try:
        minor = minor_of(text, amount.currency)
    except MalformedInput:
        return False
    if amount.positive and not minor:
        return False
    limits = profile.currencies.get(amount.currency) if amount.main else None
    return limits is None or not 0 < limits.amount_minor_max < minor


def _is_same(text: str, amount: str) -> bool:
    # Both were found to be decimals by the schema.
    return Decimal(text) == Decimal(amount)
