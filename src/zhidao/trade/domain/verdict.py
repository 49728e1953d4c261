"""What rules say about one document, with the names of the rules that were asked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """The answer in one word; only `valid` says that all rules of the profile were kept."""

    VALID = "valid"
    PARTLY_JUDGED = "partly judged"
    INVALID = "invalid"
    UNDECIDED = "undecided"
    NOT_CHECKED = "not checked"


class Flag(StrEnum):
    """How much a finding weighs: only a fatal one makes a document invalid."""

    FATAL = "fatal"
    WARNING = "warning"
    INFORMATION = "information"


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One rule that a document breaks. `place` is an XPath into the document.

    `seen` and `wanted` are the values that the rule compared, in words; empty where unknown.
    """

    rule: str
    flag: Flag
    place: str
    sentence: str
    seen: str = ""
    wanted: str = ""

    def __str__(self) -> str:
        return f"{self.rule} at {self.place}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class UndecidedRule:
    """One rule that a broken field leaves without an answer. `error` is XPath's code for it."""

    rule: str
    flag: Flag
    place: str
    error: str

    def __str__(self) -> str:
        return f"{self.rule} at {self.place}: undecided ({self.error})"


@dataclass(frozen=True, slots=True)
class RulePack:
    """Rules by name: `name` and `version` of the package, `release` of the rules inside.

    `digest` is the SHA-256 over the names and digests of all files of the pack. `family` says
    which documents the rules are for; they hold for documents from the day `valid_from` on
    (ISO 8601, empty: always). A family of the operator's own says so by `applies_to`, the profile,
    and by `spaces`, the namespaces that its rules name.
    """

    name: str
    version: str
    release: str
    digest: str
    family: str = ""
    valid_from: str = ""
    applies_to: str = ""
    spaces: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.release} from {self.name} {self.version} sha256:{self.digest}"


@dataclass(frozen=True, slots=True)
class NormDifference:
    """What the norm asks at a place and the rules that were run do not; changes no outcome."""

    rule: str
    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was asked of a document and what came out; findings in document order of the rules."""

    outcome: Outcome
    rules: tuple[str, ...]
    findings: tuple[RuleFinding, ...] = ()
    remedy: str = ""
    undecided: tuple[UndecidedRule, ...] = ()
    differences: tuple[NormDifference, ...] = ()
    # Why some rules that the document's profile asks for were not run.
    unjudged: tuple[str, ...] = ()

    @property
    def fatal(self) -> tuple[RuleFinding, ...]:
        """The findings that make the document invalid."""
        return tuple(f for f in self.findings if f.flag is Flag.FATAL)

    def summary(self) -> str:
        """One line for a person: the outcome and the first findings with their places."""
        if self.outcome is Outcome.NOT_CHECKED:
            return f"not checked: {'; '.join(self.rules)}; {self.remedy}"
        fatal = self.fatal
        if not fatal and self.undecided:
            return "undecided: " + " | ".join(str(each) for each in self.undecided[:_NAMED_MAX])
        if not fatal and self.outcome is Outcome.PARTLY_JUDGED:
            return f"partly judged: {'; '.join(self.unjudged)}; {self.remedy}"
        if not fatal:
            return f"valid by {'; '.join(self.rules)}"
        more = f" and {len(fatal) - _NAMED_MAX} more" if len(fatal) > _NAMED_MAX else ""
        return " | ".join(str(f) for f in fatal[:_NAMED_MAX]) + more


_NAMED_MAX: Final = 5


def judged(
    rules: tuple[str, ...],
    findings: tuple[RuleFinding, ...],
    undecided: tuple[UndecidedRule, ...] = (),
    unjudged: tuple[str, ...] = (),
    remedy: str = "",
) -> Verdict:
    """The verdict of rules that were really run.

    Invalid by any fatal finding; else undecided if a rule that could be fatal has no answer; else
    partly judged if rules that the profile asks for were not run, which `unjudged` tells.
    """
    if any(f.flag is Flag.FATAL for f in findings):
        outcome = Outcome.INVALID
    elif any(each.flag is Flag.FATAL for each in undecided):
        outcome = Outcome.UNDECIDED
    else:
        outcome = Outcome.PARTLY_JUDGED if unjudged else Outcome.VALID
    return Verdict(outcome, rules, findings, remedy, undecided=undecided, unjudged=unjudged)


def not_checked(why: str, remedy: str) -> Verdict:
    """The verdict where no rules are at hand."""
    return Verdict(Outcome.NOT_CHECKED, (f"not checked: {why}",), (), remedy)
