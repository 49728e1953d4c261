from __future__ import annotations

import asyncio

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.adapters.callers import MemoryCallers
from zhidao.node.security.gate import (
    CODE_SECONDS,
    FAILURES_MAX,
    LOCK_SECONDS,
    SESSION_SECONDS,
    Gate,
)
from zhidao.node.security.http_signatures import Message, content_digest, parse_signature

# Passwords and passphrases cost here what they cost a thief.
pytestmark = pytest.mark.slow

ADMIN = Actor(PartyId("node"), Role.ADMIN)
PARTY = PartyId("exporter")
PASSWORD = "correct horse battery"
KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)


class World:
    def __init__(self) -> None:
        self.clock = HandClock(Utc.parse("2026-03-01T08:00:00Z"))
        self.callers = MemoryCallers()
        self.gate = Gate(self.callers, self.clock, SeededRandomness(1))

    async def token(self, key: str = "") -> str:
        return await self.gate.make_token(ADMIN, party=PARTY, role=Role.PARTY, label="", key=key)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_token_opens_its_party_and_role_and_is_kept_as_a_hash_only(world: World) -> None:
    text = await world.token()
    assert await world.gate.by_token(f"Bearer {text}") == Actor(PARTY, Role.PARTY)
    [kept] = await world.gate.tokens(ADMIN)
    assert text.split("_")[2].encode() not in repr(kept).encode()
    assert len(kept.secret_hash) == 32


@pytest.mark.parametrize("text", ["", "Bearer", "Bearer zd_x", "Basic zd_a_b", "Bearer zd_a_b"])
async def test_anything_else_opens_nothing(world: World, text: str) -> None:
    with pytest.raises(Unauthenticated):
        await world.gate.by_token(text)


async def test_a_withdrawn_token_opens_nothing_at_once(world: World) -> None:
    text = await world.token(KEY.public.multikey)
    await world.gate.by_token(f"Bearer {text}")
    assert await world.gate.has_key(PARTY, KEY.public.multikey)
    await world.gate.revoke_token(ADMIN, text.split("_")[1])
    with pytest.raises(Unauthenticated):
        await world.gate.by_token(f"Bearer {text}")
    assert not await world.gate.has_key(PARTY, KEY.public.multikey)
    with pytest.raises(NotFound):
        await world.gate.revoke_token(ADMIN, "0" * 16)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PARTY, Role.AUDITOR])
async def test_only_admins_make_see_and_withdraw_credentials(world: World, role: Role) -> None:
    actor = Actor(PARTY, role)
    with pytest.raises(Forbidden):
        await world.gate.make_token(actor, party=PARTY, role=Role.ADMIN, label="")
    with pytest.raises(Forbidden):
        await world.gate.tokens(actor)
    with pytest.raises(Forbidden):
        await world.gate.revoke_token(actor, "0" * 16)
    with pytest.raises(Forbidden):
        await world.gate.add_person(actor, name="n", password=PASSWORD, party=PARTY, role=role)


async def test_nobody_becomes_the_node(world: World) -> None:
    with pytest.raises(Refused):
        await world.gate.make_token(ADMIN, party=PARTY, role=Role.NODE, label="")
    with pytest.raises(Refused):
        await world.gate.add_person(ADMIN, name="n", password=PASSWORD, party=PARTY, role=Role.NODE)


async def test_the_first_admin_is_made_once_even_by_two_at_a_time(world: World) -> None:
    code = await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)

    async def first(name: str) -> object:
        return await world.gate.first_admin(
            code=code, name=name, password=PASSWORD, party=ADMIN.party
        )

    made = await asyncio.gather(first("a"), first("b"), return_exceptions=True)
    assert sum(isinstance(each, Unauthenticated | Conflict) for each in made) == 1
    assert await world.callers.count_persons() == 1
    with pytest.raises(Conflict):
        await first("c")


async def test_two_codes_of_two_starts_make_one_admin(world: World) -> None:
    codes = [
        await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)
        for _ in range(2)
    ]
    made = await asyncio.gather(
        *(
            world.gate.first_admin(code=code, name=code, password=PASSWORD, party=ADMIN.party)
            for code in codes
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Conflict) for each in made) == 1
    assert await world.callers.count_persons() == 1


async def test_the_first_admins_link_opened_as_an_entry_link_still_works(world: World) -> None:
    code = await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)
    with pytest.raises(Unauthenticated):
        await world.gate.enter(code)
    await world.gate.first_admin(code=code, name="a", password=PASSWORD, party=ADMIN.party)


async def test_what_fails_before_the_admin_stands_leaves_the_code_and_no_admin(
    world: World,
) -> None:
    code = await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)

    async def fails(admin: Actor) -> None:
        assert admin == ADMIN
        raise Unavailable("no disk")

    named = {"code": code, "name": "a", "password": PASSWORD, "party": ADMIN.party}
    with pytest.raises(Unavailable):
        await world.gate.first_admin(**named, before=fails)
    assert await world.gate.first_start()
    await world.gate.first_admin(**named)


async def test_a_short_password_does_not_use_up_the_code(world: World) -> None:
    code = await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)
    with pytest.raises(Refused):
        await world.gate.first_admin(code=code, name="a", password="short", party=ADMIN.party)
    await world.gate.first_admin(code=code, name="a", password=PASSWORD, party=ADMIN.party)


async def test_an_entry_code_is_no_first_admin_code_and_runs_out(world: World) -> None:
    code = await world.gate.make_code(purpose="enter", party=PARTY, role=Role.AUDITOR)
    with pytest.raises(Unauthenticated):
        await world.gate.first_admin(code=code, name="a", password=PASSWORD, party=PARTY)
    late = await world.gate.make_code(purpose="enter", party=PARTY, role=Role.AUDITOR)
    world.clock.advance(CODE_SECONDS + 1)
    with pytest.raises(Unauthenticated):
        await world.gate.enter(late)


async def test_five_failures_lock_a_name_for_a_quarter_of_an_hour(world: World) -> None:
    await world.gate.add_person(
        ADMIN, name="Aigerim", password=PASSWORD, party=PARTY, role=Role.PARTY
    )
    for _ in range(FAILURES_MAX):
        with pytest.raises(Unauthenticated, match="wrong name"):
            await world.gate.sign_in("Aigerim", "wrong password")
    with pytest.raises(Unauthenticated, match="quarter of an hour"):
        await world.gate.sign_in("Aigerim", PASSWORD)
    world.clock.advance(LOCK_SECONDS + 1)
    await world.gate.sign_in("Aigerim", PASSWORD)


async def test_a_session_reads_alone_and_writes_with_its_csrf_token(world: World) -> None:
    code = await world.gate.make_code(purpose="enter", party=PARTY, role=Role.PARTY)
    entered = await world.gate.enter(code)
    actor = Actor(PARTY, Role.PARTY)
    assert await world.gate.by_session(entered.secret, method="GET", csrf="") == actor
    with pytest.raises(Forbidden):
        await world.gate.by_session(entered.secret, method="POST", csrf="")
    assert await world.gate.by_session(entered.secret, method="POST", csrf=entered.csrf) == actor
    world.clock.advance(SESSION_SECONDS + 1)
    with pytest.raises(Unauthenticated):
        await world.gate.by_session(entered.secret, method="GET", csrf="")


async def signed_request(world: World, *, key: SoftwareKey = KEY, token_id: str = "") -> tuple:
    token_id = token_id or (await world.token(KEY.public.multikey)).split("_")[1]
    body = b'{"a":1}'
    now_s = world.clock.now().unix_ns // 10**9
    message = Message(
        "POST", "https", "node.example", "/v1/x", "", {"content-digest": [content_digest(body)]}
    )
    head = (
        's=("@method" "@target-uri" "content-digest")'
        f';created={now_s};keyid="{token_id}";alg="ed25519"'
    )
    draft = parse_signature(head, "s=:AAAA:")
    from dataclasses import replace

    return message, replace(draft, signature=key.sign(draft.base(message))), body


async def test_a_signed_request_opens_its_party_once(world: World) -> None:
    message, signed, body = await signed_request(world)
    assert await world.gate.by_signature(message, signed, body) == Actor(PARTY, Role.PARTY)
    with pytest.raises(Unauthenticated, match="used before"):
        await world.gate.by_signature(message, signed, body)


async def test_another_body_key_target_or_token_opens_nothing(world: World) -> None:
    from dataclasses import replace

    message, signed, body = await signed_request(world)
    with pytest.raises(Unauthenticated, match="Content-Digest"):
        await world.gate.by_signature(message, signed, body + b" ")
    with pytest.raises(Unauthenticated, match="does not hold"):
        await world.gate.by_signature(replace(message, path="/v1/y"), signed, body)
    other = await signed_request(world, key=SoftwareKey(Algorithm.ED25519, b"o" * 32))
    with pytest.raises(Unauthenticated, match="does not hold"):
        await world.gate.by_signature(*other)
    unknown = await signed_request(world, token_id="0" * 16)
    with pytest.raises(Unauthenticated, match="unknown or withdrawn"):
        await world.gate.by_signature(*unknown)
    # None of that was remembered: the right request still opens.
    await world.gate.by_signature(message, signed, body)
