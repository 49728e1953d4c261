"""Documents of an Open5GS core are read in the form of its source, and no other."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectivity.served import NCI, PLMN, STATION, SUPI, device, located

from zhidao.connectivity.domain.served_cell import CellId
from zhidao.connectivity.wire import infoapi
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput

READERS = (infoapi.devices, infoapi.sessions, infoapi.stations)


def page(*items: object, **pager: object) -> dict[str, object]:
    return {"items": list(items), "pager": {"page": 0, "page_size": 100} | pager}


@pytest.mark.parametrize("written", ["1758733375895510", "1.75873337589551e+15"])
def test_a_time_is_read_however_the_core_writes_its_doubles(written):
    """cJSON prints 15 digits where they are enough, and then as it likes."""
    text = json.dumps(page(device(location=located(timestamp=4711)))).replace("4711", written)
    ((found,), more) = infoapi.devices(parse_strict(text.encode()), 0)
    assert (str(found.at[0]), more) == ("2025-09-24T17:02:55.89551Z", False)
    assert (found.supi, found.connected, found.cells) == (SUPI, True, (CellId(PLMN, NCI),))
    assert SUPI not in repr(found)


def test_whether_another_page_follows_is_told_by_the_pager_alone():
    assert infoapi.devices(page(device(), next="/ue-info?page=1"), 0)[1]
    assert not infoapi.devices(page(*(device(n) for n in range(100))), 0)[1]


def test_sessions_and_stations_are_read():
    active = {"supi": SUPI, "pdu": [{"pdu_state": "inactive"}, {"pdu_state": "active"}]}
    found, _ = infoapi.sessions(page(active, {"supi": "imsi-2", "pdu": []}, {"pdu": []}), 0)
    assert [each.active for each in found] == [True, False]
    ((station,), _) = infoapi.stations(page(STATION), 0)
    assert (station.gnb, station.plmn, station.ready) == (100, PLMN, True)


@pytest.mark.parametrize(
    "location",
    [
        located(timestamp=-1),
        located(timestamp=1.5),
        located(timestamp="1758733375895510"),
        located(timestamp=True),
        located(timestamp=8_000_000_000_000_000),
        located(timestamp=1e300),
        located(nci=2**36),
        located(nci=None),
        located(plmn=99970),
        located(plmn="9"),
        {"nr_cgi": [], "timestamp": 1},
        [],
    ],
)
def test_a_location_of_another_form_is_refused_with_its_place(location):
    with pytest.raises(MalformedInput) as caught:
        infoapi.devices(page(device(2), device(location=location)), 0)
    assert caught.value.where == "items[1]"


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
_NAMES = ("supi", "msisdn", "cm_state", "location", "pdu", "gnb_id", "ng", "plmn")


@given(st.dictionaries(st.sampled_from(_NAMES), _JSON), _JSON)
def test_any_document_is_read_or_refused(item, other):
    for read in READERS:
        for document in (page(item), page({"supi": SUPI} | item), other):
            try:
                read(document, 0)
            except MalformedInput:
                continue
