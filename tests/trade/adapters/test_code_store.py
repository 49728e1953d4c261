"""Operators' lists are taken whole or not at all, named by line where they are wrong, and used."""

from __future__ import annotations

import bz2
import gzip
import pickle
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, NotFound, Unavailable
from zhidao.trade.adapters import code_store
from zhidao.trade.adapters.code_store import (
    StoredCodes,
    drop_list,
    import_lists,
    installed_lists,
)
from zhidao.trade.domain.model.code_lists import CORRIDOR_PLACES
from zhidao.trade.domain.sanity import absurdities
from zhidao.trade.service.entering import entered, progress
from zhidao.trade.wire import code_rows
from zhidao.trade.wire.code_rows import ListKind, read_rows

PLACES = "NLTLB,Tilburg,1\nUSHMB,Hamburg,2\nXKPRN,Prishtina,1\n"
UNECE = (
    ',"NL",,".NETHERLANDS",,,,,,,,\n'
    ',"NL","TLB","Tilburg","Tilburg","NB","AI","--3-----","0601",,"5133N 00505E",""\n'
    'X,"NL","OLD","Oud","Oud",,"RR","1-------","0601",,,""\n'
    '=,"NL",,"The Hague = Den Haag","The Hague = Den Haag",,,,,,,\n'
)
STATIONS = "code,name,country,unlocode\n708500,Altynkol,KZ,\n220000,Duisburg Ruhrort,DE,DEDUI\n"
HS = "section,hscode,description,parent,level\nI,01,Animals; live,TOTAL,2\nI,610910,T-shirts,6109,6\n"
PAIRS = "2017,2022\n851770,851771\n851770,851779\n"


def written(folder: Path, **files: str | bytes) -> list[Path]:
    found = []
    for name, text in files.items():
        file = folder / name.replace("__", ".")
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        found.append(file)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "in" / "codes.sqlite"


def test_lists_of_every_kind_and_packing_are_known_by_their_header(
    tmp_path: Path, store: Path
) -> None:
    files = written(
        tmp_path,
        places__csv__bz2=bz2.compress(PLACES.encode()),
        unece__csv=UNECE,
        stations__csv__gz=gzip.compress(b"\xef\xbb\xbf" + STATIONS.encode()),
        hs__csv=HS,
        pairs__csv=PAIRS,
    )
    taken = import_lists(files, store)
    assert [(each.kind, each.rows, each.changed) for each in taken] == [
        (ListKind.PLACES, 3, True),
        (ListKind.PLACES, 1, True),
        (ListKind.STATIONS, 2, True),
        (ListKind.HS, 1, True),
        (ListKind.CORRELATION, 2, True),
    ]
    codes = pickle.loads(pickle.dumps(StoredCodes(store)))
    assert (codes.place("NLTLB"), codes.place("DEHAM"), codes.place("NLOLD")) == (
        *("Tilburg", "Hamburg"),
        "",
    )
    assert codes.places_called("hamburg") == {"DEHAM", "USHMB"}
    assert codes.commodity("610910") == "T-shirts"
    assert codes.station("708500").country == "KZ"
    assert (codes.knows_stations_of("KZ"), codes.knows_stations_of("CN")) == (True, False)
    assert codes.correlations() == {"851770": ("851771", "851779")}
    assert [each.code for each in codes.suggest("place", "tilb", 5)] == ["NLTLB"]
    assert [each.code for each in codes.suggest("station", "7085", 5)] == ["708500"]
    assert [each.code for each in codes.suggest("hs", "t-sh", 5)] == ["610910"]
    assert {each.code for each in codes.suggest("place", "ham", 5)} == {"DEHAM", "USHMB"}
    assert len(codes.suggest("hs", "61", 7)) == 7


def test_the_same_file_again_changes_nothing_and_a_newer_one_takes_its_place(
    tmp_path: Path, store: Path
) -> None:
    [file] = written(tmp_path, places__csv=PLACES)
    import_lists([file], store)
    before = store.read_bytes()
    assert [each.changed for each in import_lists([file], store)] == [False]
    assert store.read_bytes() == before
    file.write_text("code,name\nNLTLB,Tilburg Nieuw\n")
    assert [(each.rows, each.changed) for each in import_lists([file], store)] == [(1, True)]
    assert StoredCodes(store).place("NLTLB") == "Tilburg Nieuw"
    assert StoredCodes(store).place("XKPRN") == ""
    assert [each.source for each in installed_lists(store)] == ["places.csv"]
    drop_list(store, kind=ListKind.PLACES, source="places.csv")
    assert (installed_lists(store), StoredCodes(store).place("NLTLB")) == ([], "")
    with pytest.raises(NotFound):
        drop_list(store, kind=ListKind.PLACES, source="places.csv")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code,name\nNLTLB,Tilburg\nNL1,X\nnltlb,Y\nNLAMS,\n", "line 3: no UN/LOCODE: 'NL1'"),
        ("code,name\nNLTLB,Tilburg\nNL1,X\nnltlb,Y\nNLAMS,\n", "line 5: NLAMS without a name"),
        ("code,name,country\n70850,A,KZ\n", "line 2: no station number"),
        (
            "code,name,country\n708500,A,KZ\n708500,B,KZ\n",
            "line 3: the station 708500 stands twice",
        ),
        ("code,name,country,unlocode\n708500,A,KZ,K\n", "line 2: station 708500: no UN/LOCODE"),
        ("hscode,description\n6109100,T-shirts\n", "line 2: no HS code of six digits"),
        ("2017,2022\n851770,8517\n", "line 2: not two codes of six digits"),
        ("colour,size\nred,1\n", "list that is known"),
        ("", "without a row"),
        ("code,name\n", "without a row"),
        (b"code,name\nNLTLB,\xff\n", "not UTF-8"),
        (b"BZh9 nothing", "breaks off"),
        ('code,name\n"NLTLB,Tilburg\n' + "x" * 70_000, "a line of"),
    ],
)
def test_a_list_with_bad_lines_names_them_and_nothing_of_any_is_taken(
    tmp_path: Path, store: Path, text: Any, said: str
) -> None:
    good, bad = written(tmp_path, good__csv=PLACES, bad__csv=text)
    with pytest.raises(MalformedInput, match=said) as refusal:
        import_lists([good, bad], store)
    assert "bad.csv" in refusal.value.where
    assert installed_lists(store) == []
    assert StoredCodes(store).place("NLTLB") == ""


def test_ten_bad_lines_are_told_and_the_others_counted() -> None:
    lines = ["code,name\n", *(f"X{n},x\n" for n in range(25))]
    with pytest.raises(MalformedInput, match=r"line 11: .*; and 15 more"):
        list(read_rows(lines, kind=None, where="a.csv"))


@pytest.mark.bound("trade.wire.code_rows.ROWS_MAX")
def test_a_list_of_more_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_rows, "ROWS_MAX", 3)
    lines = [f"NLTL{c},x\n" for c in "ABCD"]
    assert len(list(read_rows(lines[:3], kind=ListKind.PLACES, where="a.csv"))) == 3
    with pytest.raises(MalformedInput, match="more than 3 rows"):
        list(read_rows(lines, kind=ListKind.PLACES, where="a.csv"))


@pytest.mark.bound("trade.wire.code_rows.CELL_CHARACTERS_MAX")
def test_a_cell_of_more_characters_is_named() -> None:
    most = "x" * code_rows.CELL_CHARACTERS_MAX
    assert list(read_rows([f"NLTLB,{most}\n"], kind=None, where="a.csv"))
    with pytest.raises(MalformedInput, match="line 1: a cell of more than"):
        list(read_rows([f"NLTLB,{most}x\n"], kind=None, where="a.csv"))


@pytest.mark.bound("trade.adapters.code_store.LIST_BYTES_MAX")
def test_a_packed_list_is_bounded_by_what_it_unpacks_to(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "code,name\n" + "NLTLB,x\n" * 100
    monkeypatch.setattr(code_store, "LIST_BYTES_MAX", len(text))
    [fits] = written(tmp_path, fits__csv__gz=gzip.compress(text.encode()))
    assert import_lists([fits], store)[0].rows == 100
    [bomb] = written(tmp_path, bomb__csv__gz=gzip.compress(text.encode() + b"\n"))
    with pytest.raises(MalformedInput) as refusal:
        import_lists([bomb], store)
    assert refusal.value.code == "file_too_large"


def test_a_store_that_is_none_is_said_to_be(tmp_path: Path) -> None:
    wrong = tmp_path / "codes.sqlite"
    wrong.write_bytes(b"no database, but long enough to look at it" * 40)
    with pytest.raises(Unavailable, match="cannot be used"):
        StoredCodes(wrong).place("NLTLB")


def test_a_store_of_another_version_is_not_read(tmp_path: Path, store: Path) -> None:
    import_lists(written(tmp_path, places__csv=PLACES), store)
    with closing(sqlite3.connect(store)) as database:
        database.execute("PRAGMA user_version = 2")
    for ask in (lambda: StoredCodes(store).place("NLTLB"), lambda: import_lists([], store)):
        with pytest.raises(Unavailable, match="version 2, not 1"):
            ask()


@given(st.lists(st.text(max_size=40), max_size=6), st.sampled_from([None, *ListKind]))
def test_any_lines_are_read_or_refused_as_malformed(
    lines: list[str], kind: ListKind | None
) -> None:
    with suppress(MalformedInput):
        for row in read_rows(lines, kind=kind, where="a.csv"):
            assert row.code


def test_two_files_of_one_name_are_refused(tmp_path: Path, store: Path) -> None:
    (tmp_path / "a").mkdir()
    files = [*written(tmp_path, x__csv=PLACES), *written(tmp_path / "a", x__csv=PLACES)]
    with pytest.raises(MalformedInput, match=r"two files are called x\.csv"):
        import_lists(files, store)


def test_papers_and_their_checks_go_by_the_lists(tmp_path: Path, store: Path) -> None:
    from tests.trade.domain.documents.test_needed import LANES, filled

    rail = next(lane for lane in LANES if lane["lane"] == "xian-duisburg-rail")
    values = filled(rail) | {"deliveryLocation.id": "NLTLB"}
    assert "deliveryLocation.name" in progress(values).missing
    import_lists(written(tmp_path, places__csv=PLACES, stations__csv=STATIONS), store)
    codes = StoredCodes(store)
    named = values | {"deliveryLocation.name": "Tilburg"}
    told = entered(named | {"receiptLocation.stationId": "708500"}, codes)
    assert absurdities(told, codes) == []
    german = {"deliveryLocation.id": "DEDUI", "deliveryLocation.name": "Duisburg"}
    wrong = progress(values | german | {"deliveryLocation.stationId": "708500"}, codes)
    assert [(t.path, t.sentence) for t in wrong.troubles] == [
        ("deliveryLocation.stationId", "708500 is a station of KZ, in DE")
    ]
    hamburg = progress(named | {"deliveryLocation.name": "Hamburg"}, codes)
    assert [t.path for t in hamburg.troubles] == ["deliveryLocation.name"]


def test_eighteen_corridor_places_are_known_without_any_list() -> None:
    codes = (
        "CNSHA CNHRS CNCKG CNXIY CNURC KZALA UZTAS KGFRU RUMOW BYBQT PLMLA DEDUI DEHAM NLRTM "
        "BDCGP BDDAC VNHPH AZBAK"
    ).split()
    assert len(codes) == 18
    assert set(codes) <= {place.unlocode for place in CORRIDOR_PLACES}


def test_the_full_lists_are_taken(shared: Path, store: Path) -> None:
    taken = import_lists(
        [shared / "trade/locode/locodes.csv.bz2", shared / "trade/hs/harmonized-system.csv"], store
    )
    assert [(each.kind, each.rows) for each in taken] == [
        (ListKind.PLACES, 94_413),
        (ListKind.HS, 5_613),
    ]
    codes = StoredCodes(store)
    # The house's names go first: the list calls this port by its airport.
    assert codes.place("CNSHA") == "Shanghai"
    assert codes.place("BDCGP") == "Chattogram"
    assert codes.commodity("010121")
