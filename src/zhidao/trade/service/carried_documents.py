"""What the exchange asks of documents: what they are, and whether rules refuse them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.trade.domain.documents.formalities import FORMS
from zhidao.trade.domain.verdict import Verdict
from zhidao.trade.service.document_set import OF_OTHERS, read_of_others
from zhidao.trade.service.entering import kind_of
from zhidao.trade.service.validation import Validation, refuse_broken

_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_DECLARATION: Final = re.compile(r"\A<\?xml[^>]*\?>")
# Names that the root of an invoice or a credit note has, in UBL and CII.
_ROOTS: Final = (b"Invoice", b"CreditNote")


@dataclass(frozen=True, slots=True)
class PaperLook:
    """A paper's names in English and Chinese and its number, empty where nobody knows it.

    `verdict`: valid, invalid, undecided, partly_judged, not_checked, or none where no rules are
    for such papers; `summary` says why.
    """

    en: str
    zh: str
    number: str
    verdict: str = "none"
    summary: str = ""


class CarriedDocuments:
    """What is known of documents that go from node to node."""

    def __init__(self, validation: Validation, judges: Judges = IN_PLACE) -> None:
        self._validation = validation
        self._judges = judges

    async def check(self, media_type: str, content: bytes) -> None:
        """Refuses (`invoice_invalid`) an invoice that breaks a rule that is installed here.

        It is an invoice by its bytes, whatever type it is said to have. What is no invoice of a
        known form passes, and so does one that nobody could judge.
        """
        del media_type
        verdict = await self._verdict(content)
        if verdict is not None:
            refuse_broken(verdict)

    async def look(self, media_type: str, content: bytes) -> PaperLook:
        """What a document is, by its bytes."""
        del media_type
        english, chinese, number = await self._judges.run(DOCUMENT, _named, content)
        verdict = await self._verdict(content)
        if verdict is None:
            return PaperLook(english, chinese, number)
        told = verdict.outcome.value.replace(" ", "_")
        return PaperLook(english, chinese, number, told, verdict.summary())

    async def _verdict(self, content: bytes) -> Verdict | None:
        """The verdict about an invoice; None for another document, or where nobody can judge."""
        content = _in_utf8(content)
        if not _may_be_invoice(content):
            return None
        if not await self._judges.run(DOCUMENT, _is_invoice, content):
            return None
        try:
            return await self._validation.verdict(content)
        except (MalformedInput, Unavailable):
            return None


def _may_be_invoice(content: bytes) -> bool:
    """Whether it is worth a look: most documents of an exchange are no invoices."""
    return content.lstrip(_BLANK)[:1] == b"<" and any(root in content for root in _ROOTS)


def _in_utf8(content: bytes) -> bytes:
    """A document in UTF-16, which XML allows, as the rules read it; any other as it stands."""
    if not content.startswith(_UTF16):
        return content
    try:
        text = content.decode("utf-16")
    except UnicodeDecodeError:
        return content
    return _DECLARATION.sub("", text).encode("utf-8", "replace")


def _is_invoice(content: bytes) -> bool:
    try:
        return kind_of(content) in OF_OTHERS
    except MalformedInput:
        return False


def _named(content: bytes) -> tuple[str, str, str]:
    """The names and the number of a document, empty where it is none that is known."""
    try:
        kind = kind_of(content)
        found = read_of_others(content, kind=kind)
    except MalformedInput:
        return "", "", ""
    form = (FORMS | OF_OTHERS)[found.kind]
    return *form.titles, found.consignment.get(form.number_path)
