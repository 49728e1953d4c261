"""Tables for pandas, which is asked for only where somebody wants one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import numpy as np

from zhidao.core.errors import Unavailable
from zhidao.core.programs.extras import command_for
from zhidao.positioning.domain.observables.observations import Ints

_GPST_EPOCH: Final = np.datetime64("1980-01-06T00:00:00", "ns")


def data_frame(columns: Mapping[str, Any], index: Mapping[str, Any]) -> Any:
    """A DataFrame of columns (n,) under an index of one or more columns (n,).

    Raises Unavailable where pandas is not installed.
    """
    try:
        pandas: Any = import_module("pandas")
    except ImportError as error:
        raise Unavailable(
            "pandas is not installed",
            code="no_pandas",
            remedy=command_for("analysis"),
        ) from error
    frame = pandas.DataFrame({**index, **columns})
    return frame.set_index(list(index))


def gpst(gpst_ns: Ints) -> Any:
    """Times (n,) of GPST, as it counts, without leap seconds."""
    return _GPST_EPOCH + gpst_ns.astype("m8[ns]")
