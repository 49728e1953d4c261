"""Whether the log has one title for a bill: the tag that its carrier wrote down before minting."""

from __future__ import annotations

import unicodedata

from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.keys import PublicKey
from zhidao.node.verification.case import Case, Told
from zhidao.trade.events import DocumentAdded
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.trust.domain.title_tag import Bill, Registered, check_registered
from zhidao.trust.events import ChainTransaction, TitleRegistered, TitleTagOpened
from zhidao.trust.service.title_history import Move, TitleHistory


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
    return Replayed(tuple(_checked(case, tag, history, minted) for tag in tags))


def _checked(
    case: Case, tag: Told[TitleTagOpened], history: TitleHistory, minted: Move
) -> Statement:
    opened = tag.fact
    issuer, bill, opening = _read(opened, tag.event)
    leaves = {
        Registered(t.fact.tag, t.fact.title, t.fact.registry, t.fact.chain_id): t.index
        for t in reversed(case.every(TitleRegistered))
        # Tags are public: a copy that somebody else signed frames nobody.
        if t.event.asserted_by.key == issuer
        and t.event.open
        and t.event.aggregate == f"titletag/{t.fact.tag}"
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
    return Statement(
        "title_registration",
        f"Before it was minted, the log got an open leaf (leaf {leaves[found]}) with this title "
        f"under the tag of bill {bill.number} of {bill.carrier_code}, which only its carrier can "
        "make: a second title for that bill would stand under the same tag.",
    )


def _read(opened: TitleTagOpened, event: SignedEvent) -> tuple[PublicKey, Bill, bytes]:
    try:
        bill = Bill(opened.carrier_code, opened.number)
        opening = parse_base64url(opened.opening)
    except MalformedInput as error:
        raise Refused(f"the title's tag is malformed: {error}", code="bad_title_tag") from error
    issuer = event.asserted_by.key
    if opened.issuer != issuer.multikey or event.aggregate != f"registration/{opened.title}":
        raise Refused("the title's tag is another key's", code="bad_title_tag")
    return issuer, bill, opening


def _plain(number: str) -> str:
    """As a tag spells it: capitals without spaces."""
    return "".join(unicodedata.normalize("NFKC", number).upper().split())
