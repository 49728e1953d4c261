"""The chains of payment versus payment on a node: a participant, and the decider if it decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.domain.pvp.pvp import Channel, Side
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.ports import Decisions
from zhidao.finance.service.pvp.decider import PvpDecider
from zhidao.finance.service.pvp.fx_quotes import FxQuotes
from zhidao.finance.service.pvp.participant import Logged, PvpParticipant, RoundingAccounts
from zhidao.finance.service.pvp.pvp_history import Chain, Dealing


class PvpChains:
    """Builds the chain of a channel from the node's own parts."""

    def __init__(
        self,
        *,
        node: PartyId,
        node_keys: Sequence[str],
        records: Records,
        ledger: Ledger,
        quotes: FxQuotes,
        decisions: Decisions,
        clock: Clock,
        remembers: Callable[[str], bool],
        logged: Logged,
    ) -> None:
        """`remembers`, `logged`: as the participant asks for them."""
        self._node = node
        self._node_keys = node_keys
        self._records = records
        self._ledger = ledger
        self._quotes = quotes
        self._decisions = decisions
        self._clock = clock
        self._remembers = remembers
        self._is_logged = logged

    def make(self, dealing: Dealing, channel: Channel) -> Chain:
        """The chain of a deal's channel. Raises Unavailable without the bank's key."""
        agreed, terms = dealing.agreed, dealing.terms
        side = Side(agreed.side)
        shard = terms.leg(side).ledger
        participant = PvpParticipant(
            side=side,
            shard=shard,
            ledger=self._ledger,
            records=self._records,
            actor=Actor(PartyId(agreed.bank), Role.PARTY),
            signer=self._quotes.signer(agreed.bank),
            deciders=lambda: (
                self._node_keys if agreed.decides else self._decisions.keys(agreed.peer_node)
            ),
            logged=self._is_logged,
            rounding=_rounding(agreed.bank, shard) if side is Side.SECOND else None,
            channel=channel.name,
            remembers=self._remembers,
        )
        decider = PvpDecider(
            records=self._records,
            actor=Actor(self._node, Role.NODE),
            keys=self._node_keys,
            clock=self._clock,
            channel=channel.name,
            remembers=self._remembers,
        )
        return Chain(
            channel=channel,
            participant=participant,
            decider=decider if agreed.decides else None,
            own_bank=agreed.bank,
            peer_node=agreed.peer_node,
            peer_party=agreed.peer_party,
        )


def _rounding(bank: str, currency: str) -> RoundingAccounts:
    """The dealer's accounts for remainders, by name; they are opened with its first quote."""
    position, rounding = (
        account_id(bank=bank, code=code, holder=bank, currency=currency)
        for code in (AccountCode.FX_POSITION, AccountCode.FX_ROUNDING)
    )
    return RoundingAccounts(position, rounding)
