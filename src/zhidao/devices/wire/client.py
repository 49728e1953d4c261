"""The terminal's side of the conversation, without a socket: for simulators and tests of devices.

A message counts as delivered when each of its frames was answered with result 0; after a
reconnection the undelivered ones are sent again whole, since the node acknowledges single frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from zhidao.devices.wire.chunk import KIND_NONCE, NonceGrant
from zhidao.devices.wire.jt808.frame import Deframer, Edition, Frame, decode_frame
from zhidao.devices.wire.jt808.messages import (
    Message,
    PlatformAnswer,
    RegistrationAnswer,
    ResendRequest,
    TransparentDown,
    decode_message,
)
from zhidao.devices.wire.jt808.packets import frames_of

_SERIALS = 1 << 16


@dataclass(frozen=True, slots=True)
class Answered:
    """The node answered the frame with that serial and message id."""

    serial: int
    message_id: int
    result: int


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The node answered a registration; `token` only with result 0."""

    result: int
    token: str


@dataclass(frozen=True, slots=True)
class NonceGiven:
    """The node gave a nonce for the next window."""

    nonce: bytes


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """The node misses these sub-packets."""

    request: ResendRequest


Heard: TypeAlias = Answered | TokenAnswer | NonceGiven | AskedAgain


class ClientSession:
    """Numbers frames and reads answers for one connection."""

    def __init__(self, phone: str, edition: Edition = Edition.E2019) -> None:
        """`phone`: the terminal's digits without leading zeros."""
        self._phone = phone.zfill(20 if edition is Edition.E2019 else 12)
        self._edition = edition
        self._serial = 0
        self._deframer = Deframer()

    def frames(self, message: Message) -> list[Frame]:
        """The frames of a message, numbered; `encode` each to send it."""
        frames = frames_of(message, phone=self._phone, edition=self._edition, serial=self._serial)
        self._serial = (self._serial + len(frames)) % _SERIALS
        return frames

    def hear(self, data: bytes) -> list[Heard]:
        """What the node said. Raises MalformedInput if it does not speak JT/T 808."""
        out: list[Heard] = []
        for raw in self._deframer.feed(data):
            frame = decode_frame(raw)
            match decode_message(frame.header.message_id, frame.body, frame.header.edition):
                case PlatformAnswer(serial, message_id, result):
                    out.append(Answered(serial, message_id, result))
                case RegistrationAnswer(_, result, token):
                    out.append(TokenAnswer(result, token))
                case TransparentDown(kind, content) if kind == KIND_NONCE:
                    out.append(NonceGiven(NonceGrant.decode(content).nonce))
                case ResendRequest() as request:
                    out.append(AskedAgain(request))
                case _:
                    pass
        return out
