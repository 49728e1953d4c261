"""Words of the address choose a part of the annex, and what is no such word is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import TestClient
from tests.insight.sample_log import corridor

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId, party_id
from zhidao.insight.domain.opened import OpenedLog
from zhidao.insight.domain.selection import CONSIGNMENTS_NAMED_MAX
from zhidao.insight.service.reports import Reports
from zhidao.node.api.insight_reports import routes
from zhidao.node.http.problems import handlers_with


class Corridor:
    """The log of a corridor of four consignments, opened to everybody."""

    async def opened(self, viewer: PartyId | None) -> OpenedLog:
        del viewer
        return corridor(paid=3, refused=1)


async def _auditor() -> Actor:
    return Actor(party_id("auditor"), Role.AUDITOR)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    app = Litestar(
        [routes(Reports(Corridor()))],
        dependencies={"actor": Provide(_auditor)},
        exception_handlers=handlers_with({}),
    )
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a0", "a1", "a2", "r0"]),
        ("?consignment=a1", ["a1"]),
        ("?consignment=a1&consignment=r0", ["a1", "r0"]),
        ("?since=2026-03-01&until=2026-03-01", ["a0", "a1", "a2", "r0"]),
        ("?since=2026-03-02", []),
        ("?until=2026-02-28", []),
    ],
)
def test_a_part_is_chosen_by_words_of_the_address(client: Any, query: str, names: list[str]):
    answer = client.get(f"/v1/insight/report{query}")
    assert answer.status_code == 200, answer.text
    assert [each["consignment"] for each in answer.json()["consignments"]] == names


def test_a_summary_is_asked_for_as_json_and_as_a_page(client: Any):
    assert client.get("/v1/insight/report?summary=true").json()["consignments"] == []
    page = client.get("/v1/insight/report.html?summary=true&consignment=a0")
    assert "Summary: figures only." in page.text
    assert "Of 4 consignments 1 are told of here: a0" in page.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?consignment=nowhere", 404),
        ("?since=soon", 400),
        ("?since=2026-03-02&until=2026-03-01", 400),
        ("?until=" + "9" * 41, 400),
        ("?summary=perhaps", 400),
        ("?" + "&".join(["consignment=a0"] * (CONSIGNMENTS_NAMED_MAX + 1)), 400),
    ],
)
@pytest.mark.parametrize("path", ["report", "report.html"])
def test_what_is_no_such_part_is_refused(client: Any, path: str, query: str, status: int):
    answer = client.get(f"/v1/insight/{path}{query}")
    assert answer.status_code == status, answer.text
    assert answer.json()["title"]
