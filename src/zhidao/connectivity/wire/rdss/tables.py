"""The sentences' columns: names, units, and what their codes mean.

As public implementations give them; no copy of a standard was at hand (not checked).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """A field's name, its unit, meanings of its codes; `shape`: clock or degrees."""

    name: str
    unit: str = ""
    meanings: Mapping[str, str] = field(default_factory=dict)
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """What a sentence is, of which protocol, and its columns in their order."""

    title: str
    protocol: str
    columns: tuple[Column, ...]


_BOTH: Final = "2.1"
_NEW: Final = "BDS-3"
_OWN: Final = "vendor"
_CLOCK: Final = Column("time", "", {}, "clock")
_URGENT: Final = Column("urgency", "", {"A": "urgent", "V": "ordinary"})
_HIGH: Final = Column("height", "", {"H": "high", "L": "ordinary"})
_POINT: Final = Column("frequency point", "", {"1": "first", "5": "fifth"})
_METRES: Final = Column("unit", "", {"M": "metres"})
_LETTERS: Final = {"N": "north", "S": "south", "E": "east", "W": "west"}
_CODING_21: Final = Column(
    "coding", "", {"0": "Chinese characters", "1": "code", "2": "mixed, after A4"}
)
_CODING_3: Final = Column(
    "coding",
    "",
    {
        "1": "Chinese characters",
        "2": "code",
        "3": "mixed, after A4",
        "4": "compressed characters",
        "5": "compressed code",
    },
)
_USER: Final = {
    "0": "commanding unit",
    "1": "user of the first class",
    "2": "user of the second class",
    "3": "user of the third class",
    "4": "commanding unit, authenticated",
    "5": "user of the first class, authenticated",
    "6": "user of the second class, authenticated",
    "7": "user of the third class, authenticated",
}
_DONE: Final = Column("done", "", {"Y": "carried out", "N": "refused"})
_REQUEST: Final = Column(
    "request",
    "",
    {"TXA": "send a message", "TCQ": "send a message", "DWA": "locate", "EPQ": "report"},
)
_REASONS_21: Final = {
    "0": "none",
    "1": "the system suppressed sending",
    "2": "suppressed: battery low",
    "3": "suppressed: silence is set",
    "4": "power not locked",
}
_REASONS_3: Final = {
    "0": "none",
    "1": "the interval is not over",
    "2": "sending is suppressed",
    "3": "silence is set",
    "4": "power not locked",
    "5": "no card",
    "6": "no permission",
}
_WAIT: Final = Column("wait left", "s")
FKI_3: Final = (_CLOCK, _REQUEST, _DONE, Column("reason", "", _REASONS_3), _WAIT)
FKI_21: Final = (_REQUEST, _DONE, Column("suppression", "", _REASONS_21), _WAIT)
FKI_21_LONG: Final = (
    _REQUEST,
    _DONE,
    Column("interval set", "", {"Y": "well", "N": "wrongly"}),
    Column("suppression", "", _REASONS_21),
    _WAIT,
)
_TCQ_HEAD: Final = (
    Column("receiver"),
    _POINT,
    Column("confirmation", "", {"1": "not asked for", "2": "asked for"}),
    _CODING_3,
)
TCQ_SPACED: Final = (*_TCQ_HEAD, Column("empty"), Column("payload"))
_QUERY: Final = (
    Column("kind", "", {"0": "this unit's card", "1": "subordinates"}),
    Column("frame of subordinates"),
)
_ICP: Final = (
    Column("card"),
    Column("broadcast number"),
    Column("authorisation"),
    Column("identity of the user"),
    Column("identity of the service"),
    Column("confidential", "", {"N": "no", "Y": "yes", "E": "yes"}),
    Column("kind of device"),
    Column("search and rescue", "", {"N": "no", "Y": "yes"}),
    Column("military"),
    Column("civil"),
    Column("allied"),
    Column("priority of the user"),
    Column("services allowed"),
    Column("interval, regional", "s"),
    Column("level, regional", "", {"0": "the fifth, on some units"}),
    Column("identity, global"),
    Column("rights, global"),
    Column("interval, global"),
    Column("level, global"),
    Column("subordinates"),
    Column("rights of groups"),
    Column("groups of its own"),
    Column("groups joined"),
)
TABLES: Final[Mapping[str, Table]] = {
    "CCICA": Table("question for the card", _BOTH, _QUERY),
    "CCICI": Table("question for the card", _NEW, _QUERY),
    "CCICR": Table("question for the card", _NEW, _QUERY),
    "BDICI": Table(
        "the card",
        _BOTH,
        (
            Column("card"),
            Column("serial number"),
            Column("broadcast number"),
            Column("kind of user", "", _USER),
            Column("interval", "s"),
            Column("level", "", {"0": "the fifth, on some units"}),
            Column("encrypted", "", {"E": "yes", "N": "no"}),
            Column("subordinates"),
        ),
    ),
    "BDICP": Table("the card", _NEW, _ICP),
    "CCTXA": Table(
        "send a message",
        _BOTH,
        (
            Column("receiver"),
            Column("kind", "", {"0": "express", "1": "ordinary"}),
            _CODING_21,
            Column("payload"),
        ),
    ),
    "BDTXR": Table(
        "a message came",
        _BOTH,
        (
            Column(
                "kind",
                "",
                {
                    "1": "ordinary",
                    "2": "express",
                    "3": "broadcast",
                    "4": "looked up, the newest",
                    "5": "looked up by its sender",
                },
            ),
            Column("sender"),
            _CODING_21,
            _CLOCK,
            Column("payload"),
        ),
    ),
    "CCTCQ": Table(
        "send a message",
        _NEW,
        (*_TCQ_HEAD, Column("payload"), Column("repeat interval", "s", {"0": "once"})),
    ),
    "BDTCI": Table(
        "a message came",
        _NEW,
        (
            Column("sender"),
            Column("receiver"),
            _POINT,
            _CLOCK,
            _CODING_3,
            Column("reserved"),
            Column("payload"),
        ),
    ),
    "BDFKI": Table("what came of a request", f"{_BOTH} or {_NEW}", ()),
    "BDBSI": Table(
        "beams",
        _BOTH,
        (
            Column("response beam", "", {"0": "none"}),
            Column("time-difference beam", "", {"0": "none"}),
        ),
    ),
    "BDPWI": Table("power of the beams", _NEW, ()),
    "BDSNR": Table("power of the beams", _OWN, ()),
    "CCRMO": Table(
        "have a sentence written",
        f"{_BOTH} or {_NEW}",
        (
            Column("sentence", "", {"BSI": "beams", "PWI": "power of the beams"}),
            Column(
                "mode",
                "",
                {
                    "1": "stop this one",
                    "2": "start this one",
                    "3": "stop all",
                    "4": "start all",
                },
            ),
            Column("interval", "s", {"0": "once"}),
        ),
    ),
    "CCDWA": Table(
        "have the system locate the user",
        _BOTH,
        (
            Column("user", "", {"0": "this unit"}),
            _URGENT,
            Column(
                "altimetry",
                "",
                {"0": "height given", "1": "no height", "2": "first", "3": "second"},
            ),
            _HIGH,
            Column("height", "m"),
            Column("antenna height", "m"),
            Column("pressure", "Pa"),
            Column("temperature", "degrees Celsius"),
            Column("repeat interval", "s", {"0": "once"}),
        ),
    ),
    "BDDWR": Table(
        "where the system located a user",
        _BOTH,
        (
            Column("kind", "", {"1": "of this unit"}),
            Column("user"),
            _CLOCK,
            Column("latitude", "ddmm.mmmm", {}, "degrees"),
            Column("hemisphere", "", _LETTERS),
            Column("longitude", "dddmm.mmmm", {}, "degrees"),
            Column("hemisphere", "", _LETTERS),
            Column("height", "m"),
            _METRES,
            Column("height anomaly", "m"),
            _METRES,
            Column("accuracy", "", {"0": "20 m", "1": "100 m"}),
            _URGENT,
            Column("ambiguous", "", {"Y": "yes", "V": "no"}),
            _HIGH,
        ),
    ),
    "BDEPI": Table(
        "a position or distress report came",
        _NEW,
        (
            Column("sender"),
            Column("receiver"),
            Column("kind of service"),
            _CLOCK,
            Column("longitude", "dddmm.mm", {}, "degrees"),
            Column("hemisphere", "", _LETTERS),
            Column("latitude", "ddmm.mm", {}, "degrees"),
            Column("hemisphere", "", _LETTERS),
            Column("height", "m"),
            Column("kind of safety"),
            Column("command"),
            Column("length of the state"),
            Column("state"),
        ),
    ),
    "BDDEF": Table("factory settings", _OWN, (Column("result", "", {"OK": "done"}),)),
    "BDBTX": Table(
        "setting of the radio link", _OWN, (Column("result", "", {"1": "done", "0": "failed"}),)
    ),
}
