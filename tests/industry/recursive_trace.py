"""The rules of a trace as one recursive query over the stored events: an oracle in SQL.

It shares neither code nor tables of its own with the index, and knows nothing of steps or paths:
which states are reached, each a thing, its window and whether it is the thing itself.
"""

from __future__ import annotations

from typing import Any, Final

from zhidao.core.timescale import Utc
from zhidao.store.database import Database

NEVER_NS: Final = -(2**62)
ALWAYS_NS: Final = 2**62
_DAY_NS: Final = 86_400 * 10**9
# What makes the query as fast as it can be; the node itself never asks this way.
INDEX: Final = "create index if not exists epcis_thing_event on industry.epcis_thing (name, owner)"

_SAID: Final = """
select 1 from industry.epcis_event as w
where w.name = {e}.name || '-' and w.owner = {e}.owner
"""


def _stands(event: str) -> str:
    """That an event is no declaration, not withdrawn, of a time that counts, and may be seen."""
    return (
        f"right({event}.name, 1) <> '-' and not exists ({_SAID.format(e=event)})"
        f" and {event}.at_ns >= %(earliest)s and {event}.at_ns - {event}.captured_ns <= %(day)s"
        f" and (%(viewer)s::text is null or {event}.owner = %(viewer)s"
        f" or %(viewer)s = any ({event}.visible))"
    )


_PACKING: Final = "kind in ('AggregationEvent', 'AssociationEvent')"


def _stays(here: str, there: str) -> str:
    """Stays of `walk.thing` as child or parent, their windows cut by that of `walk`."""
    return f"""
select other.thing, greatest(walk.from_ns, e.at_ns) as from_ns,
       least(walk.to_ns, coalesce(done.at_ns, %(always)s)) as to_ns, false as own
from industry.epcis_thing as this
join industry.epcis_event as e using (name, owner)
join industry.epcis_thing as other on (other.name, other.owner) = (this.name, this.owner)
     and other.role = '{there}'
join lateral (select
    case when this.role = 'child' then this.thing else other.thing end as child,
    case when this.role = 'child' then other.thing else this.thing end as parent) as pair on true
left join lateral (
    select min(u.at_ns) as at_ns
    from industry.epcis_thing as whose join industry.epcis_event as u using (name, owner)
    where whose.thing = pair.parent and whose.role = 'parent' and u.{_PACKING}
      and u.action = 'DELETE' and u.at_ns > e.at_ns and {_stands("u")}
      and (exists (select 1 from industry.epcis_thing as c where (c.name, c.owner) =
                   (whose.name, whose.owner) and c.role = 'child' and c.thing = pair.child)
           or not exists (select 1 from industry.epcis_thing as c where (c.name, c.owner) =
                   (whose.name, whose.owner) and c.role = 'child'))
) as done on true
where this.thing = walk.thing and this.role = '{here}' and e.{_PACKING} and e.action = 'ADD'
  and {_stands("e")}
  and greatest(walk.from_ns, e.at_ns) < least(walk.to_ns, coalesce(done.at_ns, %(always)s))
"""


def _turns(here: str, there: str, counts: str, window: str) -> str:
    """Steps through transformations from `walk.thing`."""
    return f"""
select other.thing, {window}, true as own
from industry.epcis_thing as this
join industry.epcis_event as e using (name, owner)
join lateral (
    select e.name, e.owner, e.at_ns where e.transformation = ''
    union all
    select o.name, o.owner, o.at_ns from industry.epcis_event as o
    where e.transformation <> '' and o.transformation = e.transformation and {_stands("o")}
) as part on true
join industry.epcis_thing as other on (other.name, other.owner) = (part.name, part.owner)
     and other.role = '{there}'
where this.thing = walk.thing and this.role = '{here}' and {_stands("e")} and {counts}
"""


def _lots(here: str, there: str, mine: str, its: str, counts: str, window: str) -> str:
    """Steps from a lot to the serials that were commissioned of it, or back."""
    return f"""
select other.thing, {window.replace("part.", "e.")}, true as own
from industry.epcis_thing as this
join industry.epcis_event as e using (name, owner)
join industry.epcis_thing as other on (other.name, other.owner) = (this.name, this.owner)
     and other.role = '{there}'
     and starts_with(other.thing, split_part(this.thing, '/{mine}/', 1) || '/{its}/')
where this.thing = walk.thing and this.role = '{here}' and e.kind = 'ObjectEvent'
  and exists (select 1 from industry.epcis_thing as lot where (lot.name, lot.owner) =
              (e.name, e.owner) and lot.role = 'lot')
  and {_stands("e")} and {counts}
"""


_ONWARD: Final = "e.at_ns >= walk.from_ns and (walk.own or e.at_ns < walk.to_ns)"
_MADE: Final = "part.at_ns as from_ns, %(always)s as to_ns"
_BACK: Final = "e.at_ns < walk.to_ns"
_OF: Final = "part.at_ns as from_ns, part.at_ns + 1 as to_ns"
_STEPS: Final = {
    "forward": (
        _turns("input", "output", _ONWARD, _MADE),
        _lots("lot", "epc", "10", "21", _ONWARD, _MADE),
        _stays("child", "parent"),
    ),
    "backward": (
        _turns("output", "input", _BACK, _OF),
        _lots("epc", "lot", "21", "10", _BACK, _OF),
        _stays("parent", "child"),
    ),
}


def statement(direction: str) -> str:
    """The query: all states that are reached from a thing."""
    return f"""with recursive walk (thing, from_ns, to_ns, own) as (
select %(thing)s::text collate "C", %(from_ns)s::bigint, %(to_ns)s::bigint, true
union
select step.thing, step.from_ns, step.to_ns, step.own from walk
join lateral ({" union all ".join(_STEPS[direction])}) as step on true
) select thing, from_ns, to_ns, own from walk"""


async def reached(
    database: Database, thing: str, direction: str, *, viewer: str | None, at: Utc | None = None
) -> list[tuple[str, int, int, bool]]:
    """The states that a recursive query reaches."""
    parameters: dict[str, Any] = {
        "thing": thing,
        "viewer": viewer,
        "from_ns": NEVER_NS if at is None else at.tai_ns,
        "to_ns": ALWAYS_NS if at is None else at.tai_ns + 1,
        "always": ALWAYS_NS,
        "day": _DAY_NS,
        "earliest": Utc.parse("1990-01-01T00:00:00Z").tai_ns,
    }
    async with database.session() as session:
        rows = await session.fetch_all(statement(direction), parameters)
    return [(row["thing"], row["from_ns"], row["to_ns"], row["own"]) for row in rows]
