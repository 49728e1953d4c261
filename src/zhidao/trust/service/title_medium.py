"""Change of medium: a paper bill becomes a title, or a title becomes paper; the old one dies first.

Each is one act of the issuer. Its decision is an open leaf of the log that names title and paper
and says that the former medium has no effect from there on; what follows (minting, burning) is
done after it, and again until it holds. Between the two nobody has a valid medium, never two.
Source: UNCITRAL Model Law on Electronic Transferable Records (2017), articles 17 and 18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import check_digest
from zhidao.core.errors import Conflict, Refused
from zhidao.core.events import every
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Records
from zhidao.trust.domain.title_tag import Bill
from zhidao.trust.events import MediumChanged, Title
from zhidao.trust.service.chain_executor import ChainExecutor
from zhidao.trust.service.title_life import Act, TitleLife
from zhidao.trust.service.title_ports import Minting
from zhidao.trust.service.title_records import TitleRecords, aggregate_of_title

TO_PAPER: Final = "to_paper"
TO_TOKEN: Final = "to_token"  # noqa: S105 (a word, no secret)
STATEMENT_CHARACTERS_MAX: Final = 500


def aggregate_of_medium(digest: str) -> str:
    """The open history of a title's or a paper's medium."""
    return f"medium/{check_digest(digest)}"


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
        executor: ChainExecutor,
        minting: Minting,
    ) -> None:
        self._records = records
        self._told = told
        self._life = life
        self._executor = executor
        self._minting = minting

    async def to_paper(self, actor: Actor, title: str, *, paper: Paper) -> Title:
        """The issuer gives paper for a title that its holder gave back: it is burnt; idempotent.

        Raises NotFound, Refused (`not_issuer`, `not_surrendered`, `no_statement`), Conflict
        (`medium_changed`) if other paper was given for it.
        """
        actor.require(Role.PARTY)
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
            if before and not _same(before[0], fact):
                raise _changed(before[0])
            if not before:
                if not state.surrendered:
                    raise Refused(
                        "its holder must give the title back before paper takes its place",
                        code="not_surrendered",
                    )
                await self._decide(actor, aggregate_of_medium(title), fact)
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
    ) -> Title:
        """The issuer takes paper in and mints a title in its place; idempotent.

        document: SHA-256 of the electronic bill, the title's name. Raises Refused
        (`no_statement`) and as minting does, Conflict (`medium_changed`) if the paper, or the
        title, has changed its medium otherwise before.
        """
        actor.require(Role.PARTY)
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
        await self._minting.check_mintable(
            actor, document=document, consignment=consignment, holder=holder, bill=bill
        )
        # The paper's own history comes first: whoever claims it is alone with it.
        for name in (paper.digest, document):
            before = await self._changes(name, TO_TOKEN)
            if before and before[0] != fact:
                raise _changed(before[0])
            if not before:
                await self._decide(actor, aggregate_of_medium(name), fact)
        return await self._minting.mint(
            actor,
            document=document,
            consignment=consignment,
            holder=holder,
            readers=readers,
            bill=bill,
        )

    async def changes(self, actor: Actor, title: str) -> list[MediumChanged]:
        """The changes of a title's medium, oldest first. Raises NotFound."""
        await self._told.title_for(actor, title)
        return await self._changes(title)

    async def _changes(self, digest: str, change: str = "") -> list[MediumChanged]:
        history = await self._records.history(aggregate_of_medium(digest))
        return [f for f in every(history, MediumChanged) if not change or f.change == change]

    async def _decide(self, actor: Actor, aggregate: str, fact: MediumChanged) -> None:
        """Writes the decision. Raises Conflict if somebody else's came first."""
        history = await self._records.history(aggregate)
        if history and history[-1].payload.get("change") == fact.change:
            raise _changed(MediumChanged.of(history[-1]))
        await self._records.record(
            actor, aggregate, [fact], after=len(history), owner=PartyId(actor.party)
        )

    async def _burnt(self, actor: Actor, title: str) -> Title:
        told = await self._told.title(title)
        if not told.active:
            return told
        return await self._life.act(actor, title, Act("burn", len(told.transactions)))


def _same(one: MediumChanged, other: MediumChanged) -> bool:
    """Whether two facts are one decision: once the title is burnt, nobody holds it any more."""
    return (one.title, one.paper, one.statement) == (other.title, other.paper, other.statement)


def _changed(before: MediumChanged) -> Conflict:
    if before.change == TO_PAPER:
        said = f"the paper {before.paper[:16]}… took the place of the title {before.title[:16]}…"
    else:
        said = f"the title {before.title[:16]}… took the place of the paper {before.paper[:16]}…"
    return Conflict(f"{said} already", code="medium_changed")
