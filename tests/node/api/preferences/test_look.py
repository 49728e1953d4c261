"""What a person chose of how pages look is kept, is the own, and has bounds."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide

from zhidao.core.actor import Actor, Role
from zhidao.core.ids import party_id
from zhidao.node.api.preferences import look as preferences_api
from zhidao.node.api.preferences.look import SHOWN_COLUMNS_MAX
from zhidao.node.http.problems import HANDLERS
from zhidao.node.preferences.choices import TABLES_OF_PERSON_MAX, OwnPreferences
from zhidao.node.preferences.memory import MemoryPreferences

LOOK = {"language": "kk", "theme": "dark", "times": "utc", "borders": "none"}
TABLE = {"sort": "-deal", "shown": ["deal", "state"]}


class Site:
    """The routes over memory, asked by whoever is named."""

    def __init__(self) -> None:
        self.spoken: list[tuple[str, str]] = []
        routes = preferences_api.routes(OwnPreferences(MemoryPreferences(), self._speak))

        async def actor(request: Any) -> Actor:
            role = Role(request.headers["x-role"])
            return Actor(party_id("bank"), role, request.headers["x-person"])

        self.app = Litestar(
            [routes],
            dependencies={"actor": Provide(actor)},
            exception_handlers=HANDLERS,
            openapi_config=None,
        )

    async def _speak(self, actor: Actor, language: str) -> None:
        self.spoken.append((actor.person, language))

    async def ask(
        self,
        method: str,
        path: str = "",
        body: Any = None,
        *,
        person: str = "aida",
        role: str = "party",
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            headers = {"x-role": role, "x-person": person}
            return await client.request(
                method, f"/v1/preferences{path}", json=body, headers=headers
            )


@pytest.mark.parametrize("role", [each.value for each in Role if each is not Role.NODE])
async def test_what_was_chosen_is_there_in_another_browser(role: str) -> None:
    site = Site()
    assert (await site.ask("PUT", "", LOOK, role=role)).status_code == 204
    assert (await site.ask("PUT", "/tables/deals", TABLE, role=role)).status_code == 204
    found = (await site.ask("GET", role=role)).json()
    assert found == {"kept": True, "look": LOOK, "tables": {"deals": TABLE}}
    other = (await site.ask("GET", person="ben", role=role)).json()
    assert other == {"kept": True, "look": None, "tables": {}}


async def test_messages_speak_the_language_that_was_chosen() -> None:
    site = Site()
    await site.ask("PUT", "", LOOK | {"language": "auto"})
    await site.ask("PUT", "", LOOK)
    assert site.spoken == [("aida", "kk")]


async def test_a_token_or_a_link_keeps_nothing() -> None:
    site = Site()
    answers = [
        await site.ask("PUT", "", LOOK, person=""),
        await site.ask("PUT", "/tables/deals", TABLE, person=""),
    ]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (403, "nobody_prefers")
    ] * 2
    assert (await site.ask("GET", person="")).json() == {"kept": False, "look": None, "tables": {}}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/tables/deals", {"sort": "", "shown": ["a"] * SHOWN_COLUMNS_MAX}, 204),
        ("/tables/deals", {"sort": "", "shown": ["a"] * (SHOWN_COLUMNS_MAX + 1)}, 400),
        ("/tables/deals", {"sort": "", "shown": ["a\x00"]}, 400),
        ("/tables/deals", {"sort": "a" * 41, "shown": []}, 400),
        ("/tables/deals", {"sort": "--a", "shown": []}, 400),
        ("/tables/Deals", TABLE, 400),
        (f"/tables/{'a' * 41}", TABLE, 400),
        ("", LOOK | {"language": "klingon"}, 400),
        ("", LOOK | {"theme": "pink"}, 400),
        ("", LOOK | {"more": 1}, 400),
        ("", {}, 400),
    ],
)
async def test_choices_have_bounds(path: str, body: Any, status: int) -> None:
    assert (await Site().ask("PUT", path, body)).status_code == status


async def test_a_person_has_so_many_tables() -> None:
    site = Site()
    letters = "abcdefghijkl"
    names = [f"{one}{other}" for one in letters for other in letters][: TABLES_OF_PERSON_MAX + 1]
    for name in names:
        await site.ask("PUT", f"/tables/{name}", TABLE)
    found = (await site.ask("GET")).json()["tables"]
    assert list(found) == names[1:]
    assert len(found) == TABLES_OF_PERSON_MAX
