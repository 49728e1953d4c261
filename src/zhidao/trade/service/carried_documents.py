"""What the exchange asks of documents: what they are, and whether rules refuse them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.core.remedies import remedy_of
from zhidao.trade.domain.documents.formalities import FORMS
from zhidao.trade.domain.verdict import Outcome, Verdict, not_checked
from zhidao.trade.service.document_set import OF_OTHERS, read_of_others
from zhidao.trade.service.entering import kind_of
from zhidao.trade.service.validation import Validation, refuse_broken

# Blanks of XML, and what makes a file broken XML and is still no other kind of file.
_BLANK: Final = b"\xef\xbb\xbf \t\r\n\x00\x0b\x0c\xc2\xa0"
# UTF-32 and UTF-16 by their marks, or by how `<` begins without one (XML 1.0 appendix F).
_BEGINS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARED: Final = re.compile(rb"""\A<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.-]{1,40})["']""")
_TABLES: Final = re.compile(
    r"(?i)(windows-|cp)125\d|iso-8859-\d+|gb(k|2312|18030)|big5|shift_jis|euc-(jp|kr)|koi8-[ru]"
)
_DECLARATION: Final = re.compile(r"\A<\?xml[^>]*\?>")
_INVOICE_KINDS: Final = ("trade.invoice", "trade.credit_note")
INNER_MAX: Final = 20
"""Invoices inside of another document that are judged; one with more cannot be judged."""
# Names that the root of an invoice or a credit note has, in UBL and CII.
_ROOTS: Final = (b"Invoice", b"CreditNote")
_ROOT: Final = re.compile(rb"<(?:[\w.-]{1,60}:)?(?:(?:CrossIndustry)?Invoice|CreditNote)[\s/>]")


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

    async def check(self, media_type: str, content: bytes, *, kind: str = "") -> None:
        """Refuses (`invoice_invalid`) an invoice that breaks a rule that is installed here.

        It is an invoice by its bytes, whatever type it is said to have. What is no invoice of a
        known form passes, and so does one for which no rules are at hand. Raises MalformedInput
        for what is called an invoice (`kind`) and is XML that no rule may be shown.
        """
        del media_type
        try:
            verdict = await self._verdict(content)
        except MalformedInput:
            if _is_called_invoice(kind):
                raise
            return
        if verdict is not None:
            refuse_broken(verdict)

    async def look(self, media_type: str, content: bytes, *, kind: str = "") -> PaperLook:
        """What a document is, by its bytes; why nobody judged one that may be an invoice."""
        english, chinese, number = await self._judges.run(DOCUMENT, _named, _in_utf8(content))
        try:
            verdict = await self._verdict(content)
        except MalformedInput as error:
            verdict = not_checked(str(error.args[0]), remedy_of(error))
        if verdict is None and _is_called_invoice(kind):
            verdict = not_checked(
                f"no rules are for an invoice as {media_type[:80]}", "ask for it as UBL 2.1 or CII"
            )
        if verdict is None:
            return PaperLook(english, chinese, number)
        told = verdict.outcome.value.replace(" ", "_")
        return PaperLook(english, chinese, number, told, verdict.summary())

    async def _verdict(self, content: bytes) -> Verdict | None:
        """The verdict about an invoice, or about all that stand in a document; None for another.

        Raises MalformedInput for what may be an invoice and cannot be read.
        """
        content = _in_utf8(content)
        if not _may_be_invoice(content):
            return None
        verdict = None
        for invoice in await self._judges.run(DOCUMENT, _invoices, content):
            try:
                told = await self._validation.verdict(invoice)
            except Unavailable as error:
                told = not_checked(str(error.args[0]), remedy_of(error))
            # One that breaks a rule is not hidden by others that nobody could judge.
            if told.outcome is Outcome.INVALID:
                return told
            if verdict is None or verdict.outcome is Outcome.VALID:
                verdict = told
        return verdict


def _may_be_invoice(content: bytes) -> bool:
    """Whether it is worth a look: most documents of an exchange are no invoices."""
    if not any(root in content for root in _ROOTS):
        return False
    # With anything in front of it no rule can be shown it, and a person still reads an invoice.
    return content.lstrip(_BLANK)[:1] == b"<" or _ROOT.search(content) is not None


def _in_utf8(content: bytes) -> bytes:
    """A document in a character set that XML allows, as the rules read it."""
    charset = next((name for begins, name in _BEGINS if content.startswith(begins)), "")
    if not charset and (declared := _DECLARED.match(content)):
        named = declared[1].decode()
        charset = named if _TABLES.fullmatch(named) else ""
    if not charset:
        return content
    try:
        text = content.decode(charset)
    except (UnicodeDecodeError, LookupError):
        return content
    return _DECLARATION.sub("", text.removeprefix("\ufeff")).encode("utf-8", "replace")


def _is_called_invoice(kind: str) -> bool:
    return kind.strip().lower() in _INVOICE_KINDS


def _invoices(content: bytes) -> list[bytes]:
    """The document if it is an invoice, else those inside of it, as in a wrapper for sending."""
    from zhidao.rules import parse_xml, xml_text

    root = parse_xml(content)
    known = {form.root for form in (*FORMS.values(), *OF_OTHERS.values()) if form.kind in OF_OTHERS}
    if root.tag in known:
        return [content]
    inside = list(islice(root.iter(*sorted(known)), INNER_MAX + 1))
    if len(inside) > INNER_MAX:
        raise MalformedInput(
            f"more than {INNER_MAX} invoices stand in one document",
            code="too_many_invoices",
            remedy="send each invoice as a document of its own",
        )
    for each in inside:
        # What follows an element is its wrapper's.
        each.tail = None
    return [xml_text(each).encode() for each in inside]


def _named(content: bytes) -> tuple[str, str, str]:
    """The names and the number of a document, empty where it is none that is known."""
    try:
        kind = kind_of(content)
        found = read_of_others(content, kind=kind)
    except MalformedInput:
        return "", "", ""
    form = (FORMS | OF_OTHERS)[found.kind]
    return *form.titles, found.consignment.get(form.number_path)
