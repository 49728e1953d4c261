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
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from lxml import etree

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.remedies import remedy_of
from zhidao.rules import Document, Element, Kinds, parse_xml, snapshot
from zhidao.trade.adapters.packs import InstalledPack, load_pack
from zhidao.trade.adapters.rule_engine import PackRules, SharedSaxon
from zhidao.trade.adapters.rule_frames import DOCUMENT_LIMIT_S, FRAME_LENGTH_BYTES, Answer
from zhidao.trade.domain.rule_families import CII, CREDIT_NOTE, FAMILIES, INVOICE, Family
from zhidao.trade.domain.verdict import Flag, RuleFinding, UndecidedRule, Verdict, judged
from zhidao.trade.wire.norm_differences import differences
from zhidao.trade.wire.places import first_text, path_of, place_of

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
        families = [FAMILIES.get(pack.identity.family) for pack in packs]
        self._roots = frozenset(root for each in families if each for root in each.roots)
        self._only_saxon = only_saxon
        self._schemas: dict[Path, etree.XMLSchema] = {}
        self._rules: dict[Path, PackRules] = {}
        # By the packs that were chosen and the root element: few, whatever documents say.
        self._ready: dict[tuple[str, tuple[int, ...]], _Ready] = {}
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
        root = parse_xml(document)
        if root.tag not in self._roots:
            return self._of_no_kind(root)
        tree = snapshot(root, self._kinds)
        try:
            return self._judge_tree(root, tree)
        finally:
            tree.release()

    def _judge_tree(self, root: etree._Element, tree: Document) -> Verdict:
        profile = profile_of(tree.root)
        packs = _applicable(self._packs, tree.root, profile)
        if not packs:
            return self._of_no_kind(root)
        ready = self._ready_for(tree.root.tag, packs)
        findings: list[RuleFinding] = []
        undecided: list[UndecidedRule] = []
        for _, schema, rules in ready.packs:
            if schema is not None:
                findings += _schema_findings(root, schema)
            fired, open_rules = rules.judge(root, tree)
            findings += fired
            undecided += open_rules
        if findings or undecided:
            flags = ready.flags(profile)
            findings = [replace(f, flag=flags.get(f.rule, f.flag)) for f in findings]
            undecided = [replace(u, flag=flags.get(u.rule, u.flag)) for u in undecided]
        verdict = judged(ready.names, tuple(findings), tuple(undecided))
        told = differences(tree.root, ready.rule_ids) if ready.tells_differences else ()
        return replace(verdict, differences=told) if told else verdict

    def _ready_for(self, root_tag: str, packs: list[InstalledPack]) -> _Ready:
        """What judges documents of one kind: settled at the first of them."""
        # The packs live as long as their judge.
        key = (root_tag, tuple(map(id, packs)))
        ready = self._ready.get(key)
        if ready is None:
            each = [self._one(pack, root_tag) for pack in packs]
            ready = self._ready[key] = _Ready(
                packs=each,
                names=tuple(
                    f"{'UBL-2.1 XSD and ' if schema is not None else ''}{pack.identity}"
                    for pack, (_, schema, _) in zip(packs, each, strict=True)
                ),
                # A rule that another pack adds, as KoSIT and Peppol do, is no difference either.
                rule_ids=frozenset().union(*(rules.ids for _, _, rules in each)),
                tells_differences=any(p.identity.family.startswith("en16931") for p in packs),
            )
            # Compiled rules are 100,000 objects that stay: the collector need not look at them.
            gc.freeze()
        return ready

    def _one(
        self, pack: InstalledPack, root_tag: str
    ) -> tuple[Family | None, etree.XMLSchema | None, PackRules]:
        rules = self._rules.get(pack.folder)
        if rules is None:
            rules = self._rules[pack.folder] = PackRules(
                pack, self.saxon, only_saxon=self._only_saxon
            )
        return FAMILIES.get(pack.identity.family), self._schema(pack, root_tag), rules

    def _schema(self, pack: InstalledPack, root_tag: str) -> etree.XMLSchema | None:
        file = pack.folder / _SCHEMAS.get(root_tag, "no.xsd")
        if file not in self._schemas and file.is_file():
            root = parse_xml(file.read_bytes())
            # Its parts lie beside it, and are found from where it lies itself.
            root.getroottree().docinfo.URL = str(file)
            self._schemas[file] = etree.XMLSchema(root)
        return self._schemas.get(file)

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


@dataclass(frozen=True, slots=True)
class _Ready:
    """Families, schemas and rules that judge documents of one kind, with the names of all."""

    packs: list[tuple[Family | None, etree.XMLSchema | None, PackRules]]
    names: tuple[str, ...]
    rule_ids: frozenset[str]
    tells_differences: bool

    def flags(self, profile: str) -> dict[str, Flag]:
        """How much rules weigh where a document's profile says so, by rule."""
        found: dict[str, Flag] = {}
        for family, _, _ in self.packs:
            found |= family.overriding(profile) if family is not None else {}
        return found


def _schema_findings(root: etree._Element, schema: etree.XMLSchema) -> list[RuleFinding]:
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


def applicable(packs: Sequence[InstalledPack], root: Element) -> list[InstalledPack]:
    """The packs that judge a document: of each family that is for it the release of its day.

    Of several releases the one counts whose first day is the last before the document's own; a
    document without a readable day is judged by the newest.
    """
    return _applicable(packs, root, profile_of(root))


def _applicable(packs: Sequence[InstalledPack], root: Element, profile: str) -> list[InstalledPack]:
    tag, day = root.tag, day_of(root)
    chosen: dict[str, InstalledPack] = {}
    for pack in packs:
        identity = pack.identity
        family = FAMILIES.get(identity.family)
        if family is None or not family.judges(tag, profile):
            continue
        if day and identity.valid_from > day:
            continue
        before = chosen.get(identity.family)
        # Equal days: the later in the list, which is the one installed last.
        if before is None or identity.valid_from >= before.identity.valid_from:
            chosen[identity.family] = pack
    return [chosen[name] for name in FAMILIES if name in chosen]


def profile_of(root: Element) -> str:
    """What the document says it conforms to (BT-24), '' if it does not."""
    return first_text(root, _PROFILE_CII if root.tag == CII else _PROFILE_UBL)


def day_of(root: Element) -> str:
    """The document's issue date (BT-2) in ISO 8601, '' if it has none that can be read."""
    if root.tag == CII:
        text = first_text(root, _DAY_CII)
        text = f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) == 8 else ""
    else:
        text = first_text(root, _DAY_UBL)[:10]
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


_PROFILE_UBL: Final = path_of("cbc:CustomizationID")
_PROFILE_CII: Final = path_of(
    "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"
)
_DAY_UBL: Final = path_of("cbc:IssueDate")
_DAY_CII: Final = path_of("rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString")


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
                remedy=remedy_of(error),
            )
        except Unavailable as error:
            answer = Answer(
                unavailable=str(error.args[0]),
                code=error.code,
                where=error.where,
                remedy=remedy_of(error),
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
