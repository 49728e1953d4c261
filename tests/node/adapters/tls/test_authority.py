"""A node's own authority vouches for the node's names, for a while, and for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from zhidao.core.errors import Refused
from zhidao.node.adapters.tls.authority import (
    Authority,
    general_name,
    make_authority,
    read_authority,
)
from zhidao.node.adapters.tls.certificate import names_of, own_certificate
from zhidao.node.wiring.checkup_files import _tls

NAMES = ["node.example", *names_of("192.0.2.7")]


@pytest.fixture
def made(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "tls", NAMES, node="corridor", again=False)


def judged(authority: Authority, certificate: x509.Certificate, host: str) -> None:
    """What a browser does; raises VerificationError."""
    builder = PolicyBuilder().store(Store([authority.certificate]))
    builder.build_server_verifier(general_name(host)).verify(certificate, [])


def test_a_certificate_by_it_is_trusted_for_each_of_its_names(
    made: Authority, tmp_path: Path
) -> None:
    file, key = own_certificate(tmp_path / "tls", "192.0.2.7")
    leaf, behind = x509.load_pem_x509_certificates(Path(file).read_bytes())
    assert behind == made.certificate
    assert set(made.names) == {"node.example", "192.0.2.7", "localhost", "127.0.0.1", "::1"}
    for name in made.names:
        judged(made, leaf, name)
    with pytest.raises(VerificationError):
        judged(made, leaf, "other.example")
    assert Path(key).stat().st_mode & 0o077 == 0
    assert (tmp_path / "tls" / "authority-key.pem").stat().st_mode & 0o777 == 0o600
    assert list(_tls(tmp_path / "tls")) == []


@pytest.mark.parametrize("host", ["bank.example", "192.0.2.8"])
def test_what_it_may_not_vouch_for_is_not_trusted_even_if_its_key_signs_it(
    made: Authority, host: str
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    stolen = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]))
        .issuer_name(made.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([general_name(host)]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(made.key.public_key()),
            critical=False,
        )
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(made.key, hashes.SHA256())
    )
    with pytest.raises(VerificationError):
        judged(made, stolen, host)


def test_a_renewal_needs_no_new_trust(made: Authority, tmp_path: Path) -> None:
    file, _ = own_certificate(tmp_path / "tls", "192.0.2.7")
    first = x509.load_pem_x509_certificate(Path(file).read_bytes())
    assert own_certificate(tmp_path / "tls", "192.0.2.7")[0] == file
    assert x509.load_pem_x509_certificate(Path(file).read_bytes()) == first
    Path(file).unlink()
    own_certificate(tmp_path / "tls", "192.0.2.7")
    second = x509.load_pem_x509_certificate(Path(file).read_bytes())
    assert second != first
    judged(made, second, "node.example")
    lives = second.not_valid_after_utc - second.not_valid_before_utc
    assert timedelta(days=396) < lives < timedelta(days=398)


def test_a_certificate_from_before_the_authority_gives_way(tmp_path: Path) -> None:
    file, _ = own_certificate(tmp_path / "tls", "127.0.0.1")
    made = make_authority(tmp_path / "tls", names_of("127.0.0.1"), node="corridor", again=False)
    own_certificate(tmp_path / "tls", "127.0.0.1")
    assert made.issued(x509.load_pem_x509_certificate(Path(file).read_bytes()))
    again = make_authority(tmp_path / "tls", names_of("127.0.0.1"), node="corridor", again=True)
    own_certificate(tmp_path / "tls", "127.0.0.1")
    leaf = x509.load_pem_x509_certificate(Path(file).read_bytes())
    assert again.issued(leaf)
    assert not made.issued(leaf)


@pytest.mark.usefixtures("made")
def test_another_address_and_a_second_authority_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        own_certificate(tmp_path / "tls", "198.51.100.1")
    assert refusal.value.code == "authority_names"
    with pytest.raises(Refused) as refusal:
        make_authority(tmp_path / "tls", NAMES, node="corridor", again=False)
    assert refusal.value.code == "authority_exists"


def test_a_machine_with_another_name_still_starts_where_it_listens_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "monday")
    made = make_authority(tmp_path / "tls", names_of("0.0.0.0"), node="corridor", again=False)
    assert set(made.names) == {"monday", "localhost", "127.0.0.1", "::1"}
    monkeypatch.setattr("socket.gethostname", lambda: "tuesday")
    file, _ = own_certificate(tmp_path / "tls", "0.0.0.0")
    assert made.issued(x509.load_pem_x509_certificate(Path(file).read_bytes()))


@pytest.mark.parametrize("name", ["authority.pem", "authority-key.pem"])
def test_spoiled_files_are_refused_by_name(made: Authority, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "tls"
    assert read_authority(folder) is not None
    whole = (folder / name).read_bytes()
    for spoiled in (b"", whole[: len(whole) // 2], b"-----BEGIN CERTIFICATE-----\n"):
        (folder / name).write_bytes(spoiled)
        with pytest.raises(Refused) as refusal:
            read_authority(folder)
        assert refusal.value.code == "bad_authority"
    other = make_authority(tmp_path / "other", NAMES, node="other", again=False)
    assert other.names == made.names
    (folder / name).write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(Refused, match="another's"):
        read_authority(folder)


def test_a_folder_without_one_has_none(tmp_path: Path) -> None:
    assert read_authority(tmp_path) is None
