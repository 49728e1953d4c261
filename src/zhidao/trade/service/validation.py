"""Validating an invoice: the document is read safely here, judged by the rules elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.trade.domain.verdict import Outcome, Verdict
from zhidao.trade.service.ports import InvoiceRules


class Validation:
    """Verdicts about invoices."""

    def __init__(self, rules: InvoiceRules, judges: Judges = IN_PLACE) -> None:
        self._rules = rules
        self._judges = judges

    async def verdict(self, document: bytes) -> Verdict:
        """What schema and rules say of a UBL document.

        Raises MalformedInput, with place and remedy, for what no rule may be shown: no XML, a
        DOCTYPE, too deep, too large.
        """
        # Attacks are refused before a judging process is started for them.
        await self._judges.run(DOCUMENT, _read_safely, document)
        return await self._rules.judge(document)

    async def valid(self, document: bytes) -> tuple[str, ...]:
        """The names of the rules by which an invoice is valid.

        Raises Refused with rule ids and places if it is not, Unavailable if nobody checked it.
        """
        verdict = await self.verdict(document)
        if verdict.outcome is Outcome.NOT_CHECKED:
            raise Unavailable(
                f"the invoice cannot be called valid: {'; '.join(verdict.rules)}",
                code="no_rules",
                remedy=verdict.remedy,
            )
        refuse_broken(verdict)
        if verdict.outcome is Outcome.PARTLY_JUDGED:
            raise Unavailable(
                f"the invoice cannot be called valid: {'; '.join(verdict.unjudged)}",
                code="no_rules",
                remedy=verdict.remedy,
            )
        if verdict.outcome is Outcome.UNDECIDED:
            raise Refused(
                f"the invoice cannot be called valid: {verdict.summary()}",
                code="invoice_undecided",
                where=verdict.undecided[0].place,
                remedy="correct the fields that these rules could not read",
            )
        return verdict.rules

    async def unbroken(self, documents: Iterable[bytes]) -> None:
        """Refuses (`invoice_invalid`) what breaks a rule that is installed; the rest may leave."""
        for document in documents:
            refuse_broken(await self.verdict(document))


def refuse_broken(verdict: Verdict) -> None:
    """Raises Refused, with rules and places, for a document that is invalid."""
    if verdict.outcome is Outcome.INVALID:
        raise Refused(
            f"the invoice breaks its rules: {verdict.summary()}",
            code="invoice_invalid",
            where=verdict.fatal[0].place,
            remedy="correct the entry's facts behind these rules",
        )


def _read_safely(document: bytes) -> None:
    # lxml costs some megabytes and 0.1 s: nodes that see no invoice never load it.
    from zhidao.rules import parse_xml

    parse_xml(document)
