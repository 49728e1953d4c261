"""What an operator sets about notifications: the mail server, and where messages may go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zhidao.node.adapters.notifications.mail import MailServer
from zhidao.node.adapters.notifications.outward import networks
from zhidao.node.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSettings:
    """What an operator sets. `mail`: None where the node does not mail."""

    mail: MailServer | None = None
    private_networks: str = ""
    authorities: Path | None = None
    contact: str = ""


def notification_settings(config: Config) -> NotificationSettings:
    """As the settings file says. Raises MalformedInput, Refused for what has no meaning."""
    host = config.text("mail.host")
    password = config.text("mail.password_file")
    sender = config.text("mail.from")
    authorities = config.text("notifications.authorities")
    networks(config.text("notifications.private_networks"), name="notifications.private_networks")
    return NotificationSettings(
        mail=MailServer(
            host=host,
            port=config.number("mail.port"),
            tls=config.text("mail.tls"),
            user=config.text("mail.user"),
            password_file=Path(password) if password else None,
            sender=sender,
        )
        if host
        else None,
        private_networks=config.text("notifications.private_networks"),
        authorities=Path(authorities) if authorities else None,
        contact=config.text("notifications.contact") or (f"mailto:{sender}" if sender else ""),
    )
