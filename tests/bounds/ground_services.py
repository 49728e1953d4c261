"""Bounds of what the rooms at the ground write, keep and exchange."""

from __future__ import annotations

from dataclasses import replace

from tests.bounds.case import Case
from tests.bounds.ground import objection
from tests.exchange.two_nodes import make_pair
from tests.finance.conftest import Durable, World

from zhidao.core.errors import Refused
from zhidao.core.events import leaf_bytes
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, outgoing
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.exchange.domain.peer import Card
from zhidao.exchange.service import bundle_exchange, verification
from zhidao.exchange.wire import bundle, card
from zhidao.exchange.wire.sealing import SealingKey
from zhidao.finance.events.banks import NettingOpened
from zhidao.store import backup_format

KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)


async def outbox(count: int) -> None:
    """So many documents of a party to a peer that answers none."""
    one, two = await make_pair()
    for number in range(count):
        await one.send(number + 1, two)


def revoking(count: int) -> object:
    unsigned = Card(
        node=PartyId("bank-node"),
        organisation="Bank",
        url="https://bank.example",
        key=KEY.public,
        sealing=SealingKey(b"\x07" * 32).public,
        certificate="",
        at=Durable().clock.now(),
        signature=b"",
        revoked=tuple(
            SoftwareKey(Algorithm.ED25519, bytes([n + 1]) * 32).public for n in range(count)
        ),
    )
    return card.decode_card(card.sign_card(unsigned, KEY))


def leaf(size: int) -> object:
    """An open event whose public entry in the log has so many bytes."""
    told = NettingOpened(cycle="c", bank="b", currency="CNY", participants=[])
    event = World(Durable()).event(told)
    plain = replace(event, open=True, payload={"a": ""})
    fill = size - len(leaf_bytes(plain, bytes(32)))
    return outgoing(Entry(replace(plain, payload={"a": "x" * fill}), bytes(32)))


def reported(**given: int) -> None:
    told = objection(**given)
    if told:
        raise Refused(told)


def exported(size: int) -> None:
    made = bundle_exchange._Export()
    made.add(b"x" * (size - 9), b"x" * 4, [b"x" * 4])
    made.prove(b"x")


def exported_items(count: int) -> None:
    made = bundle_exchange._Export()
    made.add(b"x", b"", [b"x"] * (count - 1))


def backed_up(size: int) -> object:
    return backup_format._parse(backup_format._header("a", size), first=False)


CASES = (
    Case("core.events.LEAF_BYTES_MAX", leaf),
    Case(
        "devices.domain.track.LATITUDE_UDEG_MAX",
        lambda n: reported(latitude=-n),
        told="off the Earth",
    ),
    Case(
        "devices.domain.track.LONGITUDE_UDEG_MAX",
        lambda n: reported(longitude=-n),
        told="off the Earth",
    ),
    Case(
        "devices.domain.track.AHEAD_NS_MAX", lambda n: reported(ahead_ns=n), told="more than a day"
    ),
    Case("exchange.domain.limits.WAITING_MAX", outbox, 3, "exchange.service.outbox"),
    Case(
        "exchange.domain.limits.EXPORT_BYTES_MAX", exported, 60, "exchange.service.bundle_exchange"
    ),
    Case(
        "exchange.domain.limits.FILE_ITEMS_MAX",
        exported_items,
        where="exchange.service.bundle_exchange",
    ),
    Case(
        "exchange.domain.limits.FILE_ITEMS_MAX",
        lambda n: verification.proofs_of(
            bundle.encode_bundle([bundle.Item(bundle.RECEIPT, b"x")] * n)
        ),
        60,
        "exchange.service.verification",
    ),
    Case(
        "exchange.domain.limits.FILE_BYTES_MAX",
        lambda n: verification.proofs_of(
            bundle.encode_bundle([bundle.Item(bundle.RECEIPT, b"x" * n)])[:n]
        ),
        100,
        "exchange.service.verification",
    ),
    Case("exchange.wire.card.REVOKED_MAX", revoking),
    Case("store.backup_format._MEMBER_BYTES_MAX", backed_up),
)
