"""A terminal is bound to goods by a seal that was closed, looked at, and never found broken."""

from __future__ import annotations

import pytest
from tests.devices.device_room import (
    CARRIER,
    IMPORTER,
    OPERATING,
    STRANGER,
    TERMINAL,
    actor,
    device_room,
)

from zhidao.core.actor import Role
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.devices.domain.binding import bound_to, unbound
from zhidao.devices.events import Binding

SEAL = {"seal": "S-1", "container": "MSKU1234565", "consignment": "c-1", "terminal": TERMINAL}
LOOK = {
    "seal": "S-1",
    "container": "MSKU1234565",
    "terminal": TERMINAL,
    "intact": True,
    "place": "Esbjerg",
}


async def _sealed(room):
    await room.register()
    return await room.seals.close(actor(CARRIER), **SEAL, readers=[IMPORTER])


async def test_without_a_seal_the_terminal_is_not_bound(room):
    await room.register()
    binding = await room.seals.binding(terminal=TERMINAL, consignment="c-1")
    assert not binding.bound
    assert binding.reason.startswith("terminal not bound: no seal")


async def test_a_seal_binds_once_somebody_found_it_whole(room):
    await _sealed(room)
    before = await room.seals.binding(terminal=TERMINAL, consignment="c-1")
    assert (before.bound, before.sealed_by) == (False, "carrier")
    assert "nobody has checked" in before.reason
    await room.seals.check(actor(IMPORTER), **LOOK)
    binding = await room.custody.binding(terminal=TERMINAL, consignment="c-1")
    assert (binding.bound, binding.checked_by, binding.reason) == (True, "importer", "")
    assert not (await room.seals.binding(terminal=TERMINAL, consignment="c-2")).bound


@pytest.mark.parametrize("found", [{}, {"container": "MSKU7654321"}, {"terminal": "truck-8"}])
async def test_a_broken_or_moved_seal_is_never_healed(room, found):
    await _sealed(room)
    await room.seals.check(actor(CARRIER), **LOOK)
    written = len(room.events)
    if found:
        # Whole, and elsewhere: more likely a slip of the hand, which nothing could take back.
        with pytest.raises(Refused) as refused:
            await room.seals.check(actor(IMPORTER), **(LOOK | found))
        assert (refused.value.code, len(room.events)) == ("seal_elsewhere", written)
    await room.seals.check(actor(IMPORTER), **(LOOK | found | {"intact": False}))
    await room.seals.check(actor(IMPORTER), **LOOK)
    binding = await room.seals.binding(terminal=TERMINAL, consignment="c-1")
    assert not binding.bound
    assert "S-1" in binding.reason


OTHER = {"seal": "S-9", "container": "MSKU7654321", "consignment": "c-9", "terminal": TERMINAL}


async def _stands(room, consignment):
    return await room.custody.binding(terminal=TERMINAL, consignment=consignment)


async def test_a_terminal_that_went_on_to_another_journey_is_no_longer_in_the_first(room):
    await _sealed(room)
    await room.seals.check(actor(IMPORTER), **LOOK)
    room.clock.advance(60)
    await room.seals.close(actor(CARRIER), **OTHER, readers=[])
    left = await _stands(room, "c-1")
    assert not left.bound
    # Who sees the first seal need not know of the other journey.
    assert left.reason.endswith(f"{TERMINAL} was sealed into another container since")
    _, seen = await room.seals.view(actor(IMPORTER), "S-1")
    ((_, listed),) = await room.seals.listed(actor(IMPORTER), limit=10)
    assert (seen.reason, listed.reason) == (left.reason, left.reason)


async def _found(room, seal, *, by=IMPORTER, intact=True):
    container = {"S-1": SEAL, "S-9": OTHER, "Z-1": SQUAT}[seal]["container"]
    look = LOOK | {"seal": seal, "container": container, "intact": intact}
    await room.seals.check(actor(by), **look)


async def _both(room):
    return [(await _stands(room, name)).bound for name in ("c-1", "c-9")]


async def test_of_two_containers_a_terminal_stands_for_the_later_whatever_is_said_of_the_first(
    room,
):
    await _sealed(room)
    room.clock.advance(60)
    await room.seals.close(actor(CARRIER), **OTHER, readers=[IMPORTER])
    await _found(room, "S-9")
    # A customer of the first journey looks late, or will not pay for the next one.
    await _found(room, "S-1")
    assert await _both(room) == [False, True]


async def test_sealed_into_two_at_one_instant_a_terminal_stands_for_neither(room):
    await _sealed(room)
    await room.seals.close(actor(CARRIER), **OTHER, readers=[IMPORTER])
    await _found(room, "S-1")
    await _found(room, "S-9")
    assert await _both(room) == [False, False]


async def test_a_slip_of_the_hand_is_taken_back_by_calling_that_seal_broken(room):
    await _sealed(room)
    await _found(room, "S-1")
    room.clock.advance(60)
    await room.seals.close(actor(CARRIER), **OTHER, readers=[IMPORTER])
    assert await _both(room) == [False, False]
    await _found(room, "S-9", by=CARRIER, intact=False)
    assert await _both(room) == [True, False]


async def test_what_was_found_whole_was_no_slip(room):
    await _sealed(room)
    await _found(room, "S-1")
    room.clock.advance(60)
    await room.seals.close(actor(CARRIER), **OTHER, readers=[IMPORTER])
    await _found(room, "S-9")
    await _found(room, "S-9", by=CARRIER, intact=False)
    assert await _both(room) == [False, False]


SQUAT = OTHER | {"seal": "Z-1"}


@pytest.mark.parametrize("consignment", ["c-9", "c-1", "no-such"])
@pytest.mark.parametrize("first", [True, False])
async def test_no_reader_of_a_terminal_unbinds_what_its_owner_sealed(room, consignment, first):
    await room.register()
    squat = SQUAT | {"consignment": consignment}
    seal = room.seals
    if first:
        await seal.close(actor(IMPORTER), **squat, readers=[])
        await _found(room, "Z-1")
        room.clock.advance(60)
    await seal.close(actor(CARRIER), **SEAL, readers=[IMPORTER])
    room.clock.advance(60)
    if not first and consignment == "c-1":
        with pytest.raises(Refused) as refused:
            await seal.close(actor(IMPORTER), **squat, readers=[])
        assert refused.value.code == "terminal_elsewhere"
    elif not first:
        await seal.close(actor(IMPORTER), **squat, readers=[])
        await _found(room, "Z-1")
    await _found(room, "S-1")
    asked = {"terminal": TERMINAL, "consignment": "c-1"}
    assert (await _stands(room, "c-1")).bound
    assert (await room.custody.binding(**asked, container=SEAL["container"])).bound
    if consignment != "c-1":
        theirs = await _stands(room, consignment)
        assert (theirs.bound, "owner" in theirs.reason or "since" in theirs.reason) == (False, True)


async def test_where_the_owner_sealed_before_sets_no_later_seal_of_a_reader_aside(room):
    await _sealed(room)
    await _found(room, "S-1")
    room.clock.advance(60)
    # The owner's next journey; its container is opened on the way and sealed anew by a reader.
    await room.seals.close(actor(CARRIER), **OTHER, readers=[IMPORTER])
    await _found(room, "S-9")
    await _found(room, "S-9", intact=False)
    room.clock.advance(60)
    await room.seals.close(actor(IMPORTER), **SQUAT, readers=[])
    await _found(room, "Z-1")
    assert await _both(room) == [False, True]
    # Elsewhere it would not be bound while the owner's last seal is whole.
    room.clock.advance(60)
    again = SEAL | {"seal": "S-1B"}
    await room.seals.close(actor(CARRIER), **again, readers=[IMPORTER])
    await room.seals.check(actor(IMPORTER), **(LOOK | {"seal": "S-1B"}))
    assert await _both(room) == [True, False]


async def test_a_reader_may_seal_in_what_the_owner_has_nowhere_and_the_later_reader_holds_it(room):
    await room.register(STRANGER)
    await room.seals.close(actor(IMPORTER), **SEAL, readers=[])
    await _found(room, "S-1")
    assert await _both(room) == [True, False]
    room.clock.advance(60)
    await room.seals.close(actor(STRANGER), **OTHER, readers=[])
    await _found(room, "S-9", by=STRANGER)
    assert await _both(room) == [False, True]


async def test_the_same_container_may_carry_for_two_consignments(room):
    await _sealed(room)
    await room.seals.check(actor(IMPORTER), **LOOK)
    shared = OTHER | {"container": SEAL["container"]}
    await room.seals.close(actor(CARRIER), **shared, readers=[IMPORTER])
    await room.seals.check(actor(IMPORTER), **(LOOK | {"seal": "S-9"}))
    assert (await _stands(room, "c-1")).bound
    assert (await _stands(room, "c-9")).bound


async def test_the_same_call_again_writes_nothing(room):
    first = await _sealed(room)
    assert await room.seals.close(actor(CARRIER), **SEAL, readers=[IMPORTER]) == first
    look = await room.seals.check(actor(IMPORTER), **LOOK)
    assert await room.seals.check(actor(IMPORTER), **LOOK) == look
    assert len(room.events) == 4


async def test_a_seal_closes_once(room):
    await _sealed(room)
    with pytest.raises(Conflict):
        await room.seals.close(actor(CARRIER), **(SEAL | {"consignment": "c-2"}), readers=[])


async def test_strangers_see_neither_terminal_nor_seal(room):
    await _sealed(room)
    stranger = actor("stranger")
    with pytest.raises(NotFound):
        await room.seals.close(stranger, **(SEAL | {"seal": "S-2"}), readers=[])
    with pytest.raises(NotFound):
        await room.seals.check(stranger, **LOOK)
    with pytest.raises(NotFound):
        await room.seals.view(stranger, "S-1")
    with pytest.raises(NotFound):
        await room.tracks.points(stranger, TERMINAL, 1)
    with pytest.raises(Forbidden):
        await room.seals.check(actor("auditor", Role.AUDITOR), **LOOK)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(("seal", t) for t in ("S-1\n", "s-1", "S\u200b-1", "\u0405-1", " S-1", "S_1", "S/1", "")),
        *(("container", t) for t in ("MSKU1234565\n", "mSKU1234565", "\u039cSKU1234565", "MSKU")),
    ],
)
async def test_a_number_that_could_be_read_as_anothers_seals_nothing(room, field, text):
    await room.register()
    before = len(room.events)
    with pytest.raises(MalformedInput) as refusal:
        await room.seals.close(actor(CARRIER), **(SEAL | {field: text}), readers=[])
    assert refusal.value.code == f"unclear_{field}_number"
    assert len(room.events) == before


async def test_a_look_names_the_container_in_its_one_spelling(room):
    await _sealed(room)
    with pytest.raises(MalformedInput):
        await room.seals.check(actor(IMPORTER), **(LOOK | {"container": "MSKU1234565\n"}))


async def test_a_terminal_without_a_key_is_sealed_but_never_bound(room):
    await room.terminals.register(
        OPERATING, terminal="van-3", phone="+8613800138001", owner=CARRIER
    )
    seal = SEAL | {"terminal": "van-3"}
    await room.seals.close(actor(CARRIER), **seal, readers=[IMPORTER])
    await room.seals.check(actor(IMPORTER), **(LOOK | {"terminal": "van-3"}))
    binding = await room.custody.binding(terminal="van-3", consignment="c-1")
    assert not binding.bound
    assert "has no key" in binding.reason


async def test_a_list_of_seals_holds_the_callers_only(room):
    await _sealed(room)
    ((sealed, binding),) = await room.seals.listed(actor(IMPORTER), limit=9)
    assert (sealed.seal, binding.bound) == ("S-1", False)
    assert await room.seals.listed(actor(IMPORTER), limit=9, after="S-1") == []
    assert await room.seals.listed(actor("stranger"), limit=9) == []


async def test_what_another_node_sealed_is_shown_where_its_terminal_is_unknown(room):
    await _sealed(room)
    await room.seals.check(actor(IMPORTER), **LOOK)
    here = device_room()
    for name in (f"terminal/{TERMINAL}", "seal/S-1"):
        await here.journal.append(await room.journal.load(name, viewer=None))
    assert await here.terminals.listed(actor(CARRIER), limit=9) == []
    ((sealed, binding),) = await here.seals.listed(actor(IMPORTER), limit=9)
    assert (sealed.seal, binding.terminal, binding.bound) == ("S-1", TERMINAL, True)
    assert not (await here.seals.binding(terminal=TERMINAL, consignment="c-1")).bound


async def test_a_terminal_is_sealed_into_one_container_until_that_seal_is_broken(room):
    await _sealed(room)
    second = SEAL | {"seal": "S-2", "container": "CSQU3054383"}
    with pytest.raises(Refused) as refused:
        await room.seals.close(actor(CARRIER), **second, readers=[IMPORTER])
    assert refused.value.code == "terminal_elsewhere"
    await room.seals.check(actor(IMPORTER), **(LOOK | {"intact": False}))
    await room.seals.close(actor(CARRIER), **second, readers=[IMPORTER])


async def test_of_several_containers_a_terminal_is_bound_to_its_own(room):
    await _sealed(room)
    await room.seals.check(actor(IMPORTER), **LOOK)
    asked = {"terminal": TERMINAL, "consignment": "c-1"}
    assert (await room.custody.binding(**asked, container="MSKU1234565")).bound
    other = await room.custody.binding(**asked, container="CSQU3054383")
    assert (other.bound, "not into CSQU3054383 alone" in other.reason) == (False, True)


async def _rides(room, terminal=TERMINAL):
    rides = await room.custody.rides(terminal)
    return [(each.consignment, each.container, each.end is None) for each in rides]


async def test_a_terminal_rides_by_its_seals_whether_they_were_looked_at_or_not(room):
    await room.register()
    assert await _rides(room) == await _rides(room, "van-3") == []
    await room.seals.close(actor(CARRIER), **SEAL, readers=[IMPORTER])
    assert await _rides(room) == [("c-1", "MSKU1234565", True)]
    room.clock.advance(60)
    await room.seals.check(actor(IMPORTER), **(LOOK | {"intact": False}))
    room.clock.advance(60)
    # On with the same container, and with somebody else's goods in it.
    other = SEAL | {"seal": "S-2", "consignment": "c-2"}
    await room.seals.close(actor(CARRIER), **other, readers=[])
    assert await _rides(room) == [("c-1", "MSKU1234565", False), ("c-2", "MSKU1234565", True)]


def _binding(container: str, *, bound: bool = True) -> Binding:
    return Binding(
        seal=f"S-{container}",
        container=container,
        terminal="T",
        terminal_key="k",
        sealed_by="carrier",
        checked_by="customs",
        bound=bound,
        reason="" if bound else "found broken",
    )


def test_who_is_sealed_into_two_containers_rides_with_neither() -> None:
    none = unbound("T", "no seal")
    both = [_binding("A"), _binding("B")]
    for container in ("A", "B"):
        assert "A and B" in bound_to(both, container, otherwise=none).reason
    once = [_binding("A"), _binding("B", bound=False)]
    assert bound_to(once, "A", otherwise=none).bound
    assert bound_to([once[1]], "B", otherwise=none).reason == "found broken"
    assert bound_to([], "B", otherwise=none) is none


async def test_only_a_container_of_the_consignment_is_sealed_for_it(room):
    await room.register()

    async def containers_of(_, consignment):
        return ["CSQU3054383", "MSCU6639870"] if consignment == "c-1" else []

    room.seals.containers_of = containers_of
    with pytest.raises(Refused, match="MSKU1234565 is no container of c-1") as refused:
        await room.seals.close(actor(CARRIER), **SEAL, readers=[])
    assert refused.value.code == "other_container"
    assert "CSQU3054383, MSCU6639870" in refused.value.remedy
    # Of a consignment that nobody knows here nothing is known.
    elsewhere = SEAL | {"consignment": "c-2"}
    assert await room.seals.close(actor(CARRIER), **elsewhere, readers=[])
