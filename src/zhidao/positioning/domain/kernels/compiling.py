"""Whether compiled kernels are at hand, and how they are made.

numba is optional: without it every computation runs on its numpy twin, with the same results to
1e-6 m. Importing numba takes 0.3 to 0.8 s, so small work never triggers it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Final, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")
_LOG: Final = logging.getLogger(__name__)


def ready(*, pays: bool) -> bool:
    """Whether to take the compiled twin: numba is loaded, or there and worth loading.

    pays: the work is large enough to earn back the import.
    """
    if "numba" in sys.modules:
        return _installed()
    return pays and _installed()


@cache
def _installed() -> bool:
    found = find_spec("numba") is not None
    if found and "numba" not in sys.modules:
        _LOG.info("loading compiled kernels; the first use on a machine compiles them for seconds")
    return found


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function compiled by numba without the interpreter lock, kept on disk where possible.

    Without numba the function itself: right, and slow.
    """
    if not _installed():
        return function
    numba = import_module("numba")
    try:
        made: Callable[_P, _R] = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # No folder for the cache can be written, as in a read-only installation.
        made = numba.njit(nogil=True)(function)
    return made
