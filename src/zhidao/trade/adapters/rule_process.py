"""The process that judges invoices: XSD by lxml, EN 16931 rules by Saxon, one document at a time.

Started by `RuleWorker` as `python -m zhidao.trade.adapters.rule_process PACK`. It reads frames
(length as four bytes big-endian, then XML) from standard input and answers each with a frame of
JSON on standard output; it ends with its input. It is a process of its own because SaxonC holds
the interpreter lock while it works, keeps some 150 MB, and may be killed when a rule never ends.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from lxml import etree

from zhidao.core.errors import MalformedInput
from zhidao.trade.adapters.packs import InstalledPack, load_pack
from zhidao.trade.adapters.rule_frames import DOCUMENT_LIMIT_S, FRAME_LENGTH_BYTES, Answer
from zhidao.trade.domain.verdict import Flag, RuleFinding, Verdict, judged
from zhidao.trade.wire import safe_xml, svrl
from zhidao.trade.wire.places import place_of

_UBL: Final = "{urn:oasis:names:specification:ubl:schema:xsd:"
_SCHEMAS: Final = {
    _UBL + "Invoice-2}Invoice": "xsd/maindoc/UBL-Invoice-2.1.xsd",
    _UBL + "CreditNote-2}CreditNote": "xsd/maindoc/UBL-CreditNote-2.1.xsd",
}
_XSD_FINDINGS_MAX: Final = 50


class Judge:
    """Compiled schemas and rules of one pack; each is compiled at its first use."""

    def __init__(self, pack: InstalledPack) -> None:
        self._pack = pack
        self._schemas: dict[str, etree.XMLSchema] = {}
        self._saxon: Any = None
        self._rules: Any = None

    def judge(self, document: bytes) -> Verdict:
        """The verdict of XSD and rules over one document; both run, whatever the other says.

        Raises MalformedInput if the bytes are no XML that we read.
        """
        root = safe_xml.parse(document)
        names = (f"UBL-2.1 XSD and {self._pack.identity}",)
        if root.tag not in _SCHEMAS:
            wrong = RuleFinding(
                rule="UBL-ROOT",
                flag=Flag.FATAL,
                place=place_of(root),
                sentence="the root element is neither a UBL 2.1 Invoice nor a CreditNote",
            )
            return judged(names, (wrong,))
        return judged(names, self._schema_findings(root) + self._rule_findings(root))

    def _schema_findings(self, root: etree._Element) -> tuple[RuleFinding, ...]:
        name = _SCHEMAS[root.tag]
        if name not in self._schemas:
            parser = etree.XMLParser(no_network=True, resolve_entities=False)
            self._schemas[name] = etree.XMLSchema(
                etree.parse(str(self._pack.folder / name), parser)
            )
        schema = self._schemas[name]
        if schema.validate(root):
            return ()
        log: Any = schema.error_log
        prefixes = _prefixes(root)
        return tuple(
            RuleFinding(
                "UBL-XSD",
                Flag.FATAL,
                _named_place(root, entry.path, prefixes),
                _short(entry.message),
            )
            for entry in islice(log, _XSD_FINDINGS_MAX)
        )

    def _rule_findings(self, root: etree._Element) -> tuple[RuleFinding, ...]:
        from saxonche import PySaxonApiError, PySaxonProcessor

        if self._saxon is None:
            self._saxon = PySaxonProcessor(license=False)
            # No protocol is allowed, so no URI of a document or stylesheet is ever followed.
            self._saxon.set_configuration_property(
                "http://saxon.sf.net/feature/allowedProtocols", ""
            )
            text = (self._pack.folder / "rules.xslt").read_text(encoding="utf-8")
            self._rules = self._saxon.new_xslt30_processor().compile_stylesheet(
                stylesheet_text=text
            )
        try:
            node = self._saxon.parse_xml(xml_text=safe_xml.text_of(root))
            report = self._rules.transform_to_string(xdm_node=node)
        except PySaxonApiError as error:
            # The official rules stop at some fields that the schema refuses (two of an element,
            # a date that is none); the schema's findings beside this one say which.
            stopped = RuleFinding(
                rule="RULES-STOPPED",
                flag=Flag.FATAL,
                place=place_of(root),
                sentence=f"the rules stopped at a broken field: {_short(str(error))}",
            )
            return (stopped,)
        return svrl.read(report.encode())


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


def main(folder: str) -> None:
    """Serves on the inherited pipes; whatever libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(Judge(load_pack(Path(folder))), sys.stdin.buffer, answers)


if __name__ == "__main__":
    main(sys.argv[1])
