"""A file of many payments of one shape, read by columns instead of one by one.

Big files come out of a program that writes each payment alike. If every payment has exactly the
elements of the first one, each once, the texts of one element over all payments are one column,
and the XML library reads a column at once. Anything else is left to the reader that walks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from zhidao.finance.domain.payments.message import Tree
from zhidao.finance.wire.iso20022.syntax.cutting import cut_of
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope
from zhidao.finance.wire.iso20022.syntax.grammar import NAMESPACE

if TYPE_CHECKING:
    from lxml.etree import _Element

COUNT_MIN: Final = 16
"""Fewer payments are walked: finding their shape costs more than it saves."""
_LEAVES_MAX: Final = 64
_Level: TypeAlias = list[tuple[list[str], list[str], list[str] | None]]
_FILES: Final = {"pacs.008": "CdtTrfTxInf", "pacs.009": "CdtTrfTxInf"}


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The payments of a file: each leaf's texts by its path, all of one length."""

    count: int
    texts: dict[str, list[str]]
    currencies: dict[str, list[str]]
    """Of leaves that are amounts."""
    heads: tuple[_Element, ...]
    """What stands beside the payments under the root."""
    name: str
    """What the payments are called."""
    first: int
    """How many heads stand before the payments."""

    def get(self, path: str) -> list[str]:
        """The texts of a leaf, or as many empty ones."""
        return self.texts.get(path) or [""] * self.count

    def trees(self, path: str) -> list[Tree]:
        """What stands in an element, payment by payment; empty if it is not there."""
        start = path + "/"
        inside = [
            (leaf[len(start) :].split("/"), texts, self.currencies.get(leaf))
            for leaf, texts in self.texts.items()
            if leaf.startswith(start)
        ]
        if not inside:
            return [()] * self.count
        return _trees(inside, self.count)


def columns_of(envelope: Envelope) -> Columns | None:
    """The file by columns out of its elements, or None if its payments are few or not all alike.

    Its structure was checked: an amount bears its currency and nothing else bears an attribute.
    """
    found = _found(envelope)
    if found is None:
        return None
    root, payments, heads, first, start = found.root, found.payments, found.heads, *found.where
    begin = 1 + sum(1 for head in heads[:first] for _ in head.iter())
    inside = list(root.iter())
    tags = [one.tag for one in inside]
    shape = _shape(payments[0], start)
    count = len(payments)
    end = begin + count * len(shape)
    pattern = tags[begin : begin + len(shape)]
    if end > len(tags) or tags[begin:end] != pattern * count:
        return None
    leaves = [(path, place) for place, path in enumerate(shape) if path]
    if len({path for path, _ in leaves}) != len(leaves) or len(leaves) > _LEAVES_MAX:
        return None
    texts: dict[str, list[str]] = {}
    currencies: dict[str, list[str]] = {}
    for path, place in leaves:
        column = inside[begin + place : end : len(shape)]
        texts[path] = [one.text or "" for one in column]
        if column[0].get("Ccy") is not None:
            currencies[path] = [str(one.get("Ccy")) for one in column]
    return Columns(count, texts, currencies, tuple(heads), found.name, first)


def columns_of_text(envelope: Envelope, data: bytes) -> Columns | None:
    """The same out of a plain text: what stands between the texts is the same in all payments.

    That the first, the second and the last have the same elements with these texts inside is seen
    by the XML library's word; the others are cut from what is letter by letter the same. Nothing
    need have been checked before.
    """
    found = _found(envelope)
    cut = None if found is None else cut_of(data)
    if found is None or cut is None:
        return None
    payments, heads, first, start = found.payments, found.heads, *found.where
    between, texts = cut
    shapes = [[path for path in _shape(payments[k], start) if path] for k in (0, 1, -1)]
    paths, count = shapes[0], len(payments)
    width = len(paths)
    if shapes != [paths] * 3 or len(set(paths)) != width or not 0 < width <= _LEAVES_MAX:
        return None
    begin = sum(1 for head in heads[:first] for one in head.iter() if not len(one))
    end = begin + count * width
    if not _is_alike(between[begin : end + 1], count, width):
        return None
    money = _currencies(payments, texts[begin:end], width)
    if money is None:
        return None
    return Columns(
        count,
        {path: texts[begin + k : end : width] for k, path in enumerate(paths)},
        {path: [code] * count for path, code in zip(paths, money, strict=True) if code is not None},
        tuple(heads),
        found.name,
        first,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    root: _Element
    name: str
    payments: list[_Element]
    heads: list[_Element]
    where: tuple[int, int]
    """How many heads stand before the payments; how long the namespace is."""


def _found(envelope: Envelope) -> _Found | None:
    """The payments of a file, if they are many."""
    name = _FILES.get(envelope.definition[:8])
    if name is None or len(envelope.document) != 1 or len(envelope.document[0]) <= COUNT_MIN:
        return None
    root = envelope.document[0]
    payment = f"{{{NAMESPACE}{envelope.definition}}}{name}"
    payments = root.findall(payment)
    if len(payments) < COUNT_MIN:
        return None
    heads = [one for one in root if one.tag != payment]
    return _Found(root, name, payments, heads, (root.index(payments[0]), len(payment) - len(name)))


def _is_alike(between: list[str], count: int, width: int) -> bool:
    """Whether the same stands between the texts of each payment, and between any two payments."""
    joint = between[width : count * width : width]
    return joint == joint[:1] * (count - 1) and all(
        between[k : count * width : width] == [between[k]] * count for k in range(1, width)
    )


def _currencies(payments: list[_Element], texts: list[str], width: int) -> list[str | None] | None:
    """The currency of each leaf, None where it has none; None if first, second and last differ.

    None too where one of the three says other texts than were cut.
    """
    found: list[list[str | None]] = []
    for place in (0, 1, len(payments) - 1):
        leaves = [one for one in payments[place].iter() if not len(one)]
        if [one.text for one in leaves] != texts[place * width : (place + 1) * width]:
            return None
        found.append([one.get("Ccy") for one in leaves])
    return found[0] if found == found[:1] * 3 else None


def _shape(payment: _Element, start: int) -> list[str]:
    """The path of each element of a payment in document order; empty for those with others."""
    shape: list[str] = []

    def walk(element: _Element, path: str) -> None:
        for child in element:
            inner = path + child.tag[start:]
            shape.append("" if len(child) else inner)
            walk(child, inner + "/")

    shape.append("")
    walk(payment, "")
    return shape


def _trees(inside: _Level, count: int) -> list[Tree]:
    """Trees out of columns: one level of names at a time.

    What is the same in all payments, as their payer mostly is, is one tree for all of them: that
    spares making them, and the collector looking at them.
    """
    columns: list[list[tuple[str, str | Tree]]] = []
    place = 0
    while place < len(inside):
        steps, texts, currencies = inside[place]
        name = steps[0]
        if len(steps) > 1:
            end = place
            while end < len(inside) and inside[end][0][0] == name:
                end += 1
            below = [(one[1:], text, money) for one, text, money in inside[place:end]]
            columns.append(_named(name, _trees(below, count)))
            place = end
            continue
        if currencies is None:
            columns.append(_named(name, texts))
        else:
            pairs = zip(texts, currencies, strict=True)
            columns.append([(f"{name}@{money}", text) for text, money in pairs])
        place += 1
    if all(column[0] is column[-1] for column in columns):
        return [tuple(column[0] for column in columns)] * count
    return list(zip(*columns, strict=True))


def _named(name: str, values: Sequence[str | Tree]) -> list[tuple[str, str | Tree]]:
    """Pairs with a name: the same pair in all places if all values are the same, else no two."""
    first = values[0]
    if values[-1] == first and values.count(first) == len(values):
        return [(name, first)] * len(values)
    return [(name, value) for value in values]
