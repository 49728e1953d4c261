"""Whether the log has one title for a bill: the tag that its carrier wrote down before minting."""

from __future__ import annotations

import unicodedata

from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.keys import PublicKey
from zhidao.trade.events import DocumentAdded
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.trust.domain.title_tag import Bill, Registered, check_registered
from zhidao.trust.events import ChainTransaction, TitleRegistered, TitleTagOpened
from zhidao.trust.service.titles.replayed_history import Move, TitleHistory
from zhidao.verification.case import Case, OpenedFact


def check_registration(case: Case, title: str, history: TitleHistory, minted: Move) -> Replayed:
    """Opens the tag under which a title stands, and holds it against the bill and the minting.

    Raises Refused: `bad_title_tag` if the carrier did not sign it for this bill,
    `unregistered_title` if no leaf before the minting has it with this title, `double_title` if
    one has it with another, `wrong_registry` if it names another registry, `bill_mismatch` if the
    bill of lading has another number.
    """
    tags = [told for told in case.every(TitleTagOpened) if told.fact.title == title]
    if not tags:
        lacking = "That the log has one title for this bill: its tag is not opened here."
        return Replayed(not_proven=(Statement("title_registration", lacking),))
    found = [_checked(case, tag, history, minted) for tag in tags]
    if all(is_plain for is_plain, _ in found):
        return Replayed(tuple(said for _, said in found))
    # Of before numbers had one spelling.
    unclear = "That no other title has this bill's number in another spelling: it is not plain."
    return Replayed(not_proven=(Statement("title_registration", unclear),))


def _checked(
    case: Case, tag: OpenedFact[TitleTagOpened], history: TitleHistory, minted: Move
) -> tuple[bool, Statement]:
    """The statement, and whether the bill's number can be read as that of no other bill."""
    opened = tag.fact
    issuer, bill, opening = _read(case, opened, tag.event)
    leaves = {
        _registered(t.fact): t.index
        for t in reversed(case.every(TitleRegistered))
        if _is_claimed(t, issuer) and t.event.open and t.event.aggregate == f"titletag/{t.fact.tag}"
    }
    found = check_registered(
        bill, opened.title, issuer=issuer, opening=opening, leaves=list(leaves)
    )
    if found.tag != opened.tag:
        raise Refused("the title's tag is not what opens it", code="bad_title_tag")
    if (found.registry, found.chain_id) != (history.registry, history.chain_id):
        raise Refused("the title is registered for another registry", code="wrong_registry")
    mint = next(t for t in case.every(ChainTransaction) if t.fact.hash == minted.transaction)
    if leaves[found] > mint.index:
        raise Refused("the title was registered after it was minted", code="unregistered_title")
    numbers = {
        t.fact.number
        for t in case.every(DocumentAdded)
        if (t.fact.kind, t.fact.digest) == ("bill_of_lading", opened.title)
    }
    if bill.number not in {_plain(number) for number in numbers}:
        raise Refused(
            f"the title is registered for bill {bill.number}, its paper has another number",
            code="bill_mismatch",
        )
    return bill.is_plain, Statement(
        "title_registration",
        f"Before it was minted, the log got an open leaf (leaf {leaves[found]}) with this title "
        f"under the tag of bill {bill.number} of {bill.carrier_code}, which only its carrier can "
        "make: a second title for that bill would stand under the same tag.",
    )


def _registered(fact: TitleRegistered) -> Registered:
    return Registered(fact.tag, fact.title, fact.registry, fact.chain_id)


def _is_claimed(told: OpenedFact[TitleRegistered], issuer: PublicKey) -> bool:
    """Whether the issuer claimed this leaf: tags are public, and a copied one frames nobody."""
    fact = told.fact
    if not fact.issuer:
        return told.event.asserted_by.key == issuer
    try:
        claim = parse_base64url(fact.claim)
    except MalformedInput:
        return False
    return fact.issuer == issuer.multikey and issuer.verifies(claim, _registered(fact).claim)


def _read(case: Case, opened: TitleTagOpened, event: SignedEvent) -> tuple[PublicKey, Bill, bytes]:
    try:
        bill = Bill(opened.carrier_code, opened.number)
        opening = parse_base64url(opened.opening)
        issuer = PublicKey.from_multikey(opened.issuer)
    except MalformedInput as error:
        raise Refused(f"the title's tag is malformed: {error}", code="bad_title_tag") from error
    # The carrier's own key may be another than the one by which this node lets it speak.
    own = issuer == event.asserted_by.key or case.trust.speaks(event.asserted_by.party, issuer)
    if not own or event.aggregate != f"registration/{opened.title}":
        raise Refused("the title's tag is another key's", code="bad_title_tag")
    return issuer, bill, opening


def _plain(number: str) -> str:
    """As a tag spells it: capitals without spaces."""
    return "".join(unicodedata.normalize("NFKC", number).upper().split())
