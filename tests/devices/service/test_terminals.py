"""The list of terminals: once each, by the operator only."""

from __future__ import annotations

import pytest
from tests.devices.ground import CARRIER, NUMBER, OPERATING, PHONE, TERMINAL, TERMINAL_KEY, actor

from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused

WANTED = {
    "terminal": TERMINAL,
    "phone": PHONE,
    "key": TERMINAL_KEY.public.multikey,
    "owner": CARRIER,
}


async def test_registering_twice_is_once(room):
    first = await room.terminals.register(OPERATING, **WANTED)
    assert await room.terminals.register(OPERATING, **WANTED) == first
    assert len(room.events) == 1
    assert await room.custody.phone(TERMINAL) == PHONE


@pytest.mark.parametrize("change", [{"phone": "+8613900000000"}, {"terminal": "truck-8"}])
async def test_an_id_or_number_stands_for_one_terminal(room, change):
    await room.terminals.register(OPERATING, **WANTED)
    with pytest.raises(Conflict):
        await room.terminals.register(OPERATING, **(WANTED | change))
    assert len(room.events) == 1


@pytest.mark.parametrize(
    "change", [{"phone": "13800138000"}, {"terminal": "Ü"}, {"key": "z6Mk"}, {"number": "12a"}]
)
async def test_what_is_no_number_id_or_key_is_refused(room, change):
    with pytest.raises(MalformedInput):
        await room.terminals.register(OPERATING, **(WANTED | change))


async def test_only_the_operator_registers(room):
    with pytest.raises(Forbidden):
        await room.terminals.register(actor(CARRIER), **WANTED)


async def test_a_token_belongs_to_number_id_and_key(room):
    terminal = await room.terminals.register(OPERATING, **WANTED)
    token = room.terminals.token(terminal)
    assert await room.terminals.authenticate("0000000" + NUMBER, token) == terminal
    with pytest.raises(Refused):
        await room.terminals.authenticate(NUMBER, token[:-1] + ("A" if token[-1] != "A" else "B"))
    with pytest.raises(NotFound):
        await room.terminals.authenticate("999", token)
    with pytest.raises(Refused):
        await room.terminals.authenticate(NUMBER, "非")
