"""Netting with the solver of the netting extra."""

from __future__ import annotations

from zhidao.finance.adapters.offset import max_offset

__all__ = ["max_offset"]
