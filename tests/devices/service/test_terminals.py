"""The list of terminals: once each, by the operator only."""

from __future__ import annotations

import asyncio

import pytest
from tests.devices.device_room import CARRIER, OPERATING, PHONE, TERMINAL, TERMINAL_KEY, actor

from zhidao.core.actor import Role
from zhidao.core.errors import Conflict, Forbidden, MalformedInput
from zhidao.devices.events import SubmissionRefused
from zhidao.devices.service.terminal_journal import STRANGERS_KEPT

WANTED = {
    "terminal": TERMINAL,
    "phone": PHONE,
    "key": TERMINAL_KEY.public.multikey,
    "owner": CARRIER,
}


async def test_registering_twice_is_once(room):
    first = await room.terminals.register(OPERATING, **WANTED)
    assert await room.terminals.register(OPERATING, **WANTED) == first
    assert len(room.events) == 2
    assert await room.custody.phone(TERMINAL) == PHONE


@pytest.mark.parametrize("change", [{"phone": "+8613900000000"}, {"terminal": "truck-8"}])
async def test_an_id_or_number_stands_for_one_terminal(room, change):
    await room.terminals.register(OPERATING, **WANTED)
    with pytest.raises(Conflict):
        await room.terminals.register(OPERATING, **(WANTED | change))
    assert len(room.events) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"phone": "13800138000"},
        {"terminal": "Ü"},
        # Under this name strangers are written down.
        {"terminal": "unknown"},
        {"key": "z6Mk"},
        {"number": "12a"},
    ],
)
async def test_what_is_no_number_id_or_key_is_refused(room, change):
    with pytest.raises(MalformedInput):
        await room.terminals.register(OPERATING, **(WANTED | change))


async def test_only_the_operator_registers(room):
    with pytest.raises(Forbidden):
        await room.terminals.register(actor(CARRIER), **WANTED)


async def test_a_terminal_without_a_key_is_known_by_its_number_alone(room):
    keyless = await room.terminals.register(
        OPERATING, terminal="van-3", phone="+86 138-0013 (8001)", owner=CARRIER
    )
    assert (keyless.key, keyless.phone) == (None, "+8613800138001")
    # Its maker chose the id that it registers with.
    token = await room.enrolments.register("08613800138001", terminal_id="A000001", plate="")
    assert await room.enrolments.authenticate("8613800138001", token) == keyless


async def test_a_second_device_of_one_number_is_told_the_first_only_where_it_may_be_seen(room):
    await room.terminals.register(OPERATING, **WANTED)
    other = WANTED | {"terminal": "truck-8"}
    with pytest.raises(Conflict, match=f"stands for terminal {TERMINAL} already"):
        await room.terminals.register(OPERATING, **other)
    with pytest.raises(Conflict, match="stands for another terminal already"):
        await room.terminals.register(actor("second-operator", Role.OPERATOR), **other)


async def test_a_card_is_in_one_device_whatever_number_is_set_in_another(room):
    await room.terminals.register(OPERATING, **WANTED)
    other = WANTED | {"terminal": "truck-8", "number": "4711"}
    with pytest.raises(Conflict, match=f"phone number .* stands for terminal {TERMINAL} already"):
        await room.terminals.register(OPERATING, **other)
    with pytest.raises(Conflict, match="stands for another terminal already"):
        await room.terminals.register(actor("second-operator", Role.OPERATOR), **other)


async def test_a_key_is_in_one_device(room):
    await room.terminals.register(OPERATING, **WANTED)
    other = WANTED | {"terminal": "truck-8", "phone": "+8613900000000"}
    with pytest.raises(Conflict, match=f"this key stands for terminal {TERMINAL} already"):
        await room.terminals.register(OPERATING, **other)
    with pytest.raises(Conflict, match="this key stands for another terminal already"):
        await room.terminals.register(actor("second-operator", Role.OPERATOR), **other)
    # Of those without a key there may be any number.
    for phone in ("+8613900000001", "+8613900000002"):
        keyless = other | {"terminal": f"t-{phone[-1]}", "phone": phone, "key": ""}
        await room.terminals.register(OPERATING, **keyless)
    assert len(room.events) == 6


async def test_of_six_registered_at_once_with_one_key_one_is_taken(room):
    wanted = [
        WANTED | {"terminal": f"truck-{n}", "phone": f"+861390000000{n}"} for n in range(1, 7)
    ]
    told = await asyncio.gather(
        *(room.terminals.register(OPERATING, **each) for each in wanted), return_exceptions=True
    )
    assert sum(isinstance(each, Conflict) for each in told) == 5
    assert len(room.events) == 2


async def test_a_list_of_terminals_holds_the_callers_only_and_pages(room):
    for number in range(3):
        await room.terminals.register(
            OPERATING, terminal=f"t-{number}", phone=f"+861380013800{number}", owner=CARRIER
        )
    await room.services.terminal_journal.refuse_unknown(
        "unknown_terminal", "a stranger", number="1"
    )
    first = await room.terminals.listed(actor(CARRIER), limit=2)
    rest = await room.terminals.listed(actor(CARRIER), limit=2, after=first[-1].terminal)
    assert [each.terminal for each in (*first, *rest)] == ["t-0", "t-1", "t-2"]
    assert await room.terminals.listed(actor("stranger"), limit=9) == []


async def test_the_newest_refusal_of_a_terminal_is_kept_beside_it(room):
    terminal = await room.terminals.register(OPERATING, **WANTED)
    assert await room.terminals.heard([terminal]) == [(None, None)]
    await room.services.terminal_journal.refuse(terminal, "wrong_token", "not its token")
    ((_, refusal),) = await room.terminals.heard([terminal])
    assert (refusal.reason, refusal.sentence) == ("wrong_token", "not its token")


async def test_who_knocked_is_remembered_the_latest_first_and_not_for_ever(room):
    journal = room.services.terminal_journal
    for number in (*range(STRANGERS_KEPT + 5), 7):
        await journal.refuse_unknown("unknown_terminal", "a stranger", number=str(number))
    found = [each.number for each in journal.strangers]
    assert found[:2] == ["7", str(STRANGERS_KEPT + 4)]
    assert len(found) == len(set(found)) == STRANGERS_KEPT


async def test_who_is_admitted_and_heard_is_no_stranger_any_more(room):
    journal = room.services.terminal_journal
    for number in ("00000008613800138000", "8613800138001"):
        await journal.refuse_unknown("unknown_terminal", "a stranger", number=number)
    terminal = await room.terminals.register(OPERATING, **WANTED)
    assert terminal.bears("00000008613800138000")

    async def commit(entries):
        assert entries

    fact = SubmissionRefused(terminal=terminal.terminal, reason="wrong_token", sentence="not its")
    await journal.write(fact, terminal=terminal, commit=commit)
    assert [each.number for each in journal.strangers] == ["8613800138001"]
