"""Words that both messages share: text forms, and how amounts, agents and people are written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Money
from zhidao.finance.domain.payments.payment import Payment, Person
from zhidao.finance.wire.iso20022.syntax.grammar import Branch, Leaf, Node, branch

REFERENCE: Final = Leaf(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,34}")
UETR: Final = Leaf(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MOMENT: Final = Leaf(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\+00:00")
DAY: Final = Leaf(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
AMOUNT: Final = Leaf(r"[0-9]{1,18}(\.[0-9]{1,5})?", "Ccy", r"[A-Z]{3}")
LINE: Final = Leaf(r"(?s).{1,140}")
AGENT: Final = Branch(
    (("FinInstnId", Branch((("BICFI", Leaf(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")),))),)
)
PERSON: Final = Branch(
    (
        ("Nm", LINE),
        ("PstlAdr", Branch((("TwnNm", Leaf(r"(?s).{1,35}")), ("Ctry", Leaf(r"[A-Z]{2}"))))),
    )
)
_OTHER: Final = Branch((("Othr", Branch((("Id", Leaf(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,33}")),))),))
ACCOUNT: Final = Branch((("Id", _OTHER),))
OWN_ACCOUNT: Final = Branch((("Id", _OTHER), ("Ccy", Leaf(r"[A-Z]{3}"))))


def fixed(*words: str) -> Leaf:
    """An element that may hold only these words."""
    return Leaf("|".join(words))


def leaf(name: str, text: str) -> Node:
    """An element with text."""
    return Node(name, text)


def agent(name: str, bic: str) -> Node:
    """A bank by its BIC."""
    return branch(name, branch("FinInstnId", leaf("BICFI", bic)))


def person(name: str, who: Person) -> Node:
    """A person with a structured address."""
    address = branch("PstlAdr", leaf("TwnNm", who.town), leaf("Ctry", who.country))
    return branch(name, leaf("Nm", who.name), address)


def read_person(node: Node) -> Person:
    """A person as written."""
    address = node.at("PstlAdr")
    return Person(node.at("Nm").text, address.at("TwnNm").text, address.at("Ctry").text)


def account_number(account: str) -> Node:
    """An account by a number that is no IBAN."""
    return branch("Id", branch("Othr", leaf("Id", account)))


def amount(name: str, money: Money) -> Node:
    """An amount with exactly its currency's decimals."""
    text = f"{money.decimal:.{money.currency.exponent}f}"
    return Node(name, text, money.currency.code)


def read_amount(node: Node) -> Money:
    """An amount as written; another number of decimals than the currency's is refused."""
    money = Money.parse(node.text, node.attribute)
    if amount(node.name, money).text != node.text:
        raise MalformedInput(
            f"{node.name}: {node.text} is not written with the decimals of {money.currency}",
            code="AM12",
        )
    return money


def moment(at: datetime) -> str:
    """An instant as `2026-04-13T09:15:32+00:00`."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def read_moment(text: str) -> datetime:
    """An instant as written."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise MalformedInput(f"no such time: {text}", code="DT01") from error


def read_day(text: str) -> date:
    """A day as written."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput(f"no such day: {text}", code="DT01") from error


def read_uetr(text: str) -> UUID:
    """A UETR as written."""
    return UUID(text)


def same(payment: Payment, document: Node, again: Node) -> Payment:
    """The payment, if writing it gives the document that was read."""
    if document != again:
        raise MalformedInput("the message's parts do not agree with each other", code="FF01")
    return payment
