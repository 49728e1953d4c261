"""What a message is before anything is booked: read, held to schema or outline, judged by rules."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from zhidao.core.archive import digest_of
from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import Message
from zhidao.finance.domain.payments.payment_legs import Refusal
from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.profiles import Profile
from zhidao.finance.wire.iso20022.syntax.columns import columns_of, columns_of_text
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope, read_envelope
from zhidao.finance.wire.iso20022.syntax.structure import check
from zhidao.finance.wire.iso20022.usage.shapes import shaped
from zhidao.finance.wire.iso20022.usage.usage import violations

if TYPE_CHECKING:
    from lxml.etree import _Element

NOTE_CHARACTERS_MAX: Final = 315
_NOT_CHECKED: Final = "not checked"
_PAST: Final = frozenset({"day-past"})
_UNNAMED: Final = "NOTPROVIDED"
_HELD_BYTES_MAX: Final = 64 * 1024


class SchemaJudge(Protocol):
    """Official schemas, as far as they are installed."""

    def judge(self, message: str, document: _Element) -> str:
        """`valid by …` or `not checked`. Raises MalformedInput with the place."""
        ...


class Rules(NamedTuple):
    """What messages are held to: schemas, the network's profile and the year of its rules.

    `network`: the profile, or tells it as it is now.
    """

    schemas: SchemaJudge
    network: Profile | Callable[[], Profile]
    year: int

    @property
    def profile(self) -> Profile:
        """The network's profile of this moment; ask once for what belongs together."""
        return self.network if isinstance(self.network, Profile) else self.network()


class Examined(NamedTuple):
    """A message that can be read. `whole`: why none of it goes; `broken`: why a payment does not.

    `schema`: the official schema's verdict, or that none was at hand.
    """

    message: Message
    digest: str
    whole: Refusal | None
    broken: dict[int, Refusal]
    schema: str
    overdue: frozenset[int] = frozenset()
    """Payments whose only fault is that their day has passed."""


class Unreadable(NamedTuple):
    """A message that cannot be read, as far as it says what it wants to be."""

    definition: str
    message: str
    digest: str
    why: Refusal


def examine(data: bytes, rules: Rules, *, at: datetime | None) -> Examined | Unreadable:
    """Reads a message whole. `at`: now, with its offset; without it days are not looked at."""
    envelope: Envelope | None = None
    digest, profile = digest_of(data), rules.profile
    try:
        envelope = read_envelope(data)
        schema = rules.schemas.judge(envelope.definition, envelope.document)
        columns = columns_of_text(envelope, data)
        if schema == _NOT_CHECKED:
            check(envelope.document, envelope.definition, columns)
        plain = shaped(data)
        told = None if plain is None else plain.message()
        if plain and told and plain.plainly_fine(profile, year=rules.year, at=at):
            return Examined(told, digest, None, {}, schema)
        # As long as somebody holds them, lxml makes each element and its name once for all readers.
        held = list(envelope.document.iter()) if len(data) < _HELD_BYTES_MAX else []
        columns = columns or columns_of(envelope)
        message = told or decode(envelope, checked=True, columns=columns)
    except MalformedInput as error:
        code = error.code if len(error.code) == 4 else "FF01"
        why = Refusal(code, note_of(error.args[0], error.where))
        if envelope is None:
            return Unreadable("", _UNNAMED, digest, why)
        return Unreadable(envelope.definition, _name_in(envelope), digest, why)
    whole: Refusal | None = None
    broken: dict[int, Refusal] = {}
    found = violations(envelope, year=rules.year, profile=profile, at=at, columns=columns)
    del held
    rules_of: dict[int, set[str]] = defaultdict(set)
    for one in found:
        rules_of[max(one.transaction, -1)].add(one.rule)
        refusal = Refusal(one.code, note_of(f"{one.rule}: {one.sentence}", one.path, one.line))
        if one.transaction < 0:
            whole = whole or refusal
        else:
            broken.setdefault(one.transaction, refusal)
    overdue = frozenset(n for n, names in rules_of.items() if n >= 0 and names <= _PAST)
    return Examined(message, digest, whole, broken, schema, overdue)


def examine_many(
    many: Sequence[bytes], rules: Rules, *, at: datetime | None
) -> list[Examined | Unreadable]:
    """The same for many messages."""
    with no_collection():
        return [examine(data, rules, at=at) for data in many]


@contextmanager
def no_collection() -> Iterator[None]:
    """No search for garbage inside: for code that makes many values and no cycles.

    Looking through those values again and again would double its time. Nothing may wait inside.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def note_of(sentence: str, *where: str) -> str:
    """A sentence with its place, as a message can carry it."""
    place = ", ".join(one for one in where if one)
    text = f"{sentence} ({place})" if place else sentence
    seen = "".join(letter if letter.isprintable() else "?" for letter in text)
    return seen[:NOTE_CHARACTERS_MAX].strip()


def _name_in(envelope: Envelope) -> str:
    """The message's own id, if something like it can be found."""
    for name in ("MsgId", "Id"):
        found = next(envelope.document.iter(f"{{*}}{name}"), None)
        text = "" if found is None else (found.text or "").strip()
        if 0 < len(text) <= 35 and text.isprintable():
            return text
    return _UNNAMED
