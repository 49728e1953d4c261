"""RDF Dataset Canonicalization: one byte form for statements whose nodes have no names.

Written here and not taken from a library for two reasons: selective disclosure needs to know which
label each node got, and a hostile graph must cost a bounded amount of work. pyoxigraph is the
oracle of the tests.

Source: RDF Dataset Canonicalization (RDFC-1.0), W3C Recommendation of 21 May 2024, section 4.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from typing import Final, TypeAlias

from zhidao.core.errors import Refused

Quad: TypeAlias = tuple[str, str, str, str]
"""Subject, predicate, object and graph as N-Quads writes them; `` is the default graph."""
Hasher: TypeAlias = Callable[[bytes], "hashlib._Hash"]
"""`hashlib.sha256`, the default of RDFC-1.0; P-384 signs what `hashlib.sha384` put in order."""

# A credential of a hundred alike nodes takes some hundred calls; a poison graph takes millions.
_CALLS_MAX: Final = 4_000
_QUADS_MAX: Final = 20_000


def statement(quad: Quad) -> str:
    """One line of canonical N-Quads, with its line feed."""
    subject, predicate, target, graph = quad
    tail = f" {graph} .\n" if graph else " .\n"
    return f"{subject} {predicate} {target}{tail}"


def canonical_statements(
    quads: Iterable[Quad],
    labels: Mapping[str, str] | None = None,
    *,
    hasher: Hasher = hashlib.sha256,
) -> list[str]:
    """The sorted lines of the canonical form.

    `labels` gives the labels to use (blank node of the input to `_:…`); by default the canonical
    ones, by `hasher`. Raises Refused (`too_complex`) for a graph that would take too long.
    """
    statements = list(dict.fromkeys(quads))
    names = canonical_labels(statements, hasher) if labels is None else labels
    return sorted({statement(relabelled(quad, names)) for quad in statements})


def relabelled(quad: Quad, labels: Mapping[str, str]) -> Quad:
    """The quad with its blank nodes renamed."""
    subject, predicate, target, graph = quad
    return (
        labels[subject] if subject[:2] == "_:" else subject,
        predicate,
        labels[target] if target[:2] == "_:" else target,
        labels[graph] if graph[:2] == "_:" else graph,
    )


def canonical_labels(quads: Sequence[Quad], hasher: Hasher = hashlib.sha256) -> dict[str, str]:
    """Blank node of the input to `_:c14n…`. `quads` bears no statement twice.

    Raises Refused (`too_complex`).
    """
    if len(quads) > _QUADS_MAX:
        raise Refused(f"{len(quads)} statements; at most {_QUADS_MAX}", code="too_complex")
    mentions: dict[str, list[Quad]] = defaultdict(list)
    for quad in quads:
        for node in {term for term in quad if term[:2] == "_:"}:
            mentions[node].append(quad)
    if not mentions:
        return {}
    return _Canonical(mentions, hasher).labels()


class _Issuer:
    """Gives labels in the order of asking (section 4.5)."""

    def __init__(self, prefix: str, issued: dict[str, str] | None = None) -> None:
        self.prefix = prefix
        self.issued = dict(issued or {})

    def issue(self, node: str) -> str:
        label = self.issued.get(node)
        if label is None:
            label = self.issued[node] = f"{self.prefix}{len(self.issued)}"
        return label

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, self.issued)


class _Canonical:
    def __init__(self, mentions: Mapping[str, list[Quad]], hasher: Hasher) -> None:
        self._mentions = mentions
        self._hasher = hasher
        self._first = {
            node: self._digest(_first_degree(node, own)) for node, own in mentions.items()
        }
        self._issuer = _Issuer("_:c14n")
        self._calls = 0

    def labels(self) -> dict[str, str]:
        """Section 4.4.3, steps 3 to 5."""
        groups: dict[str, list[str]] = defaultdict(list)
        for node, digest in self._first.items():
            groups[digest].append(node)
        alike = []
        for _, nodes in sorted(groups.items()):
            if len(nodes) == 1:
                self._issuer.issue(nodes[0])
            else:
                alike.append(nodes)
        for nodes in alike:
            results = []
            for node in nodes:
                if node not in self._issuer.issued:
                    own = _Issuer("_:b")
                    own.issue(node)
                    results.append(self._n_degree(node, own))
            for _, issuer in sorted(results, key=lambda result: result[0]):
                for known in issuer.issued:
                    self._issuer.issue(known)
        return self._issuer.issued

    def _n_degree(self, node: str, issuer: _Issuer) -> tuple[str, _Issuer]:
        """Section 4.8: the hash of a node by the paths that lead away from it."""
        self._spend()
        related: dict[str, list[str]] = defaultdict(list)
        for quad in self._mentions[node]:
            for place, term in zip("s_og", quad, strict=True):
                if term[:2] == "_:" and term != node:
                    related[self._related(term, quad, issuer, place)].append(term)
        data = []
        for digest, nodes in sorted(related.items()):
            path, issuer = self._shortest(nodes, issuer)
            data.append(digest + path)
        return self._digest("".join(data)), issuer

    def _shortest(self, nodes: Sequence[str], issuer: _Issuer) -> tuple[str, _Issuer]:
        """The least path over all orders of alike neighbours, and the issuer that made it."""
        chosen = ""
        chosen_issuer = issuer
        for order in permutations(nodes):
            self._spend()
            own = issuer.copy()
            path = self._path(order, own, chosen)
            if path is None:
                continue
            text, own = path
            if not chosen or text < chosen:
                chosen, chosen_issuer = text, own
        return chosen, chosen_issuer

    def _path(self, order: Sequence[str], own: _Issuer, chosen: str) -> tuple[str, _Issuer] | None:
        text = ""
        onward = []
        for node in order:
            known = self._issuer.issued.get(node)
            if known is not None:
                text += known
            else:
                if node not in own.issued:
                    onward.append(node)
                text += own.issue(node)
            if chosen and len(text) >= len(chosen) and text > chosen:
                return None
        for node in onward:
            digest, deeper = self._n_degree(node, own)
            text += f"{own.issue(node)}<{digest}>"
            own = deeper
            if chosen and len(text) >= len(chosen) and text > chosen:
                return None
        return text, own

    def _related(self, term: str, quad: Quad, issuer: _Issuer, place: str) -> str:
        """Section 4.7."""
        known = self._issuer.issued.get(term) or issuer.issued.get(term)
        text = place
        if place != "g":
            text += quad[1]
        text += known if known is not None else self._first[term]
        return self._digest(text)

    def _digest(self, text: str) -> str:
        return self._hasher(text.encode()).hexdigest()

    def _spend(self) -> None:
        self._calls += 1
        if self._calls > _CALLS_MAX:
            raise Refused(
                f"the statements take more than {_CALLS_MAX} steps to put in order",
                code="too_complex",
            )


def _first_degree(node: str, mentions: Sequence[Quad]) -> str:
    """What section 4.6 hashes: the statements about a node, without any other node's name."""
    lines = []
    for quad in mentions:
        own = tuple(
            ("_:a" if term == node else "_:z") if term[:2] == "_:" else term for term in quad
        )
        lines.append(statement(own))  # type: ignore[arg-type]
    lines.sort()
    return "".join(lines)
