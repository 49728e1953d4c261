"""The rules' own xsl:functions, where their bodies are variables and one result."""

from __future__ import annotations

from zhidao.trade.wire.schematron.ruleset import RuleSet
from zhidao.trade.wire.xpath.compiler import Compiler


def define_functions(rules: RuleSet, compiler: Compiler, names: dict[str, int]) -> None:
    """Makes the functions of the rules known to the compiler."""
