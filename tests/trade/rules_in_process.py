"""The judge in the calling process: for tests and command lines, never for a node."""

from __future__ import annotations

from zhidao.trade.adapters.rule_process import Judge
from zhidao.trade.domain.verdict import Verdict


class RulesInProcess:
    """Implements `service.ports.InvoiceRules` without another process; it blocks while judging."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    async def judge(self, document: bytes) -> Verdict:
        """The verdict of schema and rules."""
        return self._judge.judge(document)
