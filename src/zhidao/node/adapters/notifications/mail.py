"""Mail by SMTP (RFC 5321), with a Message-ID that stays the same however often it is sent."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Final

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.node.notifications.letters import Letters
from zhidao.node.notifications.message import Address, Item, Message
from zhidao.node.notifications.ports import AddressEnded

_SECONDS: Final = 20.0
_TLS: Final = ("starttls", "tls", "off")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
# RFC 5321 section 4.2.1: the answers of five hundred are for good.
_FOR_GOOD: Final = 500
# Section 4.2.3, and RFC 3463 class 5.1: it is this mailbox, and no matter of policy or size.
_NO_MAILBOX: Final = (550, 551, 553)


@dataclass(frozen=True, slots=True)
class MailServer:
    """The operator's mail server. `sender`: the address that mail comes from."""

    host: str
    port: int
    tls: str
    user: str
    password_file: Path | None
    sender: str

    def __post_init__(self) -> None:
        if self.tls not in _TLS:
            raise MalformedInput(f"{', '.join(_TLS)}, not {self.tls[:20]!r}", where="mail.tls")
        if self.tls == "off" and self.host not in _LOOPBACK:
            raise Refused(
                f"mail to {self.host} would travel readable",
                code="plain_mail",
                remedy="set mail.tls to starttls or tls; off is for a server on this machine",
            )
        check_mail_address(self.sender, where="mail.from")

    @property
    def domain(self) -> str:
        """The right side of Message-IDs."""
        return self.sender.rpartition("@")[2]


def check_mail_address(text: str, *, where: str) -> None:
    """Raises MalformedInput for what is no one address (RFC 5321 section 4.1.2)."""
    local, at, domain = text.rpartition("@")
    plain = text.isprintable() and " " not in text and "," not in text
    if parseaddr(text)[1] != text or not (local and at and domain and plain) or len(text) > 254:
        raise MalformedInput("this is no mail address", where=where)


class SmtpMail:
    """Implements `Transport`."""

    def __init__(
        self, server: MailServer, letters: Letters, certificates: ssl.SSLContext | None
    ) -> None:
        self._server = server
        self._letters = letters
        self._certificates = certificates

    async def send(self, address: Address, message: Message, items: Sequence[Item]) -> None:
        """Hands a letter to the server; see the port."""
        letter = await self._letters.of(address, message, items)
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._server.sender
        mail["To"] = address.target
        mail["Subject"] = letter.subject
        mail["Date"] = format_datetime(message.made_at.to_datetime())
        mail["Message-ID"] = f"<{message.id}@{self._server.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        await asyncio.to_thread(self._hand_over, address.target, mail)

    def _hand_over(self, to: str, mail: EmailMessage) -> None:
        try:
            self._deliver(to, mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            if code in _NO_MAILBOX:
                raise AddressEnded(
                    f"the mail server refuses {to}: {code}", code="mail_refused"
                ) from error
            raise _answered(code, said) from error
        except smtplib.SMTPResponseException as error:
            raise _answered(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Unavailable(
                f"the mail server does not offer what mail.tls asks for: {error}",
                code="mail_server",
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(
                f"the mail server does not answer: {error or type(error).__name__}",
                code="no_answer",
            ) from error

    def _deliver(self, to: str, mail: EmailMessage) -> None:
        server = self._server
        with self._connected() as link:
            if server.tls == "starttls":
                link.starttls(context=self._context())
            if server.user:
                link.login(server.user, _password(server.password_file))
            link.send_message(mail, server.sender, [to])

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.tls == "tls":
            return smtplib.SMTP_SSL(
                server.host, server.port, timeout=_SECONDS, context=self._context()
            )
        return smtplib.SMTP(server.host, server.port, timeout=_SECONDS)

    def _context(self) -> ssl.SSLContext:
        return self._certificates or ssl.create_default_context()


def _answered(code: int, said: bytes | str) -> Refused | Unavailable:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    sentence = f"the mail server answers {code}: {text[:160]}"
    # Wrong credentials are the operator's to mend, and what waits is sent then.
    if code >= _FOR_GOOD and code not in (530, 534, 535, 538):
        return Refused(sentence, code="mail_not_taken")
    return Unavailable(sentence, code="mail_server")


def _password(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        if file.stat().st_mode & 0o077:
            raise Unavailable(
                f"others may read {file}", code="mail_server", remedy=f"chmod 600 {file}"
            )
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Unavailable(f"mail.password_file: {error}", code="mail_server") from error
