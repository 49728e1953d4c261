"""Business rules over XML: Schematron and XPath compiled to Python, safe reading of XML.

What other rooms use stands here, and nothing else does; its names load when they are first used:

    from zhidao.rules import CompiledRules, parse_xml, read_schematron, snapshot
    rules = read_schematron(Path("EN16931-UBL-validation.sch").read_bytes())
    found = CompiledRules(rules).run(snapshot(parse_xml(invoice)))   # what fired, and where
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from zhidao.rules.namespaces import SPACES
    from zhidao.rules.safe_xml import XML_BYTES_MAX, XML_NODES_MAX, parse_xml, xml_text
    from zhidao.rules.schematron.compact import stylesheet
    from zhidao.rules.schematron.elements import Lines
    from zhidao.rules.schematron.explaining import Explainer
    from zhidao.rules.schematron.judging import Answer, node_of, sorted_answers
    from zhidao.rules.schematron.reading import read_schematron
    from zhidao.rules.schematron.ruleset import Pattern, Rule, RuleSet, decode_rules, encode_rules
    from zhidao.rules.schematron.running import CompiledRules
    from zhidao.rules.xpath.nodes import Attribute, Document, Element, Kinds
    from zhidao.rules.xpath.snapshot import snapshot

_PLACES: Final = {
    "namespaces": ("SPACES",),
    "safe_xml": ("XML_BYTES_MAX", "XML_NODES_MAX", "parse_xml", "xml_text"),
    "schematron.compact": ("stylesheet",),
    "schematron.elements": ("Lines",),
    "schematron.explaining": ("Explainer",),
    "schematron.judging": ("Answer", "node_of", "sorted_answers"),
    "schematron.reading": ("read_schematron",),
    "schematron.ruleset": ("Pattern", "Rule", "RuleSet", "decode_rules", "encode_rules"),
    "schematron.running": ("CompiledRules",),
    "xpath.nodes": ("Attribute", "Document", "Element", "Kinds"),
    "xpath.snapshot": ("snapshot",),
}
_PLACE_OF: Final = {name: place for place, names in _PLACES.items() for name in names}

__all__ = [
    "SPACES",
    "XML_BYTES_MAX",
    "XML_NODES_MAX",
    "Answer",
    "Attribute",
    "CompiledRules",
    "Document",
    "Element",
    "Explainer",
    "Kinds",
    "Lines",
    "Pattern",
    "Rule",
    "RuleSet",
    "decode_rules",
    "encode_rules",
    "node_of",
    "parse_xml",
    "read_schematron",
    "snapshot",
    "sorted_answers",
    "stylesheet",
    "xml_text",
]


def __getattr__(name: str) -> Any:
    place = _PLACE_OF.get(name)
    if place is None:
        raise AttributeError(f"the room rules has no {name}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{place}"), name)
    return found
