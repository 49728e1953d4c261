"""Peers of an earlier release keep the order in which the log has their admissions."""

from __future__ import annotations

import pytest
from tests.exchange.two_nodes import OPERATOR, Line, make_node

from zhidao.core.ids import PartyId
from zhidao.exchange.adapters.postgres import PostgresExchange
from zhidao.exchange.service.peers import Peers
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import all_migrations, migrate

NAME = "0004_first_come"


@pytest.mark.service
async def test_old_peers_came_in_the_order_of_their_admissions(empty_database_url: str) -> None:
    database = await Database.open(empty_database_url, connections_max=2)
    try:
        await migrate(database)
        store = PostgresExchange(database, PostgresJournal(database, "exchange", lambda: None))
        here = make_node("exporter", Line(), store)
        admitted = ("zhetysu", "almaty", "korgas")
        for name in admitted:
            node = make_node(name, Line())
            await here.peers.admit(OPERATOR, node.card, keys=[node.key.public], trust="t")
        # As the release before left it.
        async with database.session() as session:
            for column in ("ids", "ids_since", "said"):
                await session.execute(f"alter table exchange.peer drop column {column}", ())
            await session.execute("delete from store.migration where name = %s", (NAME,))
        assert await migrate(database) == (f"exchange/{NAME}",)
        assert any(each.name == NAME for each in all_migrations())
        found = {peer.node: peer for peer in await store.peers()}
        assert sorted(found, key=lambda name: found[name].since(name)) == list(admitted)
        # Its parties came with it; what its next list adds came later.
        lists = {b"": ["bank"], b"new": ["bank", "carrier"]}
        peers = Peers(store, here.peers._scribe, lambda listed: [*map(PartyId, lists[listed])])
        await peers.load()
        assert peers.of("zhetysu").since("bank") == 1
        node = make_node("zhetysu", Line())
        renewed = await peers.admit(
            OPERATOR, node.card, keys=[node.key.public], trust="t", listed=b"new"
        )
        assert dict(renewed.came) == {"zhetysu": 1, "bank": 1, "carrier": 4}
    finally:
        await database.close()
