"""The conversation with a unit or a platform of EGTS: who it is, then records, told once kept."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.devices.domain.custody import StoredFrame, Terminal
from zhidao.devices.domain.enrolment import EGTS, EGTS_DISPATCHER
from zhidao.devices.service.lines import Line
from zhidao.devices.service.session_services import SessionServices, Suspects
from zhidao.devices.wire.egts.kept import kept_id, packed, said
from zhidao.devices.wire.egts.replies import Replies, result_of
from zhidao.devices.wire.egts.service_frame import (
    AUTH_SERVICE,
    Record,
    ServiceFrame,
    decode_frame,
    timed,
)
from zhidao.devices.wire.egts.subrecords import (
    AUTH_DENIED,
    BAD_DATA,
    NO_ID,
    NO_OBJECT,
    OK,
    PROCESSING_DENIED,
    SOURCE_DENIED,
    DispatcherIdentity,
    RecordResponse,
    Subrecord,
    TermIdentity,
    encode_subrecords,
    subrecords_of,
)
from zhidao.devices.wire.egts.transport import (
    APPDATA,
    RESPONSE,
    Lost,
    Packet,
    Route,
    decode_packet,
    packet_id_of,
)

_NO_SERIAL: Final = -1
# Holds a name and a password for which nobody asked.
_AUTH_INFO: Final = 7
_Identity = TermIdentity | DispatcherIdentity


@dataclass(slots=True)
class _Caller:
    """Who speaks: a unit, or a platform for units; by which number and protocol."""

    terminal: Terminal
    protocol: str
    number: int


@dataclass(slots=True)
class _Owed:
    """The answer to a packet, which waits until its records are durable."""

    packet_id: int
    result: int = OK
    statuses: list[tuple[Record, int]] = field(default_factory=list)
    stored: list[asyncio.Future[None]] = field(default_factory=list)
    route: Route | None = None
    # Whether who called in it is let in.
    results: list[tuple[Record, int]] = field(default_factory=list)
    # Of a platform: for which units it speaks, or why it does not; each is asked for once.
    units: dict[int, Terminal | int] = field(default_factory=dict)


class EgtsSession:
    """The node's side of one connection of EGTS, without its socket."""

    # Nothing of it is divided, so that nothing is asked for again.
    waits_for_packets: Final = False

    def __init__(
        self,
        services: SessionServices,
        *,
        network: str = "",
        hang_up: Callable[[], None] = lambda: None,
        send: Callable[[list[bytes]], Awaitable[None]] | None = None,
    ) -> None:
        """As `session.Session`."""
        self._services = services
        self._line = Line(network, self._end)
        self._hang_up = hang_up
        self._send = send
        self._caller: _Caller | None = None
        self._suspects = Suspects(services)
        self._replies = Replies()
        self.took_over = False
        self.closed = False

    @property
    def authenticated(self) -> bool:
        """Whether it said who it is, and that is a unit or platform of this node."""
        return self._caller is not None

    async def receive(self, units: Sequence[bytes | Lost]) -> list[bytes]:
        """The answers to packets; that a record was taken only once it is durable.

        Raises Unavailable if storing failed: nothing of this batch is then acknowledged; and
        MalformedInput where the stream is lost, after what can be said was sent.
        """
        owed: list[_Owed] = []
        lost: MalformedInput | None = None
        for unit in units:
            if self.closed:
                break
            if isinstance(unit, Lost):
                owed.append(_Owed(unit.packet_id, result_of(unit.error)))
                lost = unit.error
            else:
                owed += await self._packet(unit)
        out = [answer for each in owed for answer in await self._settled(each)]
        if lost is not None:
            if self._send is not None:
                await self._send(out)
            raise lost
        return out

    async def ask_again(self, quiet_s: float = 0) -> list[bytes]:
        """Nothing: a record that was not answered is sent again unasked."""
        del quiet_s
        return []

    async def lost(self, error: MalformedInput) -> None:
        """The stream cannot be read on, for this reason: the operator hears of it."""
        await self._refused(error.code, str(error))

    async def leave(self) -> None:
        """The line has ended."""
        if self._caller is not None:
            self._services.lines.leave(self._caller.terminal.terminal, self._line)

    def _end(self) -> None:
        """Nothing that came and was not read yet is heard any more."""
        self.closed = True
        self._hang_up()

    async def _packet(self, raw: bytes) -> list[_Owed]:
        try:
            packet = decode_packet(raw)
            frame = decode_frame(packet)
            _taken(packet)
        except MalformedInput as error:
            await self._put_aside(raw, error)
            return [_Owed(packet_id_of(raw), result_of(error))]
        if self._caller is not None:
            self._services.lines.heard(self._line)
        # An answer is not answered, else neither side would ever rest.
        return [] if packet.kind == RESPONSE else [await self._records(packet, frame)]

    async def _records(self, packet: Packet, frame: ServiceFrame) -> _Owed:
        owed = _Owed(packet.packet_id, route=packet.route)
        for record in timed(frame.records):
            status = await self._record(record, owed)
            if status is not None:
                owed.statuses.append((record, status))
        return owed

    async def _record(self, record: Record, owed: _Owed) -> int | None:
        """What is told of a record; None where it tells of ours, and is not told of."""
        try:
            subrecords = subrecords_of(record)
        except MalformedInput as error:
            await self._put_aside(packed(record), error)
            return BAD_DATA
        if _answers(subrecords):
            return None
        identity = next((each for each in subrecords if isinstance(each, _Identity)), None)
        if identity is not None:
            owed.results.append((record, await self._identified(identity)))
            await self._beside(record, subrecords, owed)
            return OK
        if self._caller is None or self.closed:
            await self._not_known(record)
            return AUTH_DENIED
        if _holds_password(record, subrecords):
            return PROCESSING_DENIED
        return await self._stored(record, subrecords, self._caller, owed)

    async def _beside(self, record: Record, subrecords: tuple[Subrecord, ...], owed: _Owed) -> None:
        """Keeps what stands beside a name, such as the vehicle; not the name, and no password."""
        kept = tuple(
            each
            for each in subrecords
            if not isinstance(each, _Identity) and each.type_id != _AUTH_INFO
        )
        if kept and self._caller is not None and not self.closed:
            without = replace(record, data=encode_subrecords(kept))
            frame = self._kept(without, kept, self._caller.terminal)
            owed.stored.append(await self._services.writer.put(frame))

    async def _stored(
        self, record: Record, subrecords: tuple[Subrecord, ...], caller: _Caller, owed: _Owed
    ) -> int:
        terminal = await self._unit_of(record, caller, owed)
        if isinstance(terminal, int):
            return terminal
        owed.stored.append(
            await self._services.writer.put(self._kept(record, subrecords, terminal))
        )
        return OK

    async def _settled(self, owed: _Owed) -> list[bytes]:
        await asyncio.gather(*owed.stored)
        answer = self._replies.response(owed.packet_id, owed.result, owed.statuses, owed.route)
        return [answer, *(self._replies.result(*each, owed.route) for each in owed.results)]

    async def _identified(self, identity: _Identity) -> int:
        """The code of who is let in or not; who is not is hung up on."""
        numbers, protocol, own = _numbers(identity)
        code = AUTH_DENIED
        try:
            await self._admitted(numbers, protocol, own)
        except NotFound as error:
            code = NO_ID
            sentence = f"{error}: nobody registered a terminal with this number"
            await self._services.terminal_journal.refuse_unknown(
                "unknown_terminal", sentence, number=numbers[0]
            )
        except Refused as error:
            await self._not_let_in(numbers, error)
        else:
            return OK
        self.closed = True
        return code

    async def _admitted(self, numbers: Sequence[str], protocol: str, own: int) -> None:
        services = self._services
        number = await self._registered(numbers)
        terminal = await services.enrolments.admit(
            number, network=self._line.network, protocol=protocol
        )
        if self._caller is not None:
            if self._caller.terminal.terminal != terminal.terminal:
                raise Refused(
                    f"the line of {self._caller.terminal.terminal} called itself {number}",
                    code="of_another",
                )
            return
        self.took_over = services.lines.take(terminal.terminal, self._line)
        try:
            await services.enrolments.admit_again(terminal, protocol=protocol)
        except BaseException:
            services.lines.leave(terminal.terminal, self._line)
            raise
        self._caller = _Caller(terminal, protocol, own)

    async def _registered(self, numbers: Sequence[str]) -> str:
        """The first of these numbers that is a terminal's here. Raises NotFound."""
        for number in numbers[:-1]:
            try:
                await self._services.vault.terminal_by_number(number)
            except NotFound:
                continue
            return number
        return numbers[-1]

    async def _not_let_in(self, numbers: Sequence[str], error: Refused) -> None:
        journal = self._services.terminal_journal
        try:
            number = await self._registered(numbers)
            known = await self._services.vault.terminal_by_number(number)
        except NotFound:  # Retired in this very moment: its number is nobody's.
            await journal.refuse_unknown(error.code, str(error), number=numbers[0])
            return
        await journal.refuse(known, error.code, str(error))

    async def _unit_of(self, record: Record, caller: _Caller, owed: _Owed) -> Terminal | int:
        """Whose record it is; or the code by which it is refused."""
        about = record.object_id
        if caller.protocol == EGTS_DISPATCHER:
            if about is None:
                await self._refused("no_object", "EGTS: a record of a platform names no object")
                return NO_OBJECT
            if about not in owed.units:
                owed.units[about] = await self._represented(about, caller.terminal)
            return owed.units[about]
        if about in (None, 0, caller.number) or not caller.number:
            return caller.terminal
        sentence = f"a record is about object {about}, and the unit is {caller.number}"
        await self._refused("of_another", f"EGTS: {sentence}")
        return SOURCE_DENIED

    async def _represented(self, about: int, dispatcher: Terminal) -> Terminal | int:
        journal = self._services.terminal_journal
        try:
            return await self._services.enrolments.speak_for(str(about), dispatcher)
        except NotFound as error:
            sentence = f"{error}, of which {dispatcher.terminal} told"
            await journal.refuse_unknown("unknown_terminal", sentence, number=str(about))
            return NO_OBJECT
        except Refused as error:
            await journal.refuse(dispatcher, error.code, str(error))
            return SOURCE_DENIED

    async def _not_known(self, record: Record) -> None:
        """A record of whoever did not say who he is: nothing of it is kept."""
        journal = self._services.terminal_journal
        if record.object_id:
            number = str(record.object_id)
            sentence = f"a record about object {number} came before anybody said who speaks"
            await journal.refuse_unknown("not_authenticated", f"EGTS: {sentence}", number=number)
        else:
            journal.refusals["not_authenticated"] += 1

    async def _put_aside(self, raw: bytes, error: MalformedInput) -> None:
        """Nothing of it is taken, so that the unit keeps it; the operator sees why."""
        await self._refused(error.code, str(error))
        if self._caller is not None:
            await self._suspects.put(self._caller.terminal, raw, error.code)

    async def _refused(self, code: str, sentence: str) -> None:
        journal = self._services.terminal_journal
        if self._caller is None:
            journal.refusals[code] += 1
        else:
            await journal.refuse(self._caller.terminal, code, sentence)

    def _kept(
        self, record: Record, subrecords: tuple[Subrecord, ...], terminal: Terminal
    ) -> StoredFrame:
        now, plain = self._services.clock.now(), packed(record)
        # Without a time of its own the same words are a repeat by their number and on one day.
        occasion = plain + now.to_datetime().date().isoformat().encode()
        return StoredFrame(
            terminal=terminal.terminal,
            digest=hashlib.sha256(said(record, subrecords) or occasion).digest(),
            id=self._services.ids.new(),
            received_at=now,
            message_id=kept_id(record, subrecords),
            serial=_NO_SERIAL,
            plain=plain,
        )


def _answers(subrecords: tuple[Subrecord, ...]) -> bool:
    """Whether a record says nothing but what became of ours."""
    return bool(subrecords) and all(isinstance(each, RecordResponse) for each in subrecords)


def _holds_password(record: Record, subrecords: tuple[Subrecord, ...]) -> bool:
    is_told = any(each.type_id == _AUTH_INFO for each in subrecords)
    return record.recipient == AUTH_SERVICE and is_told


def _taken(packet: Packet) -> None:
    """Raises MalformedInput for a signed packet: nobody here could say whose signature it is."""
    if packet.kind not in (APPDATA, RESPONSE):
        raise MalformedInput("EGTS: signed packets are not taken", code="unknown_type")


def _numbers(identity: _Identity) -> tuple[list[str], str, int]:
    """By which numbers somebody may be registered here, as what, and what he calls himself."""
    if isinstance(identity, DispatcherIdentity):
        number = identity.dispatcher_id
        return [str(number)], EGTS_DISPATCHER, number
    own = identity.terminal_id
    told = [identity.imei.lstrip("0"), str(own) if own else ""]
    return [each for each in told if each] or ["0"], EGTS, own
