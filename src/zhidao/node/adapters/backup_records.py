"""What a node's database says of its backups, and of what was withdrawn: rows and signed acts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.canonical import decode_json
from zhidao.core.errors import ZhidaoError
from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.node.events import Administered
from zhidao.node.security.administration import PREFIX, Act, PendingAct
from zhidao.store.backup import Link
from zhidao.store.database import Session

NUMBER: Final = "number"
NEWEST: Final = "newest"
_ACTS: Final = (
    Act.BACKUP_BEGUN,
    Act.RESTORED,
    Act.TOKEN_WITHDRAWN,
    Act.PERSON_WITHDRAWN,
)
# Any of a node's acts may wait for the same moment to be numbered.
_LOCK: Final = "select pg_advisory_xact_lock(hashtext('zhidao backup'))"


@dataclass(frozen=True, slots=True)
class Known:
    """The newest backup's number (0: none), and tokens and people that are withdrawn."""

    newest: int = 0
    tokens: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


async def known_in(session: Session) -> Known:
    """What rows and acts of a database say; a row alone could have been changed."""
    tokens = await session.fetch_all("select token_id as name from node.token where revoked")
    place = await session.fetch_one("select to_regclass('node.waiting_act') is null as missing")
    if place is None or place["missing"]:
        # An earlier release: it kept no acts, and withdrew nobody but tokens.
        return Known(tokens=frozenset(row["name"] for row in tokens))
    people = await session.fetch_all("select name from node.person where withdrawn")
    said: dict[str, set[str]] = {
        Act.TOKEN_WITHDRAWN: {row["name"] for row in tokens},
        Act.PERSON_WITHDRAWN: {row["name"] for row in people},
    }
    newest = 0
    for fact in await _facts(session):
        if fact.act in said:
            said[fact.act].add(fact.subject)
        else:
            newest = max(newest, _number(fact.values))
    return Known(
        newest, frozenset(said[Act.TOKEN_WITHDRAWN]), frozenset(said[Act.PERSON_WITHDRAWN])
    )


async def next_number(session: Session) -> int:
    """The number of the next backup; nobody else gets it before this transaction ends."""
    await session.fetch_one(_LOCK)
    return 1 + max((_number(fact.values) for fact in await _facts(session)), default=0)


def withdraw_tokens(link: Link, *, kept: Sequence[str]) -> list[tuple[str, PartyId]]:
    """Withdraws every token but these, in a database that nobody uses yet; tells which and whose.

    Of people nothing is changed, see `close_people`.
    """
    rows = link.execute(
        b"update node.token set revoked = true where not revoked and token_id <> all(%s)"
        b" returning token_id, party",
        (list(kept),),
    ).fetchall()
    return sorted((token, PartyId(party)) for token, party in rows)


def living_tokens(link: Link) -> set[str]:
    """Tokens that are not withdrawn."""
    rows = link.execute(b"select token_id from node.token where not revoked").fetchall()
    return {row[0] for row in rows}


def close_people(link: Link, names: Sequence[str]) -> None:
    """Takes people's passwords, so that nobody signs in as them."""
    link.execute(b"update node.person set password_hash = '' where name = any(%s)", (list(names),))


async def withdraw_people(session: Session, names: Sequence[str]) -> list[tuple[str, PartyId]]:
    """Marks people as withdrawn; tells which and whose."""
    rows = await session.fetch_all(
        "update node.person set withdrawn = true, password_hash = '', waiting_hash = ''"
        " where name = any(%s) and not withdrawn returning name, party",
        (list(names),),
    )
    return sorted((row["name"], PartyId(row["party"])) for row in rows)


async def _facts(session: Session) -> list[Administered]:
    """Acts of the kinds above, signed or waiting."""
    found: list[Administered] = []
    for act in _ACTS:
        named = f'"{act.value}"'.encode()
        rows = await session.fetch_all(
            "select event from node.event where starts_with(aggregate, %s)"
            " and position(%s::bytea in event) > 0",
            (PREFIX, named),
        )
        found += [fact for fact in _signed(rows) if fact.act == act]
        waiting = await session.fetch_all(
            "select act from node.waiting_act where position(%s::bytea in act) > 0", (named,)
        )
        pending = (decode_json(row["act"], PendingAct).fact for row in waiting)
        found += [fact for fact in pending if fact.act == act]
    return found


def _signed(rows: Sequence[Mapping[str, Any]]) -> Iterator[Administered]:
    for row in rows:
        try:
            yield Administered.of(SignedEvent.decode(row["event"]))
        except ZhidaoError:
            continue  # `zhidao doctor` names an act that somebody changed.


def _number(values: Mapping[str, str]) -> int:
    numbers = (values.get(name, "") for name in (NUMBER, NEWEST))
    return max((int(text) for text in numbers if text.isascii() and text.isdecimal()), default=0)
