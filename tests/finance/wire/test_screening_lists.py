"""Each publisher's layout gives its names with date and digest, and anything else a refusal."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.finance.wire.screening_lists import KINDS, read_list

DAY = date(2026, 4, 30)
# Small lists made by us in the publishers' layouts; the persons are invented.
SDN = b'7,"DOE, Jane","individual","XX",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"DOB 01 May 1970; POB Nowhere."\r\n\x1a\r\n'
ALT = b'7,1,"aka","ROE, Joan",-0- \r\n'
UN = (
    '<CONSOLIDATED_LIST dateGenerated="2026-04-29T00:00:00Z"><INDIVIDUALS><INDIVIDUAL>'
    "<DATAID>11</DATAID><FIRST_NAME>JANE</FIRST_NAME><SECOND_NAME>DOE</SECOND_NAME>"
    "<NAME_ORIGINAL_SCRIPT>جين دو</NAME_ORIGINAL_SCRIPT><NATIONALITY><VALUE>Nowhere</VALUE></NATIONALITY>"
    "<INDIVIDUAL_ALIAS><ALIAS_NAME>Joan Roe</ALIAS_NAME></INDIVIDUAL_ALIAS>"
    "<INDIVIDUAL_DATE_OF_BIRTH><YEAR>1970</YEAR></INDIVIDUAL_DATE_OF_BIRTH></INDIVIDUAL></INDIVIDUALS>"
    "<ENTITIES><ENTITY><DATAID>12</DATAID><FIRST_NAME>ACME</FIRST_NAME></ENTITY></ENTITIES></CONSOLIDATED_LIST>"
).encode()
EU = (
    b'<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-04-28T10:00:00">'
    b'<sanctionEntity euReferenceNumber="EU.1.1" logicalId="1"><subjectType code="person"/>'
    b'<nameAlias wholeName="Jane Doe"/><nameAlias wholeName="Joan Roe"/>'
    b'<citizenship countryIso2Code="XX"/><birthdate birthdate="1970-05-01"/></sanctionEntity></export>'
)
UK = (
    "Last Updated,27/04/2026\nName 6,Name 1,Name 2,Name 3,Name 4,Name 5,Title,"
    "Name Non-Latin Script,DOB,Nationality,Group Type,Group ID\n"
    "DOE,Jane,,,,,,Джейн Доу,01/05/1970,Nowhere,Individual,77\nROE,Joan,,,,,,,,,Individual,77\n"
).encode()
PLAIN = "id,name,country\n1,Jane Doe,XX\n1,Joan Roe,XX\n2,王伟,CN\n".encode()


def test_ofac_joins_names_and_aliases() -> None:
    found = read_list("ofac", SDN, ALT, dated=DAY)
    [entry] = found.entries
    assert entry.names == ("DOE, Jane", "ROE, Joan")
    assert entry.born == ("01 May 1970",)
    assert found.version.dated == DAY
    assert found.version.digest == hashlib.sha256(SDN + ALT).hexdigest()


def test_un_tells_its_date_and_the_original_script() -> None:
    found = read_list("un", UN)
    assert found.version.dated == date(2026, 4, 29)
    assert [e.names for e in found.entries] == [("JANE DOE", "جين دو", "Joan Roe"), ("ACME",)]
    assert found.entries[0].born == ("1970",)


def test_eu_and_uk_give_all_names_of_an_entry() -> None:
    eu, uk = read_list("eu", EU), read_list("uk", UK)
    assert eu.version.dated == date(2026, 4, 28)
    assert eu.entries[0].names == ("Jane Doe", "Joan Roe")
    assert eu.entries[0].countries == ("XX",)
    assert uk.version.dated == date(2026, 4, 27)
    assert uk.entries[0].names == ("Jane DOE", "Джейн Доу", "Joan ROE")


def test_a_plain_list_joins_rows_of_one_id() -> None:
    found = read_list("csv", PLAIN, dated=DAY)
    assert [entry.names for entry in found.entries] == [("Jane Doe", "Joan Roe"), ("王伟",)]
    assert found.version.entries == 2


@pytest.mark.parametrize(
    ("kind", "data", "dated"),
    [
        ("csv", PLAIN, None),
        ("ofac", SDN, None),
        ("csv", b"id,name\n", DAY),
        ("csv", b"name,id\nA,1\n", DAY),
        ("csv", b"id,name\n1\n", DAY),
        ("csv", b'id,name\n1,Jane Doe\n2,"Joan Roe\n3,Eric Badege\n', DAY),
        ("csv", b'id,name\n1,Jane Doe\n2,"Joan Roe\n3,"Eric Badege"\n', DAY),
        ("csv", b'id,name\n1,Jane Doe\n2,"Joan Roe\n3,Eric Badege\n4,A"\n', DAY),
        ("csv", b'id,name,kind\n1,Jane Doe,"a\n2,Joan Roe,b"\n', DAY),
        ("un", b"<CONSOLIDATED_LIST/>", DAY),
        ("un", b'<!DOCTYPE a [<!ENTITY b "c">]><CONSOLIDATED_LIST/>', DAY),
        ("eu", b"no xml", DAY),
        ("uk", PLAIN, DAY),
        ("ours", PLAIN, DAY),
    ],
)
def test_what_is_no_list_of_its_kind_is_refused(kind, data, dated) -> None:
    with pytest.raises(MalformedInput):
        read_list(kind, data, dated=dated)


@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_any_bytes_are_a_list_or_refused(kind: str, data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        read_list(kind, data, dated=DAY)
