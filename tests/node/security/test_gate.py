from __future__ import annotations

import asyncio
import statistics
import sys
import time

import pytest
from tests.node.security.gate_world import ADMIN, KEY, OPERATING, PARTY, PASSWORD, World

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unauthenticated, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.node.adapters.seen_requests import MemorySeen
from zhidao.node.security.failed_sign_ins import TRIES_TO_LOCK
from zhidao.node.security.gate import (
    CODE_SECONDS,
    SESSION_SECONDS,
    Gate,
    Origin,
)
from zhidao.node.security.http_signatures import Message, content_digest, parse_signature
from zhidao.node.security.password_hashing import Passwords
from zhidao.node.security.sign_in_delays import TRIES_FREE, WAIT_S_MAX, TooManyTries, wait_s

# Passwords and passphrases cost here what they cost a thief.
pytestmark = pytest.mark.slow


@pytest.fixture
def world() -> World:
    return World()


async def test_a_token_opens_its_party_and_role_and_is_kept_as_a_hash_only(world: World) -> None:
    text = await world.token()
    assert await world.gate.by_token(f"Bearer {text}") == Actor(PARTY, Role.PARTY)
    [kept] = await world.tokens.every(ADMIN)
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
    await world.tokens.withdraw(ADMIN, text.split("_")[1])
    with pytest.raises(Unauthenticated):
        await world.gate.by_token(f"Bearer {text}")
    assert not await world.gate.has_key(PARTY, KEY.public.multikey)
    with pytest.raises(NotFound):
        await world.tokens.withdraw(ADMIN, "0" * 16)


async def test_a_gate_that_keeps_no_token_hears_of_a_withdrawal_elsewhere(world: World) -> None:
    text = await world.token(KEY.public.multikey)
    elsewhere = Gate(
        world.callers,
        MemorySeen(),
        world.clock,
        SeededRandomness(2),
        world.administration,
        Passwords(b"nobody"),
        tokens_kept=0,
    )
    await elsewhere.by_token(f"Bearer {text}")
    await world.tokens.withdraw(ADMIN, text.split("_")[1])
    with pytest.raises(Unauthenticated):
        await elsewhere.by_token(f"Bearer {text}")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PARTY, Role.AUDITOR])
async def test_only_admins_make_see_and_withdraw_credentials(world: World, role: Role) -> None:
    actor = Actor(PARTY, role)
    with pytest.raises(Forbidden):
        await world.tokens.make(actor, party=PARTY, role=Role.ADMIN, label="")
    with pytest.raises((Forbidden, NotFound)):
        await world.tokens.withdraw(actor, "0" * 16)
    with pytest.raises(Forbidden):
        await world.people.make(actor, name="n", password=PASSWORD, party=PARTY, role=role)


async def test_nobody_becomes_the_node(world: World) -> None:
    with pytest.raises(Refused):
        await world.tokens.make(ADMIN, party=PARTY, role=Role.NODE, label="")
    with pytest.raises(Refused):
        await world.people.make(ADMIN, name="n", password=PASSWORD, party=PARTY, role=Role.NODE)


async def test_the_first_admin_is_made_once_even_by_two_at_a_time(world: World) -> None:
    code = await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)

    async def first(name: str) -> object:
        return await world.people.first_admin(
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
            world.people.first_admin(code=code, name=code, password=PASSWORD, party=ADMIN.party)
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
    await world.people.first_admin(code=code, name="a", password=PASSWORD, party=ADMIN.party)


async def test_what_fails_before_the_admin_stands_leaves_the_code_and_no_admin(
    world: World,
) -> None:
    code = await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)

    async def fails(admin: Actor) -> None:
        assert admin == ADMIN
        raise Unavailable("no disk")

    named = {"code": code, "name": "a", "password": PASSWORD, "party": ADMIN.party}
    with pytest.raises(Unavailable):
        await world.people.first_admin(**named, before=fails)
    assert await world.gate.first_start()
    await world.people.first_admin(**named)


async def test_a_short_password_does_not_use_up_the_code(world: World) -> None:
    code = await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)
    with pytest.raises(Refused):
        await world.people.first_admin(code=code, name="a", password="short", party=ADMIN.party)
    await world.people.first_admin(code=code, name="a", password=PASSWORD, party=ADMIN.party)


async def test_an_entry_code_is_no_first_admin_code_and_runs_out(world: World) -> None:
    code = await world.gate.make_code(purpose="enter", party=PARTY, role=Role.AUDITOR)
    with pytest.raises(Unauthenticated):
        await world.people.first_admin(code=code, name="a", password=PASSWORD, party=PARTY)
    late = await world.gate.make_code(purpose="enter", party=PARTY, role=Role.AUDITOR)
    world.clock.advance(CODE_SECONDS + 1)
    with pytest.raises(Unauthenticated):
        await world.gate.enter(late)


async def test_the_link_of_a_demonstration_opens_more_than_once_and_lets_nobody_act(
    world: World,
) -> None:
    code = await world.gate.make_code(purpose="show", party=PARTY, role=Role.AUDITOR)
    first, second = await world.gate.enter(code), await world.gate.enter(code)
    assert first.secret != second.secret
    assert {first.session.role, second.session.role} == {Role.AUDITOR}
    acting = await world.gate.make_code(purpose="show", party=PARTY, role=Role.ADMIN)
    with pytest.raises(Unauthenticated):
        await world.gate.enter(acting)
    world.clock.advance(CODE_SECONDS + 1)
    with pytest.raises(Unauthenticated):
        await world.gate.enter(code)


HERE = Origin("203.0.113.9")
STRANGER = Origin("198.51.100.1")


async def with_person(world: World) -> None:
    await world.people.make(ADMIN, name="Aigerim", password=PASSWORD, party=PARTY, role=Role.PARTY)
    await world.people.agree(OPERATING, "Aigerim")


async def fail(world: World, origin: Origin, *, name: str = "Aigerim") -> None:
    with pytest.raises(Unauthenticated, match="wrong name or password"):
        await world.gate.sign_in(name, "wrong password", origin)


async def test_a_strangers_failures_never_keep_the_owner_out(world: World) -> None:
    await with_person(world)
    for _ in range(TRIES_FREE):
        await fail(world, STRANGER)
    with pytest.raises(TooManyTries):
        await world.gate.sign_in("Aigerim", PASSWORD, STRANGER)
    await world.gate.sign_in("Aigerim", PASSWORD, HERE)


async def test_one_who_tries_waits_longer_each_time_and_no_longer_than_a_quarter_of_an_hour(
    world: World,
) -> None:
    await with_person(world)
    for _ in range(TRIES_FREE):
        await fail(world, STRANGER)
    for wait in (1, 2, 4, 8):
        with pytest.raises(TooManyTries, match=f"in {wait} s"):
            await world.gate.sign_in("Aigerim", PASSWORD, STRANGER)
        world.clock.advance(wait)
        await fail(world, STRANGER)
    world.clock.advance(16)
    await world.gate.sign_in("Aigerim", PASSWORD, STRANGER)
    # The right password starts the count anew.
    await fail(world, STRANGER)
    assert wait_s(10**9) == WAIT_S_MAX


async def test_names_that_exist_and_names_that_do_not_are_told_the_same(world: World) -> None:
    await with_person(world)

    async def told(name: str) -> list[tuple[str, str, int]]:
        heard = []
        for _ in range(TRIES_FREE + 2):
            with pytest.raises((Unauthenticated, TooManyTries)) as refused:
                await world.gate.sign_in(name, "wrong password", STRANGER)
            error = refused.value
            heard.append((error.code, str(error.args[0]), error.http_status))
        return heard

    assert await told("Aigerim") == await told("nobody")


async def test_a_device_that_signed_in_before_has_tries_of_its_own(world: World) -> None:
    await with_person(world)
    cookie = (await world.gate.sign_in("Aigerim", PASSWORD, HERE)).device
    for _ in range(TRIES_FREE):
        await fail(world, HERE)
    with pytest.raises(TooManyTries):
        await world.gate.sign_in("Aigerim", PASSWORD, HERE)
    # In the same office, behind the same address, the owner's own device gets in.
    await world.gate.sign_in("Aigerim", PASSWORD, Origin(HERE.address, cookie))
    # For another name, or forged, the cookie is nothing.
    for name, given in (("nobody", cookie), ("Aigerim", cookie[:-4] + "AAAA")):
        device = world.devices.device(name, given)
        assert device == ""
    for _ in range(TRIES_FREE):
        await fail(world, Origin(HERE.address, cookie))
    with pytest.raises(TooManyTries):
        await world.gate.sign_in("Aigerim", PASSWORD, Origin(HERE.address, cookie))


async def test_of_many_tries_at_once_no_more_than_are_free_get_through(world: World) -> None:
    await with_person(world)
    tries = [world.gate.sign_in("Aigerim", "wrong password", STRANGER) for _ in range(60)]
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Unauthenticated) for each in told) <= TRIES_FREE
    assert {getattr(each, "code", "") for each in told} == {"wrong_password", "too_many_tries"}


async def test_the_owner_is_let_in_soon_while_another_address_sends_many_names(
    world: World,
) -> None:
    await with_person(world)
    stop = False

    async def attack() -> int:
        sent = 0
        waiting = set()
        while not stop:
            sent += 1
            task = asyncio.create_task(world.gate.sign_in(f"n{sent}", "guess", STRANGER))
            waiting.add(task)
            task.add_done_callback(lambda done: (waiting.discard(done), done.exception()))
            await asyncio.sleep(1 / 300)
        await asyncio.gather(*waiting, return_exceptions=True)
        return sent

    attacking = asyncio.create_task(attack())
    await asyncio.sleep(1)
    started_s = time.perf_counter()
    await world.gate.sign_in("Aigerim", PASSWORD, HERE)
    took_s = time.perf_counter() - started_s
    stop = True
    assert await attacking > 100
    assert took_s <= 3


def t_statistic(one: list[float], other: list[float]) -> float:
    """Welch's t between two samples."""
    spread = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.fmean(one) - statistics.fmean(other)) / spread**0.5


async def time_of_names(world: World, tries: int) -> float:
    """The t-statistic of how long wrong passwords of existing and of other names take."""
    await with_person(world)
    took: dict[str, list[float]] = {"Aigerim": [], "nobody!": []}
    for number in range(tries):
        name = ("Aigerim", "nobody!")[number % 2]
        origin = Origin(f"10.{number >> 8 & 255}.{number & 255}.1")
        started_s = time.perf_counter()
        await fail(world, origin, name=name)
        took[name].append(time.perf_counter() - started_s)
    # The slowest tenth of each is what the machine did besides.
    kept = [sorted(each)[: len(each) * 9 // 10] for each in took.values()]
    t = t_statistic(*kept)
    means_ms = [1000 * sum(each) / len(each) for each in kept]
    sys.stdout.write(f"t {t:.2f}, {tries} tries, {means_ms[0]:.1f} and {means_ms[1]:.1f} ms\n")
    return t


@pytest.mark.timeout(600)
async def test_time_does_not_tell_which_names_exist(world: World) -> None:
    assert abs(await time_of_names(world, 40)) < 4


@pytest.mark.long
@pytest.mark.timeout(7200)
async def test_ten_thousand_tries_tell_nothing_about_names(world: World) -> None:
    assert abs(await time_of_names(world, 10_000)) < 4


async def test_a_session_reads_alone_and_writes_with_its_csrf_token(world: World) -> None:
    code = await world.gate.make_code(purpose="enter", party=PARTY, role=Role.PARTY)
    entered = await world.gate.enter(code)
    actor = Actor(PARTY, Role.PARTY)
    assert await world.gate.by_session(entered.secret, method="GET", csrf="") == actor
    for csrf in ("", "\u00e4\udc80"):
        with pytest.raises(Forbidden):
            await world.gate.by_session(entered.secret, method="POST", csrf=csrf)
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


async def test_a_token_of_another_party_opens_nothing_until_that_party_agrees(
    world: World,
) -> None:
    text = await world.tokens.make(ADMIN, party=PARTY, role=Role.PARTY, label="")
    token_id = text.split("_")[1]
    with pytest.raises(Unauthenticated, match="until exporter agrees"):
        await world.gate.by_token(f"Bearer {text}")
    other = Actor(PartyId("other"), Role.PARTY, "Ben")
    for nobody in (ADMIN, other, Actor(PARTY, Role.PARTY)):
        with pytest.raises((Forbidden, NotFound)):
            await world.tokens.agree(nobody, token_id)
    await world.tokens.agree(OPERATING, token_id)
    assert await world.gate.by_token(f"Bearer {text}") == Actor(PARTY, Role.PARTY)
    # The party's page shows it as the operator's word until somebody of the party gives his.
    await with_person(world)
    [told] = await world.tokens.every(Actor(PARTY, Role.PARTY))
    assert told.agreed == "operator"
    await world.tokens.agree(Actor(PARTY, Role.PARTY, "Aigerim"), token_id)
    [told] = await world.tokens.every(Actor(PARTY, Role.PARTY))
    assert told.agreed == "person Aigerim"
    with pytest.raises(Conflict):
        await world.tokens.agree(Actor(PARTY, Role.PARTY, "Aigerim"), token_id)


async def test_once_a_party_has_people_the_operator_speaks_for_it_no_longer(world: World) -> None:
    await with_person(world)
    text = await world.tokens.make(ADMIN, party=PARTY, role=Role.PARTY, label="")
    with pytest.raises(Forbidden, match="itself must agree"):
        await world.tokens.agree(OPERATING, text.split("_")[1])
    second = {"name": "Daniyar", "party": PARTY, "role": Role.PARTY}
    await world.people.make(ADMIN, password=PASSWORD, **second)
    with pytest.raises(Forbidden):
        await world.people.agree(OPERATING, "Daniyar")
    await fail(world, HERE, name="Daniyar")
    with pytest.raises(Unauthenticated):
        await world.gate.sign_in("Daniyar", PASSWORD, HERE)
    await world.people.agree(Actor(PARTY, Role.PARTY, "Aigerim"), "Daniyar")
    await world.gate.sign_in("Daniyar", PASSWORD, HERE)


async def test_a_reset_of_another_partys_password_is_no_way_round(world: World) -> None:
    await with_person(world)
    signed_in = await world.gate.sign_in("Aigerim", PASSWORD, HERE)
    await world.people.reset(ADMIN, "Aigerim", "a password of the admin")
    with pytest.raises(Unauthenticated):
        await world.gate.sign_in("Aigerim", "a password of the admin", HERE)
    # Her old one counts, and her session stands, until the party agrees to the new one.
    await world.gate.session(signed_in.secret)
    with pytest.raises(Forbidden):
        await world.people.agree(ADMIN, "Aigerim")
    with pytest.raises(Forbidden):
        await world.people.agree(Actor(PARTY, Role.PARTY, "Aigerim"), "Aigerim")
    # An admin can make operators: their word is not hers either.
    with pytest.raises(Forbidden, match="itself must agree"):
        await world.people.agree(OPERATING, "Aigerim")
    second = {"name": "Daniyar", "party": PARTY, "role": Role.PARTY}
    await world.people.make(ADMIN, password=PASSWORD, **second)
    await world.people.agree(Actor(PARTY, Role.PARTY, "Aigerim"), "Daniyar")
    await world.people.agree(Actor(PARTY, Role.PARTY, "Daniyar"), "Aigerim")
    await world.gate.sign_in("Aigerim", "a password of the admin", HERE)
    with pytest.raises(Unauthenticated):
        await world.gate.session(signed_in.secret)


@pytest.mark.parametrize("way", ["withdrawn", "another role", "reset", "all of these"])
async def test_no_admin_makes_a_party_one_without_people(world: World, way: str) -> None:
    """Neither by taking them away nor by making them wait: its operator still has no say."""
    await with_person(world)
    if way == "withdrawn":
        await world.people.withdraw(ADMIN, "Aigerim")
    elif way == "another role":
        await world.people.change_role(ADMIN, "Aigerim", Role.AUDITOR)
    elif way == "reset":
        await world.people.reset(ADMIN, "Aigerim", "a password of the admin")
    else:
        await world.people.reset(ADMIN, "Aigerim", "a password of the admin")
        await world.people.change_role(ADMIN, "Aigerim", Role.AUDITOR)
        await world.people.change_role(ADMIN, "Aigerim", Role.PARTY)
    await world.people.make(ADMIN, name="Daniyar", password=PASSWORD, party=PARTY, role=Role.PARTY)
    text = await world.tokens.make(ADMIN, party=PARTY, role=Role.PARTY, label="")
    for name in {"Daniyar", "Aigerim"} - ({"Aigerim"} if way == "withdrawn" else set()):
        with pytest.raises(Forbidden, match="itself must agree"):
            await world.people.agree(OPERATING, name)
    with pytest.raises(Forbidden, match="itself must agree"):
        await world.tokens.agree(OPERATING, text.split("_")[1])
    assert await world.people.waiting_for(OPERATING) == []


async def test_a_leaver_is_out_of_all_sessions_and_the_last_admin_stays(world: World) -> None:
    code = await world.gate.make_code(purpose="first-admin", party=ADMIN.party, role=Role.ADMIN)
    first = await world.people.first_admin(
        code=code, name="aida", password=PASSWORD, party=ADMIN.party
    )
    with pytest.raises(Conflict, match="last admin"):
        await world.people.withdraw(ADMIN, "aida")
    await world.people.make(
        ADMIN, name="ben", password=PASSWORD, party=ADMIN.party, role=Role.ADMIN
    )
    await world.people.withdraw(ADMIN, "aida")
    with pytest.raises(Unauthenticated):
        await world.gate.by_session(first.secret, method="GET", csrf="")
    with pytest.raises(Unauthenticated, match="wrong name or password"):
        await world.gate.sign_in("aida", PASSWORD, HERE)
    with pytest.raises(NotFound):
        await world.people.withdraw(ADMIN, "aida")
    with pytest.raises(Conflict, match="last admin"):
        await world.people.withdraw(ADMIN, "ben")


async def test_ones_own_password_is_changed_with_the_old_one_and_ends_all_other_sessions(
    world: World,
) -> None:
    await with_person(world)
    session = await world.gate.sign_in("Aigerim", PASSWORD, HERE)
    actor = await world.gate.by_session(session.secret, method="GET", csrf="")
    new = "another long password"
    with pytest.raises(Unauthenticated):
        await world.people.change_password(actor, old="wrong", new=new, origin=HERE)
    with pytest.raises(Refused, match="characters"):
        await world.people.change_password(actor, old=PASSWORD, new="short", origin=HERE)
    here = await world.people.change_password(actor, old=PASSWORD, new=new, origin=HERE)
    with pytest.raises(Unauthenticated):
        await world.gate.session(session.secret)
    assert (await world.gate.session(here.secret)).name == "Aigerim"
    await world.gate.sign_in("Aigerim", new, HERE)
    with pytest.raises(Forbidden):
        await world.people.change_password(OPERATING, old=new, new=PASSWORD, origin=HERE)


async def test_each_act_leaves_one_record_and_nothing_that_failed_does(world: World) -> None:
    await with_person(world)
    assert world.told() == ["person_made", "person_agreed"]
    with pytest.raises(Conflict):
        await world.people.make(
            ADMIN, name="Aigerim", password=PASSWORD, party=PARTY, role=Role.PARTY
        )
    session = await world.gate.sign_in("Aigerim", PASSWORD, HERE)
    assert [s.id for s in await world.people.sessions(ADMIN, "Aigerim")] == [session.session.id]
    assert await world.people.end_sessions(ADMIN, "Aigerim") == 1
    assert await world.people.end_sessions(ADMIN, "Aigerim") == 0
    text = await world.tokens.make(ADMIN, party=PARTY, role=Role.PARTY, label="")
    await world.tokens.agree(Actor(PARTY, Role.PARTY, "Aigerim"), text.split("_")[1])
    await world.tokens.withdraw(ADMIN, text.split("_")[1])
    with pytest.raises(NotFound):
        await world.tokens.withdraw(ADMIN, text.split("_")[1])
    await world.people.withdraw(ADMIN, "Aigerim")
    assert world.told()[2:] == [
        "signed_in",
        "sessions_ended",
        "token_made",
        "token_agreed",
        "token_withdrawn",
        "person_withdrawn",
    ]
    for record in world.acts.records:
        assert record.entry is not None
        record.entry.event.verify()
        assert set(record.entry.event.visible) == {PARTY}
        assert not record.entry.event.open
        assert PASSWORD.encode() not in record.entry.event.encode()
        assert text.split("_")[2].encode() not in record.entry.event.encode()


async def test_what_a_recovering_node_may_not_sign_waits_and_is_signed_later(world: World) -> None:
    await with_person(world)
    world.permitted = False
    await world.gate.sign_in("Aigerim", PASSWORD, HERE)
    await world.administration.sign_waiting()
    assert [record.entry is None for record in world.acts.records] == [False, False, True]
    world.permitted = True
    await world.administration.sign_waiting()
    assert all(record.entry for record in world.acts.records)
    assert world.told()[-1] == "signed_in"


async def test_failed_sign_ins_are_told_by_minute_and_block_and_never_by_name(
    world: World,
) -> None:
    await with_person(world)
    for number in range(4):
        await fail(world, STRANGER, name=f"secret typed as name {number}")
    await fail(world, HERE)
    await world.gate.failed.write()
    assert world.told()[2:] == []
    world.clock.advance(60)
    await world.gate.failed.write()
    facts = [record.pending.fact for record in world.acts.records[2:]]
    assert [(f.act, f.subject, f.values["wrong"]) for f in facts] == [
        ("sign_ins_failed", "198.51.100.0/24", "4"),
        ("sign_ins_failed", "203.0.113.0/24", "1"),
    ]
    assert "secret typed" not in repr(world.acts.records)


async def test_who_exists_is_told_once_that_a_place_may_try_only_slowly(world: World) -> None:
    await with_person(world)
    for name in ("Aigerim", "nobody"):
        for number in range(TRIES_TO_LOCK + 1):
            world.clock.advance(wait_s(number))
            await fail(world, STRANGER, name=name)
    await world.gate.failed.write()
    locked = [r.pending.fact for r in world.acts.records if r.pending.fact.act == "locked"]
    assert [(f.subject, f.party, f.values["block"]) for f in locked] == [
        ("Aigerim", PARTY, "198.51.100.0/24")
    ]
