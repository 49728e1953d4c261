"""Names of cells that can be, and no others."""

from __future__ import annotations

import pytest

from zhidao.connectivity.domain.reported_cell import AREA_MAX, IDENTITY_MAX, CellName
from zhidao.core.errors import MalformedInput


@pytest.mark.bound("connectivity.domain.reported_cell.AREA_MAX")
@pytest.mark.bound("connectivity.domain.reported_cell.IDENTITY_MAX")
@pytest.mark.bound("connectivity.domain.reported_cell._CODE_MAX")
def test_a_cell_has_the_codes_of_a_network_and_a_name_in_it():
    CellName(999, 999, AREA_MAX - 1, IDENTITY_MAX)
    CellName(1, 1, 1, 1)
    for wrong in (
        (1000, 1, 1, 1),
        (0, 1, 1, 1),
        (199, 1, 1, 1),
        (401, 1000, 1, 1),
        (401, -1, 1, 1),
        (401, 1, 0, 1),
        (401, 1, AREA_MAX, 1),
        (401, 1, AREA_MAX + 1, 1),
        (401, 1, 0xFFFF, 1),
        (401, 1, 1, 0),
        (401, 1, 1, IDENTITY_MAX + 1),
        (401, 1, 1, 0xFFFF),
        (401, 1, 1, 0xFFFFFFF),
    ):
        with pytest.raises(MalformedInput):
            CellName(*wrong)


def test_terminals_tell_the_code_of_a_network_as_a_number():
    cell = CellName(401, 1, 1, 1)
    assert cell.is_of("40101")
    assert cell.is_of("401001")
    assert not cell.is_of("40102")
    assert not cell.is_of("40201")
