"""Schematron's report: failed asserts and successful reports as findings.

Source: ISO/IEC 19757-3 annex D (Schematron Validation Report Language); not checked beyond the
elements that the EN 16931 rules write.
"""

from __future__ import annotations

from typing import Final

from zhidao.trade.domain.verdict import Flag, RuleFinding
from zhidao.trade.wire import safe_xml
from zhidao.trade.wire.places import place_of_svrl

_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"


def read(report: bytes) -> tuple[RuleFinding, ...]:
    """The findings of a report, in its order. Raises MalformedInput for anything but XML."""
    findings = []
    for element in safe_xml.parse(report).iter(
        _SVRL + "failed-assert", _SVRL + "successful-report"
    ):
        text = " ".join("".join(str(part) for part in element.itertext()).split())
        rule = element.get("id") or "unnamed"
        findings.append(
            RuleFinding(
                rule=rule,
                flag=Flag.WARNING if element.get("flag") == "warning" else Flag.FATAL,
                place=place_of_svrl(element.get("location") or ""),
                # The rules' texts begin with their own id in brackets.
                sentence=text.removeprefix(f"[{rule}]").lstrip("- ").strip(),
            )
        )
    return tuple(findings)
