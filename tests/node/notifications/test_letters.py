"""Letters: in the reader's language, of what waits for the reader, and of nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhidao.core.timescale import Utc
from zhidao.node.notifications.choice import Choice
from zhidao.node.notifications.letters import ITEMS_SAID, Letters, item_words
from zhidao.node.notifications.message import (
    About,
    Address,
    AddressState,
    Channel,
    Item,
    Message,
)

ROOT = Path(__file__).resolve().parents[3]
NOW = Utc.parse("2026-11-29T09:00:00Z")
ADDRESS = Address(
    id="a" * 32,
    person="mia",
    channel=Channel.MAIL,
    target="mia@example.org",
    state=AddressState.LIVE,
    made_at=NOW,
)


def words(language: str) -> dict[str, str]:
    return json.loads((ROOT / "web/src/i18n" / f"{language}.json").read_bytes())


def message(about: About = About.WAITS) -> Message:
    return Message(
        id="b" * 32, person="mia", address=ADDRESS.id, about=about, due_at=NOW, made_at=NOW
    )


def letters(language: str, organisation: str = "Khorgos") -> Letters:
    async def choice(_: str) -> Choice:
        return Choice(language=language)

    return Letters(
        words,
        choice,
        lambda address: "123456" if address == ADDRESS.id else "",
        organisation=lambda: organisation,
        page="https://node.example",
    )


ITEMS = [
    Item(kind="move", act="seal", subject="c-1", label="C-1"),
    Item(kind="approval", act="pay", subject="p-1", label="P-1"),
    Item(kind="screening", act="judge", subject="s-1", label="Ivan"),
    Item(kind="declaration", act="decide", subject="d-1", label="D-1"),
    Item(kind="declaration", act="answer", subject="d-2", label="D-2"),
    Item(kind="agreement", act="person", subject="ben", label="ben"),
    Item(kind="agreement", act="token", subject="t-1", label="t-1"),
    Item(kind="alarm", act="dead_letters", subject="dead_letters", label="3 events"),
]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_letter_says_each_thing_in_the_readers_words(language: str) -> None:
    letter = await letters(language).of(ADDRESS, message(), ITEMS)
    assert "Khorgos" in letter.subject
    assert "(8)" in letter.subject or "8 件" in letter.subject
    for item, line in zip(ITEMS, letter.lines, strict=True):
        assert line in letter.text
        assert item.label in line or item.kind == "alarm"
        # Every kind has words of its own: no code stands in the letter.
        assert f"{item.kind}: {item.label}" != line
        assert "{" not in line
    assert "https://node.example/waiting" in letter.text
    assert "https://node.example/notifications" in letter.text


async def test_what_others_typed_makes_no_line_and_no_header_of_its_own() -> None:
    evil = Item(kind="move", act="seal", subject="c", label="C\r\nBcc: all@example.org\u202e")
    letter = await letters("en", "Khor\r\ngos").of(ADDRESS, message(), [evil])
    assert "\r" not in letter.text
    assert "\n" not in letter.subject
    assert letter.lines[0].startswith("C Bcc: all@example.org")
    assert "\u202e" not in letter.text
    assert item_words(words("en"), evil)


async def test_a_long_list_is_told_by_its_beginning() -> None:
    many = [
        Item(kind="move", act="seal", subject=f"c-{n}", label=f"C-{n:03}")
        for n in range(ITEMS_SAID + 1)
    ]
    letter = await letters("en").of(ADDRESS, message(), many)
    assert f"C-{ITEMS_SAID - 1:03}" in letter.text
    assert f"C-{ITEMS_SAID:03}" not in letter.text
    assert "and 1 more" in letter.text
    short = json.loads(letter.short("b" * 32, 3993))
    assert short["page"] == "/waiting"
    assert "C-000" in short["body"]
    assert len(letter.short("b" * 32, 200)) <= 200


async def test_a_code_stands_in_the_text_and_not_in_the_subject() -> None:
    letter = await letters("zh").of(ADDRESS, message(About.CODE), [])
    assert "123456" in letter.text
    assert "123456" not in letter.subject
