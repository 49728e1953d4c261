"""What a message says, in the words of the pages and in its reader's language."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.node.notifications.choice import Choice
from zhidao.node.notifications.message import About, Address, Item, Message

ITEMS_SAID: Final = 50
_SHORT_ITEMS: Final = 4
_NAME: Final = re.compile(r"\{(\w+)\}")

Catalogue = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words. `lines`: one for each thing that waits."""

    subject: str
    text: str
    lines: tuple[str, ...]
    page: str

    def short(self, message: str, bytes_max: int) -> bytes:
        """As a browser shows it: JSON with id, title, body and page, of so many bytes at most."""
        for count in (_SHORT_ITEMS, 1, 0):
            said = {
                "id": message,
                "title": self.subject,
                "body": "\n".join(self.lines[:count]),
                "page": self.page,
            }
            packed = json.dumps(said, ensure_ascii=False).encode()
            if len(packed) <= bytes_max:
                return packed
        return json.dumps({"id": message, "title": "", "body": "", "page": self.page}).encode()


class Letters:
    """Writes letters. Nothing stands in one that its reader's own worklist does not show."""

    def __init__(
        self,
        catalogue: Callable[[str], Catalogue],
        choice: Callable[[str], Awaitable[Choice]],
        code: Callable[[str], str],
        *,
        organisation: Callable[[], str],
        page: str,
    ) -> None:
        """`catalogue`: the words of a language; `code`: that of an address; `page`: the node's."""
        self._catalogue = catalogue
        self._choice = choice
        self._code = code
        self._organisation = organisation
        self._page = page

    async def of(self, address: Address, message: Message, items: Sequence[Item]) -> Letter:
        """The letter of a message."""
        words = self._catalogue((await self._choice(message.person)).language)
        name = one_line(self._organisation()) or "Zhidao"
        if message.about is not About.WAITS:
            return self._short_letter(words, address, message, name)
        lines = tuple(one_line(item_words(words, each)) for each in items)
        subject = said(words, "mail.waits", organisation=name, n=str(len(items)))
        listed = [f"- {line}" for line in lines[:ITEMS_SAID]]
        if len(lines) > ITEMS_SAID:
            listed.append(said(words, "mail.more", n=str(len(lines) - ITEMS_SAID)))
        text = [
            said(words, "mail.hello", person=message.person),
            "",
            *listed,
            "",
            said(words, "mail.open", page=f"{self._page}/waiting"),
            "",
            said(words, "mail.why", organisation=name, page=f"{self._page}/notifications"),
        ]
        return Letter(subject, "\n".join(text) + "\n", lines, "/waiting")

    def _short_letter(
        self, words: Catalogue, address: Address, message: Message, name: str
    ) -> Letter:
        key = f"mail.{message.about.value}"
        code = self._code(address.id) if message.about is About.CODE else ""
        line = said(words, key, organisation=name, code=code)
        text = [
            said(words, "mail.hello", person=message.person),
            "",
            line,
            "",
            said(words, "mail.open", page=f"{self._page}/notifications"),
        ]
        subject = said(words, f"{key}_subject", organisation=name)
        return Letter(subject, "\n".join(text) + "\n", (line,), "/notifications")


def item_words(words: Catalogue, item: Item) -> str:
    """One thing that waits, as the pages say it (web/src/parts/moves.ts)."""
    if item.kind == "move":
        act = words.get(f"waits.{item.act}", item.act.replace("_", " "))
        return f"{item.label}: {act}"
    if item.kind == "alarm":
        code = item.act.partition(":")[0]
        return words.get(f"alarm.{code}", item.label)
    apart = item.kind in ("agreement", "declaration")
    key = f"work.{item.kind}.{item.act}" if apart else f"work.{item.kind}"
    what = words.get(f"act.{item.act}", item.act.replace("_", " "))
    return said(words, key, label=item.label, what=what) or f"{item.kind}: {item.label}"


def said(words: Catalogue, key: str, **values: str) -> str:
    """A sentence with its values; empty where there is none."""
    return _NAME.sub(lambda found: values.get(found[1], found[0]), words.get(key, ""))


def one_line(text: str) -> str:
    """What others typed, without line ends or signs that turn the line around."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
