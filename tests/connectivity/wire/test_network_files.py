"""What an operator writes about networks, sites and SIMs is read whole or refused with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.connectivity.domain.served_cell import CellId
from zhidao.connectivity.wire import network_files, network_tables
from zhidao.connectivity.wire.network_files import CamaraPlan, Open5gsPlan, read_networks
from zhidao.connectivity.wire.network_tables import read_sims, read_sites
from zhidao.core.errors import MalformedInput

SITES = b"nci,latitude_deg,longitude_deg,range_m\n"
SIMS = b"phone,network,supi,readers\n"
NETWORKS = {"corridor": "supi", "operator": "", "lorries": "terminal"}
CORE = b"""[corridor]
kind = "open5gs"
plmn = "99970"
amf = "http://10.0.0.5:9090"
sites = "sites.csv"
"""
OPERATOR = b"""[operator]
kind = "camara"
plmn = "40101"
api = "https://api.example.org"
token = "https://auth.example.org/token"
client_id = "zhidao"
secret_file = "operator.secret"
"""


def test_sites_are_read_with_and_without_a_sector_and_a_mark_of_byte_order():
    header = b"nci,plmn,name,latitude_deg,longitude_deg,range_m,azimuth_deg,beamwidth_deg,behind_m"
    rows = (
        b"\r\n1638401,,pass,43.35,77.04,5000,,,\r\n\r\n0x190002,40101,,43.4,77.1,900,90,65,200\r\n"
    )
    cells = read_sites(b"\xef\xbb\xbf" + header + rows, "99970")
    assert set(cells) == {CellId("99970", 1_638_401), CellId("40101", 0x190002)}
    whole, sector = cells.values()
    assert (whole.name, whole.range_m, whole.circle.radius_m) == ("pass", 5_000, 5_000)
    assert (sector.azimuth_deg, sector.beam_deg, sector.behind_m) == (90, 65, 200)


@pytest.mark.parametrize(
    ("rows", "where", "what"),
    [
        (b"1,43.35,77.04,5000\n1,43.36,77.04,900\n", "line 3", "stands in line 2 already"),
        (b"1,43.35,77.04,5000\n2,143.36,77.04,900\n", "line 3", "143.36"),
        (b"1,43.35,77.04,nan\n", "line 2", "range_m is no number"),
        (b"1,43.35,77.04,1e999\n", "line 2", "range_m is no number"),
        (b"1,43.35,77.04,9\n", "line 2", "range_m is 9"),
        (b"1,43.35,77.04\n", "line 2", "3 fields under 4 columns"),
        (b"1,43.35,77.04,\n", "line 2", "no range_m"),
        (b"0x,43.35,77.04,900\n", "line 2", "nci is no number"),
        (b"-1,43.35,77.04,900\n", "line 2", "nci is no number"),
        (b"99999999999,43.35,77.04,900\n", "line 2", "nci is 99999999999"),
        (b'1,"43.35,77.04,900\n', "line 2", "not CSV"),
        (b"1,43.35,77.04,900\n\xff,1,2,3\n", "line 3", "not UTF-8"),
        (b"", "", "no cell"),
    ],
)
def test_a_wrong_row_of_sites_is_refused_with_its_line(rows, where, what):
    with pytest.raises(MalformedInput, match=what) as caught:
        read_sites(SITES + rows, "99970")
    assert caught.value.where == where
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("header", "remedy"),
    [
        (b"nci;latitude_deg;longitude_deg;range_m", "commas"),
        (b"nci,latitude_deg,longitude_deg,rangem", "did you mean range_m"),
        (b"nci,latitude_deg,longitude_deg", "the first line names"),
        (b"nci,nci,latitude_deg,longitude_deg,range_m", "keep one"),
    ],
)
def test_a_wrong_header_is_refused(header, remedy):
    with pytest.raises(MalformedInput) as caught:
        read_sites(header + b"\n1,2,3,4\n", "99970")
    assert caught.value.where == "line 1"
    assert remedy in caught.value.remedy


def test_sims_are_read_with_those_who_may_ask():
    rows = b"+77010000001,corridor,999700000000001,carrier importer carrier\n"
    sims = read_sims(SIMS + rows + b"+77010000002,operator,,\n", NETWORKS)
    first, second = sims.values()
    assert (first.supi, first.readers) == ("imsi-999700000000001", ("carrier", "importer"))
    assert (second.network, second.supi, second.readers) == ("operator", "", ())
    assert "9997000" not in repr(first)
    assert read_sims(SIMS, NETWORKS) == {}


def test_a_sim_names_the_modem_that_it_belongs_into():
    header = b"phone,network,supi,imei\n"
    row = b"+77010000001,corridor,999700000000001,%s\n"
    for text in (b"353593830049471", b"3535938300494715", b"imei-353593830049471"):
        (sim,) = read_sims(header + row % text, NETWORKS).values()
        assert sim.device == "35359383004947"
        assert "3535938" not in repr(sim)
    for text in (b"3535938300494", b"35359383004947155", b"35359383004947a"):
        with pytest.raises(MalformedInput, match="imei is no IMEI") as caught:
            read_sims(header + row % text, NETWORKS)
        # Whoever reads the log of the start learns no identity of a device.
        assert "3535938" not in str(caught.value)


def test_a_sim_names_its_holder_and_its_terminal():
    header = b"phone,network,terminal,holder\n"
    (sim,) = read_sims(header + b"+77010000001,lorries,LORRY-7,haulier\n", NETWORKS).values()
    assert (sim.terminal, sim.holder, sim.supi) == ("LORRY-7", "haulier", "")
    for rows, line, what in (
        (b"+77010000001,lorries,,\n", "line 2", "no terminal, and lorries is asked by it"),
        (b"+77010000001,lorries,-7,\n", "line 2", "not a terminal's id"),
        (b"+77010000001,lorries,L,Haulier\n", "line 2", "not a party name"),
        (
            b"+77010000001,lorries,L,\n+77010000002,lorries,L,\n",
            "line 3",
            "terminal stands in line 2",
        ),
    ):
        with pytest.raises(MalformedInput, match=what) as caught:
            read_sims(header + rows, NETWORKS)
        assert (caught.value.where, bool(caught.value.remedy)) == (line, True)


@pytest.mark.parametrize(
    ("rows", "where", "what"),
    [
        (b"77010000001,operator,,\n", "line 2", "not a phone number"),
        (b"+77010000001,nobody,,\n", "line 2", "no network 'nobody'"),
        (b"+77010000001,corridor,,\n", "line 2", "no supi"),
        (b"+77010000001,corridor,imsi-12345,\n", "line 2", "supi is no IMSI"),
        (b"+77010000001,corridor,nai-me,\n", "line 2", "supi is no IMSI"),
        (b"+77010000001,operator,,Carrier\n", "line 2", "not a party name"),
        (
            b"+77010000001,operator,,\n+77010000001,operator,,\n",
            "line 3",
            "number stands in line 2",
        ),
        (
            b"+77010000001,corridor,999700000000001,\n+77010000002,corridor,imsi-999700000000001,\n",
            "line 3",
            "SUPI stands in line 2",
        ),
    ],
)
def test_a_wrong_row_of_sims_is_refused_with_its_line(rows, where, what):
    with pytest.raises(MalformedInput, match=what) as caught:
        read_sims(SIMS + rows, NETWORKS)
    assert (caught.value.where, bool(caught.value.remedy)) == (where, True)
    # Whoever reads the node's log of its start learns no identity of a SIM.
    assert "99970000" not in str(caught.value)


def _sites(count: int) -> bytes:
    return SITES + b"".join(b"%d,43,77,900\n" % number for number in range(count))


def _sims(count: int) -> bytes:
    return SIMS + b"".join(b"+7701%07d,operator,,\n" % number for number in range(count))


@pytest.mark.bound("connectivity.wire.network_tables.SERVED_CELLS_MAX")
@pytest.mark.bound("connectivity.wire.network_tables.SIMS_MAX")
@pytest.mark.bound("connectivity.wire.network_tables.TABLE_BYTES_MAX")
@pytest.mark.bound("connectivity.wire.network_tables.READERS_MAX")
def test_tables_have_an_end(monkeypatch):
    for name in ("SERVED_CELLS_MAX", "SIMS_MAX"):
        monkeypatch.setattr(network_tables, name, 3)
    assert len(read_sites(_sites(3), "99970")) == len(read_sims(_sims(3), NETWORKS)) == 3
    with pytest.raises(MalformedInput, match="more than 3 cells"):
        read_sites(_sites(4), "99970")
    with pytest.raises(MalformedInput, match="more than 3 SIMs"):
        read_sims(_sims(4), NETWORKS)
    monkeypatch.setattr(network_tables, "TABLE_BYTES_MAX", len(_sims(1)))
    read_sims(_sims(1), NETWORKS)
    with pytest.raises(MalformedInput, match="bytes of a table"):
        read_sims(_sims(1) + b"\n", NETWORKS)
    monkeypatch.undo()
    named = b" ".join(b"p%d" % number for number in range(33))
    at_most = named.rpartition(b" ")[0]
    assert len(read_sims(SIMS + b"+77010000001,operator,," + at_most, NETWORKS)) == 1
    with pytest.raises(MalformedInput, match="33 readers"):
        read_sims(SIMS + b"+77010000001,operator,," + named, NETWORKS)


def test_networks_are_read_in_their_order():
    core, operator = read_networks(CORE + b'smf = "http://10.0.0.4:9090"\n' + OPERATOR)
    assert isinstance(core, Open5gsPlan)
    assert (core.name, core.plmn, core.smf) == ("corridor", "99970", "http://10.0.0.4:9090")
    assert isinstance(operator, CamaraPlan)
    assert (operator.client_id, operator.reachability, operator.scope) == ("zhidao", False, "")


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (b"", "", "no network"),
        (b"x", "", "not TOML"),
        (b"\xff", "", "not TOML"),
        (b"a = [" * 5_000, "", "not TOML"),
        (b"x = 1", "x", "outside of a"),
        (CORE.replace(b"corridor", b"Corridor"), "[Corridor]", "small letters"),
        (CORE.replace(b"open5gs", b"free5gc"), "[corridor]", "no kind 'free5gc'"),
        (CORE + b"port = 1", "[corridor]", "no entry 'port'"),
        (CORE.replace(b'amf = "http://10.0.0.5:9090"', b""), "[corridor]", "no amf"),
        (CORE.replace(b'"99970"', b"99970"), "[corridor]", "plmn is no text"),
        (CORE.replace(b"99970", b"999"), "[corridor]", "not a PLMN"),
        (CORE.replace(b"http://10", b"ftp://10"), "[corridor]", "amf is no address"),
        (CORE.replace(b":9090", b":99990"), "[corridor]", "amf is no address"),
        (CORE.replace(b"//10", b"//me:secret@10"), "[corridor]", "amf is no address"),
        (OPERATOR.replace(b"https://auth", b"http://auth"), "[operator]", "token is no address"),
        (OPERATOR.replace(b"https://api", b"http://api"), "[operator]", "api is no address"),
        (OPERATOR + b"reachability = 1", "[operator]", "true or false"),
        (OPERATOR + b'client_secret = "x"', "[operator]", "no entry 'client_secret'"),
    ],
)
def test_a_wrong_network_is_refused_with_its_section(data, where, what):
    with pytest.raises(MalformedInput, match=what) as caught:
        read_networks(data)
    assert caught.value.where == where
    assert "secret@" not in str(caught.value)


@pytest.mark.bound("connectivity.wire.network_files.NETWORKS_MAX")
@pytest.mark.bound("connectivity.wire.network_files.NETWORK_FILE_BYTES_MAX")
def test_networks_have_an_end():
    many = [CORE.replace(b"corridor", b"c%d" % number) for number in range(17)]
    assert len(read_networks(b"".join(many[:16]))) == 16
    with pytest.raises(MalformedInput, match="17 networks"):
        read_networks(b"".join(many))
    padded = CORE + b"#" * (network_files.NETWORK_FILE_BYTES_MAX - len(CORE))
    assert len(read_networks(padded)) == 1
    with pytest.raises(MalformedInput, match="bytes of networks"):
        read_networks(padded + b"#")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    readers = (
        read_networks,
        lambda given: read_sites(SITES + given, "99970"),
        lambda given: read_sims(SIMS + given, NETWORKS),
    )
    for read in readers:
        try:
            read(data)
        except MalformedInput:
            continue
