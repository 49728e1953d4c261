"""Change of medium: a paper bill becomes a title, or a title becomes paper; the old one dies first.

Each is one act of the issuer. Its decision is an open leaf of the log that names title and paper
and says that the former medium has no effect from there on; what follows (minting, burning) is
done after it, and again until it holds. Between the two nobody has a valid medium, never two.
Before the decision the paper is claimed, so that it stands for this title and no other.
Source: UNCITRAL Model Law on Electronic Transferable Records (2017), articles 17 and 18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import check_digest
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import SignedEvent, every
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Records
from zhidao.trust.domain.title_tag import Bill, Brought
from zhidao.trust.events import MediumChanged, Title
from zhidao.trust.service.chain.ports import Executor, Minting
from zhidao.trust.service.chain.title_records import TitleRecords, aggregate_of_title
from zhidao.trust.service.titles.acts import Act, TitleLife
from zhidao.trust.service.titles.paper_originals import (
    TO_PAPER,
    TO_TOKEN,
    PaperClaims,
    changed,
    is_same,
)

MAY_CHANGE_TO_PAPER: Final = access(
    Role.PARTY,
    relation=Relation.OWNER,
    of="the title, its issuer",
    parties=lambda minted: (minted.owner,),
)
MAY_CHANGE_TO_TOKEN: Final = access(Role.PARTY, relation=Relation.OWNER, of="the title")

STATEMENT_CHARACTERS_MAX: Final = 500


def aggregate_of_medium(digest: str) -> str:
    """The open history of a title's medium."""
    return f"medium/{check_digest(digest)}"


def media_of(title: str, history: tuple[SignedEvent, ...]) -> list[MediumChanged]:
    """The changes of a title's medium in the history of that name, oldest first.

    Claims on papers stood under such names once, and any carrier could write them.
    """
    return [fact for fact in every(history, MediumChanged) if fact.title == title]


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper original: the SHA-256 of its text or scan, and the statement that is put on it.

    The statement that its medium changed is required by articles 17(2) and 18(2).
    """

    digest: str
    statement: str

    def check(self) -> None:
        """Raises MalformedInput for no digest, Refused (`no_statement`) for no statement."""
        check_digest(self.digest)
        said = self.statement.strip()
        if not said or len(said) > STATEMENT_CHARACTERS_MAX or not said.isprintable():
            raise Refused(
                f"the statement of a change of medium has 1 to {STATEMENT_CHARACTERS_MAX} "
                "characters; everybody reads it",
                code="no_statement",
            )


class TitleMedium:
    """Changes media of the titles that a node's carriers issue."""

    def __init__(
        self,
        records: Records,
        told: TitleRecords,
        life: TitleLife,
        executor: Executor,
        minting: Minting,
        papers: PaperClaims,
    ) -> None:
        self._records = records
        self._told = told
        self._life = life
        self._executor = executor
        self._minting = minting
        self._papers = papers

    async def to_paper(self, actor: Actor, title: str, *, paper: Paper) -> Title:
        """The issuer gives paper for a title that its holder gave back: it is burnt; idempotent.

        Raises NotFound, Refused (`not_issuer`, `not_surrendered`, `no_statement`), Conflict:
        `medium_changed` if other paper was given for it, `double_paper` if this paper stands for
        another title.
        """
        MAY_CHANGE_TO_PAPER.admit(actor)
        paper.check()
        history = await self._records.history(aggregate_of_title(title), actor)
        if history[0].owner != actor.party:
            raise Refused(f"only {history[0].owner} issued this title", code="not_issuer")
        async with self._told.alone(title):
            state = await self._told.settled(title)
            fact = MediumChanged(
                change=TO_PAPER,
                title=title,
                paper=paper.digest,
                holder=(await self._told.title(title)).holder_party,
                statement=paper.statement.strip(),
            )
            before = await self._changes(title, TO_PAPER)
            if before and not is_same(before[0], fact):
                raise changed(before[0])
            if not before:
                if not state.surrendered:
                    raise Refused(
                        "its holder must give the title back before paper takes its place",
                        code="not_surrendered",
                    )
                # The claim comes first: whoever has it is alone with the paper.
                await self._papers.claim(actor, fact)
                await self._decide(actor, fact)
        return await self._burnt(actor, title)

    async def to_token(
        self,
        actor: Actor,
        *,
        paper: Paper,
        document: str,
        consignment: str,
        holder: str,
        readers: Sequence[str],
        bill: Bill | None,
        brought: Brought | None = None,
    ) -> Title:
        """The issuer takes paper in and mints a title in its place; idempotent.

        document: SHA-256 of the electronic bill, the title's name. Raises Refused
        (`no_statement`) and as minting does, Conflict: `double_paper` if the paper stands for
        another title, `medium_changed` if the paper, or the title, has changed its medium
        otherwise before, `title_exists` if the title was minted without it.
        """
        MAY_CHANGE_TO_TOKEN.admit(actor)
        paper.check()
        fact = MediumChanged(
            change=TO_TOKEN,
            title=check_digest(document),
            paper=paper.digest,
            holder=party_id(holder),
            statement=paper.statement.strip(),
        )
        if paper.digest == document:
            raise Refused("paper and electronic bill are two documents", code="same_document")
        async with self._told.alone(document):
            before = await self._changes(document)
            if before and before[-1] != fact:
                raise changed(before[-1])
            if not before:
                await self._papers.check(actor.party, fact)
                await self._minting.check_mintable(
                    actor,
                    document=document,
                    consignment=consignment,
                    holder=holder,
                    readers=readers,
                    bill=bill,
                    brought=brought,
                )
                await self._told.settled(document)
                if await self._executor.moves(bytes.fromhex(document)):
                    raise Conflict(
                        "this title was minted before, and not in the place of a paper",
                        code="title_exists",
                    )
                await self._papers.claim(actor, fact)
                await self._decide(actor, fact)
        return await self._minting.mint(
            actor,
            document=document,
            consignment=consignment,
            holder=holder,
            readers=readers,
            bill=bill,
            brought=brought,
        )

    async def changes(self, actor: Actor, title: str) -> list[MediumChanged]:
        """The changes of a title's medium, oldest first. Raises NotFound."""
        await self._told.title_for(actor, title)
        return await self._changes(title)

    async def _changes(self, title: str, change: str = "") -> list[MediumChanged]:
        history = await self._records.history(aggregate_of_medium(title))
        return [fact for fact in media_of(title, history) if not change or fact.change == change]

    async def _decide(self, actor: Actor, fact: MediumChanged) -> None:
        """Writes the decision. Raises Conflict if somebody else's came first."""
        aggregate = aggregate_of_medium(fact.title)
        history = await self._records.history(aggregate)
        before = media_of(fact.title, history)
        if before and before[-1].change == fact.change:
            raise changed(before[-1])
        await self._records.record(
            actor, aggregate, [fact], after=len(history), owner=PartyId(actor.party)
        )

    async def _burnt(self, actor: Actor, title: str) -> Title:
        told = await self._told.title(title)
        if not told.active:
            return told
        return await self._life.act(actor, title, Act("burn", len(told.transactions)))
