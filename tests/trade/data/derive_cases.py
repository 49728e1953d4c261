"""Derives what the cases of origin and duty must give, apart from the code that they test.

    python tests/trade/data/derive_cases.py          compare the tables with what is derived here
    python tests/trade/data/derive_cases.py --write  write the tables anew

Nothing of zhidao is imported. Amounts are integers of a millionth of a currency unit and shares are
compared by cross-multiplication, so no division and no rounding stands between a case and its
answer. Each row ends with the arithmetic in words, which a person can follow with a pencil.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
MICRO = 10**6
ASEAN = "BN ID KH LA MM MY PH SG TH VN".split()
PARTIES = {"RCEP": [*ASEAN, "AU", "CN", "JP", "KR", "NZ"], "ACFTA": [*ASEAN, "CN"]}
# Chapters with a change of heading as the other general rule of the ACFTA upgrade protocol.
HEADING = [25, 26, 28, 29, 31, 39, *range(42, 50), 57, 58, 59, 61, 62, 64, *range(66, 72)]
HEADING += [73, 74, 75, 76, 78, 79, 80, 81, 82, 83, 86, 88, *range(91, 98)]
DIGITS = {"CC": 2, "CTH": 4, "CTSH": 6}
ORIGIN_HEAD = (
    "id,agreement,hs,country,fob,materials,costs,rule,weight,flags,route,control,outcome,"
    "criterion,notes,share,reason"
).split(",")
DUTY_HEAD = (
    "id,currency,value,quantity,mfn,rcep,acfta,claims,vat,excise,regime,duty_minor,excise_minor,"
    "vat_minor,reason"
).split(",")
MINOR_DIGITS = {"CNY": 2, "USD": 2, "EUR": 2, "JPY": 0, "VND": 0, "KRW": 0, "KWD": 3, "THB": 2}
MINOR_DIGITS |= {"SGD": 2, "AUD": 2, "MYR": 2, "IDR": 2}


def micro(text: str) -> int:
    """A plain decimal as millionths."""
    whole, _, part = text.partition(".")
    sign = -1 if whole.startswith("-") else 1
    return sign * (abs(int(whole or 0)) * MICRO + int((part + "000000")[:6]))


def thousandths(part: int, whole: int) -> str:
    """A share in per cent, cut to three decimals, without zeros at its end."""
    cut = part * 100_000 // whole if part >= 0 else -((-part) * 100_000 // whole)
    sign, cut = ("-", -cut) if cut < 0 else ("", cut)
    return f"{sign}{cut // 1000}.{cut % 1000:03}".rstrip("0").rstrip(".")


# Origin.


def origin_answer(case: dict[str, str]) -> dict[str, str]:
    """Outcome, criterion, notes, share and reason of a case."""
    name, fob = case["agreement"], micro(case["fob"])
    inputs = [[*part.split("/"), "", ""][:5] for part in case["materials"].split(";") if part]
    ours = [m for m in inputs if m[2] in PARTIES[name] and m[3] == name]
    foreign = [m for m in inputs if m not in ours]
    cost = sum(micro(c.split()[1]) for c in case["costs"].split(";") if c)
    down = fob - sum(micro(m[1]) for m in foreign)
    up = sum(micro(m[1]) for m in ours) + cost
    best = max(down, up)
    answer = {"criterion": "", "notes": "", "share": thousandths(best, fob)}

    def told(outcome: str, why: str, criterion: str = "", notes: str = "") -> dict[str, str]:
        if outcome == "originating" and case["route"]:
            held = case["control"].split()
            out = [c for c in case["route"].split() if c not in PARTIES[name] and c not in held]
            if out:
                return told("not originating", f"{why}; but through {out[0]} without control")
        good = outcome == "originating"
        return answer | {
            "outcome": outcome,
            "criterion": criterion if good else "",
            "notes": notes if good else "",
            "reason": why,
        }

    if case["country"] not in PARTIES[name]:
        return told("not originating", f"{case['country']} is no party")
    if case["flags"] == "wo" and not inputs:
        return told("originating", "wholly obtained, nothing else in it", "WO")
    abroad = "ACU" if any(m[2] != case["country"] for m in ours) else ""
    if inputs and not foreign:
        return told("originating", "all inputs originate", "PE", abroad)
    if not inputs:
        return told("undecided", "no input is listed")
    rule = case["rule"] or acfta_rule(name, case["hs"])
    if not rule:
        return told("undecided", "no rule for this product")
    whys = []
    for alternative in rule.split("|"):
        terms = [term.strip() for term in alternative.split("&")]
        holds, minimis, why = alternative_holds(case, terms, foreign, down, up, fob)
        whys.append(why)
        if holds:
            first = terms[0]
            code = "CTC" if first in DIGITS else "RVC" if first.startswith("RVC") else first
            notes = " ".join(filter(None, (abroad, "DMI" if minimis else "")))
            return told("originating", "; ".join(whys), code, notes)
    return told("not originating", "; ".join(whys))


def acfta_rule(name: str, hs: str) -> str:
    """The general rule of the ACFTA; RCEP has none."""
    if name == "RCEP":
        return ""
    return "CTH | RVC40" if int(hs[:2]) in HEADING else "RVC40"


def alternative_holds(
    case: dict[str, str], terms: list[str], foreign: list[list[str]], down: int, up: int, fob: int
) -> tuple[bool, bool, str]:
    """Whether all terms hold, whether the tolerance was needed, and the arithmetic."""
    all_hold, minimis, why = True, False, []
    for term in terms:
        if term in DIGITS:
            kept = [m for m in foreign if m[0][: DIGITS[term]] == case["hs"][: DIGITS[term]]]
            value = sum(micro(m[1]) for m in kept)
            # Ten per cent: ten times the value is not above FOB.
            holds = not kept or 10 * value <= fob
            text = f"{term}: {len(kept)} of {len(foreign)} keep it"
            if kept:
                text += f", 10 x {value / MICRO:.10g} against {fob / MICRO:.10g}"
            if kept and not holds and 50 <= int(case["hs"][:2]) <= 63 and case["weight"]:
                weight = sum(micro(m[4] or "0") for m in kept)
                known = all(m[4] for m in kept)
                holds = known and 10 * weight <= micro(case["weight"])
                text += f", by weight 10 x {weight / MICRO:.10g} against {case['weight']}"
            minimis = minimis or bool(kept)
        elif term.startswith("RVC"):
            wanted = int(term[3:])
            best = max(down, up)
            holds = 100 * best >= wanted * fob
            text = f"{term}: 100 x {best / MICRO:.10g} against {wanted} x {fob / MICRO:.10g}"
        elif term == "CR":
            holds, text = case["flags"] == "reacted", "CR: " + (case["flags"] or "no reaction")
        elif term == "PE":
            holds, text = not foreign, "PE: something foreign"
        else:
            holds, text = False, "WO: it has inputs"
        all_hold = all_hold and holds
        why.append(text)
    return all_hold, minimis and all_hold, " and ".join(why)


def origin_inputs() -> Iterator[dict[str, str]]:
    """Further cases, each of another kind or at another edge."""
    for agreement, tag in (("RCEP", "R"), ("ACFTA", "A")):
        for wanted in (35, 40, 45, 50, 60):
            # Exactly the threshold, a cent of foreign value more, a cent less, and 0.001 % short.
            for fob in ("1000", "2500000"):
                limit = int(fob) * (100 - wanted)
                for step, cents in (("at", 0), ("over", 1), ("under", -1)):
                    value = limit + cents
                    yield origin(
                        f"{tag}{wanted}{step}{fob}", agreement, "841370", fob,
                        f"848310/{value // 100}.{value % 100:02}/DE", rule=f"RVC{wanted}",
                    )  # fmt: skip
        yield origin(f"{tag}39999", agreement, "841370", "100000", "848310/60001/DE", rule="RVC40")
        yield origin(
            f"{tag}3999999", agreement, "841370", "10000000", "848310/6000001/DE", rule="RVC40"
        )
        yield origin(f"{tag}third", agreement, "841370", "3", "848310/2/DE", rule="RVC33")
        yield origin(f"{tag}thirdshort", agreement, "841370", "3", "848310/2/DE", rule="RVC34")
    for n, (costs, value) in enumerate(
        (
            ("labour 200;overhead 100;profit 50;other 50", "900"),
            ("labour 399.99", "900"),
            ("labour 400", "900"),
            ("labour 100;overhead 100;profit 100;other 100.01", "1000"),
            ("labour 300;profit 50", "650"),
            ("labour 300;profit 50", "600"),
            ("other 400", "1200"),
        )
    ):
        yield origin(
            f"up{n}", "RCEP", "850760", "1000", f"850710/{value}/US", rule="RVC40", costs=costs
        )
    for term, same, other in (
        ("CC", "841391", "732690"),
        ("CTH", "841391", "848310"),
        ("CTSH", "841370", "841391"),
    ):
        for n, (kept, changed) in enumerate(
            ((0, 900), (100, 800), (101, 0), (50, 50), (1000, 0), (99, 901))
        ):
            parts = [f"{same}/{kept}/DE"] if kept else []
            parts += [f"{other}/{changed}/DE"] if changed else []
            yield origin(f"{term}{n}", "RCEP", "841370", "1000", ";".join(parts), rule=term)
        yield origin(
            f"{term}two", "RCEP", "841370", "1000", f"{same}/60/DE;{same}/40/US", rule=term
        )
        yield origin(
            f"{term}twoover", "RCEP", "841370", "1000", f"{same}/60/DE;{same}/40.01/US", rule=term
        )
    for n, (value, kilos, weight) in enumerate(
        (
            ("100", "9", "100"), ("101", "10", "100"), ("101", "10.001", "100"),
            ("500", "5", "100"), ("500", "", "100"), ("500", "5", ""), ("100", "99", "100"),
        )
    ):  # fmt: skip
        made = f"620520/{value}/IN//{kilos}"
        yield origin(f"tex{n}", "RCEP", "620530", "1000", made, rule="CTH", weight=weight)
        shoe = f"640399/{value}/IN//{kilos}"
        yield origin(f"shoe{n}", "RCEP", "640391", "1000", shoe, rule="CTH", weight=weight)
    for n, (agreement, made) in enumerate(
        (
            ("RCEP", "848310/700/JP/RCEP"), ("RCEP", "848310/700/JP"), ("RCEP", "848310/700/JP/ACFTA"),
            ("ACFTA", "848310/700/JP/ACFTA"), ("ACFTA", "848310/700/VN/ACFTA"),
            ("RCEP", "848310/300/KR/RCEP;848390/400/US"), ("RCEP", "848310/300/KR/RCEP;848390/700/US"),
            ("RCEP", "848310/700/CN/RCEP"), ("RCEP", "848310/700/CN"), ("ACFTA", "848310/300/TH/ACFTA;848390/600/DE"),
            ("RCEP", "848310/700/TW/RCEP"), ("RCEP", "841391/90/DE;848310/800/AU/RCEP"),
        )
    ):  # fmt: skip
        yield origin(f"cum{n}", agreement, "841370", "1000", made, rule="RVC40")
        yield origin(f"cumcth{n}", agreement, "841370", "1000", made, rule="CTH")
    for chapter in (
        1,
        24,
        25,
        30,
        39,
        41,
        42,
        49,
        50,
        57,
        60,
        61,
        63,
        64,
        65,
        71,
        72,
        73,
        84,
        86,
        88,
        90,
        91,
        97,
    ):
        code = f"{chapter:02}0110"
        yield origin(f"gen{chapter}", "ACFTA", code, "1000", "850110/700/US", country="VN")
    for n, (rule, made) in enumerate(
        (
            ("CTH & RVC40", "848310/600/DE"), ("CTH & RVC40", "841391/600/DE"),
            ("CTH & RVC40", "848310/601/DE"), ("CC | RVC40", "848310/600/DE"),
            ("CC | RVC40", "732690/990/DE"), ("CTSH & RVC35 | CC", "841391/650/DE"),
            ("CTSH & RVC35 | CC", "841391/651/DE"), ("PE", "848310/1/DE"), ("WO", "848310/1/DE"),
            ("RVC100", "848310/0.01/DE"), ("RVC1", "848310/990/DE"), ("RVC1", "848310/990.01/DE"),
        )
    ):  # fmt: skip
        yield origin(f"rule{n}", "RCEP", "841370", "1000", made, rule=rule)
    yield origin("react1", "RCEP", "290512", "1000", "290511/900/US", rule="CR", flags="reacted")
    yield origin("react2", "RCEP", "290512", "1000", "290511/900/US", rule="CR")
    yield origin("react3", "RCEP", "290512", "1000", "290511/900/US", rule="CTSH | CR")
    yield origin("wo1", "ACFTA", "080450", "1000", "", flags="wo", country="TH")
    yield origin(
        "wo2", "ACFTA", "080450", "1000", "310210/10/US", flags="wo", country="TH", rule="WO"
    )
    yield origin("none1", "ACFTA", "841370", "1000", "", country="TH")
    for n, country in enumerate(("IN", "US", "TW", "RU")):
        yield origin(
            f"out{n}", "RCEP", "841370", "1000", "848310/1/DE", rule="RVC40", country=country
        )
    yield origin("out4", "ACFTA", "841370", "1000", "848310/1/DE", country="JP")
    for n, (route, control) in enumerate(
        (
            ("CN VN", ""), ("CN TW VN", ""), ("CN TW VN", "TW"), ("CN IN LK SG", "IN"),
            ("CN IN LK SG", "IN LK"), ("CN KR JP", ""), ("CN US JP", "US"),
        )
    ):  # fmt: skip
        yield origin(
            f"way{n}", "RCEP", "841370", "1000", "848310/500/DE", rule="RVC40", route=route,
            control=control,
        )  # fmt: skip
    yield origin("way8", "ACFTA", "841370", "1000", "848310/500/DE", route="CN KR VN")
    yield origin("way9", "ACFTA", "841370", "1000", "848310/500/DE", route="CN KR VN", control="KR")


def origin(
    name: str, agreement: str, hs: str, fob: str, materials: str, *, rule: str = "",
    costs: str = "", weight: str = "", flags: str = "", country: str = "CN", route: str = "",
    control: str = "",
) -> dict[str, str]:  # fmt: skip
    """A row without its answer."""
    return {
        "id": name, "agreement": agreement, "hs": hs, "country": country, "fob": fob,
        "materials": materials, "costs": costs, "rule": rule, "weight": weight, "flags": flags,
        "route": route, "control": control,
    }  # fmt: skip


# Duty.


def half_up(numerator: int, denominator: int) -> int:
    """A quotient of integers that are not negative, halves upwards."""
    return (2 * numerator + denominator) // (2 * denominator)


def duty_answer(case: dict[str, str]) -> dict[str, str]:
    """Regime, taxes in minor units and the arithmetic."""
    units = 10 ** MINOR_DIGITS[case["currency"]]
    value = micro(case["value"])
    found: dict[str, int] = {}
    for regime in ("MFN", *case["claims"].split()):
        rate = case[regime.lower()]
        if rate:
            found[regime] = one_duty(rate, value, micro(case["quantity"] or "0"), units)
    least = min(found.values())
    regime = "MFN" if found["MFN"] == least else min(r for r in found if found[r] == least)
    # Everything from here in minor units times a million: value + duty.
    base = value * units + least * MICRO
    text = case["excise"]
    inside, percent = text.endswith("i"), micro(text.rstrip("i") or "0")
    whole = 100 * MICRO
    excise = half_up(base * percent, MICRO * ((whole - percent) if inside else whole))
    base += excise * MICRO
    vat = half_up(base * micro(case["vat"]), MICRO * whole)
    duties = ", ".join(f"{name} {minor}" for name, minor in found.items())
    why = f"duties {duties}; excise {excise} {'inside' if inside else 'on'} value and duty"
    why += f"; VAT {case['vat']} % of {base / MICRO:.10g} minor"
    return {
        "regime": regime,
        "duty_minor": str(least),
        "excise_minor": str(excise),
        "vat_minor": str(vat),
        "reason": why,
    }


def one_duty(rate: str, value: int, quantity: int, units: int) -> int:
    """The duty in minor units under a rate as the table writes it."""
    sign = next((c for c in "+><" if c in rate), "")
    parts = rate.split(sign) if sign else [rate]
    percent = next((micro(p) for p in parts if not p.endswith("u")), 0)
    each = next((micro(p[:-1]) for p in parts if p.endswith("u")), 0)
    # Both in units of 1e-14 of a currency unit: value (1e-6) x per cent (1e-6 x 1e-2).
    by_value, by_quantity = value * percent, quantity * each * 100
    amount = {
        ">": max(by_value, by_quantity),
        "<": min(by_value, by_quantity),
    }.get(sign, by_value + by_quantity)
    return half_up(amount * units, 10**14)


def duty_inputs() -> Iterator[dict[str, str]]:
    """Further cases: every currency's minor unit, every form of rate, halves and their neighbours."""
    number = 0

    def row(currency: str, value: str, mfn: str, **more: str) -> dict[str, str]:
        nonlocal number
        number += 1
        base = {
            "id": f"n{number:03}", "currency": currency, "value": value, "quantity": "", "mfn": mfn,
            "rcep": "", "acfta": "", "claims": "", "vat": "13", "excise": "",
        }  # fmt: skip
        return base | more

    # Values whose duty ends in just below, at and just above half a minor unit.
    for currency in MINOR_DIGITS:
        for text in ("0.01", "0.10", "1", "99.95", "100.05", "12345.67", "1000000", "33333.33"):
            value = text if MINOR_DIGITS[currency] else text.replace(".", "")
            for mfn in ("5", "7.5"):
                yield row(currency, value, mfn)
    for cents in (1, 3, 5, 7, 9, 11, 13, 15, 17, 19):
        # Ten per cent of an odd number of tenths of five: exact halves of a cent.
        yield row("CNY", f"{cents}.05", "10", vat="0")
        yield row("CNY", f"{cents}.04", "10", vat="0")
        yield row("USD", f"{cents}.06", "10", vat="9")
    for quantity in ("1", "2.5", "1000", "0.333", "12.345"):
        for rate in ("2u", "0.005u", "10+2u", "10>2u", "10<2u", "0>1.5u", "5<0.01u"):
            yield row("CNY", "100", rate, quantity=quantity)
    for value in ("10", "20", "20.01", "19.99", "50"):
        for rate in ("10>2u", "10<2u"):
            # The two parts are equal at a value of 20 for one unit.
            yield row("THB", value, rate, quantity="1", vat="7")
    for rcep, acfta, claims in (
        ("0", "0", "RCEP ACFTA"), ("5", "3", "RCEP ACFTA"), ("3", "5", "RCEP ACFTA"),
        ("8", "8", "RCEP ACFTA"), ("9", "9", "RCEP ACFTA"), ("5", "3", "RCEP"), ("5", "3", "ACFTA"),
        ("5", "3", ""), ("", "3", "RCEP"), ("5", "", "ACFTA RCEP"), ("1u", "3", "RCEP ACFTA"),
        ("4+1u", "5", "RCEP ACFTA"), ("5>1u", "5<1u", "ACFTA RCEP"),
    ):  # fmt: skip
        for value in ("100", "1234.56", "0.07", "999999.99"):
            yield row("CNY", value, "8", rcep=rcep, acfta=acfta, claims=claims, quantity="3")
    for excise in ("5", "15", "56", "5i", "15i", "56i", "0.5i", "99i"):
        for value in ("100", "333.33", "1", "87654.32"):
            for vat in ("13", "9"):
                yield row("CNY", value, "25", excise=excise, vat=vat)
    for vat in ("0", "5", "6", "7", "8", "9", "10", "11", "12", "13", "17", "20"):
        for currency, value in (("CNY", "777.77"), ("VND", "25400000"), ("KWD", "12.345")):
            yield row(currency, value, "12.5", vat=vat)
    for digits in range(1, 13):
        yield row("VND", "9" * digits, "3")
        yield row("EUR", "9" * digits + ".99", "3.7", vat="19")
        yield row("JPY", "5" * digits, "4.3", vat="10")


def told(row: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """What a case is, apart from its name and its answer."""
    answers = {"id", "outcome", "criterion", "notes", "share", "reason", "regime"}
    answers |= {"duty_minor", "excise_minor", "vat_minor"}
    return tuple(sorted((k, v) for k, v in row.items() if k not in answers and v))


def table(head: list[str], rows: list[dict[str, str]]) -> str:
    """The rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, head, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def derived(name: str) -> str:
    """A table with its inputs as they stand and every answer derived here."""
    answer, head = {
        "origin_cases": (origin_answer, ORIGIN_HEAD),
        "duty_cases": (duty_answer, DUTY_HEAD),
    }[name]
    rows = list(csv.DictReader((HERE / f"{name}.csv").read_text().splitlines()))
    blank = dict.fromkeys(head, "")
    return table(head, [made | answer(made) for made in (blank | row for row in rows)])


def main() -> int:
    """Compares or, with --write, adds the further cases and writes."""
    for name, more in (("origin_cases", origin_inputs), ("duty_cases", duty_inputs)):
        file = HERE / f"{name}.csv"
        if sys.argv[1:] == ["--write"]:
            rows = list(csv.DictReader(file.read_text().splitlines()))
            known = {told(row) for row in rows}
            head = ORIGIN_HEAD if name == "origin_cases" else DUTY_HEAD
            blank = dict.fromkeys(head, "")
            for row in more():
                if told(row) not in known:
                    known.add(told(row))
                    rows.append(row)
            file.write_text(table(head, [blank | row for row in rows]))
            file.write_text(derived(name))
        elif derived(name) != file.read_text():
            sys.stdout.write(f"{name}: the table is not what is derived\n")
            return 1
        sys.stdout.write(f"{name}: {file.read_text().count(chr(10)) - 1} cases\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
