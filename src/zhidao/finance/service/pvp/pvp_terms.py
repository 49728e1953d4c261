"""The terms of payment versus payment: offered from a quote, or held against one that was given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import UUID

from zhidao.core.ambient import Clock
from zhidao.core.errors import Refused
from zhidao.core.ids import parse_id
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS
from zhidao.finance.domain.payments.approval import Demand
from zhidao.finance.domain.pvp.pvp import Leg, Letter, Side, Terms
from zhidao.finance.events.banks import FxQuoted
from zhidao.finance.service.ports import Decisions
from zhidao.finance.service.pvp.fx_quotes import FxQuotes
from zhidao.finance.service.pvp.pvp_history import Dealing
from zhidao.finance.wire.pvp import read_quote

DEADLINE_S_MAX: Final = 86_400


class PvpTerms:
    """Makes and checks terms for the banks of this node."""

    def __init__(
        self,
        *,
        node_keys: Sequence[str],
        quotes: FxQuotes,
        decisions: Decisions,
        clock: Clock,
        sold_under: Callable[[str, str], Awaitable[int]],
    ) -> None:
        """`node_keys`: Multikeys with which this node decides, the present one last.

        `sold_under`: what deals under a quote of a bank have sold, minor units.
        """
        self._node_keys = node_keys
        self._quotes = quotes
        self._decisions = decisions
        self._clock = clock
        self._sold_under = sold_under

    def offered(
        self,
        got: FxQuoted,
        *,
        nonce: str,
        sold_minor: int,
        pays_from: UUID,
        receives_at: UUID,
        deadline_s: int,
    ) -> Terms:
        """What a bank offers that takes a quote. Raises Refused (`pvp_late`, `quote_exceeded`…)."""
        offer, now = read_quote(got.message), self._clock.now()
        if not 0 < deadline_s <= DEADLINE_S_MAX:
            raise Refused(f"a deal ends within {DEADLINE_S_MAX} s", code="pvp_late")
        bought = offer.accept(Money(sold_minor, offer.sold), now=now).bought_minor
        return Terms(
            nonce=nonce[:64],
            first=Leg(offer.sold.code, pays_from, parse_id(got.receives_at), sold_minor),
            second=Leg(offer.bought.code, parse_id(got.pays_from), receives_at, bought),
            rate=offer.rate,
            first_key=self._quotes.signer(got.client).public.multikey,
            second_key=str(got.message["key"]),
            decider_key=self._node_keys[-1],
            deadline_ns=now.unix_ns + deadline_s * NS,
        )

    async def check(self, letter: Letter, terms: Terms, given: FxQuoted) -> None:
        """Raises Refused for terms that are not those of the quote that this node's bank gave."""
        offer, now = read_quote(given.message), self._clock.now()
        if (given.client_node, given.client) != (letter.node, letter.from_party):
            raise Refused("the quote was given to another", code="pvp_not_ours")
        if terms.first.ledger != offer.sold.code:
            raise Refused("the terms are not those of the quote", code="pvp_amount")
        sold = Money(terms.first.amount_minor, Currency(terms.first.ledger))
        asked = (terms.rate, terms.second.amount_minor, terms.second.ledger)
        if asked != (offer.rate, offer.accept(sold, now=now).bought_minor, offer.bought.code):
            raise Refused("the terms are not those of the quote", code="pvp_amount")
        if (str(terms.second.debit), str(terms.first.credit)) != (
            given.pays_from,
            given.receives_at,
        ):
            raise Refused("the terms name other accounts than the quote", code="pvp_amount")
        if terms.decider_key not in self._decisions.keys(letter.node):
            raise Refused("the sender's node must decide", code="pvp_decider")
        if terms.second_key != self._quotes.signer(letter.to_party).public.multikey:
            raise Refused("the second leg is not ours", code="pvp_not_ours")
        if not now.unix_ns < terms.deadline_ns <= now.unix_ns + DEADLINE_S_MAX * NS:
            raise Refused(f"a deal ends within {DEADLINE_S_MAX} s", code="pvp_late")
        left = offer.sold_minor_max - await self._sold_under(letter.to_party, given.quote)
        if sold.minor > left:
            raise Refused(f"{left} minor units are left of the quote", code="quote_exceeded")

    async def is_over(self, bank: str, quote: str) -> bool:
        """Whether a quote that a bank gave cannot be accepted any more."""
        offer = read_quote((await self._quotes.given(bank, quote)).message)
        return offer.valid_until.unix_ns < self._clock.now().unix_ns


def bound_by(terms: Terms, side: Side) -> Demand:
    """What one side of a deal binds, by the name under which it is counted.

    The first side has its name from its bank's reference and what it binds, since each try has a
    deadline of its own.
    """
    leg = terms.leg(side)
    amount = Money(leg.amount_minor, Currency(leg.ledger))
    first = f"{terms.nonce} {leg.debit.hex} {amount.minor}"
    name = f"exchange {first if side is Side.FIRST else terms.name}"
    held = [(leg.debit.hex, amount.minor)]
    return Demand("exchange", terms.nonce, amount, {}, held, counted_as=name)


def is_asked(
    known: Dealing, quote: str, sold_minor: int, pays_from: UUID, receives_at: UUID
) -> bool:
    """Whether a deal is the one that is asked for once more."""
    terms = known.terms
    told = (terms.first.amount_minor, terms.first.debit, terms.second.credit)
    return known.agreed.quote == quote and told == (sold_minor, pays_from, receives_at)
