"""Identifiers are checked by their schemes, correlations show every code."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.model import code_lists, identifiers


@pytest.mark.parametrize(
    ("scheme", "right", "wrong"),
    [
        # The LEI is GLEIF's own; the credit code is made up with its right check character.
        ("leiId", "506700GE1G29325QX363", "506700GE1G29325QX364"),
        ("usccId", "91320594MA1ABCDE7U", "91320594MA1ABCDE7X"),
        ("eoriId", "DE1234567890123", "D1234567890123"),
        ("dunsId", "150483782", "15-048-3782"),
    ],
)
def test_an_identifier_is_right_or_named(scheme, right, wrong):
    check = identifiers.SCHEMES[scheme]
    assert check(right) == right
    with pytest.raises(MalformedInput) as refusal:
        check(wrong)
    assert refusal.value.code == "wrong_identifier"


def test_a_split_hs_code_shows_every_code_that_may_be_right():
    split = code_lists.correlate("854140", edition="2017", to="2022")
    assert split.codes == ("854141", "854142", "854143", "854149")
    assert not split.is_certain
    back = code_lists.correlate("854142", edition="2022", to="2017")
    assert back.codes == ("854140",)
    with pytest.raises(MalformedInput, match="full correlation"):
        code_lists.correlate("010121", edition="2017", to="2022")


def test_an_imported_correlation_keeps_one_to_many():
    table = code_lists.import_correlation("hs2017,hs2022\n8541.40,854141\n854140,854142\n")
    assert code_lists.correlate("854140", edition="2017", to="2022", table=table).codes == (
        "854141",
        "854142",
    )
    with pytest.raises(MalformedInput, match="line 1"):
        code_lists.import_correlation("854140,85414\n")


def test_the_corridors_places_stand_in_the_published_table(shared):
    import bz2

    text = bz2.decompress((shared / "trade/locode/locodes.csv.bz2").read_bytes()).decode()
    table = code_lists.import_places(text)
    missing = [p.unlocode for p in code_lists.CORRIDOR_PLACES if p.unlocode not in table]
    # In use beside CNSIA and PLMAA.
    assert missing == ["CNXIY", "PLMLA"]
    assert code_lists.CorridorPlace("CNHRS", "Horgos", "CN") in code_lists.CORRIDOR_PLACES
    with pytest.raises(MalformedInput, match="line 1"):
        code_lists.import_places("CNSH,Shanghai\n")


def test_stations_come_from_the_operators_list():
    text = "code,name,country,unlocode\n708500,Altynkol,KZ\n3300001,Anywhere,CN,CNSHA\n"
    found = code_lists.import_stations(text)
    assert found["708500"] == code_lists.Station("708500", "Altynkol", "KZ")
    assert found["3300001"].unlocode == "CNSHA"
    for wrong in ("70850,Short,KZ\n", "708500,,KZ\n", "708500,A,KZ\n708500,B,KZ\n", "708500,A\n"):
        with pytest.raises(MalformedInput, match="line"):
            code_lists.import_stations(wrong)
