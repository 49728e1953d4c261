"""The far sides of notifications: a receiver of HTTP, and a mail server of others (aiosmtpd)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session

from zhidao.core.programs.child import free_port


@dataclass
class Taken:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@asynccontextmanager
async def receiver(
    status: int = 200, *, location: str = "", port: int = 0
) -> AsyncIterator[tuple[str, list[Taken]]]:
    """A server that keeps what it gets; `statuses` change by setting `took.status`."""
    took = Requests(status)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                method, target, _ = line.decode().split(" ", 2)
                headers: dict[str, str] = {}
                while (field_line := await reader.readline()) not in (b"\r\n", b""):
                    name, _, value = field_line.decode().partition(":")
                    headers[name.strip().lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                took.append(Taken(method, target, headers, body))
                more = f"Location: {location}\r\n" if location else ""
                writer.write(
                    f"HTTP/1.1 {took.status} x\r\n{more}Content-Length: 0\r\n\r\n".encode()
                )
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", took
    finally:
        server.close()


class Requests(list[Taken]):
    """What came, and what is answered to the next."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


@dataclass
class Mailbox:
    """A mail server that keeps what it takes. `refused`: recipients it does not know."""

    mails: list[EmailMessage] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    port: int = 0

    async def handle_RCPT(
        self, _server: object, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: Session, envelope: Envelope) -> str:
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def ids(self) -> set[str]:
        """Each message once, however often it came."""
        return {str(mail["Message-ID"]) for mail in self.mails}


@contextmanager
def mail_server(port: int = 0) -> Iterator[Mailbox]:
    """A mail server of others in a thread of its own."""
    box = Mailbox(port=port or free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
