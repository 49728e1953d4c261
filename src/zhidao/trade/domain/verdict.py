"""What rules say about one document, with the names of the rules that were asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """The answer in one word; `not checked` is never `valid`."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_CHECKED = "not checked"


class Flag(StrEnum):
    """How much a finding weighs: only a fatal one makes a document invalid."""

    FATAL = "fatal"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One rule that a document breaks. `place` is an XPath into the document."""

    rule: str
    flag: Flag
    place: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.rule} at {self.place}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class RulePack:
    """Rules by name: `name` and `version` of the package, `release` of the rules inside.

    `digest` is the SHA-256 over the names and digests of all files of the pack.
    """

    name: str
    version: str
    release: str
    digest: str

    def __str__(self) -> str:
        return f"{self.release} from {self.name} {self.version} sha256:{self.digest}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was asked of a document and what came out; findings in document order of the rules."""

    outcome: Outcome
    rules: tuple[str, ...]
    findings: tuple[RuleFinding, ...] = ()
    remedy: str = ""

    @property
    def fatal(self) -> tuple[RuleFinding, ...]:
        """The findings that make the document invalid."""
        return tuple(f for f in self.findings if f.flag is Flag.FATAL)

    def summary(self) -> str:
        """One line for a person: the outcome and the first findings with their places."""
        if self.outcome is Outcome.NOT_CHECKED:
            return f"not checked: {'; '.join(self.rules)}; {self.remedy}"
        fatal = self.fatal
        if not fatal:
            return f"valid by {'; '.join(self.rules)}"
        more = f" and {len(fatal) - _NAMED_MAX} more" if len(fatal) > _NAMED_MAX else ""
        return " | ".join(str(f) for f in fatal[:_NAMED_MAX]) + more


_NAMED_MAX: Final = 5


def judged(rules: tuple[str, ...], findings: tuple[RuleFinding, ...]) -> Verdict:
    """The verdict of rules that were really run: invalid by any fatal finding."""
    fatal = any(f.flag is Flag.FATAL for f in findings)
    return Verdict(Outcome.INVALID if fatal else Outcome.VALID, rules, findings)


def not_checked(why: str, remedy: str) -> Verdict:
    """The verdict where no rules are at hand."""
    return Verdict(Outcome.NOT_CHECKED, (f"not checked: {why}",), (), remedy)
