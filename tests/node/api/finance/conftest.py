"""Any of the room's routes over real HTTP semantics, with memory twins below."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request, Router
from litestar.di import Provide
from tests.finance.conftest import (  # noqa: F401 (fixtures)
    facts,
    make_durable,
    make_world,
    world,
)

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId
from zhidao.finance.adapters.postgres_deals import PostgresDealIndex
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.node.http.problems import HANDLERS
from zhidao.node.http.strict import StrictRequest
from zhidao.store.archive import PostgresArchive
from zhidao.store.journal import PostgresJournal


class Caller:
    """Speaks HTTP for a party, or for a person of it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        party: str = "importer-bank",
        role: str = "party",
        person: str = "",
    ) -> httpx.Response:
        headers = {"x-party": party, "x-role": role, "x-person": person}
        return await self._client.request(method, f"/v1/finance{path}", json=body, headers=headers)


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Caller]]:
    """Serves routers and returns who calls them."""
    clients: list[httpx.AsyncClient] = []

    async def actor(request: Request[Any, Any, Any]) -> Actor:
        told = request.headers
        return Actor(PartyId(told["x-party"]), Role(told["x-role"]), told["x-person"])

    def made(*routers: Router) -> Caller:
        app = Litestar(
            list(routers),
            dependencies={"actor": Provide(actor)},
            exception_handlers=HANDLERS,
            request_class=StrictRequest,
        )
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")
        clients.append(client)
        return Caller(client)

    yield made
    for client in clients:
        await client.aclose()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def durable(
    request: pytest.FixtureRequest,
    make_durable: Callable[[], Any],  # noqa: F811 (the fixture)
) -> Any:
    """The small world, once on memory twins and once on PostgreSQL: the same suite for both."""
    made = make_durable()
    if request.param == "postgres":
        database = request.getfixturevalue("database")
        made.journal = Written(PostgresJournal(database, "finance", lambda: None))
        made.archive = PostgresArchive(database)
        made.index = PostgresDealIndex(database)
        made.store = PostgresLedgerStore(database, made.journal.inner)
    return made


class Written:
    """A journal that remembers what was written, as the memory twin does."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.written: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def append(self, entries: Any, **handled: Any) -> Any:
        """Appends and remembers."""
        done = await self.inner.append(entries, **handled)
        self.written += entries
        return done
