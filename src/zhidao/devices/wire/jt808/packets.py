"""Messages longer than one frame: divided into sub-packets and put together again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.jt808.frame import BODY_BYTES_MAX, Edition, Frame, Header
from zhidao.devices.wire.jt808.messages import Message, encode_message, message_id

PACKETS_MAX: Final = 64
_MESSAGES_MAX: Final = 4
_TRIES_MAX: Final = 3
_SERIALS: Final = 1 << 16


def frames_of(message: Message, *, phone: str, edition: Edition, serial: int) -> list[Frame]:
    """The frames that carry a message, with consecutive serials from `serial` on.

    Raises MalformedInput if more than 64 sub-packets would be needed.
    """
    body = encode_message(message, edition)
    pieces = [body[i : i + BODY_BYTES_MAX] for i in range(0, len(body), BODY_BYTES_MAX)] or [b""]
    if len(pieces) > PACKETS_MAX:
        raise MalformedInput(f"a message of {len(body)} bytes needs over {PACKETS_MAX} sub-packets")
    divided = len(pieces) > 1
    return [
        Frame(
            Header(
                message_id=message_id(message),
                phone=phone,
                serial=(serial + index) % _SERIALS,
                edition=edition,
                protocol_version=1 if edition is Edition.E2019 else 0,
                packets_total=len(pieces) if divided else 0,
                packet_number=index + 1 if divided else 0,
            ),
            piece,
        )
        for index, piece in enumerate(pieces)
    ]


@dataclass(slots=True)
class _Partial:
    total: int
    edition: Edition
    pieces: dict[int, bytes] = field(default_factory=dict)
    tries: int = 0
    since_ns: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Sub-packets of one message that did not come."""

    message_id: int
    first_serial: int
    packets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A divided message of which some sub-packets never came. `pieces`: which came."""

    message_id: int
    first_serial: int
    packets_total: int
    pieces: tuple[tuple[int, bytes], ...]


class Reassembler:
    """Puts sub-packets of one session together; bounded in messages and in packets."""

    def __init__(self) -> None:
        self._partial: dict[tuple[int, int], _Partial] = {}
        self._given_up: list[Incomplete] = []

    def add(self, frame: Frame, now_ns: int = 0) -> bytes | None:
        """The whole body when this frame was the last one missing, else None.

        Repeated packets change nothing. Where too many messages are open the oldest is given up.
        Raises MalformedInput if the total changed or if it is over 64.
        """
        head = frame.header
        if not head.packets_total:
            return frame.body
        if head.packets_total > PACKETS_MAX:
            raise MalformedInput(
                f"JT/T 808: {head.packets_total} sub-packets; at most {PACKETS_MAX} are kept"
            )
        key = (head.message_id, (head.serial - head.packet_number + 1) % _SERIALS)
        partial = self._partial.get(key)
        if partial is None:
            if len(self._partial) >= _MESSAGES_MAX:
                self._give_up(next(iter(self._partial)))
            partial = self._partial[key] = _Partial(head.packets_total, head.edition)
        if partial.total != head.packets_total:
            self._give_up(key)
            raise MalformedInput(
                f"JT/T 808: the number of sub-packets changed from {partial.total} to "
                f"{head.packets_total}"
            )
        if head.packet_number not in partial.pieces:
            partial.pieces[head.packet_number] = frame.body
            partial.since_ns = now_ns
        if len(partial.pieces) < partial.total:
            return None
        del self._partial[key]
        return b"".join(partial.pieces[number] for number in range(1, partial.total + 1))

    def gaps(self, now_ns: int = 0, *, quiet_ns: int = 0) -> list[Gap]:
        """What is missing now, to be asked for with 0x8003.

        Only of messages of which nothing came for so long, nor was asked for. After three
        questions a message is given up (`given_up`) and no longer listed.
        """
        out: list[Gap] = []
        for key, partial in list(self._partial.items()):
            if abs(now_ns - partial.since_ns) < quiet_ns:
                continue
            if partial.tries >= _TRIES_MAX:
                self._give_up(key)
                continue
            partial.tries += 1
            partial.since_ns = now_ns
            missing = (n for n in range(1, partial.total + 1) if n not in partial.pieces)
            out.append(Gap(key[0], key[1], tuple(missing)))
        return out

    def given_up(self, *, all_of_them: bool = False) -> list[Incomplete]:
        """What was given up since it was asked last; `all_of_them`: nothing more will come."""
        if all_of_them:
            for key in list(self._partial):
                self._give_up(key)
        found, self._given_up = self._given_up, []
        return found

    def _give_up(self, key: tuple[int, int]) -> None:
        partial = self._partial.pop(key)
        pieces = tuple(sorted(partial.pieces.items()))
        self._given_up.append(Incomplete(*key, partial.total, pieces))

    @property
    def pending(self) -> bool:
        """Whether a message is unfinished."""
        return bool(self._partial)
