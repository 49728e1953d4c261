"""Spoiled EPCIS events: each has a hash, or is refused with a pointer to what is wrong in it."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.industry.domain.event_hash import event_hash

FULL: dict[str, Any] = {
    "type": "TransformationEvent",
    "eventTime": "2026-01-01T08:00:00.123+08:00",
    "eventTimeZoneOffset": "+08:00",
    "recordTime": "2026-01-01T08:00:00Z",
    "eventID": "urn:uuid:1",
    "action": "OBSERVE",
    "bizStep": "commissioning",
    "disposition": "urn:epcglobal:cbv:disp:active",
    "certificationInfo": ["https://example.org/a"],
    "parentID": "urn:epc:id:sscc:4012345.3111111111",
    "epcList": ["urn:epc:id:sgtin:4012345.011111.2", "https://example.org/01/09780345418913/21/7"],
    "inputEPCList": ["urn:x:1"],
    "outputQuantityList": [{"epcClass": "urn:y", "quantity": 1.5, "uom": "KGM"}],
    "inputQuantityList": [{"epcClass": "https://example.org/01/9780345418913/10/A"}],
    "transformationID": "urn:t",
    "readPoint": {"id": "urn:epc:id:sgln:4012345.00005.122", "x:a": {"b": [1, {"c": "d"}]}},
    "bizLocation": {"id": "urn:epc:id:sgln:4012345.00005.0"},
    "persistentDisposition": {"set": ["completeness_verified"], "unset": "expired"},
    "bizTransactionList": [{"type": "po", "bizTransaction": "urn:po"}],
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:4000001.00000"}],
    "destinationList": [{"destination": "urn:d"}],
    "sensorElementList": [
        {
            "sensorMetadata": {"time": "2026-01-01T08:00:00Z", "deviceID": "urn:x"},
            "sensorReport": [{"type": "Temperature", "value": 26.0, "uom": "CEL", "x:q": 1}],
            "x:e": "f",
        }
    ],
    "ilmd": {"x:lot": "A", "x:list": ["1", "2"]},
    "rdfs:comment": "said",
    "x:own": {"x:deep": [[{"x:y": -0.0}]]},
}
DEEP: Any = "x"
for _ in range(300):
    DEEP = [DEEP]
# By makers: a mutant must not share what a later one changes.
VALUES = (
    *(None, True, 0, -0.0, 1e308, float("nan"), float("inf"), 2**70, 10**4999, "", " ", "*"),
    *("\ud800", "\x00", "urn:epc:id:sgtin:..", "urn:epc:idpat:sgtin:4012345.011111.*", "01/2"),
    *("2026-02-30T00:00:00Z", "9999-12-31T23:59:59.9999-14:00", "https://a/01/", "https://a/01/1%"),
    *([], {}, [[]], {"": None}, {"id": 1}, {"type": {}}, DEEP, {"set": {}}, "x" * 5000),
)


def mutant(dice: random.Random) -> Any:
    """The full event with one to four of its places changed."""
    event: Any = copy.deepcopy(FULL)
    for _ in range(dice.randint(1, 4)):
        holder, key = _somewhere(event, dice)
        if holder is None:
            return dice.choice(VALUES)
        match dice.randrange(4):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[dice.choice(("x:new", "id", "type", "a/b~c", ""))] = holder.pop(key)
            case 2 if isinstance(holder[key], str) and holder[key]:
                text = holder[key]
                cut = dice.randrange(len(text))
                holder[key] = text[:cut] + chr(dice.choice((0, 37, 47, 0xD800, 0x661))) + text[cut:]
            case _:
                holder[key] = copy.deepcopy(dice.choice(VALUES))
    return event


def _somewhere(event: Any, dice: random.Random) -> tuple[Any, Any]:
    holder, key, here = None, None, event
    for _ in range(12):
        if isinstance(here, dict) and here:
            holder, key = here, dice.choice(list(here))
        elif isinstance(here, list) and here:
            holder, key = here, dice.randrange(len(here))
        else:
            break
        here = holder[key]
        if dice.random() < 0.4:
            break
    return holder, key


def resolve(event: Any, pointer: str) -> None:
    """Walks an RFC 6901 pointer; raises LookupError or TypeError where it leads nowhere."""
    here = event
    for part in pointer.split("/")[1:] if pointer != "/" else ():
        name = part.replace("~1", "/").replace("~0", "~")
        here = here[int(name)] if isinstance(here, list) else here[name]


@pytest.mark.parametrize(
    "count", [10_000, pytest.param(1_000_000, marks=(pytest.mark.long, pytest.mark.timeout(900)))]
)
def test_a_spoiled_event_has_a_hash_or_a_pointer(count: int) -> None:
    dice = random.Random(count)
    named = refused = 0
    for _ in range(count):
        event = mutant(dice)
        try:
            assert event_hash(event, {"x": "urn:x#"}).startswith("ni:///sha-256;")
            named += 1
        except MalformedInput as error:
            resolve(event, error.where)
            refused += 1
    assert min(named, refused) > count // 10, (named, refused)
