"""Codes with check digits are computed, and forms are strict."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.codes import container_number, unlocode


@pytest.mark.parametrize("number", ["CSQU3054383", "NARU3472484"])
def test_a_container_number_passes_by_its_check_digit(number):
    assert container_number(number) == number
    wrong = number[:10] + str((int(number[10]) + 1) % 10)
    with pytest.raises(MalformedInput, match="computed"):
        container_number(wrong)


@pytest.mark.parametrize("text", ["", "csqu3054383", "CSQU305438", "CSQA3054383", "CSQU30543830"])
def test_another_form_is_no_container_number(text):
    with pytest.raises(MalformedInput):
        container_number(text)


@pytest.mark.parametrize("text", ["cnsha", "CN SHA", "CNSH", "CNSH0", "CNSH1", "1NSHA"])
def test_another_form_is_no_unlocode(text):
    assert unlocode("CNSHA") == "CNSHA"
    with pytest.raises(MalformedInput):
        unlocode(text)
