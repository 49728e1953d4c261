"""What events say, read out of PostgreSQL by the column: no event is parsed, no row an object."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import numpy as np

from zhidao.industry.domain.epcis_event import DAY_NS, EARLIEST, Role
from zhidao.industry.domain.genealogy_loading import Said, SaidEvents, SaidThings
from zhidao.industry.domain.names import Array
from zhidao.store.database import Database, Session

PAGE: Final = 50_000
# Of a name, the hash in hexadecimal; a dash at its end is an error declaration.
_DIGEST: Final = "decode(substr(name, 15, 64), 'hex')"
_EVENTS: Final = (
    # Nothing of a request stands in the text.
    f"select coalesce(string_agg({_DIGEST}, ''::bytea), ''::bytea) as digests,"  # noqa: S608
    " coalesce(string_agg(int8send(at_ns), ''::bytea), ''::bytea) as at_ns,"
    " coalesce(array_agg(kind || ' ' || action || ' ' || biz_step || case when right(name, 1) = '-'"
    " then ' -' else '' end), '{}') as words, coalesce(array_agg("
    " array_to_string(array_prepend(owner, visible), ',')), '{}') as parties,"
    " coalesce(array_agg(transformation), '{}') as transformations,"
    " max(captured_ns) as captured_ns from ("
    "select name, owner, visible, at_ns, captured_ns, kind, action, biz_step, transformation"
    " from industry.epcis_event"
    # As they were written: their rows lie side by side, those of names in order do not.
    " where (captured_ns, name, owner) > (%(captured_ns)s, %(name)s, %(owner)s)"
    f" and at_ns >= {EARLIEST.tai_ns} and at_ns <= captured_ns + {DAY_NS}"
    " order by captured_ns, name, owner limit %(page)s) as page"
)
# Each thing once with all its mentions. As bytes: to count the characters of a name costs as much
# as all else. That of an error declaration is of 90; a planner believes that few are of 89.
_THINGS: Final = (
    "select coalesce(array_agg(thing), '{}') as things,"
    " string_agg(int8send(counted), ''::bytea) as counts, string_agg(roles, '') as roles,"
    " string_agg(digests, ''::bytea) as digests,"
    # A party's name holds no comma.
    " case when min(least) = max(most) then min(least) else string_agg(owners, ',') end as owners"
    " from (select thing, count(*) as counted, string_agg(left(role, 1), '') as roles,"
    " string_agg(substring(name::bytea from 15 for 64), ''::bytea) as digests,"
    " string_agg(owner, ',') as owners, min(owner) as least, max(owner) as most"
    " from (select thing, role, name, owner from industry.epcis_thing"
    " where (thing, role, name, owner) > (%(thing)s, %(role)s, %(name)s, %(owner)s)"
    " and octet_length(name) <> 90 order by thing, role, name, owner limit %(page)s) as page"
    " group by thing) as named"
)
_ROLES: Final = {role[0]: str(role) for role in Role}


async def said(database: Database) -> AsyncGenerator[Said]:
    """All pages of events, then all of what they name, of one state of the database."""
    async with database.session(snapshot=True) as session:
        async for events in _events(session):
            yield events
        async for things in _things(session):
            yield things


async def _events(session: Session) -> AsyncGenerator[SaidEvents]:
    after: dict[str, Any] = {"captured_ns": -(2**63), "name": "", "owner": ""}
    while True:
        row = await _page(session, _EVENTS, after)
        parties, words, digests = row["parties"], row["words"], _digests(row["digests"])
        if parties:
            yield SaidEvents(
                digests=digests,
                at_ns=np.frombuffer(row["at_ns"], ">i8").astype(np.int64),
                words=words,
                parties=parties,
                transformations=row["transformations"],
            )
        if len(parties) < PAGE:
            return
        after = {
            "captured_ns": row["captured_ns"],
            "name": _name(digests[-1]) + ("-" if words[-1].endswith(" -") else ""),
            "owner": parties[-1].partition(",")[0],
        }


async def _things(session: Session) -> AsyncGenerator[SaidThings]:
    after: dict[str, Any] = {"thing": "", "role": "", "name": "", "owner": ""}
    while True:
        row = await _page(session, _THINGS, after)
        if not row["things"]:
            return
        said = SaidThings(
            things=row["things"],
            counts=np.frombuffer(row["counts"], ">i8").astype(np.int64),
            roles=row["roles"].encode(),
            digests=_digests(bytes.fromhex(row["digests"].decode())),
            by=row["owners"].split(","),
        )
        yield said
        if len(said.roles) < PAGE:
            return
        after = _last(said)


def _last(said: SaidThings) -> dict[str, Any]:
    """The last row of a page, whose things stand in any order and whose mentions in theirs."""
    thing = max(said.things)
    last = int(said.counts[: said.things.index(thing) + 1].sum()) - 1
    return {
        "thing": thing,
        "role": _ROLES[chr(said.roles[last])],
        "name": _name(said.digests[last]),
        "owner": said.by[last % len(said.by)],
    }


async def _page(session: Session, sql: str, after: Mapping[str, Any]) -> dict[str, Any]:
    row = await session.fetch_one(sql, {**after, "page": PAGE})
    assert row is not None, "an aggregate has one row"
    return row


def _name(digest: Array) -> str:
    return f"ni:///sha-256;{digest.tobytes().hex()}?ver=CBV2.0"


def _digests(told: bytes) -> Array:
    return np.frombuffer(told, np.uint8).reshape(-1, 32)
