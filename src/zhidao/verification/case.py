"""What a proof tells, sorted for those who check it; its log part must have held before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Refused
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.keys import Algorithm
from zhidao.core.timescale import NS
from zhidao.trade.events import ConsignmentEntered
from zhidao.trust.domain.chain_rules import chain_id_of
from zhidao.trust.domain.evm import Transaction, address_text
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.domain.proof import Proof
from zhidao.trust.domain.trust_list import TrustedNode, TrustList
from zhidao.trust.events import AccountNamed, ChainTransaction
from zhidao.trust.service.chain.ports import MakeEngine
from zhidao.trust.service.titles.light_history import followed_transactions
from zhidao.trust.service.titles.replayed_history import TitleHistory, title_history
from zhidao.trust.wire.evm.keccak import address_of
from zhidao.trust.wire.evm.transaction import decode

FactT = TypeVar("FactT", bound=Fact)


@dataclass(frozen=True, slots=True)
class OpenedFact(Generic[FactT]):
    """A fact with its event and its place in the log."""

    fact: FactT
    event: SignedEvent
    index: int


class Case:
    """One proof under one trust list. Cheap to make; what costs is done when first asked for."""

    def __init__(self, proof: Proof, trust: TrustList, evm: MakeEngine | None) -> None:
        """evm: makes the machine that executes titles' transactions; None where there is none."""
        self.proof = proof
        self.trust = trust
        self._evm = evm
        self.consignment = proof.consignment

    def every(self, fact: type[FactT]) -> list[OpenedFact[FactT]]:
        """All facts of one kind in log order. Raises MalformedInput if one is malformed."""
        return [
            OpenedFact(fact.of(opened.event), opened.event, opened.index)
            for opened in self.proof.events
            if fact.is_told_by(opened.event.type)
        ]

    def history(self, aggregate: str) -> tuple[SignedEvent, ...]:
        """The opened events of an aggregate, oldest first."""
        return tuple(o.event for o in self.proof.events if o.event.aggregate == aggregate)

    def is_whole(self, aggregate: str) -> bool:
        """Whether an aggregate is opened from its first event on without a gap."""
        versions = [event.version for event in self.history(aggregate)]
        return bool(versions) and versions == list(range(1, len(versions) + 1))

    def file(self, digest: str) -> bytes | None:
        """An enclosed file."""
        return self.proof.blobs.get(digest)

    @cached_property
    def node(self) -> TrustedNode:
        """The node whose log this is."""
        node = self.trust.node_of_log(self.log)
        assert node is not None, "the log part held"
        return node

    @cached_property
    def log(self) -> NoteKey:
        """The key that signed the head: of the node's log, or of a former one."""
        signed = self.proof.note.signed_by(self.trust.logs)
        return next(key for key in signed if key.name == self.proof.origin)

    @cached_property
    def entered(self) -> ConsignmentEntered:
        """The entry of the consignment. Raises Refused (`wrong_consignment`)."""
        first = self.history(f"consignment/{self.consignment}")[0]
        if ConsignmentEntered.is_told_by(first.type):
            entered = ConsignmentEntered.of(first)
            if entered.consignment == self.consignment:
                return entered
        raise Refused(
            f"the history of {self.consignment} does not begin with its entry",
            code="wrong_consignment",
        )

    @cached_property
    def promised(self) -> frozenset[str] | None:
        """What the entry promised that a proof shows; None where it is older than promises.

        Raises Refused (`wrong_consignment`) for an entry of today that promises nothing at all.
        """
        promised = self.entered.promised
        if promised is not None:
            return frozenset(promised)
        first = self.history(f"consignment/{self.consignment}")[0]
        if first.type not in ConsignmentEntered.FORMER:
            raise Refused("the entry states no promise", code="wrong_consignment")
        return None

    @cached_property
    def accounts(self) -> dict[str, str]:
        """Parties by their accounts on the chain: from the trust list's keys, else as named.

        A name in the proof counts only if the party itself gave it, and never against the list.
        """
        named = {
            told.fact.account: told.fact.party
            for told in self.every(AccountNamed)
            if told.event.asserted_by.party == told.fact.party
        }
        listed = {
            address_text(address_of(key)): str(party.party)
            for party in self.trust.parties
            for key in party.keys
            if key.algorithm is Algorithm.SECP256K1
        }
        return named | listed

    @cached_property
    def chain(self) -> TitleHistory | None:
        """What the opened transactions of the node's chain do, executed once more.

        None if none is opened, or if there is no EVM here to execute them (`chain_is_unexecuted`).
        Where their creation is left out they are followed by the contracts' rules instead.

        Raises Refused if one is of another chain than this log's, or does not execute.
        """
        if not self._transactions:
            return None
        if self.chain_is_followed:
            told = followed_transactions(self._transactions)
        elif self._evm is None:
            return None
        else:
            raws = [transaction.raw for transaction in self._transactions]
            recorded = [t.event.recorded_at.unix_ns // NS for t in self.every(ChainTransaction)]
            told = title_history(raws, self._evm, times_s=recorded)
        # A chain bears the id of the log key under which it began.
        own = [chain_id_of(log.key) for log in self.node.logs]
        if told.chain_id not in own:
            raise Refused(
                f"the title's chain is {told.chain_id}, the chain of this log is {own[0]}",
                code="wrong_chain",
            )
        return told

    @cached_property
    def chain_is_followed(self) -> bool:
        """Whether the chain's creation is left out, so that only rules can be followed."""
        created = any(transaction.to is None for transaction in self._transactions)
        return self.proof.packed and not created

    @cached_property
    def chain_is_unexecuted(self) -> bool:
        """Whether transactions are opened that only an EVM can judge, and there is none here."""
        return bool(self._transactions) and not self.chain_is_followed and self._evm is None

    @cached_property
    def _transactions(self) -> list[Transaction]:
        """Recovering who signed takes time, so it is done once."""
        return [_transaction(told) for told in self.every(ChainTransaction)]

    def chain_is_whole(self) -> bool:
        """Whether the chain's transactions are opened from the first one on without a gap."""
        return all(self.is_whole(name) for name in self._chains())

    def _chains(self) -> Iterator[str]:
        return (name for name in {told.event.aggregate for told in self.every(ChainTransaction)})


def _transaction(told: OpenedFact[ChainTransaction]) -> Transaction:
    raw = parse_hex(told.fact.raw)
    transaction = decode(raw)
    consistent = (
        told.fact.hash == "0x" + transaction.hash.hex()
        and told.fact.chain_id == transaction.chain_id
        and told.event.aggregate == f"chain/{transaction.chain_id}"
        and told.event.open
    )
    if not consistent:
        raise Refused("a transaction stands in the log under another name", code="wrong_chain")
    return transaction
