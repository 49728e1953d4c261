"""What an event lets be found: its names, and to which thing each leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from zhidao.core.events import SignedEvent
from zhidao.devices.events import Sealed, TerminalRegistered
from zhidao.finance.events import (
    CreditOpened,
    DealOpened,
    Decided,
    MoneyReserved,
    ReceivableRegistered,
)
from zhidao.industry.events import LotFinished, OrderOpened
from zhidao.node.search.terms import terms_of
from zhidao.trade.events import (
    ConsignmentEntered,
    CustomsReleased,
    DeclarationSubmitted,
    DocumentAdded,
)
from zhidao.trust.events import TitleAsked, TitleTagOpened

# The kinds of things that are found, in the order in which equals are shown.
KINDS: Final = (
    *("consignment", "container", "bill", "invoice", "paper", "title", "deal", "payment"),
    *("credit", "receivable", "declaration", "terminal", "seal", "order", "lot", "party"),
)
_PAPERS: Final = {"bill_of_lading": "bill", "invoice": "invoice", "commercial_invoice": "invoice"}

Uetr = Callable[[UUID], UUID]
"""The end-to-end reference of the payment that a transfer makes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing under its names. `subject` is its key, `label` what people call it."""

    kind: str
    subject: str
    label: str
    terms: tuple[str, ...]
    consignment: str = ""


def _entry(kind: str, subject: str, *names: str, consignment: str = "") -> Iterator[Entry]:
    terms = dict.fromkeys(term for name in names for term in terms_of(name))
    if terms and subject:
        yield Entry(kind, subject, names[0], tuple(terms), consignment)


def entries_of(event: SignedEvent, uetr: Uetr) -> Iterator[Entry]:
    """Whatever can be found because of this event, by whoever may see it."""
    if (reader := _READERS.get(event.type.rpartition(".")[0])) is not None:
        yield from reader(event.payload, event.aggregate, uetr)


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def _texts(payload: Mapping[str, Any], name: str) -> list[str]:
    values = payload.get(name)
    return [each for each in values if isinstance(each, str)] if isinstance(values, list) else []


def _consignment(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    name = _text(payload, "consignment")
    yield from _entry("consignment", name, name, consignment=name)
    for container in dict.fromkeys((_text(payload, "container"), *_texts(payload, "containers"))):
        yield from _entry("container", f"{container}/{name}", container, consignment=name)


def _document(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    name, number = _text(payload, "consignment"), _text(payload, "number")
    kind = _PAPERS.get(_text(payload, "kind"), "paper")
    yield from _entry(kind, f"{number}/{name}", number, consignment=name)


def _declaration(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    name = _text(payload, "declaration")
    yield from _entry("declaration", name, name)


def _release(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    """The goods, by the declaration that let them go: it may be lodged with customs alone."""
    del aggregate, uetr
    name = _text(payload, "consignment")
    yield from _entry("consignment", name, name, _text(payload, "declaration"), consignment=name)


def _terminal(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    name, phone = _text(payload, "terminal"), _text(payload, "phone")
    yield from _entry("terminal", name, name, phone)


def _seal(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    name, seal = _text(payload, "consignment"), _text(payload, "seal")
    yield from _entry("seal", seal, seal, consignment=name)
    container = _text(payload, "container")
    yield from _entry("container", f"{container}/{name}", container, consignment=name)


def _title(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    title = _text(payload, "title")
    yield from _entry("title", title, title, consignment=_text(payload, "consignment"))


def _tag(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    title = _text(payload, "title")
    yield from _entry("title", title, _text(payload, "number"), title)


def _deal(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    name = _text(payload, "deal")
    yield from _entry("deal", name, name, consignment=_text(payload, "consignment"))


def _payment(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate
    deal, transfer = _text(payload, "deal"), _text(payload, "transfer")
    if transfer:
        reference = str(uetr(UUID(transfer)))
        yield from _entry("payment", f"{deal}/{transfer}", reference, transfer)


def _credit(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del uetr
    yield from _entry("credit", aggregate.partition("/")[2], _text(payload, "credit"))


def _receivable(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del uetr
    token, invoice = aggregate.partition("/")[2], _text(payload, "invoice")
    yield from _entry("receivable", token, invoice, token)


def _order(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    order = _text(payload, "order")
    yield from _entry("order", order, order, _text(payload, "gtin"))


def _lot(payload: Mapping[str, Any], aggregate: str, uetr: Uetr) -> Iterator[Entry]:
    del aggregate, uetr
    order, lot = _text(payload, "order"), _text(payload, "lot")
    yield from _entry("lot", f"{order}/{lot}", lot)


_Reader = Callable[[Mapping[str, Any], str, Uetr], Iterator[Entry]]
# By the type without its version: what is read of a fact has had its name in each of them.
_READERS: Final[dict[str, _Reader]] = {
    kind.TYPE.rpartition(".")[0]: reader
    for kind, reader in (
        (ConsignmentEntered, _consignment),
        (DocumentAdded, _document),
        (DeclarationSubmitted, _declaration),
        (CustomsReleased, _release),
        (TerminalRegistered, _terminal),
        (Sealed, _seal),
        (TitleAsked, _title),
        (TitleTagOpened, _tag),
        (DealOpened, _deal),
        (MoneyReserved, _payment),
        (Decided, _payment),
        (CreditOpened, _credit),
        (ReceivableRegistered, _receivable),
        (OrderOpened, _order),
        (LotFinished, _lot),
    )
}
