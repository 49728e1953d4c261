"""Whether compiled kernels are at hand, and how they are made.

numba is optional: without it every computation runs on its plain twin, with the same results (of
positions: to 1e-6 m). Importing numba takes 0.3 to 0.8 s, so small work never triggers it.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
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


class Beside:
    """A module of kernels, loaded by a thread of its own while the plain twin does the work.

    For a node that answers people meanwhile: the first compilation on a machine takes seconds.
    """

    def __init__(self, name: str, *, pays_from: int) -> None:
        """`name`: of the module, whose `warm_up()` compiles all that is in it.

        `pays_from`: how much work must be asked for before loading is worth its while.
        """
        self._name = name
        self._left = pays_from
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._module: ModuleType | None = None

    def module(self, work: int) -> ModuleType | None:
        """The module once it is compiled; None until then, and for ever without numba.

        `work`: how much the caller is about to do, in the unit of `pays_from`.
        """
        if self._module is None and self._thread is None:
            self._left -= work
            if self._left <= 0:
                self._start()
        return self._module

    def wait(self) -> ModuleType | None:
        """Loads it now and waits until it is compiled: for long work in a program of its own."""
        self._start()
        if self._thread is not None:
            self._thread.join()
        return self._module

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and _installed():
                # No daemon: a compiler that is cut off at the end of a program may take it down.
                self._thread = threading.Thread(target=self._load, name=self._name)
                self._thread.start()

    def _load(self) -> None:
        try:
            module = import_module(self._name)
            module.warm_up()
        except Exception:  # noqa: BLE001 (whatever numba says: the plain twin is as right)
            _LOG.exception("the kernels of %s cannot be compiled; the plain twin stays", self._name)
        else:
            self._module = module


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


def inlined(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function as a part of each kernel that calls it: its loops become the kernel's own."""
    if not _installed():
        return function
    made: Callable[_P, _R] = import_module("numba").njit(inline="always")(function)
    return made
