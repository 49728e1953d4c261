"""Which events belong into a consignment's proof: what its checks need, and no other's business.

A terminal, an order and a chain serve many consignments. Of what they hold in common only the part
of this one is opened; the rest stays a commitment in the log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from typing import Final

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.encoding import parse_hex
from zhidao.core.errors import ZhidaoError
from zhidao.core.events import SignedEvent
from zhidao.devices.events import (
    EnrolmentChanged,
    MessageIncomplete,
    PositionsRecorded,
    SubmissionRefused,
    WindowReceived,
)
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.events import DealOpened
from zhidao.industry.events import LotFinished
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.store.reading import Stored
from zhidao.trade.events import ConsignmentEntered
from zhidao.trust.domain.evm import Address, Transaction
from zhidao.trust.events import ChainTransaction, TitleMoved
from zhidao.trust.wire.evm.keccak import created_address
from zhidao.trust.wire.evm.title_contract import GRANT_ROLE, call_of
from zhidao.trust.wire.evm.title_guard import acted, guard_terms
from zhidao.trust.wire.evm.transaction import decode

_ARRIVALS: Final = frozenset((*ArrivalProven.types(), *ArrivalNotProven.types()))


def kept(stored: Sequence[Stored], consignment: str) -> list[Stored]:
    """Those of the related events that are this consignment's own."""
    events = [each.event for each in stored]
    entered = next(
        (
            event
            for event in events
            if ConsignmentEntered.is_told_by(event.type)
            and event.aggregate == f"consignment/{consignment}"
        ),
        None,
    )
    if entered is None:
        # The actor sees the consignment, but not its beginning: nothing is known to be foreign.
        return list(stored)
    arrivals = [e for e in events if e.type in _ARRIVALS]
    return [each for each in stored if _belongs(each.event, entered, arrivals)]


def _belongs(event: SignedEvent, entered: SignedEvent, arrivals: Sequence[SignedEvent]) -> bool:
    payload = event.payload
    match event.type:
        case WindowReceived.TYPE:
            # The window before is part of what was judged.
            named = (a.payload.get(field) for a in arrivals for field in ("window", "before"))
            return payload["digest"] in named
        case NetworkChecked.TYPE:
            return any(is_asked_of(event, arrival) for arrival in arrivals)
        case _ if LotFinished.is_told_by(event.type):
            return payload["lot"] in _lots(entered)
        case SubmissionRefused.TYPE:
            return event.recorded_at >= entered.recorded_at
        case PositionsRecorded.TYPE | EnrolmentChanged.TYPE | MessageIncomplete.TYPE:
            # A batch may reach beyond this journey, and its root proves nothing by itself; how a
            # terminal came in, and what of its words was lost, says nothing of the goods.
            return False
        case _:
            return True


def _lots(entered: SignedEvent) -> set[str]:
    fact = ConsignmentEntered.of(entered)
    return {fact.lot, *(each.lot for each in fact.lots)}


def is_asked_of(check: SignedEvent, arrival: SignedEvent) -> bool:
    """Whether the network was asked about the very position of an arrival."""
    asked, found = check.payload, arrival.payload
    return bool(
        found["latitude_ndeg"] == asked["fix_latitude_ndeg"]
        and found["longitude_ndeg"] == asked["fix_longitude_ndeg"]
        and found["observed_at"] == asked["observed_at"]
    )


def further(events: Iterable[SignedEvent]) -> dict[str, set[str]]:
    """Aggregates by room that nothing relates to the consignment, but that checks can use."""
    found: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.type in ArrivalProven.types() and event.payload["navigation"]:
            found["positioning"].add(f"navigation/{event.payload['navigation']}")
        elif DealOpened.is_told_by(event.type):
            found["finance"] |= _of_deal(DealOpened.of(event))
        elif event.type == TitleMoved.TYPE:
            moved = TitleMoved.of(event)
            found["trust"] |= {f"account/{moved.holder}", f"account/{moved.beneficiary}"}
    return found


def _of_deal(opened: DealOpened) -> set[str]:
    sides = ((opened.payer_bank, opened.payer), (opened.payee_bank, opened.payee))
    accounts = {
        str(
            account_id(
                bank=bank, code=AccountCode.CUSTOMER, holder=holder, currency=opened.currency
            )
        )
        for bank, holder in sides
    }
    return {f"account/{name}" for name in accounts} | {f"bank/{bank}" for bank, _ in sides}


def title_part(chain: Sequence[Stored], moves: Sequence[TitleMoved]) -> list[Stored]:
    """The chain's transactions that these moves rest on: contracts, leave to mint, and the moves.

    Transactions that the chain refused move nothing and are left out.
    """
    hashes = {move.transaction for move in moves}
    decoded = [(each, transaction) for each in chain if (transaction := _transaction(each.event))]
    minters = {
        transaction.sender for _, transaction in decoded if "0x" + transaction.hash.hex() in hashes
    }
    # Through whose guards they moved: their whole story tells who owned them when.
    guards = {
        transaction.to
        for _, transaction in decoded
        if "0x" + transaction.hash.hex() in hashes and acted(transaction.data)
    }
    return [
        each
        for each, transaction in decoded
        if _creates_ours(transaction, guards)
        or "0x" + transaction.hash.hex() in hashes
        or transaction.to in guards
        or _lets_mint(transaction, minters)
    ]


def _creates_ours(transaction: Transaction, guards: Container[Address | None]) -> bool:
    """Whether it creates the title contracts, or one of these guards."""
    if transaction.to is not None:
        return False
    made = created_address(transaction.sender, transaction.nonce)
    return guard_terms(transaction.data) is None or made in guards


def _transaction(event: SignedEvent) -> Transaction | None:
    if event.type != ChainTransaction.TYPE:
        return None
    try:
        return decode(parse_hex(ChainTransaction.of(event).raw))
    except ZhidaoError:
        # The chain refuses such bytes too: they are no part of any story.
        return None


def _lets_mint(transaction: Transaction, minters: set[Address]) -> bool:
    call = call_of(transaction.data)
    return bool(call and call.signature == GRANT_ROLE and call.values[1] in minters)
