"""Ports for terminals: what is spoken at each, and whether it is encrypted."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from zhidao.core.errors import MalformedInput
from zhidao.devices.adapters.tls_server import TlsServer, context_of
from zhidao.devices.domain.enrolment import EGTS, JT808, TELTONIKA
from zhidao.devices.service.egts_session import EgtsSession
from zhidao.devices.service.session import Session
from zhidao.devices.service.teltonika_session import TeltonikaSession
from zhidao.devices.wire.egts.transport import Deframer as EgtsDeframer
from zhidao.devices.wire.jt808.frame import Deframer
from zhidao.devices.wire.teltonika.packet import Deframer as TeltonikaDeframer


class Conversation(Protocol):
    """The node's side of one connection, of whichever protocol."""

    closed: bool

    @property
    def took_over(self) -> bool:
        """Whether its terminal had another line until then."""
        ...

    @property
    def authenticated(self) -> bool:
        """Whether it is known who speaks."""
        ...

    @property
    def waits_for_packets(self) -> bool:
        """Whether something is unfinished that is asked for again."""
        ...

    async def receive(self, units: Any) -> list[bytes]:
        """The answers to what the deframer found."""
        ...

    async def ask_again(self, quiet_s: float = 0) -> list[bytes]:
        """Questions for what is missing."""
        ...

    async def lost(self, error: MalformedInput) -> None:
        """The stream cannot be read on."""
        ...

    async def leave(self) -> None:
        """The line has ended."""
        ...


@dataclass(frozen=True, slots=True)
class WireProtocol:
    """How one protocol is cut and answered."""

    deframer: Callable[[], Any]
    session: Callable[..., Conversation]


PROTOCOLS: Final = {
    JT808: WireProtocol(Deframer, Session),
    TELTONIKA: WireProtocol(TeltonikaDeframer, TeltonikaSession),
    EGTS: WireProtocol(EgtsDeframer, EgtsSession),
}


@dataclass(slots=True)
class Listener:
    """A port for terminals: what is spoken there, and the setting that names it.

    `port` 0 takes a free one; `tls`: the context of an encrypted port.
    """

    host: str
    port: int
    protocol: str = JT808
    setting: str = "devices.port"
    tls: ssl.SSLContext | None = None
    server: asyncio.Server | TlsServer | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports beside that of JT/T 808, each by its number, 0 where it is off.

    `certificate`: the files of certificate and key that the encrypted ones show.
    """

    teltonika: int = 0
    tls: int = 0
    teltonika_tls: int = 0
    egts: int = 0
    egts_tls: int = 0
    certificate: tuple[str, str] | None = None

    def listeners(self, host: str) -> list[Listener]:
        """Those that are on. Raises MalformedInput for an encrypted one without a certificate."""
        every = [
            Listener(host, self.teltonika, TELTONIKA, "devices.teltonika_port"),
            Listener(host, self.egts, EGTS, "devices.egts_port"),
        ]
        plain = len(every)
        every += [
            Listener(host, self.tls, JT808, "devices.tls_port"),
            Listener(host, self.teltonika_tls, TELTONIKA, "devices.teltonika_tls_port"),
            Listener(host, self.egts_tls, EGTS, "devices.egts_tls_port"),
        ]
        for each in every[plain:]:
            if each.port:
                each.tls = context_of(*self._shown(each))
        return [each for each in every if each.port]

    def _shown(self, listener: Listener) -> tuple[str, str]:
        if self.certificate is None:
            raise MalformedInput(
                f"{listener.setting} is set, and the node has no certificate: http.tls is off",
                where=listener.setting,
                remedy="set http.tls to auto or files, or that port to 0",
            )
        return self.certificate
