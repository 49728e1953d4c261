"""Rules as data: patterns of rules of asserts, with the names that their expressions use.

This is also the compact form in which a pack keeps them: `encoded` and `decoded` are JSON.
Source of the terms: ISO/IEC 19757-3 (Schematron), not at hand; read out of published rules.
"""

from __future__ import annotations

from typing import Final

import msgspec

from zhidao.core.canonical import decode_json
from zhidao.core.errors import MalformedInput

FORM: Final = "zhidao-rules-1"


class Assert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One assert, or report if `fires_when` is true: it fires when its test has that value.

    `text` alternates between words and expressions whose value stands in the sentence.
    """

    id: str
    flag: str
    test: str
    text: tuple[str, ...]
    fires_when: bool = False


class Let(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A variable by name and expression."""

    name: str
    select: str


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asserts about every node that the context, an XSLT match pattern, matches."""

    context: str
    asserts: tuple[Assert, ...]
    lets: tuple[Let, ...] = ()


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules in order: the first whose context matches a node is the one that judges it."""

    name: str
    rules: tuple[Rule, ...]


class RuleSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that rules need; `functions` are xsl:function elements as text."""

    title: str
    namespaces: dict[str, str]
    patterns: tuple[Pattern, ...]
    lets: tuple[Let, ...] = ()
    functions: tuple[str, ...] = ()
    form: str = FORM

    def asserts(self) -> list[Assert]:
        """All asserts in order; an assert's number elsewhere is its place in this list."""
        return [each for p in self.patterns for rule in p.rules for each in rule.asserts]


def encode_rules(rules: RuleSet) -> bytes:
    """The compact form."""
    return msgspec.json.encode(rules)


def decode_rules(data: bytes) -> RuleSet:
    """The rules of a compact form. Raises MalformedInput for anything else."""
    try:
        rules = decode_json(data, RuleSet)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise MalformedInput(f"not compact rules: {error}", code="rules_broken") from error
    if rules.form != FORM:
        raise MalformedInput(f"rules in the form {rules.form[:40]!r}", code="rules_form")
    return rules
