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
from collections.abc import Iterable, Mapping, Sequence
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
from zhidao.trade.adapters.packs import SETUP_REMEDY, InstalledPack, readable_packs
from zhidao.trade.adapters.rule_engine import PackRules, SharedSaxon
from zhidao.trade.adapters.rule_frames import DOCUMENT_LIMIT_S, FRAME_LENGTH_BYTES, Answer
from zhidao.trade.domain.rule_families import (
    CII,
    CREDIT_NOTE,
    EN16931,
    FAMILIES,
    INVOICE,
    Family,
    family_of_pack,
    lack_of,
)
from zhidao.trade.domain.verdict import (
    Flag,
    RuleFinding,
    RulePack,
    UndecidedRule,
    Verdict,
    judged,
    not_checked,
)
from zhidao.trade.wire.norm_differences import differences
from zhidao.trade.wire.places import first_text, path_of, place_of

_UBL: Final = "{urn:oasis:names:specification:ubl:schema:xsd:"
_SCHEMAS: Final = {
    INVOICE: "xsd/maindoc/UBL-Invoice-2.1.xsd",
    CREDIT_NOTE: "xsd/maindoc/UBL-CreditNote-2.1.xsd",
}
_XSD_FINDINGS_MAX: Final = 50
_SILENT: Final = "no rule of {} is about anything in this document"


class Judge:
    """The packs of this process: which of them judge a document, and what they say of it.

    Schemas and rules are compiled at their first use. `only_saxon` leaves the closures out.
    `broken` says which packs could not be read: told wherever a verdict lacks rules.
    """

    def __init__(
        self, *packs: InstalledPack, only_saxon: bool = False, broken: Sequence[str] = ()
    ) -> None:
        self._packs = packs
        self._broken = tuple(broken)
        families = [family_of_pack(pack.identity) for pack in packs]
        self._families = [family for family in families if family is not None]
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
        if self._broken and not self._packs:
            return not_checked("; ".join(self._broken), SETUP_REMEDY)
        if not any(family.is_for_root(root.tag) for family in self._families):
            return self._of_no_kind(root)
        tree = snapshot(root, self._kinds)
        try:
            return self._judge_tree(root, tree)
        finally:
            tree.release()

    def _judge_tree(self, root: etree._Element, tree: Document) -> Verdict:
        profile, day = profile_of(tree.root), day_of(tree.root)
        packs = _applicable(self._packs, tree.root, profile)
        ready = self._ready_for(tree.root.tag, packs)
        findings: list[RuleFinding] = []
        undecided: list[UndecidedRule] = []
        unjudged = list(ready.unjudged)
        remedy = ""
        for pack, schema, rules in ready.packs:
            if schema is not None:
                findings += _schema_findings(root, schema)
            fired, open_rules, lacking = rules.judge(root, tree)
            findings += fired
            undecided += open_rules
            if lacking is not None:
                unjudged.append(f"{pack.identity.release}: {lacking.args[0]}")
                remedy = remedy_of(lacking)
        if findings or undecided:
            findings, undecided = ready.weighed(profile, findings, undecided)
        silent = ready.silent(root, tree, findings, undecided)
        families = ready.families_but(silent)
        lack = lack_of(
            tree.root.tag, profile, day, families, [pack.identity for pack in self._packs]
        )
        if lack is not None:
            unjudged = [*map(_SILENT.format, silent), lack.why, *self._broken, *unjudged]
            remedy = lack.remedy
        verdict = judged(ready.names, tuple(findings), tuple(undecided), tuple(unjudged), remedy)
        differ = differences(tree.root, ready.rule_ids) if ready.tells_differences else ()
        return replace(verdict, differences=differ) if differ else verdict

    def _ready_for(self, root_tag: str, packs: list[InstalledPack]) -> _Ready:
        """What judges documents of one kind: settled at the first of them."""
        # The packs live as long as their judge.
        key = (root_tag, tuple(map(id, packs)))
        ready = self._ready.get(key)
        if ready is None:
            ready = self._ready[key] = self._made_ready(packs, root_tag)
            # Compiled rules are 100,000 objects that stay: the collector need not look at them.
            gc.freeze()
        return ready

    def _made_ready(self, packs: list[InstalledPack], root_tag: str) -> _Ready:
        each: list[tuple[InstalledPack, etree.XMLSchema | None, PackRules]] = []
        unjudged = []
        for pack in packs:
            try:
                each.append((pack, self._schema(pack, root_tag), self._rules_of(pack)))
            except (MalformedInput, etree.XMLSchemaParseError) as error:
                # A pack that an earlier release took: the others have their say all the same.
                unjudged.append(f"{pack.identity.release} cannot be used: {error.args[0]}")
        families = [family_of_pack(pack.identity) for pack, _, _ in each]
        return _Ready(
            packs=each,
            families=tuple(family for family in families if family is not None),
            names=tuple(
                f"{'UBL-2.1 XSD and ' if schema is not None else ''}{pack.identity}"
                for pack, schema, _ in each
            ),
            # A rule that another pack adds, as KoSIT and Peppol do, is no difference either.
            rule_ids=frozenset().union(*(rules.ids for _, _, rules in each)),
            tells_differences=any(p.identity.family.startswith("en16931") for p, _, _ in each),
            unjudged=tuple(unjudged),
        )

    def _rules_of(self, pack: InstalledPack) -> PackRules:
        rules = self._rules.get(pack.folder)
        if rules is None:
            rules = self._rules[pack.folder] = PackRules(
                pack, self.saxon, only_saxon=self._only_saxon
            )
        return rules

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

    packs: list[tuple[InstalledPack, etree.XMLSchema | None, PackRules]]
    families: tuple[Family, ...]
    names: tuple[str, ...]
    rule_ids: frozenset[str]
    tells_differences: bool
    # Why packs that should judge them do not.
    unjudged: tuple[str, ...]

    def silent(
        self,
        root: etree._Element,
        tree: Document,
        findings: Iterable[RuleFinding],
        undecided: Iterable[UndecidedRule],
    ) -> list[RulePack]:
        """The operator's own rules of which none is about anything in a document.

        Rules of a known family are for its documents. What was found was found in something.
        """
        said = {finding.rule for finding in findings} | {each.rule for each in undecided}
        return [
            pack.identity
            for pack, _, rules in self.packs
            if pack.identity.applies_to and not rules.ids & said and not rules.meet(root, tree)
        ]

    def families_but(self, silent: Iterable[RulePack]) -> list[Family]:
        """The families whose rules had something to judge."""
        others = {pack.family for pack in silent}
        return [family for family in self.families if family.name not in others]

    def weighed(
        self, profile: str, findings: list[RuleFinding], undecided: list[UndecidedRule]
    ) -> tuple[list[RuleFinding], list[UndecidedRule]]:
        """Findings with the weights that a document's profile gives some rules."""
        flags: dict[str, Flag] = {}
        for family in self.families:
            flags |= family.overriding(profile)
        return (
            [replace(f, flag=flags.get(f.rule, f.flag)) for f in findings],
            [replace(u, flag=flags.get(u.rule, u.flag)) for u in undecided],
        )


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
    day = day_of(root)
    chosen: dict[str, InstalledPack] = {}
    own = False
    for pack in packs:
        identity = pack.identity
        family = family_of_pack(identity)
        if family is None or not family.judges(root.tag, profile) or identity.valid_from > day > "":
            continue
        before = chosen.get(identity.family)
        # Equal days: the later in the list, which is the one installed last.
        if before is None or identity.valid_from >= before.identity.valid_from:
            chosen[identity.family] = pack
            own = own or bool(family.pattern)
    return _in_order(chosen, norm=not own or not profile or profile.startswith(EN16931))


def _in_order(chosen: Mapping[str, InstalledPack], *, norm: bool) -> list[InstalledPack]:
    """The chosen packs in the order of their families, the operator's own behind.

    norm: whether the norm's rules count. What is not built on it, and has rules of its own, is not
    held to them.
    """
    known = [name for name, family in FAMILIES.items() if norm or not family.of_the_norm]
    known += [name for name in chosen if name not in FAMILIES]
    return [chosen[name] for name in known if name in chosen]


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
        answer = _answered(judge, document)
        signal.alarm(0)
        data = msgspec.json.encode(answer)
        sink.write(len(data).to_bytes(FRAME_LENGTH_BYTES, "big") + data)
        sink.flush()


def _answered(judge: Judge, document: bytes) -> Answer:
    try:
        return Answer(verdict=judge.judge(document))
    except (MalformedInput, Unavailable) as error:
        told = str(error.args[0])
        of_document = isinstance(error, MalformedInput)
        return Answer(
            malformed=told if of_document else "",
            unavailable="" if of_document else told,
            code=error.code,
            where=error.where,
            remedy=remedy_of(error),
        )
    except Exception as error:  # noqa: BLE001 (foreign rules and libraries: the next document counts)
        return Answer(
            unavailable=f"the rules broke on this document: {type(error).__name__}: {error}"[:500],
            code="rules_failed",
            remedy="check the document by `zhidao trade check`, and report what it says",
        )


def main(folders: Iterable[str]) -> None:
    """Serves on the inherited pipes; whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    packs, broken = readable_packs(Path(folder) for folder in folders)
    serve(Judge(*packs, broken=broken), sys.stdin.buffer, answers)


if __name__ == "__main__":
    main(sys.argv[1:])
