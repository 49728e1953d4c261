"""Titles: the signed transactions are executed again, and the node's tale is held against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from zhidao.core.errors import Refused
from zhidao.trade.domain.promise import TITLE
from zhidao.trade.events import DocumentAdded
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.trust.events import (
    ChainTransaction,
    CustodyOpened,
    MediumChanged,
    TitleAsked,
    TitleMoved,
)
from zhidao.trust.service.titles.replayed_history import Move, TitleHistory
from zhidao.verification.case import Case, OpenedFact
from zhidao.verification.registrations import check_registration

CONTRACTS: Final = "TradeTrust token-registry 5.5.1"
NOT_EXECUTED: Final = "title_not_executed"


@dataclass(frozen=True, slots=True)
class Holding:
    """Who has a title: a party, a deal's custody account, or `` where nobody named it."""

    party: str
    deal: str = ""

    def __str__(self) -> str:
        if self.deal:
            return f"the custody account of deal {self.deal}"
        return self.party or "an account that nobody named"


def replay_titles(case: Case) -> Replayed:
    """Executes the titles' transactions again and tells who held each title.

    Raises Refused: `title_mismatch` if the node told other moves than the transactions make,
    `wrong_chain`, or what `title_history` and the contracts refuse.
    """
    replays = [_replay(case, asked.fact) for asked in case.every(TitleAsked)]
    if not replays:
        lacking = Statement("title", "Who holds the title: no title is opened.")
        return Replayed(not_proven=(lacking,))
    return Replayed(
        proven=tuple(one for replay in replays for one in replay.proven),
        not_proven=tuple(one for replay in replays for one in replay.not_proven),
        shown=frozenset((TITLE,) if all(replay.shown for replay in replays) else ()),
    )


def moves_of(case: Case, title: str) -> tuple[Move, ...]:
    """The moves of a title by the executed transactions; none if none are opened."""
    history = case.chain
    return tuple(m for m in history.moves if m.title == title) if history else ()


def holding_of(case: Case, title: str, address: str) -> Holding:
    """Whose account an address is, in the story of one title."""
    if address in case.accounts:
        return Holding(case.accounts[address])
    for opened in case.every(CustodyOpened):
        if (opened.fact.title, opened.fact.account) == (title, address):
            return Holding("", opened.fact.deal)
    return Holding("")


def _replay(case: Case, asked: TitleAsked) -> Replayed:
    title = asked.title
    if asked.consignment != case.consignment:
        raise Refused(f"the title {title[:16]}… is another consignment's", code="title_mismatch")
    told = [one.fact for one in case.every(TitleMoved) if one.fact.title == title]
    if case.chain_is_unexecuted:
        unchecked = (
            f"Who holds the title {title[:16]}…: not checked here. Its transactions are to be "
            "executed, and there is no EVM here."
        )
        return Replayed(not_proven=(Statement(NOT_EXECUTED, unchecked),))
    moves = moves_of(case, title)
    history = case.chain
    if history is None or (not moves and not told):
        lacking = "Who holds the title: none of its transactions is opened."
        return Replayed(not_proven=(Statement("title", lacking),))
    if case.is_whole(f"title/{title}"):
        _compare(case, title, moves, told)
    if not moves:
        raise Refused(f"no opened transaction makes the title {title[:16]}…", code="title_mismatch")
    _check_minter(case, asked, moves[0])
    media = [told for told in case.every(MediumChanged) if told.fact.title == title]
    _check_media(case, media, moves)
    registered = check_registration(case, title, history, moves[0])
    # A history with a gap, or a title whose tag stays closed, may hide another one.
    shown = case.is_whole(f"title/{title}") and registered.proven
    from_paper = any(_is_from_paper(told) for told in media)
    return Replayed(
        (*_proven(case, asked, history, moves), *registered.proven, *_media(media)),
        (
            *_not_proven(case, title, moves, from_paper=from_paper),
            *registered.not_proven,
        ),
        frozenset((TITLE,) if shown else ()),
    )


def _compare(case: Case, title: str, moves: tuple[Move, ...], told: list[TitleMoved]) -> None:
    """Each move that the node told is one that the transactions make, in the same order."""
    history = case.chain
    assert history is not None, "moves come out of a history"
    for number, (move, fact) in enumerate(zip_longest(moves, told), start=1):
        # Executed and not told yet is possible; told and not executed is a cut history.
        if fact is None:
            continue
        good = move is not None and (
            (move.action, move.transaction, move.holder, move.beneficiary)
            == (fact.action, fact.transaction, fact.holder, fact.beneficiary)
            and (fact.registry, fact.chain_id) == (history.registry, history.chain_id)
            and _named_rightly(case, title, fact)
        )
        if not good:
            raise Refused(
                f"move {number} of the title {title[:16]}… is not what the opened transactions do",
                code="title_mismatch",
                where=f"{fact.action} {fact.transaction[:18]}…",
            )


def _check_media(
    case: Case, media: Sequence[OpenedFact[MediumChanged]], moves: tuple[Move, ...]
) -> None:
    """The former medium lost its effect before the new one began, and nothing moved after it.

    Raises Refused (`medium_changed`).
    """
    places = {told.fact.hash: told.index for told in case.every(ChainTransaction)}
    for told in media:
        aggregate = f"medium/{told.fact.title}"
        after = [move.action for move in moves if places[move.transaction] > told.index]
        good = {
            # The paper died first: all of the title's life comes after it.
            "to_token": len(after) == len(moves),
            "to_paper": after in ([], ["burn"]),
        }.get(told.fact.change, False)
        if not good or not told.event.open or told.event.aggregate != aggregate:
            raise Refused(
                f"the title {told.fact.title[:16]}… changed its medium in another order",
                code="medium_changed",
            )


def _is_from_paper(told: OpenedFact[MediumChanged]) -> bool:
    return told.fact.change == "to_token"


def _media(media: Sequence[OpenedFact[MediumChanged]]) -> tuple[Statement, ...]:
    words = {
        "to_token": "the paper original with SHA-256 {} lost its effect, and the title began after",
        "to_paper": "the title lost its effect, and paper with SHA-256 {} took its place",
    }
    return tuple(
        Statement(
            "medium",
            f"By {told.event.asserted_by.party}'s open word (leaf {told.index}) "
            f"{words[told.fact.change].format(told.fact.paper)}: {told.fact.statement!r}.",
        )
        for told in media
    )


def _named_rightly(case: Case, title: str, fact: TitleMoved) -> bool:
    """Whether the parties that the node named are those whose accounts these are."""
    for address, party in (
        (fact.holder, fact.holder_party),
        (fact.beneficiary, fact.beneficiary_party),
    ):
        holding = holding_of(case, title, address)
        wanted = case.node.party if holding.deal else holding.party
        if wanted and party != wanted:
            return False
    return True


def _check_minter(case: Case, asked: TitleAsked, first: Move) -> None:
    minter = holding_of(case, asked.title, first.signer)
    if first.action != "mint" or (minter.party and minter.party != case.entered.carrier):
        raise Refused(
            f"the title {asked.title[:16]}… was not minted by the carrier", code="title_mismatch"
        )


def _proven(
    case: Case, asked: TitleAsked, history: TitleHistory, moves: tuple[Move, ...]
) -> tuple[Statement, ...]:
    title = asked.title
    steps = "; ".join(
        f"{move.action} by {holding_of(case, title, move.signer)} to "
        f"{holding_of(case, title, move.holder)}"
        for move in moves
    )
    compact = case.chain_is_followed
    whose = "" if compact else f", whose contracts are those of {CONTRACTS}, unchanged"
    how = f"followed by the rules of {CONTRACTS}" if compact else "executed again"
    return (
        Statement(
            "title_registry",
            f"The title {title[:16]}… ({_document_of(case, title)}) lives in the registry "
            f"{history.registry} on chain {history.chain_id}{whose}.",
        ),
        Statement(
            "title_history",
            f"Its {len(moves)} signed transactions, {how} in the order of the log, give: {steps}.",
        ),
        Statement("title_holder", _ending(case, title, moves[-1])),
    )


def _document_of(case: Case, title: str) -> str:
    for told in case.every(DocumentAdded):
        if (told.fact.kind, told.fact.digest) == ("bill_of_lading", title):
            return f"SHA-256 of the bill of lading {told.fact.number}"
    raise Refused(
        f"the title {title[:16]}… is of no bill of lading of this consignment",
        code="title_mismatch",
    )


def _ending(case: Case, title: str, last: Move) -> str:
    holder = holding_of(case, title, last.holder)
    beneficiary = holding_of(case, title, last.beneficiary)
    if not last.active:
        return f"The title ends given up: {holder} was its last holder."
    if holder == beneficiary:
        return f"The title ends with {holder}, its holder and beneficiary."
    return f"The title ends held by {holder} for {beneficiary}."


def _not_proven(
    case: Case, title: str, moves: tuple[Move, ...], *, from_paper: bool
) -> tuple[Statement, ...]:
    later = (
        "That nothing moved the title after the last of its transactions that is opened here."
        if case.chain_is_whole()
        else "That no other transaction of this title stands among the leaves that are not opened."
    )
    found = [
        Statement("title_further", later),
        Statement(
            "title_elsewhere",
            "That the paper original was destroyed or marked, and that there is no other one and "
            "no title in another registry."
            if from_paper
            else "That the same bill of lading has no paper original and no title in another "
            "registry.",
        ),
        Statement(
            "title_law", "That the law of the place treats this record as a document of title."
        ),
    ]
    if case.chain_is_followed:
        found.append(
            Statement(
                "contracts",
                f"contracts: not checked here. That {CONTRACTS} stands at the registry's address "
                "and that its machine does the same: a compact proof leaves their creation out.",
            )
        )
    accounts = {account for move in moves for account in (move.signer, move.holder)}
    unnamed = sorted(a for a in accounts if not str(_known(case, title, a)))
    if unnamed:
        found.append(Statement("title_accounts", f"Whose accounts {', '.join(unnamed)} are."))
    return tuple(found)


def _known(case: Case, title: str, address: str) -> str:
    holding = holding_of(case, title, address)
    return holding.party or holding.deal
