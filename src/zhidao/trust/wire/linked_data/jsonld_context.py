"""JSON-LD contexts: what the names in a document mean, from pinned contexts only.

Read strictly, as for signing: what JSON-LD would drop in silence is an error here. Not read, and
refused by name: @import, @base, relative IRIs, and the containers @id and @type.

Source: JSON-LD 1.1 Processing Algorithms and API, W3C Recommendation of 16 July 2020, sections
4.1 and 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from zhidao.core.errors import MalformedInput, Refused

KEYWORDS: Final = frozenset(
    "@base @container @context @default @direction @graph @id @import @included @index @json"
    " @language @list @nest @none @prefix @propagate @protected @reverse @set @type @value"
    " @version @vocab".split()
)
_KEYWORD_FORM: Final = re.compile(r"@[A-Za-z]+\Z", re.ASCII)
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\]*\Z")
_TERM_FIELDS: Final = frozenset(
    "@id @type @container @context @language @direction @prefix @protected @index @reverse"
    " @nest".split()
)
_CONTEXT_FIELDS: Final = frozenset(
    "@version @vocab @language @direction @propagate @protected".split()
)
_CONTAINERS: Final = frozenset({"@list", "@set", "@language", "@index", "@graph"})
_PREFIX_ENDS: Final = tuple(":/?#[]@")
_DEPTH_MAX: Final = 16
_TERMS_MAX: Final = 4_000
_CACHED_MAX: Final = 512


class Unset:
    """Stands where null has a meaning of its own."""


UNSET: Final = Unset()


class Contexts(Protocol):
    """The pinned contexts by URL."""

    def __getitem__(self, url: str) -> Any:
        """The value of the document's `@context`. Raises KeyError."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """What a name stands for. `iri` is None where the context takes its meaning away.

    Compared by identity, so that it can be the key of what was made of it.
    """

    iri: str | None
    is_prefix: bool = False
    protected: bool = False
    type: str | None = None
    language: str | Unset | None = UNSET
    direction: str | Unset | None = UNSET
    container: frozenset[str] = frozenset()
    context: Any = UNSET
    source: str = ""

    def same_meaning(self, other: Term) -> bool:
        """Whether both say the same, whoever protects it."""
        return all(getattr(self, name) == getattr(other, name) for name in _MEANING)


_MEANING: Final = ("iri", "is_prefix", "type", "language", "direction", "container", "context")


@dataclass(eq=False, slots=True)
class ActiveContext:
    """The names that are known at a place of the document."""

    terms: dict[str, Term] = field(default_factory=dict)
    vocab: str | None = None
    language: str | None = None
    direction: str | None = None
    previous: ActiveContext | None = None
    children: dict[object, ActiveContext] = field(default_factory=dict)

    def copy(self) -> ActiveContext:
        """An independent copy without what was derived from this one."""
        return ActiveContext(
            dict(self.terms), self.vocab, self.language, self.direction, self.previous
        )

    @property
    def protects(self) -> bool:
        """Whether any of its terms may not be changed."""
        return any(term.protected for term in self.terms.values())


class ContextReader:
    """Applies contexts; remembers what it made of the pinned ones."""

    def __init__(self, contexts: Contexts) -> None:
        self._contexts = contexts
        self._root = ActiveContext()
        self._cached = 0

    def initial(self) -> ActiveContext:
        """The context in which every document starts."""
        # Whoever sends documents chooses the order of contexts, so the memory is bounded.
        if self._cached > _CACHED_MAX:
            self._root = ActiveContext()
            self._cached = 0
        return self._root

    def applied(self, active: ActiveContext, local: Any) -> ActiveContext:
        """The context of a node that bears `@context`. Raises MalformedInput, Refused."""
        return self._apply(active, local, propagate=True, override=False, loading=())

    def for_property(self, active: ActiveContext, term: Term) -> ActiveContext:
        """The context inside the values of a term that brings its own."""
        found = active.children.get(term)
        if found is None:
            loading = (term.source,) if term.source else ()
            found = self._apply(
                active, term.context, propagate=True, override=True, loading=loading
            )
            self._remember(active, term, found)
        return found

    def for_types(self, active: ActiveContext, types: tuple[str, ...]) -> ActiveContext:
        """The context inside a node of these types (as written, sorted)."""
        scoped = tuple(
            name
            for name in types
            if (term := active.terms.get(name)) is not None and term.context is not UNSET
        )
        if not scoped:
            return active
        found = active.children.get(scoped)
        if found is None:
            found = active
            for name in scoped:
                term = active.terms[name]
                loading = (term.source,) if term.source else ()
                found = self._apply(
                    found, term.context, propagate=False, override=False, loading=loading
                )
            self._remember(active, scoped, found)
        return found

    def _remember(self, active: ActiveContext, key: object, made: ActiveContext) -> None:
        if len(active.children) < _CACHED_MAX:
            active.children[key] = made
            self._cached += 1

    def _apply(
        self,
        active: ActiveContext,
        local: Any,
        *,
        propagate: bool,
        override: bool,
        loading: tuple[str, ...],
    ) -> ActiveContext:
        """Section 4.1.2."""
        if len(loading) > _DEPTH_MAX:
            raise Refused(
                f"contexts name each other over {_DEPTH_MAX} deep", code="malformed_context"
            )
        if isinstance(local, Mapping) and "@propagate" in local:
            propagate = _flag(local, "@propagate", default=True)
        result = active
        if not propagate and result.previous is None:
            result = active.copy()
            result.previous = active
        for context in local if isinstance(local, list) else [local]:
            if context is None:
                if not override and result.protects:
                    raise Refused("a context takes protected terms away", code="protected_term")
                fresh = ActiveContext()
                if not propagate:
                    fresh.previous = result
                result = fresh
            elif isinstance(context, str):
                result = self._remote(result, context, override=override, loading=loading)
            elif isinstance(context, Mapping):
                source = loading[-1] if loading else ""
                result = _Definer(result.copy(), context, override=override, source=source).run()
            else:
                raise MalformedInput("a context is no text, object or null", code="bad_context")
        return result

    def _remote(
        self, active: ActiveContext, url: str, *, override: bool, loading: tuple[str, ...]
    ) -> ActiveContext:
        key = (url, override)
        found = active.children.get(key)
        if found is not None:
            return found
        if url in loading[1:] or loading.count(url) > 1:
            raise Refused(f"the context {url[:80]} names itself", code="malformed_context")
        try:
            document = self._contexts[url]
        except KeyError:
            raise Refused(
                f"unknown context {url[:80]}",
                code="unknown_context",
                remedy="only pinned contexts are read; --contexts DIR adds yours",
            ) from None
        found = self._apply(
            active, document, propagate=True, override=override, loading=(*loading, url)
        )
        self._remember(active, key, found)
        return found


class _Definer:
    """One context object applied to a context: sections 4.1.2 (5.5 on) and 4.2.2."""

    def __init__(
        self, result: ActiveContext, local: Mapping[str, Any], *, override: bool, source: str
    ) -> None:
        self._result = result
        self._local = local
        self._override = override
        self._source = source
        self._defined: dict[str, bool] = {}
        self._protected = _flag(local, "@protected", default=False)

    def run(self) -> ActiveContext:
        local, result = self._local, self._result
        if "@version" in local and local["@version"] != 1.1:
            raise _bad("@version", "it is not 1.1")
        for name in ("@import", "@base"):
            if name in local:
                raise Refused(f"{name} in a context is not read here", code="unsupported_context")
        if "@vocab" in local:
            vocab = local["@vocab"]
            if vocab is not None and not isinstance(vocab, str):
                raise _bad("@vocab", "it is no text")
            result.vocab = None if vocab is None else self._absolute(vocab, "@vocab")
        if "@language" in local:
            result.language = _language(local["@language"])
        if "@direction" in local:
            result.direction = text_direction(local["@direction"])
        names = [name for name in local if name not in _CONTEXT_FIELDS]
        if len(names) + len(result.terms) > _TERMS_MAX:
            raise Refused(f"more than {_TERMS_MAX} terms", code="too_complex")
        for name in names:
            self.define(name)
        return result

    def define(self, name: str) -> None:
        state = self._defined.get(name)
        if state is not None:
            if not state:
                raise Refused(f"the term {name[:48]!r} is defined by itself", code="bad_context")
            return
        if not name:
            raise _bad("''", "a term is empty")
        self._defined[name] = False
        value = self._local[name]
        before = self._result.terms.pop(name, None)
        term = self._term(name, value)
        if before is not None and before.protected and not self._override:
            if not term.same_meaning(before):
                raise Refused(
                    f"the context changes the protected term {name[:48]!r}", code="protected_term"
                )
            term = before
        self._result.terms[name] = term
        self._defined[name] = True

    def _term(self, name: str, value: Any) -> Term:
        if name == "@type":
            self._check_type_alias(value)
        elif name in KEYWORDS or _KEYWORD_FORM.match(name):
            raise Refused(f"the keyword {name[:32]} is redefined", code="bad_context")
        fields = _definition(name, value)
        protected = _flag(fields, "@protected", default=self._protected)
        if "@id" in fields and fields["@id"] is None:
            return Term(None, protected=protected)
        kind = self._type(name, fields)
        iri = self._iri(name, fields)
        # Language and direction are those of texts: a type takes their place.
        of_text = fields if kind is None else {}
        return Term(
            iri,
            is_prefix=_flag(
                fields, "@prefix", default=isinstance(value, str) and _may_begin(name, iri)
            ),
            protected=protected,
            type=kind,
            language=_language(of_text["@language"]) if "@language" in of_text else UNSET,
            direction=text_direction(of_text["@direction"]) if "@direction" in of_text else UNSET,
            container=_container(name, fields.get("@container")),
            context=fields.get("@context", UNSET),
            source=self._source,
        )

    def _check_type_alias(self, value: Any) -> None:
        good = isinstance(value, Mapping) and set(value) <= {"@container", "@protected"}
        if not good or value.get("@container", "@set") != "@set":
            raise Refused("the keyword @type is redefined", code="bad_context")

    def _type(self, name: str, value: Mapping[str, Any]) -> str | None:
        if "@type" not in value:
            return None
        kind = value["@type"]
        if not isinstance(kind, str):
            raise _bad(name, "@type is no text")
        expanded = self.expand(kind)
        if expanded in ("@id", "@vocab", "@json"):
            return expanded
        if expanded == "@none":
            return None
        if expanded is None or not is_absolute(expanded):
            raise _bad(name, "@type is no IRI")
        return expanded

    def _iri(self, name: str, value: Mapping[str, Any]) -> str:
        if "@id" in value and value["@id"] != name:
            text = value["@id"]
            if not isinstance(text, str):
                raise _bad(name, "@id is no text")
            iri = self.expand(text)
            if iri is None or not (iri in KEYWORDS or is_absolute(iri) or iri.startswith("_:")):
                raise _bad(name, f"{text[:64]!r} is no IRI")
            if iri == "@context":
                raise _bad(name, "it stands for @context")
            return iri
        if name == "@type":
            return "@type"
        if ":" in name[1:]:
            prefix, _, rest = name.partition(":")
            if prefix in self._local:
                self.define(prefix)
            known = self._result.terms.get(prefix)
            return known.iri + rest if known and known.iri else name
        if self._result.vocab is None:
            raise _bad(name, "it has no IRI")
        return self._result.vocab + name

    def _absolute(self, text: str, place: str) -> str:
        iri = self.expand(text) if text else text
        if iri is None or not (is_absolute(iri) or iri.startswith("_:")):
            raise _bad(place, f"{text[:64]!r} is no IRI")
        return iri

    def expand(self, text: str) -> str | None:
        """Section 5.2.2 while the context is being read."""
        if text in KEYWORDS:
            return text
        if _KEYWORD_FORM.match(text):
            return None
        if text in self._local and text not in _CONTEXT_FIELDS and not self._defined.get(text):
            self.define(text)
        if ":" in text[1:]:
            prefix = text.partition(":")[0]
            if prefix in self._local and not self._defined.get(prefix):
                self.define(prefix)
        return expand_iri(self._result, text)


def expand_iri(active: ActiveContext, text: str, *, vocabulary: bool = True) -> str | None:
    """The IRI, keyword or blank node that a text stands for (section 5.2.2).

    A text that means nothing comes back as it is, so it is no absolute IRI.
    """
    if text in KEYWORDS:
        return text
    if _KEYWORD_FORM.match(text):
        return None
    term = active.terms.get(text)
    if term is not None and (vocabulary or (term.iri or "") in KEYWORDS):
        return term.iri
    whole = _of_compact(active, text) if ":" in text[1:] else None
    if whole is not None:
        return whole
    if vocabulary and active.vocab is not None:
        return active.vocab + text
    return text


def _of_compact(active: ActiveContext, text: str) -> str | None:
    """What `prefix:rest` stands for; None where it is neither a compact nor an absolute IRI."""
    prefix, _, rest = text.partition(":")
    # `_:b0` is a blank node, and before `//` stands a scheme, even where a term has its name.
    if prefix == "_" or rest.startswith("//"):
        return text
    known = active.terms.get(prefix)
    if known is not None and known.iri and known.is_prefix:
        return known.iri + rest
    return text if is_absolute(text) else None


def text_direction(value: Any) -> str | None:
    """`ltr`, `rtl` or none. Raises MalformedInput (`bad_context`) for anything else."""
    if value not in (None, "ltr", "rtl"):
        raise _bad("@direction", "it is neither ltr nor rtl")
    return value  # type: ignore[no-any-return]


def is_absolute(iri: str) -> bool:
    """Whether it is an IRI with a scheme, and with no character that N-Quads forbids."""
    return _ABSOLUTE.match(iri) is not None


def _container(name: str, value: Any) -> frozenset[str]:
    if value is None:
        return frozenset()
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise _bad(name, "@container is no text")
    found = frozenset(items)
    if not found <= _CONTAINERS:
        raise Refused(f"the container {sorted(found)} is not read", code="unsupported_context")
    if "@list" in found and len(found) > 1:
        raise _bad(name, "@list stands with another container")
    return found


def _language(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _bad("@language", "it is no text")
    return value.lower() if value else None


def _definition(name: str, value: Any) -> Mapping[str, Any]:
    """A term's definition as an object; a text or null is its `@id`."""
    if value is None or isinstance(value, str):
        return {"@id": value}
    if not isinstance(value, Mapping):
        raise _bad(name, "its definition is no text, object or null")
    unknown = sorted(set(value) - _TERM_FIELDS)
    if unknown:
        raise _bad(name, f"unknown field {unknown[0][:32]!r}")
    for refused in ("@reverse", "@nest", "@index"):
        if refused in value:
            raise Refused(f"{refused} is not read here", code="unsupported_context")
    return value


def _may_begin(name: str, iri: str) -> bool:
    """Whether a term that is only an IRI may be the prefix of names (section 4.1.2 of the API)."""
    plain = ":" not in name and "/" not in name
    return plain and (iri.endswith(_PREFIX_ENDS) or iri.startswith("_:"))


def _flag(fields: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise _bad(name, "it is neither true nor false")
    return value


def _bad(place: str, what: str) -> MalformedInput:
    return MalformedInput(f"context: {what}", code="bad_context", where=place[:64])
