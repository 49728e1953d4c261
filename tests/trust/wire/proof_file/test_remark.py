from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.evm import Address
from zhidao.trust.wire.evm.title_contract import REMARK_BYTES_MAX
from zhidao.trust.wire.proof_file.remark import SEALED_BYTES, open_remark, seal_remark

KEY = bytes(range(64))
PLACE = {"title": b"t" * 32, "place": 3, "signer": Address(b"s" * 20)}
ELSEWHERE = [{"title": b"u" * 32}, {"place": 4}, {"signer": Address(b"r" * 20)}]


def test_a_remark_fills_what_the_contract_takes_and_opens_again():
    sealed = seal_remark(KEY, "质押给银行", **PLACE)
    assert len(sealed) == SEALED_BYTES == REMARK_BYTES_MAX
    assert open_remark(KEY, sealed, **PLACE) == "质押给银行"
    assert seal_remark(KEY, "质押给银行", **PLACE) == sealed, "a repeated request signs the same"
    assert (seal_remark(KEY, "", **PLACE), open_remark(KEY, b"", **PLACE)) == (b"", "")


def test_two_remarks_of_one_title_share_no_key_stream():
    """The same text in two places, and two texts in one, give bytes that tell nothing."""
    one, two = (seal_remark(KEY, "x" * 104, **PLACE | {"place": place}) for place in (1, 2))
    other = seal_remark(KEY, "y" * 104, **PLACE | {"place": 1})
    assert len({one, two, other}) == 3
    mixed = bytes(a ^ b for a, b in zip(one[16:], other[16:], strict=True))
    assert mixed != bytes([ord("x") ^ ord("y")]) * 104


@pytest.mark.parametrize("change", ELSEWHERE)
def test_a_remark_copied_elsewhere_does_not_open(change):
    sealed = seal_remark(KEY, "paid", **PLACE)
    with pytest.raises(Refused) as caught:
        open_remark(KEY, sealed, **PLACE | change)
    assert caught.value.code == "foreign_remark"


def test_a_remark_that_does_not_fit_is_refused():
    with pytest.raises(Refused) as caught:
        seal_remark(KEY, "汉" * 35, **PLACE)
    assert caught.value.code == "remark_too_long"
    for text in ("a\0b", "\ud800"):
        with pytest.raises(MalformedInput):
            seal_remark(KEY, text, **PLACE)


@given(st.binary(max_size=130))
def test_other_bytes_are_foreign_never_a_text(data: bytes):
    if data:
        with pytest.raises(Refused):
            open_remark(KEY, data, **PLACE)
