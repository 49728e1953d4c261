"""One title for one bill: a tag that only the issuer can make and only holders can open.

The tag is the digest of the issuer's signature over carrier code and bill number. It stands in
the log as an open leaf beside the title, and tells an onlooker nothing; a holder gets the
signature and sees that the tag is his bill's. Two titles under one tag are a fraud that anybody
can show by two leaves.

The issuer is a key of the carrier that the trust list names. A node that does not keep it gets
tag and claim from the carrier (`Brought`), so that one carrier has one tag at every node. A number
has one spelling, since a title is minted only for `[A-Z0-9][A-Z0-9/-]*`.

What an issuer can still do: sign the same bill twice on purpose with other random numbers, and so
get two tags. Then each holder's opened signature names the same bill by the same key, and both
together prove it; nobody sees it before they meet.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, Signer

_CHARACTERS_MAX: Final = 64
_CONTEXT: Final = "zhidao title tag v1"
_CLAIM: Final = "zhidao title claim v1"
# Of outside numbers only what looks like nothing else: a letter of another script, a blank that
# nobody sees or a second case would make two tags of one bill.
_PLAIN: Final = re.compile(r"[A-Z0-9][A-Z0-9/-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill of lading by its carrier's code (SCAC or like) and its number, as on its face."""

    carrier_code: str
    number: str

    def __post_init__(self) -> None:
        for text in (self.carrier_code, self.number):
            # One spelling only: case and spaces would make two tags of one bill.
            plain = unicodedata.normalize("NFKC", text).upper()
            if len(text) > _CHARACTERS_MAX:
                raise MalformedInput(
                    f"a bill's code or number has at most {_CHARACTERS_MAX} characters"
                )
            if not text or text != "".join(plain.split()):
                raise MalformedInput(
                    f"not a bill's code or number: {text[:40]!r}; use capitals without spaces"
                )

    @property
    def is_plain(self) -> bool:
        """Whether code and number have the one spelling in which titles are minted today."""
        return all(_PLAIN.fullmatch(text) for text in (self.carrier_code, self.number))

    def check_plain(self) -> None:
        """Raises MalformedInput (`unclear_bill_number`) for what could be read as another's."""
        for what, text in (("code", self.carrier_code), ("number", self.number)):
            if not _PLAIN.fullmatch(text):
                raise MalformedInput(
                    f"a title is minted for a bill whose {what} is of A to Z, 0 to 9, / and - "
                    f"only, not {text[:40]!a}",
                    code="unclear_bill_number",
                    remedy="have the bill issued under such a number",
                )

    @property
    def message(self) -> bytes:
        """What the issuer signs."""
        return jcs([_CONTEXT, self.carrier_code, self.number])


@dataclass(frozen=True, slots=True)
class Registered:
    """An open leaf: this tag belongs to this title in this registry."""

    tag: str
    title: str
    registry: str
    chain_id: int

    @property
    def claim(self) -> bytes:
        """What the issuer signs, so that nobody else can stand a title under its tag."""
        return jcs([_CLAIM, self.tag, self.title, self.registry, self.chain_id])


@dataclass(frozen=True, slots=True)
class Brought:
    """What a carrier signed where its key is: `opening` its bill, `claim` its title's leaf."""

    issuer: PublicKey
    opening: bytes
    claim: bytes

    def check(self, bill: Bill, registered: Registered) -> None:
        """Raises Refused (`bad_title_tag`) unless both are this key's, over this bill and leaf."""
        if self.issuer.algorithm is not Algorithm.ED25519:
            raise Refused("a title's tag needs an Ed25519 key", code="unknown_algorithm")
        good = self.issuer.verifies(self.opening, bill.message) and self.issuer.verifies(
            self.claim, registered.claim
        )
        if not good or registered.tag != tag_of(self.opening):
            raise Refused("the issuer did not sign this bill's tag and leaf", code="bad_title_tag")


def bring(bill: Bill, issuer: Signer, *, title: str, registry: str, chain_id: int) -> Brought:
    """What a carrier signs with its key for the title of its bill. Raises Refused."""
    tag, opening = open_tag(bill, issuer)
    claim = Registered(tag, title, registry, chain_id).claim
    return Brought(issuer.public, opening, issuer.sign(claim))


@dataclass(frozen=True, slots=True)
class DoubleTitle:
    """Two titles under one tag."""

    first: Registered
    second: Registered


def open_tag(bill: Bill, issuer: Signer) -> tuple[str, bytes]:
    """The tag (hex) and the signature that opens it. Raises Refused without an Ed25519 key.

    Ed25519 gives one signature for one message (RFC 8032), so asking again gives the same tag.
    """
    if issuer.public.algorithm is not Algorithm.ED25519:
        raise Refused("a title's tag needs an Ed25519 key", code="unknown_algorithm")
    signature = issuer.sign(bill.message)
    return tag_of(signature), signature


def tag_of(signature: bytes) -> str:
    """The public tag of a signature."""
    return hashlib.sha256(signature).hexdigest()


def check_registered(
    bill: Bill,
    title: str,
    *,
    issuer: PublicKey,
    opening: bytes,
    leaves: Iterable[Registered],
) -> Registered:
    """The leaf of a holder's title.

    Raises Refused: `bad_title_tag` if the opening is not the issuer's over this bill,
    `unregistered_title` if no leaf has its tag with this title, `double_title` if one has it with
    another.
    """
    if not issuer.verifies(opening, bill.message):
        raise Refused("the issuer did not sign this bill's tag", code="bad_title_tag")
    tag = tag_of(opening)
    found = [leaf for leaf in leaves if leaf.tag == tag]
    if any(leaf != found[0] for leaf in found[1:]):
        raise Refused("the log has two titles for this bill", code="double_title")
    if not found or found[0].title != title:
        raise Refused("the log has no leaf for this title", code="unregistered_title")
    return found[0]


def double_titles(leaves: Iterable[Registered]) -> tuple[DoubleTitle, ...]:
    """Every tag that stands with two titles, over the leaves of any number of logs."""
    first: dict[str, Registered] = {}
    found = []
    for leaf in leaves:
        before = first.setdefault(leaf.tag, leaf)
        if before != leaf:
            found.append(DoubleTitle(before, leaf))
    return tuple(found)
