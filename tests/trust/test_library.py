from __future__ import annotations

import sys

import pytest

from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.library import local_evm


def test_the_evm_of_this_process_is_there_where_py_evm_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_evm() is PyEvmEngine
    monkeypatch.setitem(sys.modules, "eth", None)
    assert local_evm() is None
