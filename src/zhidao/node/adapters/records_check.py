"""Whether what the database says of who may do what is what the signed log says.

Each act of administration has an event, the event a leaf, and the leaf stands under the newest
signed head, of which a copy lies beside the database. So a row that somebody changed, added or
deleted in the database does not fit any more. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql as composing

from zhidao.core.actor import Role
from zhidao.core.errors import ZhidaoError
from zhidao.core.events import SignedEvent, leaf_bytes
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.adapters.directory_check import parties_apart, peers_apart
from zhidao.node.adapters.sign_in.identity_store import identity_of
from zhidao.node.adapters.sign_in.passkey_store import passkey_of
from zhidao.node.events import Administered
from zhidao.node.security import people, tokens
from zhidao.node.security.administration import PREFIX, Act
from zhidao.node.security.callers import EARLIER, Person, Token
from zhidao.node.security.openid import identities
from zhidao.node.security.passkeys import records
from zhidao.store.database import Database, Session
from zhidao.store.migrate import JOURNAL_ROOMS
from zhidao.trust.domain.merkle import leaf_hash, root_of
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.service.log.entries import COMMITMENT_PREFIX

# More of one kind are counted, not named.
NAMED_MAX: Final = 10
LEAVES_AT_ONCE: Final = 10_000


_KINDS: Final[dict[str, str]] = {
    **dict.fromkeys((Act.TOKEN_MADE, Act.TOKEN_AGREED, Act.TOKEN_WITHDRAWN), "token"),
    **dict.fromkeys(
        (
            *(Act.FIRST_ADMIN_MADE, Act.PERSON_MADE, Act.PERSON_AGREED, Act.PERSON_WITHDRAWN),
            *(Act.PERSON_INVITED, Act.INVITATION_ACCEPTED),
            *(Act.PERSON_CHANGED, Act.PASSWORD_CHANGED, Act.PASSWORD_RESET),
        ),
        "person",
    ),
    **dict.fromkeys((Act.PASSKEY_ADDED, Act.PASSKEY_REMOVED), "passkey"),
    **dict.fromkeys((Act.IDENTITY_LINKED, Act.IDENTITY_UNLINKED), "identity"),
}
_ENDS: Final = (
    *(Act.TOKEN_WITHDRAWN, Act.PERSON_WITHDRAWN),
    *(Act.PASSKEY_REMOVED, Act.IDENTITY_UNLINKED),
)


@dataclass(slots=True)
class _Expected:
    """What the acts say of one token or person."""

    made: str = ""
    agreed: str = ""
    withdrawn: bool = False


async def examine_records(database: Database, head: Checkpoint | None) -> list[str]:
    """What does not fit, one sentence each; empty if everything does. `head`: the copy's."""
    async with database.session(snapshot=True) as session:
        found = [*await log_apart(session, head), *await _rooms(session), *await _leaves(session)]
        acts, facts, wrong = await _acts(session)
        found += wrong
        parties, peers = await parties_apart(session, facts), await peers_apart(session)
        found += _named(parties.changed, "parties are not what was made")
        found += _named(parties.gone, "parties are gone")
        found += _named(peers.changed, "peers are not what was admitted")
        found += _named(peers.gone, "peers are gone")
        found += await _tokens(session, acts)
        found += await _persons(session, acts)
        found += await _passkeys(session, acts)
        found += await _identities(session, acts)
    return found


async def log_apart(session: Session, head: Checkpoint | None) -> list[str]:
    """How the log's first leaves differ from a head of it; empty if they give its root."""
    if head is None:
        return []
    hashes: list[bytes] = []
    for first in range(0, head.size, LEAVES_AT_ONCE):
        rows = await session.fetch_all(
            "select entry from trust.log_leaf where origin = %s and leaf_index >= %s"
            " and leaf_index < %s order by leaf_index",
            (head.origin, first, min(head.size, first + LEAVES_AT_ONCE)),
        )
        hashes += [leaf_hash(row["entry"]) for row in rows]
    if len(hashes) != head.size:
        gone = head.size - len(hashes)
        return [f"the log lacks {gone} of the {head.size} leaves that its head covers"]
    if root_of(hashes) != head.root:
        return ["leaves of the log were changed: they do not give the root of its signed head"]
    return []


async def _rooms(session: Session) -> list[str]:
    """Events without the row that says which leaf they have, and the other way round."""
    found = []
    for room in JOURNAL_ROOMS:
        query = (
            "select coalesce(e.aggregate, b.aggregate) as aggregate, e.id is null as gone,"
            " b.event_id is null as loose"
            " from {room}.event as e full join {room}.outbox as b"
            " on b.aggregate = e.aggregate and b.event_id = e.id"
            " where e.id is null or b.event_id is null order by 1"
        )
        rows = await session.fetch_all(_of_room(query, room))
        gone = [row["aggregate"] for row in rows if row["gone"]]
        loose = [row["aggregate"] for row in rows if row["loose"]]
        found += _named(gone, f"events of {room} were deleted")
        found += _named(loose, f"events of {room} have lost their place in the log")
        query = (
            "select b.aggregate from {room}.outbox as b where b.leaf_index is not null"
            " and not exists (select 1 from trust.log_leaf as l"
            " where l.leaf_index = b.leaf_index and l.entry = b.leaf) order by 1"
        )
        rows = await session.fetch_all(_of_room(query, room))
        changed = [row["aggregate"] for row in rows]
        found += _named(changed, f"events of {room} name leaves that the log does not have")
    return found


async def _leaves(session: Session) -> list[str]:
    """Leaves of events that no room knows: both rows were deleted."""
    known = composing.SQL(" union all ").join(
        composing.SQL("select leaf_index from {room}.outbox where leaf_index is not null").format(
            room=composing.Identifier(room)
        )
        for room in JOURNAL_ROOMS
    )
    query = composing.SQL(
        "select leaf_index from trust.log_leaf"
        " where substring(entry from 1 for %(length)s::integer) <> %(prefix)s::bytea"
        " except ({known}) order by 1"
    ).format(known=known)
    rows = await session.fetch_all(
        query.as_string(None),
        {"length": len(COMMITMENT_PREFIX), "prefix": COMMITMENT_PREFIX},
    )
    leaves = [str(row["leaf_index"]) for row in rows]
    return _named(leaves, "leaves of the log have lost their events, which were deleted")


async def _acts(
    session: Session,
) -> tuple[dict[tuple[str, str], _Expected], list[Administered], list[str]]:
    """What the acts say, by kind and name; all of them; and those whose rows were changed."""
    rows = await session.fetch_all(
        "select e.aggregate, e.event, e.salt, b.leaf from node.event as e join node.outbox as b"
        " on b.aggregate = e.aggregate and b.event_id = e.id"
        " where starts_with(e.aggregate, %s) order by e.aggregate",
        (PREFIX,),
    )
    said: dict[tuple[str, str], _Expected] = {}
    changed, facts = [], []
    for row in rows:
        try:
            event = SignedEvent.decode(row["event"])
            fits = leaf_bytes(event, row["salt"]) == row["leaf"]
            fact = Administered.of(event)
        except ZhidaoError:
            fits = False
        if not fits:
            changed.append(row["aggregate"])
            continue
        facts.append(fact)
        if kind := _KINDS.get(fact.act) or fact.values.get("kind", ""):
            # What a person has several of bears an id of its own; the subject is whose it is.
            of = fact.values.get("id", fact.subject)
            _fold(said.setdefault((kind, of), _Expected()), fact)
    return said, facts, _named(changed, "acts of administration were changed")


def _fold(expected: _Expected, fact: Administered) -> None:
    if fact.act in _ENDS:
        expected.withdrawn = True
    else:
        # What was unlinked may be linked again; a token or a person never comes back.
        expected.withdrawn = expected.withdrawn and fact.act != Act.IDENTITY_LINKED
        expected.made = fact.values.get("made", expected.made)
        expected.agreed = fact.values.get("agreed", expected.agreed)


async def _tokens(session: Session, acts: Mapping[tuple[str, str], _Expected]) -> list[str]:
    rows = await session.fetch_all("select * from node.token order by token_id")
    wrong = []
    for row in rows:
        token = _token(row)
        if token.revoked and token.agreed == EARLIER:
            # It was withdrawn before acts left a trace, and opens nothing.
            continue
        said = acts.get(("token", token.id), _Expected())
        is_right = (tokens.digest_of(token), token.agreed) == (said.made, said.agreed)
        if not is_right or token.revoked is not said.withdrawn:
            wrong.append(token.id)
    found = _named(wrong, "tokens are not what was made, agreed and withdrawn")
    gone = _missing("token", {row["token_id"] for row in rows}, acts)
    return found + _named(gone, "tokens are gone")


async def _persons(session: Session, acts: Mapping[tuple[str, str], _Expected]) -> list[str]:
    rows = await session.fetch_all("select * from node.person order by name")
    wrong = []
    for row in rows:
        person = _person(row)
        said = acts.get(("person", person.name), _Expected())
        # Who is withdrawn has no password left to compare.
        is_right = person.withdrawn or people.digest_of(person) == said.made
        if not is_right or person.withdrawn is not said.withdrawn:
            wrong.append(person.name)
    found = _named(wrong, "people are not what was made, agreed and withdrawn")
    gone = _missing("person", {row["name"] for row in rows}, acts)
    return found + _named(gone, "people are gone")


# Times are no part of what an act says, and a changed one need not be any instant.
_SOME_TAI_NS: Final = Utc.parse("2026-01-01T00:00:00Z").tai_ns
_PASSKEYS: Final = (
    "select credential_id, name, label, host, public_key, 0 as sign_count, false as falls,"
    " %s::bigint as created_tai_ns, 0 as used_tai_ns from node.passkey"
)
_IDENTITIES: Final = (
    "select issuer, claim, value, name, %s::bigint as made_tai_ns from node.identity"
)


async def _passkeys(session: Session, acts: Mapping[tuple[str, str], _Expected]) -> list[str]:
    rows = await session.fetch_all(_PASSKEYS, (_SOME_TAI_NS,))
    found = {each.id: records.digest_of(each) for each in map(passkey_of, rows)}
    return _apart("passkey", "passkeys", found, acts)


async def _identities(session: Session, acts: Mapping[tuple[str, str], _Expected]) -> list[str]:
    rows = await session.fetch_all(_IDENTITIES, (_SOME_TAI_NS,))
    found = {each.id: identities.digest_of(each) for each in map(identity_of, rows)}
    return _apart("identity", "identities", found, acts)


def _apart(
    kind: str,
    several: str,
    found: Mapping[str, str],
    acts: Mapping[tuple[str, str], _Expected],
) -> list[str]:
    """Rows, by their digests, that are not what was added, and added ones without a row."""
    said = {name: each for (of, name), each in acts.items() if of == kind and not each.withdrawn}
    wrong = [name for name in found if name not in said or said[name].made != found[name]]
    told = _named(wrong, f"{several} are not what was added and removed")
    return told + _named(set(said) - set(found), f"{several} are gone")


def _missing(
    kind: str, present: set[str], acts: Mapping[tuple[str, str], _Expected]
) -> Iterator[str]:
    for of, name in acts:
        if of == kind and name not in present:
            yield name


def _token(row: Mapping[str, Any]) -> Token:
    return Token(
        row["token_id"],
        PartyId(row["party"]),
        Role(row["role"]),
        row["label"],
        row["secret_hash"],
        Utc(row["created_tai_ns"]),
        row["key"],
        row["revoked"],
        row["agreed"],
    )


def _person(row: Mapping[str, Any]) -> Person:
    return Person(
        row["name"],
        PartyId(row["party"]),
        Role(row["role"]),
        row["password_hash"],
        row["waiting_hash"],
        row["agreed"],
        row["withdrawn"],
        row.get("acted", False),  # None before migration 0017.
    )


def _named(which: Any, what: str) -> list[str]:
    names = sorted(which)
    if not names:
        return []
    rest = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return [f"{what}: {', '.join(names[:NAMED_MAX])}{rest}"]


def _of_room(text: str, room: str) -> str:
    return composing.SQL(text).format(room=composing.Identifier(room)).as_string(None)
