from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.node.wiring.trust.test_log import EXPORTER, NODE_KEY, context_on, relay

from zhidao.core.actor import Actor, Role
from zhidao.core.archive import digest_of
from zhidao.core.errors import NotFound, Refused
from zhidao.core.ids import party_id
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.insight.domain.report import make_report
from zhidao.insight.wire.document import encode_report
from zhidao.node.adapters.log_source import DatabaseLog
from zhidao.node.wiring.trust.log import TrustLogServices, build
from zhidao.store.database import Database

pytestmark = pytest.mark.service

OTHER_SALT = (
    "update trust.event set salt = sha256(salt)"
    " where id = (select min(id::text)::uuid from trust.event)"
)
STRANGER = SoftwareKey(Algorithm.ED25519, b"s" * 32)


@dataclass
class Written:
    database: Database
    services: TrustLogServices

    async def issue(self, number: int) -> None:
        """Two events: the credential's place in its status list, and the credential."""
        await self.services.credentials.issue(
            Actor(EXPORTER, Role.PARTY),
            kind="invoice",
            subject={"id": f"urn:x:{number}"},
            document=digest_of(str(number).encode()),
            readers=[],
        )

    async def spoil(self, statement: str) -> None:
        async with self.database.session() as session:
            assert await session.execute(statement) == 1


@pytest.fixture
async def written(database: Database, tmp_path: Path) -> Written:
    made = Written(database, await build(context_on(database, tmp_path)))
    for number in range(3):
        await made.issue(number)
    await relay(database, made.services)
    return made


async def test_a_database_opens_every_event_against_its_leaf(written: Written):
    log = await DatabaseLog(written.database, NODE_KEY.public).opened(None)
    assert [leaf.at.index for leaf in log.leaves] == [0, 1, 2, 3, 4, 5]
    [head] = log.heads
    assert (head.size, head.checked) == (6, "own_key")
    assert head.signed_by == NODE_KEY.public.fingerprint
    assert head.origin == written.services.origin


async def test_an_event_on_its_way_into_the_log_waits_for_the_next_head(written: Written):
    source = DatabaseLog(written.database, NODE_KEY.public)
    before = encode_report(make_report(await source.opened(None)))
    await written.issue(3)
    assert encode_report(make_report(await source.opened(None))) == before
    await relay(written.database, written.services)
    assert len((await source.opened(None)).leaves) == 8


async def test_a_party_opens_its_own_and_a_stranger_nothing(written: Written):
    source = DatabaseLog(written.database, NODE_KEY.public)
    assert len((await source.opened(EXPORTER)).leaves) == 6
    nothing = await source.opened(party_id("stranger"))
    assert (nothing.leaves, nothing.total) == ((), 6)


async def test_a_head_of_another_key_is_told_as_unchecked(written: Written):
    [head] = (await DatabaseLog(written.database, STRANGER.public).opened(None)).heads
    assert head.checked == "unchecked"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (OTHER_SALT, "not_its_leaf"),
        ("update trust.log_leaf set entry = entry || '\\x20' where leaf_index = 1", "log_damaged"),
        ("delete from trust.log_leaf where leaf_index = 2", "log_damaged"),
    ],
)
async def test_a_changed_row_is_found_and_nothing_is_reported(
    written: Written, statement: str, code: str
):
    await written.spoil(statement)
    with pytest.raises(Refused) as caught:
        await DatabaseLog(written.database, NODE_KEY.public).opened(None)
    assert caught.value.code == code


async def test_before_the_first_head_there_is_nothing_to_report(database: Database):
    with pytest.raises(NotFound):
        await DatabaseLog(database, None).opened(None)
