"""Saxon's side of the rules: compact XSLT compiled once, or any XSLT run as it is.

saxonche 13 (SaxonC-HE). It holds the interpreter lock while it works, and one processor may live
in a process: whoever uses this module does so in a process of its own, or accepts the wait.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from zhidao.core.errors import Unavailable
from zhidao.core.programs.extras import command_for
from zhidao.rules import Answer, RuleSet, stylesheet

_PROTOCOLS = "http://saxon.sf.net/feature/allowedProtocols"


@cache
def _processor() -> Any:
    """The process's one processor, which lives as long as the process.

    Raises Unavailable where Saxon, an extra, is not installed.
    """
    try:
        from saxonche import PySaxonProcessor
    except ModuleNotFoundError as error:
        raise Unavailable(
            "a rule of this document is left to Saxon, which is not installed",
            code="no_saxon",
            remedy=command_for("saxon"),
        ) from error

    made = PySaxonProcessor(license=False)
    made.set_configuration_property(_PROTOCOLS, "")
    return made


class Saxon:
    """The process's processor; no URI of a document or stylesheet is ever followed."""

    def __init__(self) -> None:
        self.processor = _processor()

    def compiled(self, text: str) -> Any:
        """A stylesheet ready to run. Raises Unavailable if Saxon refuses it."""
        from saxonche import PySaxonApiError

        try:
            return self.processor.new_xslt30_processor().compile_stylesheet(stylesheet_text=text)
        except PySaxonApiError as error:
            raise Unavailable(
                f"Saxon refuses the rules: {' '.join(str(error).split())[:300]}",
                code="rules_refused",
                remedy="check the rules with their publisher's own tools",
            ) from error

    def document(self, text: str) -> Any:
        """A document from text without an XML declaration."""
        return self.processor.parse_xml(xml_text=text)


class SaxonRules:
    """The asserts of a rule set, or those numbered, judged by Saxon."""

    def __init__(self, saxon: Saxon, rules: RuleSet, only: Collection[int] | None = None) -> None:
        self._rules = saxon.compiled(stylesheet(rules, only))

    def run(self, document: Any) -> list[Answer]:
        """What fired and what is undecided, in the order of the rules.

        Raises Unavailable where Saxon gives up, as it does on an error outside of all asserts.
        """
        from saxonche import PySaxonApiError

        found = []
        try:
            text = self._rules.transform_to_string(xdm_node=document)
        except PySaxonApiError as error:
            raise Unavailable(
                f"Saxon gave up on a document: {' '.join(str(error).split())[:300]}",
                code="rules_failed",
                remedy="check the rules with their publisher's own tools",
            ) from error
        for line in (text or "").splitlines():
            kind, number, order, attribute, code = line.split("\t")
            name = attribute.removeprefix("}")
            if attribute and not attribute.startswith("}"):
                name = "{" + attribute
            found.append(Answer(int(number), int(order), name, code if kind == "U" else ""))
        return found
