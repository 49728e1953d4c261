"""Random messages out of the outlines: whatever an outline allows, drawn from a seed."""

from __future__ import annotations

import random
from xml.sax.saxutils import escape

from zhidao.finance.wire.iso20022.syntax.grammar import NAMESPACE
from zhidao.finance.wire.iso20022.syntax.kinds import AMOUNT, FORMS
from zhidao.finance.wire.iso20022.syntax.structure import Form, outline

_DRAWN = {
    AMOUNT: ("0", "12.5", "999999999999999999", "0.00001", "9999999999999.99999"),
    "number": ("0", "17.25", "999999999999999999"),
    "rate-number": ("1", "0.8512", "7.1234567891"),
    "whole": ("1", "1000.00", "999999999999999999"),
    "yes": ("true", "0"),
    "count": ("1", "999999999999999"),
    "page-number": ("1", "99999"),
    "days": ("2", "+2"),
    "currency": ("CNY", "EUR"),
    "country": ("KZ", "CN"),
    "bic": ("ALMAKZKA", "XIANCNBJXXX"),
    "iban": ("KZ86125KZT5004100100", "DE89370400440532013000"),
    "lei": ("V459EV5XD3WK5MR0HW37",),
    "uetr": ("174c245f-2682-4291-ad67-2a41e530cd27",),
    "phone": ("+86-10123456",),
    "day": ("2026-04-13", "2024-02-29"),
    "moment": ("2026-04-13T08:00:00+08:00", "2026-04-13T23:59:59.999Z", "2026-04-13T00:00:00"),
    "clock": ("17:00:00+08:00", "08:30:00"),
}


def _text(form: Form, draw: random.Random) -> str:
    if form.kind in _DRAWN:
        return draw.choice(_DRAWN[form.kind])
    if form.kind.startswith("text"):
        return draw.choice(("泵" * int(form.kind[4:]), "a", "x & <y>"[: int(form.kind[4:])]))
    if form.kind.startswith("word"):
        return "ABCDE"[: int(form.kind[4:])]
    return draw.choice(FORMS[form.kind].split("|"))


def _write(name: str, form: Form, draw: random.Random, depth: int, lines: list[str]) -> None:
    if form.pattern is not None:
        attribute = f' Ccy="{draw.choice(_DRAWN["currency"])}"' if form.kind == AMOUNT else ""
        lines.append(f"<{name}{attribute}>{escape(_text(form, draw))}</{name}>")
        return
    lines.append(f"<{name}>")
    for place in form.places:
        times = place.at_least
        option = draw.choice(list(place.options))
        if draw.random() < 0.6 / (1 + depth):
            times = min(place.most(option), times + draw.randint(1, 2))
        for _ in range(times):
            _write(option, place.options[option], draw, depth + 1, lines)
    lines.append(f"</{name}>")


def random_message(definition: str, seed: int) -> bytes:
    """A message of this definition as its outline allows it."""
    known = outline(definition)
    assert known is not None
    root, form = known
    lines: list[str] = []
    _write(root, form, random.Random(seed), 0, lines)
    space = f' xmlns="{NAMESPACE}{definition}"'
    if root == "AppHdr":
        lines[0] = f"<AppHdr{space}>"
        return "\n".join(lines).encode()
    return "\n".join([f"<Document{space}>", *lines, "</Document>"]).encode()
