"""SD-JWT credentials of every algorithm, and what other makers' libraries sign differently."""

from __future__ import annotations

import pytest

from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.wire.credentials import sd_jwt

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SALT = base64url(bytes(16))
CLAIMS = {"vct": "https://example.org/trade/passport", "iss": "did:example:1", "turnover": 12}


def token(key: SoftwareKey) -> str:
    return sd_jwt.issue(CLAIMS, hidden={"turnover": SALT}, signer=key, key_id="did:example:1#0")


def claims(text: str, key: SoftwareKey) -> dict:
    return sd_jwt.verify(sd_jwt.parse(text), key_of=lambda _: key.public, now_s=1_780_000_000)


@pytest.mark.parametrize(
    "algorithm", [Algorithm.ED25519, Algorithm.P256, Algorithm.P384, Algorithm.SECP256K1]
)
def test_every_algorithm_shows_what_its_issuer_hid(algorithm: Algorithm) -> None:
    key = SoftwareKey(algorithm, b"k" * algorithm.secret_bytes)
    assert claims(token(key), key) == CLAIMS
    hidden = sd_jwt.present(token(key), names=())
    assert "turnover" not in claims(hidden, key)


def test_a_signature_whose_s_is_high_counts_as_other_makers_write_it() -> None:
    key = SoftwareKey(Algorithm.SECP256K1, b"k" * 32)
    signed, _, shown = token(key).partition("~")
    head, _, last = signed.rpartition(".")
    low = parse_base64url(last)

    def with_s(s: int) -> str:
        return f"{head}.{base64url(low[:32] + s.to_bytes(32, 'big'))}~{shown}"

    s = int.from_bytes(low[32:], "big")
    assert claims(with_s(ORDER - s), key) == CLAIMS
    for wrong in (0, ORDER, s + 1, ORDER - s + 1, 2**256 - 1):
        with pytest.raises(Refused) as refused:
            claims(with_s(wrong), key)
        assert refused.value.code == "bad_proof"
