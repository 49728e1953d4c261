"""JSON-LD documents as RDF statements, in one pass and with nothing lost in silence.

What a JSON-LD processor would drop (a name without meaning, a relative type or identifier) is an
error: a signature must cover all that a reader sees. A text's direction becomes its type
(`i18n-datatype` of section 8.2.2), as other makers sign it. Not read, and refused by name:
@reverse, @nest, @included, @index values.

Source: JSON-LD 1.1 Processing Algorithms and API, W3C Recommendation of 16 July 2020, sections
5.1, 5.3 and 8; the safe mode is that of Verifiable Credential Data Integrity 1.0 section 2.4.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.limits import JSON_DEPTH_MAX
from zhidao.trust.wire.linked_data.jsonld_context import (
    KEYWORDS,
    ActiveContext,
    ContextReader,
    Term,
    Unset,
    expand_iri,
    is_absolute,
    text_direction,
)
from zhidao.trust.wire.linked_data.rdf_canonical import Quad

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_I18N: Final = "https://www.w3.org/ns/i18n#"
_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_TYPE: Final = f"<{_RDF}type>"
_FIRST: Final = f"<{_RDF}first>"
_REST: Final = f"<{_RDF}rest>"
_NIL: Final = f"<{_RDF}nil>"
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z", re.ASCII)
_ESCAPED: Final = re.compile('[\x00-\x1f\x7f"\\\\]')
_ESCAPES: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_INTEGERS_BELOW: Final = 1e21
_GRAPH: Final = Term("@graph")

BlankNodes = Callable[[object, str], str]
"""Names the blank node of a part of the document; the text tells two nodes of one part apart."""


def to_quads(
    document: Mapping[str, Any], reader: ContextReader, blank: BlankNodes | None = None
) -> list[Quad]:
    """The statements of a document.

    Raises MalformedInput or Refused: `unknown_context`, `unmapped_term`, `relative_iri`,
    `unsupported_jsonld` and those of the context.
    """
    writer = _Writer(reader, blank or _counter())
    active = reader.initial()
    if "@graph" in document and set(document) <= {"@context", "@graph"}:
        active = reader.applied(active, document["@context"]) if "@context" in document else active
        for part in _list(document["@graph"]):
            writer.node(active, _mapping(part), "", 1)
    else:
        writer.node(active, document, "", 0)
    return writer.quads


def literal(text: str, kind: str = "", language: str = "", direction: str | None = None) -> str:
    """A literal in canonical N-Quads (RDF Dataset Canonicalization 1.0 section 5)."""
    if direction:
        kind, language = f"{_I18N}{language}_{direction}", ""
    if _ESCAPED.search(text):
        text = _ESCAPED.sub(_escape, text)
    if language:
        return f'"{text}"@{language}'
    return f'"{text}"^^<{kind}>' if kind and kind != _XSD + "string" else f'"{text}"'


def _escape(found: re.Match[str]) -> str:
    letter = found.group()
    if letter in '"\\':
        return "\\" + letter
    return _ESCAPES.get(letter) or f"\\u{ord(letter):04X}"


class _Writer:
    def __init__(self, reader: ContextReader, blank: BlankNodes) -> None:
        self._reader = reader
        self._blank = blank
        self.quads: list[Quad] = []

    def node(self, active: ActiveContext, node: Mapping[str, Any], graph: str, depth: int) -> str:
        """Writes what a node says, and returns what names it."""
        if depth > JSON_DEPTH_MAX:
            raise MalformedInput("JSON-LD nests too deeply", code="too_complex")
        if "@context" in node:
            active = self._reader.applied(active, node["@context"])
        types = _types(active, node)
        inside = self._reader.for_types(active, tuple(sorted(types))) if types else active
        named, content = self._split(inside, node)
        # A blank node gets its number before what it says: labels follow the order of the nodes.
        subject = named or self._blank(node, "")
        for text in types:
            self._type(active, text, subject, graph)
        for term, value in content:
            if term is _GRAPH:
                for part in _list(value):
                    self.node(inside, _mapping(part), subject, depth + 1)
            else:
                self._property(inside, term, value, subject, graph, depth + 1)
        return subject

    def _split(
        self, inside: ActiveContext, node: Mapping[str, Any]
    ) -> tuple[str, list[tuple[Term, Any]]]:
        """What names a node, empty for nothing, and what it says, in the order of its fields."""
        subject = ""
        content: list[tuple[Term, Any]] = []
        for key, value in node.items():
            term = inside.terms.get(key)
            iri = key if term is None else term.iri
            if iri not in KEYWORDS:
                content.append((term if term is not None else _own_term(inside, key), value))
            elif iri == "@id":
                subject = self._identifier(inside, value, subject)
            elif iri == "@graph":
                content.append((_GRAPH, value))
            elif iri not in ("@type", "@context"):
                raise Refused(f"{iri} is not read here", code="unsupported_jsonld")
        return subject, content

    def _identifier(self, active: ActiveContext, value: Any, subject: str) -> str:
        if subject or not isinstance(value, str):
            raise MalformedInput("@id is not one text", code="relative_iri")
        return self._reference(active, value)

    def _type(self, active: ActiveContext, text: str, subject: str, graph: str) -> None:
        iri = expand_iri(active, text)
        if iri is None or not (is_absolute(iri) or iri.startswith("_:")):
            raise Refused(
                f"the type {text[:64]!r} means nothing in its context", code="unmapped_term"
            )
        named = f"<{iri}>" if not iri.startswith("_:") else self._blank(iri, iri)
        self.quads.append((subject, _TYPE, named, graph))

    def _reference(self, active: ActiveContext, text: str) -> str:
        iri = expand_iri(active, text, vocabulary=False)
        if iri is not None and iri.startswith("_:"):
            return self._blank(iri, iri)
        if iri is None or not is_absolute(iri):
            raise Refused(f"{text[:64]!r} is a relative identifier", code="relative_iri")
        return f"<{iri}>"

    def _property(
        self,
        active: ActiveContext,
        term: Term,
        value: Any,
        subject: str,
        graph: str,
        depth: int,
    ) -> None:
        if term.iri is None:
            raise Refused("a name's meaning was taken away", code="unmapped_term")
        predicate = f"<{term.iri}>"
        if term.type == "@json":
            self.quads.append((subject, predicate, _json(value), graph))
            return
        if "@language" in term.container and isinstance(value, Mapping):
            said = _by_language(active, term, value)
            self.quads += [(subject, predicate, one, graph) for one in said]
            return
        # An index is only for finding things in JSON: it leaves no trace in RDF (section 4.6.1).
        if "@index" in term.container and isinstance(value, Mapping):
            value = [item for items in value.values() for item in _list(items)]
        if "@list" in term.container and not (isinstance(value, Mapping) and "@list" in value):
            value = {"@list": value}
        for item in _list(value):
            target = self._item(active, term, item, graph, depth)
            if target is not None:
                self.quads.append((subject, predicate, target, graph))

    def _item(
        self, active: ActiveContext, term: Term, item: Any, graph: str, depth: int
    ) -> str | None:
        """What stands for one value of a property; None for null."""
        if item is None:
            return None
        if isinstance(item, list):
            raise MalformedInput("a list stands within a list", code="unsupported_jsonld")
        if not isinstance(item, Mapping):
            if not isinstance(term.context, Unset):
                active = self._reader.for_property(active, term)
            return self._scalar(active, term, item)
        if depth > JSON_DEPTH_MAX:
            raise MalformedInput("JSON-LD nests too deeply", code="too_complex")
        # A context brought by a type ends where the next node begins (section 5.1.2 step 7).
        if active.previous is not None and not _is_value_or_reference(active, item):
            active = active.previous
        if not isinstance(term.context, Unset):
            active = self._reader.for_property(active, term)
        # A property keeps its meaning as a coercion even where the context changed.
        return self._object(active, term, item, graph, depth)

    def _object(
        self,
        active: ActiveContext,
        term: Term,
        item: Mapping[str, Any],
        graph: str,
        depth: int,
    ) -> str | None:
        local = self._reader.applied(active, item["@context"]) if "@context" in item else active
        keys = {_keyword(local, key) for key in item} - {"@context", ""}
        if "@value" in keys:
            return _value(local, item)
        if "@list" in keys or "@set" in keys:
            if len(item) - ("@context" in item) != 1:
                raise MalformedInput("a list or set has other fields", code="unsupported_jsonld")
            (inner,) = (item[key] for key in item if key != "@context")
            if "@set" in keys:
                raise Refused("@set objects are not read here", code="unsupported_jsonld")
            return self._rdf_list(local, term, inner, graph, depth)
        if "@graph" in term.container:
            # An implicit graph has a name of its own beside the node inside it.
            if "@graph" in keys:
                return self.node(active, item, graph, depth)
            name = self._blank(item, "graph")
            self.node(active, item, name, depth)
            return name
        return self.node(active, item, graph, depth)

    def _rdf_list(
        self, active: ActiveContext, term: Term, value: Any, graph: str, depth: int
    ) -> str:
        items = _list(value)
        targets = [
            target
            for item in items
            if (target := self._item(active, term, item, graph, depth + 1)) is not None
        ]
        cells = [self._blank(value, f"cell{place}") for place in range(len(targets))]
        for place, (cell, target) in enumerate(zip(cells, targets, strict=True)):
            rest = cells[place + 1] if place + 1 < len(cells) else _NIL
            self.quads.append((cell, _FIRST, target, graph))
            self.quads.append((cell, _REST, rest, graph))
        return cells[0] if cells else _NIL

    def _scalar(self, active: ActiveContext, term: Term, value: Any) -> str:
        """Value expansion (section 5.3.2)."""
        kind = term.type
        if isinstance(value, str):
            if kind == "@id":
                return self._reference(active, value)
            if kind == "@vocab":
                iri = expand_iri(active, value)
                if iri is not None and iri.startswith("_:"):
                    return self._blank(iri, iri)
                if iri is None or not is_absolute(iri):
                    raise Refused(f"{value[:64]!r} is no IRI", code="relative_iri")
                return f"<{iri}>"
            if kind is None:
                language = term.language
                spoken = active.language if isinstance(language, Unset) else language
                tag = _tag(spoken) if spoken else ""
                return literal(value, language=tag, direction=_runs(active, term))
            return literal(value, kind)
        return _number(value, "" if kind in ("@id", "@vocab", None) else kind)


def _types(active: ActiveContext, node: Mapping[str, Any]) -> list[str]:
    types: list[str] = []
    for key, value in node.items():
        term = active.terms.get(key)
        if key == "@type" or (term is not None and term.iri == "@type"):
            types.extend(_texts(value, key))
    return types


def _own_term(active: ActiveContext, key: str) -> Term:
    """A name that no context defines: an IRI, a prefixed name, or one of the vocabulary."""
    iri = expand_iri(active, key)
    if iri is None or not is_absolute(iri):
        raise Refused(f"the name {key[:64]!r} means nothing in its context", code="unmapped_term")
    return Term(iri)


def _by_language(active: ActiveContext, term: Term, value: Mapping[str, Any]) -> Iterator[str]:
    """The literals of a language map (section 4.6.2)."""
    for language, texts in value.items():
        for text in _texts(texts, language):
            yield literal(text, language=_tag(language), direction=_runs(active, term))


def _value(active: ActiveContext, item: Mapping[str, Any]) -> str | None:
    """A value object (section 8.2.2)."""
    fields = _value_fields(active, item)
    value, kind, language = fields["@value"], fields.get("@type"), fields.get("@language")
    direction = text_direction(fields.get("@direction"))
    is_in_a_language = language is not None or direction is not None
    if kind is not None:
        if not isinstance(kind, str) or is_in_a_language:
            raise MalformedInput("a value's type is no text", code="unmapped_term")
        kind = _type_of(active, kind)
        if kind == "@json":
            # JSON may be null or an object; every other value is a scalar.
            return _json(value)
    if value is None:
        return None
    _check_scalar(value, language, is_in_a_language=is_in_a_language)
    if not isinstance(value, str):
        return _number(value, kind or "")
    return literal(value, kind or "", _tag(language) if language else "", direction)


def _check_scalar(value: object, language: object, *, is_in_a_language: bool) -> None:
    if isinstance(value, Mapping | list):
        raise MalformedInput("a value is an object", code="unsupported_jsonld")
    if not isinstance(value, str) and is_in_a_language:
        raise MalformedInput("a number has a language or direction", code="unmapped_term")
    if language is not None and not isinstance(language, str):
        raise MalformedInput("a language is no text", code="unmapped_term")


def _value_fields(active: ActiveContext, item: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a value object by their keywords."""
    fields = {_keyword(active, key) or key: value for key, value in item.items()}
    fields.pop("@context", None)
    unknown = sorted(set(fields) - {"@value", "@type", "@language", "@direction"})
    if unknown:
        raise MalformedInput(f"a value has the field {unknown[0][:32]!r}", code="unmapped_term")
    return fields


def _type_of(active: ActiveContext, kind: str) -> str:
    """A value's type as an IRI, or `@json`."""
    iri = expand_iri(active, kind)
    if iri is None or not (iri == "@json" or is_absolute(iri)):
        raise Refused(f"the type {kind[:64]!r} means nothing here", code="unmapped_term")
    return iri


def _number(value: object, kind: str) -> str:
    """Section 8.2.2 steps 7 to 11."""
    if isinstance(value, bool):
        return literal("true" if value else "false", kind or _XSD + "boolean")
    assert isinstance(value, int | float), "strict JSON has no other scalar"
    double = _XSD + "double"
    if kind != double and value == int(value) and abs(value) < _INTEGERS_BELOW:
        return literal(str(int(value)), kind or _XSD + "integer")
    mantissa, exponent = f"{value:.15E}".split("E")
    mantissa = mantissa.rstrip("0")
    if mantissa.endswith("."):
        mantissa += "0"
    return literal(f"{mantissa}E{int(exponent)}", kind or double)


def _json(value: Any) -> str:
    return literal(jcs(value).decode(), _RDF + "JSON")


def _keyword(active: ActiveContext, key: str) -> str:
    """The keyword that a key stands for, or ``."""
    if key in KEYWORDS:
        return key
    term = active.terms.get(key)
    return term.iri if term is not None and term.iri in KEYWORDS else ""


def _is_value_or_reference(active: ActiveContext, item: Mapping[str, Any]) -> bool:
    keys = [_keyword(active, key) for key in item]
    return "@value" in keys or keys == ["@id"]


def _tag(language: str) -> str:
    if not _LANGUAGE_TAG.match(language):
        raise MalformedInput(f"no language tag: {language[:32]!r}", code="unmapped_term")
    return language.lower()


def _runs(active: ActiveContext, term: Term) -> str | None:
    """Which way a text runs by its name or the context, if they say so."""
    return active.direction if isinstance(term.direction, Unset) else term.direction


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MalformedInput("a node is no object", code="unsupported_jsonld")
    return value


def _texts(value: Any, place: str) -> list[str]:
    items = _list(value)
    if not all(isinstance(item, str) for item in items):
        raise MalformedInput(f"{place[:32]} is no text", code="unmapped_term")
    return items


def _counter() -> BlankNodes:
    given: dict[str, str] = {}
    made = 0

    def name(part: object, place: str) -> str:
        nonlocal made
        del place
        if isinstance(part, str) and part in given:
            return given[part]
        label = f"_:b{made}"
        made += 1
        if isinstance(part, str):
            given[part] = label
        return label

    return name
