"""The operator's files are read when the node starts: whole, or with file and place of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.connectivity.adapters import network_settings as loader
from zhidao.connectivity.adapters.network_settings import NetworkSettings, network_settings
from zhidao.core.errors import MalformedInput, Refused
from zhidao.node.adapters.tls.certificate import own_certificate

NETWORKS = """[corridor]
kind = "open5gs"
plmn = "99970"
amf = "http://10.0.0.5:9090"
sites = "sites.csv"

[operator]
kind = "camara"
plmn = "40101"
api = "https://api.example.org"
token = "https://auth.example.org/token"
client_id = "zhidao"
secret_file = "operator.secret"
"""
SECRET = "a secret of the test"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "networks.toml").write_text(NETWORKS)
    (tmp_path / "sites.csv").write_text(
        "nci,latitude_deg,longitude_deg,range_m\n1638401,43.35,77.04,5000\n"
    )
    (tmp_path / "sims.csv").write_text(
        "phone,network,supi,readers\n+77010000001,corridor,imsi-999700000000001,carrier\n"
        "+77010000002,operator,,carrier\n"
    )
    secret = tmp_path / "operator.secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET + "\n")
    return tmp_path


def read(folder: Path) -> NetworkSettings:
    return network_settings(str(folder / "networks.toml"), str(folder / "sims.csv"))


def test_all_that_the_files_name_is_read_and_no_secret_is_shown(files: Path):
    found = read(files)
    assert [each.name for each in found.plans] == ["corridor", "operator"]
    assert [each.phone for each in found.sims_of("corridor")] == ["+77010000001"]
    assert len(found.cells["corridor"]) == 1
    assert found.secrets == {"operator": SECRET}
    assert not any(each in repr(found) for each in (SECRET, "999700000000001"))


def test_nothing_named_is_no_network_and_half_of_it_is_refused(files: Path):
    assert network_settings("", "") == NetworkSettings()
    for both in ((str(files / "networks.toml"), ""), ("", str(files / "sims.csv"))):
        with pytest.raises(MalformedInput, match="need each other"):
            network_settings(*both)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_secret_that_others_may_read_is_refused(files: Path, mode: int):
    (files / "operator.secret").chmod(mode)
    with pytest.raises(Refused, match="others may read") as caught:
        read(files)
    assert caught.value.remedy == f"chmod 600 {files / 'operator.secret'}"


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff"])
def test_what_is_no_secret_is_refused_and_not_told(files: Path, content: bytes):
    (files / "operator.secret").write_bytes(content)
    with pytest.raises(MalformedInput, match="secret") as caught:
        read(files)
    assert caught.value.where == str(files / "operator.secret")
    assert "two" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("sites.csv", "nci,latitude_deg,longitude_deg,range_m\n1,2,3\n", "sites.csv, line 2"),
        ("sims.csv", "phone,network\n+77010000001,nobody\n", "sims.csv, line 2"),
        ("networks.toml", "[a]\nkind = 1\n", "networks.toml, [a]"),
        ("networks.toml", "", "networks.toml"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_place(files: Path, name, content, where):
    (files / name).write_text(content)
    with pytest.raises(MalformedInput) as caught:
        read(files)
    assert caught.value.where.endswith(where)


@pytest.mark.parametrize("name", ["networks.toml", "sites.csv", "sims.csv", "operator.secret"])
def test_a_file_that_is_not_there_is_named(files: Path, name: str):
    (files / name).unlink()
    with pytest.raises(MalformedInput, match="cannot be read") as caught:
        read(files)
    assert caught.value.where == str(files / name)


def test_an_authority_is_a_certificate(files: Path):
    text = NETWORKS + 'authority = "ca.pem"\n'
    (files / "networks.toml").write_text(text)
    certificate, key = own_certificate(files, "127.0.0.1")
    (files / "ca.pem").write_bytes(Path(certificate).read_bytes())
    assert read(files).authorities["operator"].startswith("-----BEGIN")
    empty = b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
    for other in (Path(key).read_bytes(), empty, b"", b"\xff"):
        (files / "ca.pem").write_bytes(other)
        with pytest.raises(MalformedInput, match="no certificate"):
            read(files)


@pytest.mark.bound("connectivity.adapters.network_settings.SECRET_BYTES_MAX")
@pytest.mark.bound("connectivity.adapters.network_settings.AUTHORITY_BYTES_MAX")
def test_secrets_and_authorities_have_an_end(files: Path):
    secret = files / "operator.secret"
    secret.write_text("s" * loader.SECRET_BYTES_MAX)
    assert len(read(files).secrets["operator"]) == loader.SECRET_BYTES_MAX
    secret.write_text("s" * (loader.SECRET_BYTES_MAX + 1))
    with pytest.raises(MalformedInput, match="more than"):
        read(files)
    secret.write_text(SECRET)
    (files / "networks.toml").write_text(NETWORKS + 'authority = "ca.pem"\n')
    certificate = Path(own_certificate(files, "127.0.0.1")[0]).read_text()
    (files / "ca.pem").write_text(certificate.ljust(loader.AUTHORITY_BYTES_MAX))
    read(files)
    (files / "ca.pem").write_text(certificate.ljust(loader.AUTHORITY_BYTES_MAX + 1))
    with pytest.raises(MalformedInput, match="more than"):
        read(files)


def test_the_fleet_is_read_with_its_own_table(files: Path):
    with (files / "networks.toml").open("a") as file:
        file.write('\n[lorries]\nkind = "fleet"\nplmn = "40101"\nsites = "fleet.csv"\n')
    (files / "fleet.csv").write_text(
        "area,cell,latitude_deg,longitude_deg,range_m\n4098,77,43.35,77.04,5000\n"
    )
    (files / "sims.csv").write_text("phone,network,supi,terminal\n+77010000003,lorries,,LORRY-7\n")
    found = read(files)
    assert len(found.sites["lorries"]) == 1
    assert [each.terminal for each in found.sims_of("lorries")] == ["LORRY-7"]
    (files / "fleet.csv").write_text(
        "area,cell,latitude_deg,longitude_deg,range_m\n4098,77,43.35,77.04,NaN\n"
    )
    with pytest.raises(MalformedInput) as caught:
        read(files)
    assert caught.value.where == f"{files / 'fleet.csv'}, line 2"
