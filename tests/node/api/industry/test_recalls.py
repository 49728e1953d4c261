"""The routes of recalls: what is asked, told by page, and refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from tests.industry.service.recalling import EVENTS, LOT, READER, SERIALS, Recalling, in_memory

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.node.api.industry import recalls as recalls_api
from zhidao.node.http.problems import HANDLERS


class Asking:
    """Asks the routes as a person of a party."""

    def __init__(self, world: Recalling) -> None:
        async def actor(request: Any) -> Actor:
            party, _, person = request.headers["x-who"].partition("/")
            return Actor(party_id(party), Role.PARTY, person=person)

        self._app = Litestar(
            [recalls_api.routes(world.recalls)],
            dependencies={"actor": Provide(actor)},
            exception_handlers=HANDLERS,
            openapi_config=None,
        )

    async def __call__(self, method: str, path: str, who: str = "exporter", **more: Any) -> Any:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            answer = await client.request(
                method, f"/v1/industry/{path}", headers={"x-who": who}, **more
            )
        return answer.status_code, answer.json()


@pytest.fixture
async def ask() -> Asking:
    world = in_memory()
    await world.capture(*EVENTS, readers=[READER])
    return Asking(world)


async def test_a_recall_is_opened_shown_and_lifted_by_two(ask: Asking) -> None:
    status, told = await ask("POST", "recalls", json={"lot": LOT, "level": 1})
    assert (status, told["state"], told["flagged"], told["made"]) == (201, "open", 2, 4)
    path = f"recalls/{told['recall']}"
    assert await ask("GET", path, "importer") == (200, told)
    assert (await ask("GET", "recalls", "importer")) == (200, [told])
    assert (await ask("GET", "recalls", "customs")) == (200, [])
    assert (await ask("GET", path, "customs"))[0] == 404
    for who, state in (("exporter/li", "lifting"), ("exporter/wang", "lifted")):
        status, told = await ask("POST", f"{path}/lift", who, json={})
        assert (status, told["state"], told["asked_by"]) == (201, state, "li")
    _, flags = await ask("GET", "recalled", "importer", params={"consignment": "C-00001"})
    assert [each["cleared"] for each in flags] == [True]
    assert await ask("GET", "recalled", "customs", params={"consignment": "C-00001"}) == (200, [])


async def test_the_frozen_list_is_told_by_page_and_to_who_opened_it(ask: Asking) -> None:
    _, told = await ask("POST", "recalls", json={"lot": LOT, "level": 1})
    path = f"recalls/{told['recall']}/things"
    names, after = [], ""
    while True:
        _, page = await ask("GET", path, params={"limit": 2} | ({"after": after} if after else {}))
        names += [each["thing"] for each in page]
        if len(page) < 2:
            break
        after = names[-1]
    assert names == [*SERIALS, "urn:case"]
    assert (await ask("GET", path, "importer"))[0] == 403
    assert (await ask("GET", path, "customs"))[0] == 404


@pytest.mark.bound("node.api.industry.recalls.THINGS_MAX")
@pytest.mark.parametrize(("beyond", "status"), [(0, 200), (1, 400)])
async def test_a_page_has_so_many_things(ask: Asking, beyond: int, status: int) -> None:
    _, told = await ask("POST", "recalls", json={"lot": LOT, "level": 1})
    asked = {"limit": recalls_api.THINGS_MAX + beyond}
    assert (await ask("GET", f"recalls/{told['recall']}/things", params=asked))[0] == status


@pytest.mark.parametrize(
    ("who", "body", "status", "code"),
    [
        ("exporter", {"lot": "urn:none", "level": 1}, 404, "not_found"),
        ("customs", {"lot": LOT, "level": 1}, 404, "not_found"),
        ("importer", {"lot": LOT, "level": 1}, 403, "not_the_maker"),
        ("exporter", {"lot": LOT, "level": 4}, 400, "invalid"),
        ("exporter", {"lot": LOT, "level": 0}, 400, "invalid"),
        ("exporter", {"lot": "", "level": 1}, 400, "invalid"),
        ("exporter", {"lot": LOT, "level": 1, "reason": "x" * 501}, 400, "invalid"),
        ("exporter", {"lot": LOT, "level": 1, "more": 1}, 400, "invalid"),
    ],
)
async def test_what_is_refused(
    ask: Asking, who: str, body: dict[str, Any], status: int, code: str
) -> None:
    for path in ("recalls", "recalls/drill"):
        sent = {
            name: value for name, value in body.items() if path == "recalls" or name != "reason"
        }
        if sent == {"lot": LOT, "level": 1} and who == "exporter":
            continue
        answered, told = await ask("POST", path, who, json=sent)
        assert (answered, told["code"]) == (status, code)
    assert (await ask("GET", "recalls"))[1] == []
