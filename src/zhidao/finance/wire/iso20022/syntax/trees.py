"""Parts of a message that are carried on as they are: parties, accounts, banks, remittance.

A tree is a tuple of (element, text or tree). An amount inside bears its currency in the name:
("RmtdAmt@EUR", "12.00"). So nothing that one bank said is lost on the way to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from zhidao.core.errors import MalformedInput
from zhidao.core.money import Currency
from zhidao.finance.domain.payments.message import Tree
from zhidao.finance.domain.payments.payment import MESSAGE_AMOUNT_MAX

if TYPE_CHECKING:
    from lxml.etree import _Element


EMPTY: Final[Tree] = ()
_EXPONENTS: Final[dict[str, int]] = {}
_POINTS: Final = tuple("0" * n for n in range(6))


def tree_of(element: _Element, start: int) -> Tree:
    """What stands in an element. `start`: how long the namespace in front of each name is."""
    inside: list[tuple[str, str | Tree]] = []
    for child in element:
        name = child.tag[start:]
        if len(child):
            inside.append((name, tree_of(child, start)))
            continue
        if name.endswith("Amt"):
            name = f"{name}@{child.get('Ccy')}"
        inside.append((name, child.text or ""))
    return tuple(inside)


def xml_of(tree: Tree) -> str:
    """The same as XML without a namespace of its own."""
    parts = []
    for name, inside in tree:
        text = escaped(inside) if isinstance(inside, str) else xml_of(inside)
        if "@" in name:
            plain, _, currency = name.partition("@")
            parts.append(f'<{plain} Ccy="{currency}">{text}</{plain}>')
        else:
            parts.append(f"<{name}>{text}</{name}>")
    return "".join(parts)


def escaped(text: str) -> str:
    """A text as XML takes it; most have nothing to escape."""
    return escape(text) if "&" in text or "<" in text or ">" in text else text


def at(tree: Tree, *path: str) -> str:
    """The text at a path, or nothing."""
    found: str | Tree = tree
    for step in path:
        if isinstance(found, str):
            return ""
        for name, inside in found:
            if name == step:
                found = inside
                break
        else:
            return ""
    return found if isinstance(found, str) else ""


def account(number: str) -> Tree:
    """The identification of an account that has no IBAN."""
    return (("Othr", (("Id", number),)),)


def account_number(tree: Tree) -> str:
    """The IBAN, or the other number of an account."""
    return at(tree, "IBAN") or at(tree, "Othr", "Id")


def bank(bic: str) -> Tree:
    """A bank by its BIC."""
    return (("BICFI", bic),)


def person(name: str, town: str, country: str) -> Tree:
    """A person with town and country."""
    return (("Nm", name), ("PstlAdr", (("TwnNm", town), ("Ctry", country))))


def lines(*texts: str) -> Tree:
    """Remittance information in free lines."""
    return tuple(("Ustrd", text) for text in texts)


def minor_of(text: str, currency: str) -> int:
    """An amount as written, in minor units. Raises MalformedInput with AM03 or AM12.

    Fewer decimals than the currency has are taken; more only if they are zeros.
    """
    exponent = exponent_of(currency)
    whole, _, part = text.partition(".")
    if len(part) > exponent:
        more = part[exponent:]
        if more.strip("0"):
            raise MalformedInput(f"{currency} has {exponent} decimals: {text[:40]!r}", code="AM12")
        part = part[:exponent]
    digits = whole + part + _POINTS[exponent - len(part)]
    if not (digits.isascii() and digits.isdigit() and whole):
        raise MalformedInput(f"not an amount: {text[:40]!r}", code="AM12")
    minor = int(digits)
    if minor > MESSAGE_AMOUNT_MAX:
        raise MalformedInput(f"an amount of more than 18 digits: {text[:40]!r}", code="AM12")
    return minor


def exponent_of(currency: str) -> int:
    """How many decimals a currency has. Raises MalformedInput with AM03 for none in use."""
    exponent = _EXPONENTS.get(currency)
    if exponent is None:
        try:
            exponent = _EXPONENTS[currency] = Currency(currency).exponent
        except MalformedInput as error:
            raise MalformedInput(
                f"{currency[:8]!r} is a commodity or no currency in use", code="AM03"
            ) from error
    return exponent


def decimal_of(minor: int, currency: str) -> str:
    """An amount with exactly its currency's decimals."""
    exponent = exponent_of(currency)
    if not exponent:
        return str(minor)
    digits = str(minor).rjust(exponent + 1, "0")
    return f"{digits[:-exponent]}.{digits[-exponent:]}"


def amount_xml(name: str, minor: int, currency: str) -> str:
    """An amount's element."""
    return f'<{name} Ccy="{currency}">{decimal_of(minor, currency)}</{name}>'


def optional(name: str, text: str) -> str:
    """An element, if there is something to say."""
    return f"<{name}>{escaped(text)}</{name}>" if text else ""


def agent_xml(name: str, tree: Tree) -> str:
    """A bank's element, if there is one."""
    return f"<{name}><FinInstnId>{xml_of(tree)}</FinInstnId></{name}>" if tree else ""
