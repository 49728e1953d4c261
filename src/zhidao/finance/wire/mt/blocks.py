"""A FIN message in its five blocks, read strictly and written: nothing unknown, doubled or missing.

Block 1 names the sender's terminal, block 2 the message and the other side's, block 3 what the
user adds (108 a reference, 121 a UETR), block 4 the fields, block 5 checksums, which are not
checked here. Read are messages as they are sent (I) and as they are delivered (O).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, NamedTuple

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.iso20022.syntax.trees import decimal_of, minor_of
from zhidao.finance.wire.mt.fields import MESSAGES, WORDS, Field
from zhidao.finance.wire.mt.formats import pattern_of

MESSAGE_BYTES_MAX: Final = 64 * 1024
_TERMINAL: Final = r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}[A-Z0-9][A-Z0-9]{3}"
_FIRST: Final = re.compile(rf"F01({_TERMINAL})[0-9]{{4}}[0-9]{{6}}")
_SENT: Final = re.compile(rf"I([0-9]{{3}})({_TERMINAL})[NU]([0-9]?(?:[0-9]{{3}})?)")
_DELIVERED: Final = re.compile(
    rf"O([0-9]{{3}})[0-9]{{4}}[0-9]{{6}}({_TERMINAL})[0-9]{{4}}[0-9]{{6}}[0-9]{{6}}[0-9]{{4}}[NU]?"
)
_INNER: Final = re.compile(r"\{([0-9]{3}|[A-Z]{3}):([^{}]*)\}")
_TAG: Final = re.compile(r":([0-9]{2}[A-Z]?):")
_KNOWN_IN_3: Final = ("103", "108", "111", "113", "115", "119", "121", "165", "423", "424", "433")


class MtMessage(NamedTuple):
    """A message of a documentary credit. `fields`: tags and texts in order, lines by line feeds.

    `reference`: of block 3, field 108; `uetr`: field 121. Both may be empty. Banks by their BIC.
    """

    kind: str
    sender: str
    receiver: str
    fields: tuple[tuple[str, str], ...]
    reference: str = ""
    uetr: str = ""

    def get(self, tag: str) -> str:
        """The text of a field, whatever its option; empty if it is not there."""
        stem = tag[:2] if tag[2:].islower() else tag
        for name, text in self.fields:
            if name == tag or (tag[2:].islower() and name[:2] == stem):
                return text
        return ""

    def named(self) -> dict[str, str]:
        """The texts by our names of the fields."""
        by_tag = {field.tag: field.name for field in MESSAGES[self.kind]}
        return {by_tag[_known_tag(self.kind, tag)]: text for tag, text in self.fields}


def read(data: bytes) -> MtMessage:
    """The message. Raises MalformedInput with the block or field for anything else."""
    if len(data) > MESSAGE_BYTES_MAX:
        raise MalformedInput(f"a message of more than {MESSAGE_BYTES_MAX} bytes")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedInput(
            f"byte {error.start} is no letter of a FIN message", where=f"byte {error.start}"
        ) from error
    blocks = _blocks(text.replace("\r\n", "\n").strip("\n\x01\x03 "))
    if not {"1", "2", "4"} <= set(blocks):
        raise MalformedInput("blocks 1, 2 and 4 are needed")
    first = _FIRST.fullmatch(blocks["1"])
    if first is None:
        raise MalformedInput("this is no header of a FIN message", where="block 1")
    sent, delivered = _SENT.fullmatch(blocks["2"]), _DELIVERED.fullmatch(blocks["2"])
    second = sent or delivered
    if second is None:
        raise MalformedInput("this is no application header", where="block 2")
    ends = (_bic(first[1]), _bic(second[2]))
    sender, receiver = ends if sent else reversed(ends)
    if second[1] not in MESSAGES:
        raise MalformedInput(
            f"MT {second[1]} is not read here", where="block 2", remedy="send 700, 707, 734, 750"
        )
    user = _inner(blocks.get("3", ""), "block 3")
    unknown = set(user) - set(_KNOWN_IN_3)
    if unknown:
        raise MalformedInput(f"field {min(unknown)} is not known there", where="block 3")
    _inner(blocks.get("5", ""), "block 5")
    message = MtMessage(
        second[1],
        sender,
        receiver,
        _fields(blocks["4"]),
        user.get("108", ""),
        user.get("121", ""),
    )
    check(message)
    return message


def write(message: MtMessage) -> bytes:
    """The message as it is sent. Raises MalformedInput for what could not be read back."""
    check(message)
    user = "".join(
        f"{{{tag}:{text}}}"
        for tag, text in (("108", message.reference), ("121", message.uetr))
        if text
    )
    third = f"{{3:{user}}}" if user else ""
    lines = [
        (
            f"{{1:F01{_terminal(message.sender, 'A')}0000000000}}"
            f"{{2:I{message.kind}{_terminal(message.receiver, 'X')}N}}{third}{{4:"
        )
    ]
    for tag, text in message.fields:
        lines += f":{tag}:{text}".split("\n")
    lines.append("-}")
    return "\r\n".join(lines).encode("ascii")


def check(message: MtMessage) -> None:
    """Holds fields to their message: order, formats, words. Raises MalformedInput with the tag."""
    known = MESSAGES.get(message.kind)
    if known is None:
        raise MalformedInput(f"MT {message.kind[:8]} is not known here")
    for bic in (message.sender, message.receiver):
        if not re.fullmatch(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", bic):
            raise MalformedInput(f"not a BIC: {bic[:16]!r}")
    for tag, text in (("108", message.reference), ("121", message.uetr)):
        if not re.fullmatch(_IN_BLOCK_3[tag], text):
            raise MalformedInput(f"not of the form of field {tag}: {text[:40]!r}", where="block 3")
    places = {field.tag: place for place, field in enumerate(known)}
    at = -1
    for tag, text in message.fields:
        place = places[_known_tag(message.kind, tag)]
        if place == at:
            raise MalformedInput("the field stands twice", where=f"field {tag}")
        if place < at:
            raise MalformedInput("the field stands too late", where=f"field {tag}")
        at = place
        _check_field(message.kind, known[place], tag, text)
    told = {_known_tag(message.kind, tag) for tag, _ in message.fields}
    for field in known:
        if field.must and field.tag not in told:
            raise MalformedInput(f"the field ({field.name}) is missing", where=f"field {field.tag}")


_IN_BLOCK_3: Final = {
    "108": r"[A-Za-z0-9/\-?:().,'+ ]{0,16}",
    "121": r"(?:[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12})?",
}


def _check_field(kind: str, field: Field, tag: str, text: str) -> None:
    option = tag[len(field.tag) - 1 :] if field.tag[-1].islower() else ""
    if not pattern_of(field.formats[option]).fullmatch(text):
        raise MalformedInput(
            f"{text[:40]!r} is not of the form {field.formats[option]}", where=f"field {tag}"
        )
    if any(line.startswith((":", "-")) for line in text.split("\n")[1:]):
        raise MalformedInput("a line begins with a colon or a hyphen", where=f"field {tag}")
    words = WORDS.get((kind, tag))
    if words and text not in words:
        raise MalformedInput(f"{text!r} is none of {', '.join(words)}", where=f"field {tag}")
    if field.formats[option].startswith("6!n"):
        day_of(text[:6], tag)
    if "15d" in field.formats[option]:
        amount_of(text, tag)


def _known_tag(kind: str, tag: str) -> str:
    """The tag as the message's table has it. Raises MalformedInput for an unknown one."""
    for field in MESSAGES[kind]:
        if field.tag == tag:
            return tag
        if field.tag[-1].islower() and field.tag[:2] == tag[:2] and tag[2:] in field.formats:
            return field.tag
    raise MalformedInput(f"the field is not known in MT {kind}", where=f"field {tag[:8]}")


def _blocks(text: str) -> dict[str, str]:
    blocks: dict[str, str] = {}
    rest = text
    while rest:
        found = re.match(r"\{([1-5]):", rest)
        if found is None:
            raise MalformedInput(f"a block is expected, {rest[:20]!r} stands there")
        number = found[1]
        if number in blocks or (blocks and number < max(blocks)):
            raise MalformedInput("the block stands twice or too late", where=f"block {number}")
        end = rest.find("\n-}") if number == "4" else _end(rest)
        if end < 0:
            raise MalformedInput("the block does not end", where=f"block {number}")
        blocks[number] = rest[len(found[0]) : end]
        rest = rest[end + (3 if number == "4" else 1) :].lstrip("\n")
    return blocks


def _end(text: str) -> int:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if not depth:
            return place
    return -1


def _inner(text: str, where: str) -> dict[str, str]:
    found = list(_INNER.finditer(text))
    if "".join(one[0] for one in found) != text:
        raise MalformedInput("fields in braces are expected", where=where)
    told = {one[1]: one[2] for one in found}
    if len(told) != len(found):
        raise MalformedInput("a field stands twice", where=where)
    return told


def _fields(text: str) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, list[str]]] = []
    if not text.startswith("\n"):
        raise MalformedInput("the fields begin on a line of their own", where="block 4")
    for number, line in enumerate(text[1:].split("\n"), 1):
        found = _TAG.match(line)
        if found is not None:
            fields.append((found[1], [line[found.end() :]]))
        elif not fields or line.startswith(":"):
            raise MalformedInput("a field is expected", where=f"block 4, line {number}")
        else:
            fields[-1][1].append(line)
    return tuple((tag, "\n".join(lines)) for tag, lines in fields)


def _bic(terminal: str) -> str:
    bic = terminal[:8] + terminal[9:]
    return bic.removesuffix("XXX")


def _terminal(bic: str, letter: str) -> str:
    return bic[:8] + letter + (bic[8:] or "XXX")


def day_of(text: str, tag: str) -> date:
    """A day in six digits, of the years 1980 to 2079. Raises MalformedInput."""
    century = 1900 if text[:2] >= "80" else 2000
    try:
        return date(century + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError as error:
        raise MalformedInput(f"no such day: {text}", where=f"field {tag}") from error


def amount_of(text: str, tag: str) -> tuple[int, str]:
    """Minor units and currency of a field that ends with both. Raises MalformedInput."""
    found = re.search(r"([A-Z]{3})([0-9]+),([0-9]*)\Z", text)
    if found is None:
        raise MalformedInput("currency and amount are expected", where=f"field {tag}")
    try:
        return minor_of(f"{found[2]}.{found[3]}" if found[3] else found[2], found[1]), found[1]
    except MalformedInput as error:
        error.where = f"field {tag}"
        raise


def amount_text(minor: int, currency: str) -> str:
    """An amount as these messages write it: `CNY42000,` or `CNY42000,5`."""
    whole, _, part = decimal_of(minor, currency).partition(".")
    return f"{currency}{whole},{part.rstrip('0')}"
