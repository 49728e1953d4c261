"""A carrier signs the tag of its bill where its key is; the node that mints takes it."""

from __future__ import annotations

import hashlib
import json
import subprocess

import pytest

from zhidao.cli.main import main
from zhidao.core.encoding import parse_base64url
from zhidao.core.keys import PublicKey
from zhidao.trust.domain.title_tag import Bill, Brought, Registered, tag_of

REGISTRY = "0x" + "5a" * 20
DOCUMENT = hashlib.sha256(b"the bill").hexdigest()


def signed(capsys, key, *more, document=DOCUMENT, number="HMTXA0417"):
    words = ["trust", "title-tag", "--key", str(key), "--carrier-code", "HMTX", "--bill", number]
    where = ["--registry", REGISTRY, "--chain-id", "31337"]
    status = main([*words, "--document", document, *where, *more])
    told = capsys.readouterr()
    return status, told.out, told.err


@pytest.fixture
def key(tmp_path):
    file = tmp_path / "carrier.pem"
    made = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(file)]
    subprocess.run(made, check=True, capture_output=True)
    file.chmod(0o600)
    return file


def test_what_is_signed_is_what_a_node_takes_as_brought(key, capsys, tmp_path):
    status, out, _ = signed(capsys, key)
    assert status == 0
    told = json.loads(out)
    opening, claim = parse_base64url(told["opening"]), parse_base64url(told["claim"])
    brought = Brought(PublicKey.from_multikey(told["issuer"]), opening, claim)
    leaf = Registered(tag_of(opening), DOCUMENT, REGISTRY, 31337)
    brought.check(Bill("HMTX", "HMTXA0417"), leaf)
    # The same bill from its file: the same tag, whoever asks.
    file = tmp_path / "bill"
    file.write_bytes(b"the bill")
    assert signed(capsys, key, document=str(file))[1] == out


def test_a_sealed_key_needs_its_passphrase(key, capsys, tmp_path):
    sealed, words = tmp_path / "sealed.pem", tmp_path / "words"
    words.write_text("a long passphrase\n")
    made = ["openssl", "pkcs8", "-topk8", "-in", str(key), "-out", str(sealed)]
    subprocess.run([*made, "-passout", f"file:{words}"], check=True, capture_output=True)
    sealed.chmod(0o600)
    status, out, error = signed(capsys, sealed)
    assert (status, out) == (2, "")
    assert "--passphrase-file" in error
    assert signed(capsys, sealed, "--passphrase-file", str(words))[1] == signed(capsys, key)[1]


def test_what_is_refused_names_what_and_what_to_do(key, capsys, tmp_path):
    status, out, error = signed(capsys, key, number="HMTXA0417\u200b")
    assert (status, out) == (2, "")
    status, _, error = signed(capsys, key, number="ΗMTX")
    assert status == 2
    key.chmod(0o644)
    status, out, error = signed(capsys, key)
    assert (status, out) == (2, "")
    assert "chmod 600" in error
    other = tmp_path / "p256.pem"
    made = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    subprocess.run([*made, "-out", str(other)], check=True, capture_output=True)
    other.chmod(0o600)
    status, _, error = signed(capsys, other)
    assert status == 2
    assert "not Ed25519" in error
    words = ["trust", "title-tag", "--key", str(other), "--carrier-code", "HMTX"]
    status = main([*words, "--bill", "HMTXA0417", "--document", DOCUMENT])
    assert status == 2
    assert "--registry" in capsys.readouterr().err
