from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.trust.wire.sm2 import sm2_verifies, sm3

# GB/T 32918.5-2017 annex A.2.
KEY = bytes.fromhex(
    "04"
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


def test_the_standard_s_example_holds() -> None:
    assert sm2_verifies(KEY, SIGNATURE, b"message digest")


def test_anything_else_does_not() -> None:
    assert not sm2_verifies(KEY, SIGNATURE, b"message digest.")
    assert not sm2_verifies(KEY, SIGNATURE, b"message digest", signer=b"somebody")
    assert not sm2_verifies(KEY, SIGNATURE[::-1], b"message digest")
    assert not sm2_verifies(KEY, SIGNATURE[:63], b"message digest")
    assert not sm2_verifies(KEY, bytes(64), b"message digest")
    assert not sm2_verifies(KEY, b"\xff" * 64, b"message digest")


@pytest.mark.parametrize(
    "key", [KEY[:-1] + b"\0", KEY[1:], b"\x02" + KEY[1:], b"", b"\4" + b"\xff" * 64]
)
def test_a_key_off_the_curve_is_malformed(key: bytes) -> None:
    with pytest.raises(MalformedInput):
        sm2_verifies(key, SIGNATURE, b"message digest")


# GB/T 32905-2016 annex A.1.
def test_sm3_of_the_standard_s_example() -> None:
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
