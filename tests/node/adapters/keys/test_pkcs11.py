"""Keys inside SoftHSM sign as our own do, and do not come out. Needs softhsm2 and python-pkcs11."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.keys.pkcs11 import Token, _raw

MODULES = [
    Path(place) / "softhsm/libsofthsm2.so" for place in ("/usr/lib", "/usr/lib/x86_64-linux-gnu")
]
MODULE = next((module for module in MODULES if module.exists()), None)
needs_softhsm = pytest.mark.skipif(
    MODULE is None or shutil.which("softhsm2-util") is None,
    reason="no SoftHSM here; on Debian: apt-get install softhsm2",
)


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """SoftHSM with one fresh token; it reads its settings once a process."""
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label=node", "--pin=1234", "--so-pin=5678"],
        check=True,
        capture_output=True,
        timeout=20,
    )
    assert MODULE is not None
    yield MODULE
    del os.environ["SOFTHSM2_CONF"]


@pytest.mark.service
@needs_softhsm
def test_keys_in_a_token_sign_are_found_again_and_stay_inside(module: Path):
    from pkcs11 import Attribute
    from pkcs11.exceptions import PKCS11Error

    token = Token(module, "node", b"1234")
    for algorithm in (Algorithm.ED25519, Algorithm.P256, Algorithm.SECP256K1):
        key = token.make("party.carrier", algorithm)
        for message in (b"", b"a title", b"x" * 5000):
            assert key.public.verifies(key.sign(message), message), algorithm
        assert not key.public.verifies(key.sign(b"one"), b"two")
        assert token.make("party.carrier", algorithm).public == key.public
        with pytest.raises(PKCS11Error):
            key._private[Attribute.VALUE]
    assert token.get("party.nobody", Algorithm.ED25519) is None
    signer = token.get("party.carrier", Algorithm.ED25519)
    assert signer is not None
    # The tags of bills rest on it: the same message, the same signature (RFC 8032).
    assert signer.sign(b"bill") == signer.sign(b"bill")
    with pytest.raises(Refused) as caught:
        token.make("x", Algorithm.ML_DSA_44)
    assert caught.value.code == "unknown_algorithm"
    token.close()
    with pytest.raises(Refused) as caught:
        Token(module, "node", b"4321")
    assert caught.value.code == "wrong_pin"
    with pytest.raises(Unavailable) as absent:
        Token(module, "other", b"1234")
    assert absent.value.code == "no_token"


def test_a_point_is_read_with_and_without_its_wrapping():
    bare = bytes(range(32))
    assert _raw(Algorithm.ED25519, bare) == _raw(Algorithm.ED25519, b"\x04\x20" + bare) == bare
    point = b"\x04" + bytes(63) + b"\x03"
    assert _raw(Algorithm.P256, point) == b"\x03" + bytes(32)
    for wrong in (b"", bare[1:], point + b"\0"):
        for algorithm in (Algorithm.ED25519, Algorithm.P256):
            with pytest.raises(Exception, match="public point"):
                _raw(algorithm, wrong)
