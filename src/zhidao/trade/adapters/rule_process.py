"""The process that judges invoices by XSD and business rules, one document at a time.

Started by `RuleWorker` as `python -m zhidao.trade.adapters.rule_process PACK...`. It reads frames
(length as four bytes big-endian, then XML) from standard input and answers each with a frame of
JSON on standard output; it ends with its input. It is a process of its own because SaxonC holds
the interpreter lock while it works, keeps some 150 MB, and may be killed when a rule never ends.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from lxml import etree

from zhidao.core.errors import MalformedInput
from zhidao.trade.adapters.packs import InstalledPack, load_pack
from zhidao.trade.adapters.rule_engine import PackRules, SharedSaxon
from zhidao.trade.adapters.rule_frames import DOCUMENT_LIMIT_S, FRAME_LENGTH_BYTES, Answer
from zhidao.trade.domain.rule_families import CII, CREDIT_NOTE, FAMILIES, INVOICE
from zhidao.trade.domain.verdict import Flag, RuleFinding, UndecidedRule, Verdict, judged
from zhidao.trade.wire import safe_xml
from zhidao.trade.wire.norm_differences import differences
from zhidao.trade.wire.places import place_of
from zhidao.trade.wire.xpath.nodes import Kinds, snapshot

_UBL: Final = "{urn:oasis:names:specification:ubl:schema:xsd:"
_SCHEMAS: Final = {
    INVOICE: "xsd/maindoc/UBL-Invoice-2.1.xsd",
    CREDIT_NOTE: "xsd/maindoc/UBL-CreditNote-2.1.xsd",
}
_XSD_FINDINGS_MAX: Final = 50


class Judge:
    """The packs of this process: which of them judge a document, and what they say of it.

    Schemas and rules are compiled at their first use. `only_saxon` leaves the closures out.
    """

    def __init__(self, *packs: InstalledPack, only_saxon: bool = False) -> None:
        self._packs = packs
        self._only_saxon = only_saxon
        self._schemas: dict[Path, etree.XMLSchema] = {}
        self._rules: dict[Path, PackRules] = {}
        self._kinds = Kinds()
        self.saxon = SharedSaxon()

    def judge(self, document: bytes) -> Verdict:
        """The verdict of XSD and rules over one document; both run, whatever the other says.

        Raises MalformedInput if the bytes are no XML that we read.
        """
        # Trees are freed by hand below; looking for cycles meanwhile would cost a tenth.
        collecting = gc.isenabled()
        gc.disable()
        try:
            return self._judge(document)
        finally:
            if collecting:
                gc.enable()

    def _judge(self, document: bytes) -> Verdict:
        root = safe_xml.parse(document)
        packs = applicable(self._packs, root)
        if not packs:
            return self._of_no_kind(root)
        tree = snapshot(root, self._kinds)
        names: list[str] = []
        findings: list[RuleFinding] = []
        undecided: list[UndecidedRule] = []
        flags: dict[str, Flag] = {}
        for pack in packs:
            schema = pack.folder / _SCHEMAS.get(str(root.tag), "no.xsd")
            checked = schema.is_file()
            names.append(f"{'UBL-2.1 XSD and ' if checked else ''}{pack.identity}")
            if checked:
                findings += self._schema_findings(root, schema)
            fired, open_rules = self._pack_rules(pack).judge(root, tree)
            findings += fired
            undecided += open_rules
            flags |= (
                FAMILIES[pack.identity.family].overriding(profile_of(root))
                if (pack.identity.family in FAMILIES)
                else {}
            )
        tree.release()
        verdict = judged(
            tuple(names),
            tuple(replace(f, flag=flags.get(f.rule, f.flag)) for f in findings),
            tuple(replace(u, flag=flags.get(u.rule, u.flag)) for u in undecided),
        )
        if not any(pack.identity.family.startswith("en16931") for pack in packs):
            return verdict
        # A rule that another pack adds, as KoSIT and Peppol do, is no difference either.
        ran = frozenset().union(*(self._pack_rules(pack).ids for pack in packs))
        return replace(verdict, differences=differences(root, ran))

    def _of_no_kind(self, root: etree._Element) -> Verdict:
        names = tuple(str(pack.identity) for pack in self._packs)
        wrong = RuleFinding(
            rule="UBL-ROOT",
            flag=Flag.FATAL,
            place=place_of(root),
            sentence="the root element is neither a UBL 2.1 Invoice nor a CreditNote, nor one "
            "that another installed pack has rules for",
        )
        return judged(names, (wrong,))

    def _pack_rules(self, pack: InstalledPack) -> PackRules:
        if pack.folder not in self._rules:
            self._rules[pack.folder] = PackRules(pack, self.saxon, only_saxon=self._only_saxon)
            # Compiled rules are 100,000 objects that stay: the collector need not look at them.
            gc.freeze()
        return self._rules[pack.folder]

    def _schema_findings(self, root: etree._Element, file: Path) -> list[RuleFinding]:
        if file not in self._schemas:
            parser = etree.XMLParser(no_network=True, resolve_entities=False)
            self._schemas[file] = etree.XMLSchema(etree.parse(str(file), parser))
        schema = self._schemas[file]
        if schema.validate(root):
            return []
        log: Any = schema.error_log
        prefixes = _prefixes(root)
        return [
            RuleFinding(
                "UBL-XSD",
                Flag.FATAL,
                _named_place(root, entry.path, prefixes),
                _short(entry.message),
            )
            for entry in islice(log, _XSD_FINDINGS_MAX)
        ]


def applicable(packs: Sequence[InstalledPack], root: etree._Element) -> list[InstalledPack]:
    """The packs that judge a document: of each family that is for it the release of its day.

    Of several releases the one counts whose first day is the last before the document's own; a
    document without a readable day is judged by the newest.
    """
    profile, day = profile_of(root), day_of(root)
    chosen: dict[str, InstalledPack] = {}
    for pack in packs:
        identity = pack.identity
        family = FAMILIES.get(identity.family)
        if family is None or not family.judges(str(root.tag), profile):
            continue
        if day and identity.valid_from > day:
            continue
        before = chosen.get(identity.family)
        # Equal days: the later in the list, which is the one installed last.
        if before is None or identity.valid_from >= before.identity.valid_from:
            chosen[identity.family] = pack
    return [chosen[name] for name in FAMILIES if name in chosen]


def profile_of(root: etree._Element) -> str:
    """What the document says it conforms to (BT-24), '' if it does not."""
    if root.tag == CII:
        path = "{*}ExchangedDocumentContext/{*}GuidelineSpecifiedDocumentContextParameter/{*}ID"
        return (root.findtext(path) or "").strip()
    return (root.findtext("{*}CustomizationID") or "").strip()


def day_of(root: etree._Element) -> str:
    """The document's issue date (BT-2) in ISO 8601, '' if it has none that can be read."""
    if root.tag == CII:
        text = (
            root.findtext("{*}ExchangedDocument/{*}IssueDateTime/{*}DateTimeString") or ""
        ).strip()
        text = f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 else ""
    else:
        text = (root.findtext("{*}IssueDate") or "").strip()[:10]
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _prefixes(root: etree._Element) -> dict[str, str]:
    # libxml2 writes the document's own prefixes, and `*` for a default namespace.
    spaces = (pair for element in root.iter("*") for pair in element.nsmap.items())
    return {prefix: space for prefix, space in spaces if prefix}


def _named_place(root: etree._Element, path: str | None, prefixes: dict[str, str]) -> str:
    try:
        found = root.xpath(path or ".", namespaces=prefixes)
    except etree.XPathError:
        return path or place_of(root)
    spot = found[0] if isinstance(found, list) and found else root
    return place_of(spot) if isinstance(spot, etree._Element) else place_of(root)


def _short(message: str) -> str:
    for space in (*_NAMESPACES, "{http://www.w3.org/2001/XMLSchema}"):
        message = message.replace(space, "")
    return " ".join(message.split())[:500]


_NAMESPACES: Final = tuple(
    f"{_UBL}{name}-2}}"
    for name in ("CommonAggregateComponents", "CommonBasicComponents", "Invoice", "CreditNote")
)


def serve(judge: Judge, source: BinaryIO, sink: BinaryIO) -> None:
    """Answers frames until the source ends."""
    while len(head := source.read(FRAME_LENGTH_BYTES)) == FRAME_LENGTH_BYTES:
        document = source.read(int.from_bytes(head, "big"))
        # Without a handler the alarm ends the process, even in the middle of foreign code.
        signal.alarm(DOCUMENT_LIMIT_S)
        try:
            answer = Answer(verdict=judge.judge(document))
        except MalformedInput as error:
            answer = Answer(
                malformed=str(error.args[0]),
                code=error.code,
                where=error.where,
                remedy=error.remedy,
            )
        signal.alarm(0)
        data = msgspec.json.encode(answer)
        sink.write(len(data).to_bytes(FRAME_LENGTH_BYTES, "big") + data)
        sink.flush()


def main(folders: Sequence[str]) -> None:
    """Serves on the inherited pipes; whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    packs = [load_pack(Path(folder)) for folder in folders]
    serve(Judge(*packs), sys.stdin.buffer, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
