"""Which rules are for which documents, and whose word changes a rule's weight.

Severity overrides: KoSIT, validator-configuration-xrechnung, scenarios.xml at commit 064c60ec
(custom levels of each scenario); read there, the levels are facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.verdict import Flag, RulePack

INVOICE: Final = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
CREDIT_NOTE: Final = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
CII: Final = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
_UBL: Final = frozenset((INVOICE, CREDIT_NOTE))
_CII: Final = frozenset((CII,))
# The profile of the norm itself, and the beginning of every profile that is built on it.
EN16931: Final = "urn:cen.eu:en16931:2017"
# Beginning of the names of families that an operator makes.
OWN: Final = "own-"
_OF_ANY: Final = f"{EN16931}#compliant##conformant#"
_PATTERN_CHARS_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Family:
    """Rules for documents with one of `roots` whose profile holds `profile` ('' means any).

    They are tried on all of these, and are the whole of what a profile asks for where it is one of
    `profiles`: another that only holds the word is another's, or of another release.
    A family of the operator's own has no roots: it is for any root of one of the namespaces
    `spaces`, if the whole profile is as `pattern` says (`*` stands for anything).
    `marks` are beginnings of rule ids by which a rule set shows that it is of this family, if it
    has at least `least` of them and all of `core`: a file with one such name is not these rules.
    `overrides` change flags, by a part of the profile, the first part that fits.
    """

    name: str
    roots: frozenset[str]
    marks: tuple[str, ...]
    profile: str = ""
    profiles: tuple[str, ...] = ()
    overrides: tuple[tuple[str, Mapping[str, Flag]], ...] = field(default=())
    spaces: frozenset[str] = frozenset()
    pattern: str = ""
    core: frozenset[str] = frozenset()
    least: int = 0

    def lack(self, rule_ids: Collection[str]) -> str:
        """What rules lack to be the whole of this family, '' if nothing, in words."""
        marked = sum(rule.startswith(self.marks) for rule in rule_ids)
        absent = sorted(self.core.difference(rule_ids))
        if marked >= self.least and not absent:
            return ""
        without = f", and no {' '.join(absent[:_NAMED_MAX])}" if absent else ""
        return f"{marked} rules of {self.name}, which are at least {self.least}{without}"

    @property
    def of_the_norm(self) -> bool:
        """Whether these are the norm's own rules, which are for every profile."""
        return not self.profile and not self.pattern

    def is_for_root(self, root: str) -> bool:
        """Whether some document with this root element is one that these rules are for."""
        return root in self.roots or root[1:].partition("}")[0] in self.spaces

    def judges(self, root: str, profile: str) -> bool:
        """Whether a document is one of those that these rules are for."""
        if not self.is_for_root(root):
            return False
        return fits(self.pattern, profile) if self.pattern else self.profile in profile

    def is_named_by(self, profile: str) -> bool:
        """Whether it is the operator's own, and its pattern names more than any profile has."""
        says = any(part not in _OF_ANY for part in self.pattern.split("*"))
        return says and fits(self.pattern, profile)

    def overriding(self, profile: str) -> Mapping[str, Flag]:
        """The flags that the profile changes, by rule."""
        return next((flags for part, flags in self.overrides if part in profile), {})


def _flags(warning: str, information: str = "") -> Mapping[str, Flag]:
    return dict.fromkeys(warning.split(), Flag.WARNING) | dict.fromkeys(
        information.split(), Flag.INFORMATION
    )


_EXTENSION: Final = "kosit:extension:xrechnung"
_CODES: Final = "BR-CL-21 BR-CL-10 BR-CL-11 BR-CL-25 BR-CL-26"
_STANDARD: Final = _flags("BR-CL-23 BR-CL-21")
# The scenarios of the Clean Vehicles Directive came later than that commit: the levels are those
# that einvoice software which follows them tells (read in public code), not checked at KoSIT's.
_CVD: Final = ("kosit:xrechnung:cvd", _flags("BR-CL-23 BR-CL-21", "BR-CL-13"))
_XRECHNUNG: Final = f"{EN16931}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
# As its rule BR-DE-21 of release 3.0 names them.
_XRECHNUNGS: Final = (
    _XRECHNUNG,
    f"{_XRECHNUNG}#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0",
    f"{_XRECHNUNG}#compliant#urn:xeinkauf.de:kosit:xrechnung:cvd_0.9",
)
_PEPPOL: Final = "urn:fdc:peppol.eu:2017:poacc:billing"
_PEPPOLS: Final = (f"{EN16931}#compliant#{_PEPPOL}:3.0",)
_XRECHNUNG_UBL: Final = (
    _CVD,
    (_EXTENSION, _flags("BR-CL-23 BR-CL-24", _CODES + " BR-CO-16")),
    ("", _STANDARD),
)
_XRECHNUNG_CII: Final = (_CVD, (_EXTENSION, _flags("BR-CL-23", _CODES)), ("", _STANDARD))

# What every release that was looked at holds: the packs of set-up (732 and 583 rules of a syntax,
# 39 of XRechnung), and of Peppol the list of ids that an implementation keeps of the published
# files (46 for UBL, 32 for CII; read in public code, not checked at OpenPeppol's).
_CORE: Final = frozenset(
    [f"BR-{n:02}" for n in range(1, 17)]
    + [f"BR-CO-{n}" for n in range(10, 17)]
    + ["BR-CL-01", "BR-S-01", "BR-DEC-01"]
)
_GERMAN: Final = frozenset(f"BR-DE-{n}" for n in (*range(1, 10), *range(14, 18)))
_PEPPOL_CORE: Final = frozenset(
    f"PEPPOL-EN16931-{name}"
    for name in ("R001", "R004", "R010", "R020", "R040", "R120", "CL001", "F001", "P0100")
)
_NORM_LEAST: Final = 400
_GERMAN_LEAST: Final = 20
_PEPPOL_LEAST: Final = 30
_NAMED_MAX: Final = 5
FAMILIES: Final = {
    family.name: family
    for family in (
        *(
            Family(f"en16931-{name}", roots, marks, core=_CORE, least=_NORM_LEAST)
            for name, roots, marks in (
                ("ubl", _UBL, ("UBL-CR-", "UBL-SR-")),
                ("cii", _CII, ("CII-SR-", "CII-DT-")),
            )
        ),
        *(
            Family(
                f"xrechnung-{name}",
                roots,
                ("BR-DE-",),
                "xrechnung",
                _XRECHNUNGS,
                overrides,
                core=_GERMAN,
                least=_GERMAN_LEAST,
            )
            for name, roots, overrides in (
                ("ubl", _UBL, _XRECHNUNG_UBL),
                ("cii", _CII, _XRECHNUNG_CII),
            )
        ),
        *(
            Family(
                f"peppol-bis3-{name}",
                roots,
                ("PEPPOL-EN16931-",),
                _PEPPOL,
                _PEPPOLS,
                core=_PEPPOL_CORE,
                least=_PEPPOL_LEAST,
            )
            for name, roots in (("ubl", _UBL), ("cii", _CII))
        ),
    )
}


def family_of(rule_ids: frozenset[str], spaces: frozenset[str]) -> str:
    """The family that rules show themselves to be of, '' if none is known.

    `spaces` are the namespaces that they name; XRechnung's rules come in two syntaxes. Rules that
    are only some of a family's are of none: what they leave out would be said to be kept.
    """
    shown = _shown(rule_ids, spaces)
    return next((family.name for family in shown if not family.lack(rule_ids)), "")


def lack_of_rules(rule_ids: frozenset[str], spaces: frozenset[str]) -> str:
    """Of which family rules bear some names, and what they lack of it; '' if they bear none."""
    return next((family.lack(rule_ids) for family in _shown(rule_ids, spaces)), "")


def _shown(rule_ids: frozenset[str], spaces: frozenset[str]) -> list[Family]:
    return [
        family
        for family in FAMILIES.values()
        if any(rule.startswith(family.marks) for rule in rule_ids)
        and any(root[1:].partition("}")[0] in spaces for root in family.roots)
    ]


def family_of_pack(pack: RulePack) -> Family | None:
    """The family of an installed pack, None if its manifest names one that nobody knows."""
    if pack.applies_to:
        return Family(
            pack.family, frozenset(), (), spaces=frozenset(pack.spaces), pattern=pack.applies_to
        )
    return FAMILIES.get(pack.family)


def check_pattern(pattern: str) -> None:
    """Refuses a pattern of profiles that would be for every document or for none."""
    if not pattern.replace("*", "").strip() or len(pattern) > _PATTERN_CHARS_MAX:
        raise MalformedInput(
            f"no pattern of a profile: {pattern[:60]!r}",
            code="bad_profile_pattern",
            remedy="write the specification identifier (BT-24), with * for any part of it",
        )


def fits(pattern: str, profile: str) -> bool:
    """Whether a profile is as a pattern says; `*` stands for anything, also for nothing."""
    first, *rest = pattern.split("*")
    if not rest:
        return profile == pattern
    if not profile.startswith(first):
        return False
    at = len(first)
    *middle, last = rest
    for part in middle:
        found = profile.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(profile) - len(last) >= at and profile.endswith(last)


@dataclass(frozen=True, slots=True)
class Lack:
    """Rules that a profile asks for and no installed pack has: why, and what to do."""

    why: str
    remedy: str


def lack_of(
    root: str, profile: str, day: str, applied: Collection[Family], installed: Iterable[RulePack]
) -> Lack | None:
    """What is missing for a whole judgement of a document, None if nothing is.

    applied: the families that judge it. installed: all packs, for those that begin later.
    """
    if not profile:
        return Lack("the document names no profile (BT-24)", "ask its sender for one that does")
    known = _asked_for(root, profile)
    names = {family.name for family in applied}
    missing = next((family for family in known if family.name not in names), None)
    if missing is not None:
        return _lack_of_family(missing, profile, day, installed)
    # Rules of the operator's own stand beside those of a known profile, never in their place.
    profiles = {EN16931, *(each for family in known for each in family.profiles)}
    if profile in profiles or any(family.is_named_by(profile) for family in applied):
        return None
    return Lack(
        f"no installed pack is for the profile {profile[:200]}",
        f"zhidao trade packs add FILE.sch --applies-to {profile[:200]}",
    )


def _asked_for(root: str, profile: str) -> list[Family]:
    """The known families that must judge a document: the norm's, and those of its profile."""
    special = _judging(root, profile, of_the_norm=False)
    special = [family for family in special if profile in family.profiles] or special
    norm = profile.startswith(EN16931)
    return [*(_judging(root, profile, of_the_norm=True) if norm else ()), *special]


def _judging(root: str, profile: str, *, of_the_norm: bool) -> list[Family]:
    every = FAMILIES.values()
    return [f for f in every if f.judges(root, profile) and f.of_the_norm is of_the_norm]


def _lack_of_family(family: Family, profile: str, day: str, installed: Iterable[RulePack]) -> Lack:
    days = sorted(p.valid_from for p in installed if p.family == family.name)
    if days and day:
        return Lack(
            f"no release of {family.name} for {day}: those installed begin on {days[0]}",
            f"zhidao trade packs add PACKAGE==VERSION --valid-from DAY, with the release of "
            f"{family.name} that held on {day}",
        )
    return Lack(
        f"no pack of {family.name} is installed, which the profile {profile[:200]} asks for",
        f"zhidao trade packs add FILE.sch, or PACKAGE==VERSION, with the rules of {family.name}",
    )
