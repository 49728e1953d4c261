"""Mail: what a server of others takes, what it refuses, and what travels never."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.node.adapters.notifications.stubs import mail_server
from tests.node.notifications.test_letters import ADDRESS, ITEMS, letters, message

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.programs.child import free_port
from zhidao.node.adapters.notifications.mail import MailServer, SmtpMail, check_mail_address
from zhidao.node.notifications.ports import AddressEnded

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd.*")


def server(port: int, **more: object) -> MailServer:
    said: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "off",
        "user": "",
        "password_file": None,
        "sender": "node@corridor.example",
    }
    return MailServer(**said | more)


async def test_a_letter_arrives_whole_under_an_id_that_stays() -> None:
    with mail_server() as box:
        channel = SmtpMail(server(box.port), letters("zh"), None)
        await channel.send(ADDRESS, message(), ITEMS)
        await channel.send(ADDRESS, message(), ITEMS)
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"] == f"<{'b' * 32}@corridor.example>"
    assert first["To"] == "mia@example.org"
    assert first["Auto-Submitted"] == "auto-generated"
    assert "件事等您处理" in first["Subject"]
    assert "C-1" in first.get_content()


@pytest.mark.parametrize(
    ("answer", "raised", "code"),
    [
        ("550 no such user", AddressEnded, "mail_refused"),
        ("450 later", Unavailable, "mail_server"),
        ("552 too much", Refused, "mail_not_taken"),
    ],
)
async def test_what_the_server_refuses(answer: str, raised: type[Exception], code: str) -> None:
    with mail_server() as box:
        box.refused["mia@example.org"] = answer
        with pytest.raises(raised) as refused:
            await SmtpMail(server(box.port), letters("en"), None).send(ADDRESS, message(), ITEMS)
    assert refused.value.code == code
    assert (type(refused.value) is AddressEnded) == (raised is AddressEnded)
    assert box.mails == []


async def test_no_server_and_no_tls_are_tried_again() -> None:
    with pytest.raises(Unavailable) as away:
        await SmtpMail(server(free_port()), letters("en"), None).send(ADDRESS, message(), ITEMS)
    assert away.value.code == "no_answer"
    with mail_server() as box:
        channel = SmtpMail(server(box.port, tls="starttls"), letters("en"), None)
        with pytest.raises(Unavailable) as plain:
            await channel.send(ADDRESS, message(), ITEMS)
    assert plain.value.code == "mail_server"
    assert box.mails == []


async def test_a_password_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret")
    file.chmod(0o644)
    with mail_server() as box:
        channel = SmtpMail(server(box.port, user="node", password_file=file), letters("en"), None)
        with pytest.raises(Unavailable):
            await channel.send(ADDRESS, message(), ITEMS)


def test_mail_to_another_machine_never_travels_readable() -> None:
    with pytest.raises(Refused) as refused:
        server(25, host="mail.example.org")
    assert refused.value.code == "plain_mail"
    server(25, host="mail.example.org", tls="starttls")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mia",
        "@example.org",
        "mia@",
        "mia@example.org, all@example.org",
        "Mia <mia@example.org>",
        "mia@example.org\r\nBcc: x@y.z",
        "m ia@example.org",
        "a" * 243 + "@example.org",
    ],
)
def test_what_is_no_one_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        check_mail_address(text, where="target")


def test_an_address_as_long_as_may_be() -> None:
    check_mail_address("a" * 242 + "@example.org", where="target")
    check_mail_address("用户@例子.中国", where="target")
