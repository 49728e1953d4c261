"""What speaks for a title as an electronic transferable record, requirement by requirement.

The requirements are those of UNCITRAL's Model Law on Electronic Transferable Records (MLETR, 2017),
articles 10 and 11; the law is applied by courts, and this only lists what the node can show. Each
answer is `ok` or a reason code.
"""

from __future__ import annotations

from typing import Final

import msgspec

from zhidao.core.actor import Actor
from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import NotFound, Refused, Unavailable
from zhidao.core.events import every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.core.keys import PublicKey
from zhidao.trust.domain.title_state import TitleState
from zhidao.trust.domain.title_tag import Bill, Registered, check_registered
from zhidao.trust.events import MediumChanged
from zhidao.trust.service.chain.ports import Accounts, Executor
from zhidao.trust.service.chain.receipt import Receipt
from zhidao.trust.service.chain.title_names import TitleNames
from zhidao.trust.service.chain.title_records import TitleRecords
from zhidao.trust.service.titles.bill_tags import TitleTags

OK: Final = "ok"


class MletrRequirement(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement: the articles of MLETR, `ok` or a reason code, and what shows it."""

    name: str
    articles: str
    verdict: str
    evidence: str


class TitleAssessment:
    """Assesses the titles of a node's registry."""

    def __init__(
        self,
        records: Records,
        told: TitleRecords,
        tags: TitleTags,
        names: TitleNames,
        accounts: Accounts,
        executor: Executor,
    ) -> None:
        self._records = records
        self._told = told
        self._names = names
        self._tags = tags
        self._accounts = accounts
        self._executor = executor

    async def assess(self, actor: Actor, title: str) -> list[MletrRequirement]:
        """The requirements for whoever may see the title. Raises NotFound."""
        await self._told.title_for(actor, title)
        moves = await self._executor.moves(bytes.fromhex(title))
        if not moves:
            raise NotFound(
                "this node does not execute that title: its transactions stand at another",
                remedy="ask the node where it was minted",
            )
        state = moves[-1].state_of(bytes.fromhex(title))
        verdict, evidence = await self._registration(actor, title)
        return [
            MletrRequirement(
                name="singularity",
                articles="10(1)(b)(i)",
                verdict=verdict,
                evidence=f"{evidence}; the registry minted it {_mints(moves)} time(s)",
            ),
            MletrRequirement(
                name="control",
                articles="10(1)(b)(ii), 11",
                verdict=_control(state),
                evidence=await self._keeper(state),
            ),
            MletrRequirement(
                name="integrity",
                articles="10(1)(b)(iii), 10(2)",
                verdict=OK,
                evidence=(
                    "the token id is the SHA-256 of the document; its "
                    f"{len(moves)} transaction(s) are open leaves of the log, executed in order"
                ),
            ),
            await self._medium(title, state),
        ]

    async def _medium(self, title: str, state: TitleState) -> MletrRequirement:
        """Whether a change of medium ended the former one, in the order of the log."""
        history = await self._records.history(f"medium/{title}")
        facts = [fact for fact in every(history, MediumChanged) if fact.title == title]
        verdict, said = OK, "its medium did not change"
        for fact in facts:
            if fact.change == "to_token":
                said = f"paper {fact.paper[:16]}… lost its effect before the title was minted"
            else:
                # Decided and not burnt yet: repeating the act finishes it.
                verdict = OK if not state.active else "medium_unfinished"
                said = f"the title lost its effect, paper {fact.paper[:16]}… took its place"
        return MletrRequirement(
            name="change_of_medium", articles="17, 18", verdict=verdict, evidence=said
        )

    async def _registration(self, actor: Actor, title: str) -> tuple[str, str]:
        """Whether the bill's tag stands in the log with this title and no other."""
        try:
            opened = await self._tags.opened(actor, title)
            leaf = await self._tags.leaf(opened.tag)
            check_registered(
                Bill(opened.carrier_code, opened.number),
                title,
                issuer=PublicKey.from_multikey(opened.issuer),
                opening=parse_base64url(opened.opening),
                leaves=[Registered(leaf.tag, leaf.title, leaf.registry, leaf.chain_id)],
            )
        except NotFound:
            return "unregistered_title", "no leaf of the log registers it"
        except Refused as refusal:
            return refusal.code, str(refusal)
        return OK, f"bill {opened.number} of {opened.carrier_code} stands once under its tag"

    async def _keeper(self, state: TitleState) -> str:
        where = "this node does not keep its key"
        party = await self._names.party_of(state.holder)
        try:
            if party and self._accounts.of_party(PartyId(party)).address == state.holder:
                where = f"this node keeps its key as custodian of {party}"
        except Unavailable:
            # The party's key went elsewhere.
            pass
        return f"one account holds it, and only that account's signature moves it; {where}"


def _mints(moves: tuple[Receipt, ...]) -> int:
    return sum(move.action == "mint" for move in moves)


def _control(state: TitleState) -> str:
    if not state.active:
        return "title_inactive"
    return "title_surrendered" if state.surrendered else OK
