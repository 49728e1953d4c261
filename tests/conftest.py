"""Fixtures that every room's tests share."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from zlib import crc32

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.stalls import check_stalls, pauses_noted

from zhidao.store.database import Database
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.migrate import migrate

# A busy machine is no defect of what is tested.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# For another Python beside the first, which has drawn them all: it is asked about itself, not
# about the data, so few draws, and of the cases of one test as many as this, evenly.
_BESIDE = "beside"
_CASES_BESIDE = 8
settings.register_profile(_BESIDE, settings.get_profile("house"), max_examples=20)
_PROFILE = os.environ.get("ZHIDAO_TEST_PROFILE", "house")
settings.load_profile(_PROFILE)

_RECURSION_LIMIT = sys.getrecursionlimit()
_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


# Half a million objects of imports and syntax trees are looked through at each full collection.
gc.set_threshold(50_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`./run test --long` takes in what lasts too long for every day, or goes by a clock."""
    parser.addoption("--long", action="store_true", help="also tests of minutes to hours")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Says of each test that is left out why; beside another Python keeps few of many cases."""
    if _PROFILE == _BESIDE:
        items[:], left_out = _some_of_many(items)
        config.hook.pytest_deselected(items=left_out)
    if config.getoption("--long"):
        return
    skipped = pytest.mark.skip(reason="long: ./run test --long")
    other_day = pytest.mark.skip(reason="not its day: ./run test --long")
    today = datetime.now(UTC).toordinal()
    for item in items:
        in_turn = item.get_closest_marker("every_days")
        if item.get_closest_marker("long"):
            item.add_marker(skipped)
        elif in_turn and not _its_day(item.nodeid, today, *in_turn.args):
            item.add_marker(other_day)


def _its_day(nodeid: str, today: int, days: int) -> bool:
    """Whether a costly test is run on this day: each on one of so many, not all on the same."""
    return (crc32(nodeid.partition("[")[0].encode()) + today) % days == 0


def _some_of_many(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The items with no more than `_CASES_BESIDE` of one test, and those left out, in their order."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {
        id(of[at * len(of) // _CASES_BESIDE]) if len(of) > _CASES_BESIDE else id(of[at])
        for of in cases.values()
        for at in range(min(len(of), _CASES_BESIDE))
    }
    return (
        [item for item in items if id(item) in kept],
        [item for item in items if id(item) not in kept],
    )


def pytest_collection_finish() -> None:
    """Tests that import py-evm raise the limit; a node does not run like that, nor should they."""
    sys.setrecursionlimit(_RECURSION_LIMIT)
    _note_logs_of_nodes()
    # What stands now stands to the end.
    gc.freeze()


_NODE_LOGS: dict[Path, int] = {}


def _note_logs_of_nodes() -> None:
    """Whatever node a test starts, its log is read for stalls of the event loop afterwards."""
    module = sys.modules.get("zhidao.simulation.node_process")
    if module is None:
        return
    made = module.NodeProcess.__init__

    def noted(self: object, data: Path, **more: object) -> None:
        made(self, data, **more)
        _NODE_LOGS.setdefault(data / "node.log", 0)

    module.NodeProcess.__init__ = noted


@pytest.fixture(autouse=True)
def _no_stall() -> Iterator[None]:
    """No request may hold a node's event loop 250 ms; a starved machine is told, not blamed."""
    yield
    for log in [log for log in _NODE_LOGS if log.exists()]:
        with log.open("rb") as file:
            file.seek(_NODE_LOGS[log])
            text = file.read()
            _NODE_LOGS[log] += len(text)
        check_stalls(text, log)


@pytest.fixture(scope="session", autouse=True)
def _pauses_noted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """When the whole machine stands still, no node is blamed."""
    with pauses_noted(tmp_path_factory.mktemp("machine")):
        yield


@pytest.fixture(scope="session", autouse=True)
def _home_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What somebody has installed for his own nodes is nothing to the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files and vectors beside the checkout; skips where it is not."""
    if not _SHARED.is_dir():
        pytest.skip("no shared test data beside this checkout: this test needs real files")
    return _SHARED


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL: the one of ZHIDAO_TEST_POSTGRES_URL (may create databases), or our own."""
    given = os.environ.get("ZHIDAO_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres") / "data")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def _template(postgres_url: str) -> Iterator[str]:
    """The name of a database that bears all migrations and is copied for each test."""
    name = f"zhidao_template_{uuid4().hex[:12]}"

    async def fill() -> None:
        database = await Database.open(url_of(postgres_url, name))
        try:
            await migrate(database)
        finally:
            await database.close()

    run_sql(postgres_url, f"create database {name}")
    try:
        asyncio.run(fill())
        yield name
    finally:
        run_sql(postgres_url, f"drop database if exists {name} with (force)")


@pytest.fixture
def database_url(postgres_url: str, _template: str) -> Iterator[str]:
    """The URL of a fresh migrated database, dropped after the test."""
    name = f"zhidao_test_{uuid4().hex[:12]}"
    run_sql(postgres_url, f"create database {name} template {_template}")
    try:
        yield url_of(postgres_url, name)
    finally:
        run_sql(postgres_url, f"drop database if exists {name} with (force)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh migrated database, dropped after the test."""
    opened = await Database.open(database_url, connections_max=6)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """The URL of a database without any table, dropped after the test."""
    name = f"zhidao_empty_{uuid4().hex[:12]}"
    run_sql(postgres_url, f"create database {name}")
    try:
        yield url_of(postgres_url, name)
    finally:
        run_sql(postgres_url, f"drop database if exists {name} with (force)")


def url_of(url: str, database: str) -> str:
    """The same server, another database."""
    return make_conninfo(**(conninfo_to_dict(url) | {"dbname": database}))


def run_sql(url: str, statement: str) -> None:
    """One statement outside of any transaction."""
    with psycopg.connect(url, autocommit=True) as link:
        link.execute(statement.encode())
