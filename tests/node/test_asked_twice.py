"""What is asked twice is done once: under an idempotency key always, without one by its own name."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.node.access_rows import Row, writes
from tests.node.access_world import NODE, AccessWorld, world

from zhidao.node.http.idempotency_header import HEADER, REPLAYED

__all__ = ["world"]
pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(900)]
AGAIN = REPLAYED.decode()


def keyed(world: AccessWorld) -> list[str]:
    """Every POST that takes the header, by the node's own description."""
    return [
        path
        for path, item in world.document["paths"].items()
        if any(one.get("name") == HEADER for one in item.get("post", {}).get("parameters", ()))
    ]


def filled(world: AccessWorld, path: str) -> str:
    """The path of what stands in the world, or of nothing."""
    names = dict(world.names)
    if path.startswith("/v1/trust/credentials"):
        names["digest"] = names["credential"]
    return path.format_map(_Names(names))


class _Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "018f0000-0000-7000-8000-000000000009"


def test_every_post_of_a_known_caller_takes_a_key_and_none_requires_it(world: AccessWorld) -> None:
    for path, item in world.document["paths"].items():
        if "post" not in item:
            continue
        told = item["post"]
        roles = told["x-zhidao-access"]["roles"]
        named = [one for one in told.get("parameters", ()) if one["name"] == HEADER]
        assert bool(named) == (roles not in ([], ["node"])), path
        assert all(one["required"] is False for one in named)


def role_for(world: AccessWorld, path: str) -> str:
    told = world.document["paths"][path]["post"]["x-zhidao-access"]["roles"]
    return next(role for role in ("party", "operator", "admin", "auditor") if role in told)


def test_one_key_one_effect_on_every_route(world: AccessWorld) -> None:
    rows = writes(world)
    wrong, done = [], 0
    for path in keyed(world):
        row = rows.get(("POST", path)) or Row(NODE, "", {})
        role = role_for(world, path)
        key = {HEADER: f'"{uuid4()}"'}
        before = world.kept()
        first, second = world.ask_together(
            2, "POST", filled(world, path), row.owner, role, headers=key, **row.sent
        )
        after = world.kept()
        third = world.ask("POST", filled(world, path), row.owner, role, headers=key, **row.sent)
        if any(one.status_code == 500 for one in (first, second, third)):
            wrong.append((path, first.status_code, second.status_code, third.text[:200]))
        if not first.is_success:
            if world.kept() != before:
                wrong.append((path, "refused with an effect", first.text[:200]))
            continue
        done += 1
        again = [one.headers.get(AGAIN) for one in (first, second, third)]
        if not same(first, second, third) or again.count("true") != 2 or world.kept() != after:
            wrong.append((path, again, first.text[:90], second.text[:90], third.text[:90]))
        other = world.ask("POST", filled(world, path), row.owner, role, headers=key, json={"n": 1})
        if other.json().get("code") != "idempotency_key_reused":
            wrong.append((path, "another body", other.text[:200]))
    assert wrong == [], "\n".join(map(str, wrong))
    assert done > 35


# Without a key each of these is an act of its own: nothing in it names what it makes.
EACH_ITS_OWN = {
    "/v1/tokens": "each is a secret of its own",
    "/v1/devices/seals/{seal}/checks": "a seal is looked at as often as somebody looks",
    "/v1/finance/receivables/look-up": "each look is written down",
    "/v1/people": "a name is given once, and no password is compared",
    "/v1/finance/passport/presentations": "each is made for the moment",
    "/v1/federation/consignments/{consignment}/hand-over": "asks another node",
}
# Whatever is made by nobody's trade, with bodies that have an effect.
MADE_BY_OTHERS: dict[str, Row] = {
    "/v1/parties": Row(
        NODE, "", {"party": "maker-2", "name": "M", "trade_role": "exporter", "country": "CN"}
    ),
}


def test_a_twin_that_says_the_same_is_no_conflict_on_any_route(world: AccessWorld) -> None:
    """Twice at once and without a key: no 500, no Conflict for who says what the other said."""
    rows = writes(world)
    wrong, done = [], 0
    for path in keyed(world):
        row = MADE_BY_OTHERS.get(path) or rows.get(("POST", path))
        if row is None or path in EACH_ITS_OWN:
            continue
        sent = {**row.sent}
        if isinstance(row.body, dict):
            sent = {"json": another(row.body)}
        role = role_for(world, path)
        answers = world.ask_together(3, "POST", filled(world, path), row.owner, role, **sent)
        after = world.kept()
        statuses = sorted(one.status_code for one in answers)
        good = [one.is_success for one in answers]
        if 500 in statuses or (any(good) and not all(good)):
            wrong.append((path, statuses, next(a.text for a in answers if not a.is_success)[:300]))
            continue
        done += all(good)
        world.ask("POST", filled(world, path), row.owner, role, **sent)
        if all(good) and world.kept() != after:
            wrong.append((path, statuses, "a fourth has another effect"))
    assert wrong == [], "\n".join(map(str, wrong))
    assert done > 20


# Names of what is made: another, so that it stands for nothing yet.
_NAMES_OF_NEW = ("seal", "escrow", "deposit", "cycle", "batch", "invoice", "share", "order")
_NAMES_OF_NEW += ("lot", "number", "paper", "document", "party", "name", "declaration")


def another(body: dict[str, Any]) -> dict[str, Any]:
    """The same wish about another thing."""
    return {
        name: value[:-1] + "3" if name in _NAMES_OF_NEW and isinstance(value, str) else value
        for name, value in body.items()
    }


def same(*answers: httpx.Response) -> bool:
    return len({(one.status_code, one.content) for one in answers}) == 1
