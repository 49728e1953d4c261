"""How many listed people are found under another spelling, and how many others are held by mistake.

By `zhidao finance screen` as a program of its own, on OFAC's lists of 2021 (Latin letters only).

Recall: names of the list in spellings that were made by rule and seed, equally many of each kind
(`SPELLINGS`), and, as spellings that nobody made, the aliases of OFAC itself that are nearly the
listed name (`difflib` at 0.85 and not equal), asked against the list without its aliases. An
alert must be of the very entry. Apart from these: listed names inside longer ones, and with half of
their letters exchanged for Cyrillic and Greek ones that look the same.

False alerts, of names that are on no list: 10,000 usual given and family names joined by a seed
(as in `inner/finance/finance_screening`; who is by chance the namesake of a listed person counts
as an alert too), a quarter of these inside longer names, and the real firms and people that
invoices and payment messages of others and applications of public goods name in `../shared/data`.
A name that is listed letter for letter is no clean one and is left out; how many these were is
printed.
"""

from __future__ import annotations

import csv
import difflib
import json
import random
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.inner.finance.finance_screening import FAMILY, GIVEN
from benchmarks.measuring import claim

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
LISTS: Final = DATA / "finance" / "screening"
OF_EACH: Final = (250, 2_000)
CLEAN: Final = (10_000, 10_000)
NEARLY: Final = 0.85
_ARGUMENTS: Final = 2_000
_MOST_S: Final = 600.0
_LEGAL: Final = {
    "CO.": "COMPANY",
    "COMPANY": "CO.",
    "LTD.": "LIMITED",
    "LTD": "LIMITED",
    "LIMITED": "LTD.",
    "CORP.": "CORPORATION",
    "CORPORATION": "CORP.",
}
_SOUNDS: Final = (
    *(("MOHAMMAD", "MUHAMMED"), ("MOHAMMED", "MUHAMAD"), ("MUHAMMAD", "MOHAMED")),
    *(("HUSSEIN", "HUSAYN"), ("HUSSAIN", "HUSEIN"), ("AHMED", "AHMAD"), ("AHMAD", "AHMED")),
    *(("YUSUF", "YOUSSEF"), ("SAEED", "SAID"), ("QAS", "KAS"), ("KH", "H"), ("OU", "U")),
    *(("EE", "I"), ("IY", "I"), ("SH", "CH"), ("PH", "F"), ("CK", "K"), ("DJ", "J"), ("W", "V")),
)
_MARKS: Final = str.maketrans({"A": "Á", "E": "É", "I": "Í", "O": "Ö", "U": "Ü", "C": "Ç"})


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Recall in all and by kind of spelling, of real aliases, and false alerts."""
    files = [LISTS / name for name in ("ofac_sdn.csv", "ofac_alt.csv")]
    if not all(file.exists() for file in files):
        print("screening: no sanctions lists beside the tree", file=sys.stderr)
        return
    listed, aliases = (_rows(file) for file in files)
    whole = f"ofac={files[0]},{files[1]}"
    yield from _recall(whole, listed, OF_EACH[long])
    yield from _official(f"ofac={files[0]}", dict(listed), aliases, OF_EACH[long] * 2)
    yield from _hidden(whole, _people_and_firms(files[0]), OF_EACH[long])
    known = {_plain(name) for _, name in (*listed, *aliases)}
    made = [f"{given} {family}" for given in GIVEN for family in FAMILY]
    random.Random(1).shuffle(made)
    yield from _false("made", whole, made[: CLEAN[long]], known)
    chance = random.Random(6)
    longer = [chance.choice(FRAMES).format(name) for name in made[: CLEAN[long] // 4]]
    yield from _false("longer", whole, longer, known)
    yield from _false("real", whole, _real(), known)


def _recall(lists: str, listed: Sequence[tuple[str, str]], each: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(3)
    asked: list[tuple[str, str, str]] = []
    for kind, spell in SPELLINGS.items():
        pool = [*listed]
        chance.shuffle(pool)
        spelt = ((number, name, spell(name, chance)) for number, name in pool)
        other = [(number, new) for number, name, new in spelt if new and new != name]
        asked += [(kind, number, new) for number, new in other[:each]]
    found = _asked(lists, [new for *_, new in asked])
    right = [number in found[new] for _, number, new in asked]
    yield claim("screening_recall_percent", [_share(right)], "%", target=95)
    for kind in SPELLINGS:
        of_kind = [hit for hit, (one, *_) in zip(right, asked, strict=True) if one == kind]
        yield claim(f"screening_recall_{kind}_percent", [_share(of_kind)], "%")


def _hidden(lists: str, listed: Sequence[tuple[str, str]], each: int) -> Iterator[dict[str, Any]]:
    """Names inside longer ones, and with letters of other scripts that look the same."""
    for number, (kind, hide) in enumerate(HIDDEN.items()):
        chance = random.Random(20 + number)
        some = chance.sample(listed, min(each, len(listed)))
        asked = [(entry, hide(name, chance)) for entry, name in some]
        asked = [(entry, name) for entry, name in asked if name]
        found = _asked(lists, [name for _, name in asked])
        right = [entry in found[name] for entry, name in asked]
        yield claim(f"screening_recall_{kind}_percent", [_share(right)], "%")


def _official(
    lists: str, listed: dict[str, str], aliases: Sequence[tuple[str, str]], most: int
) -> Iterator[dict[str, Any]]:
    near = [
        (number, alias)
        for number, alias in aliases
        if number in listed
        and _plain(alias) != _plain(listed[number])
        and difflib.SequenceMatcher(None, _plain(alias), _plain(listed[number])).ratio() >= NEARLY
    ]
    random.Random(4).shuffle(near)
    found = _asked(lists, [alias for _, alias in near[:most]])
    right = [number in found[alias] for number, alias in near[:most]]
    print(f"screening: {len(right)} of {len(near)} aliases near the name", file=sys.stderr)
    yield claim("screening_recall_official_aliases_percent", [_share(right)], "%", target=95)


def _false(
    kind: str, lists: str, names: Sequence[str], known: set[str]
) -> Iterator[dict[str, Any]]:
    clean = [name for name in names if _plain(name) not in known]
    print(
        f"screening: {len(clean)} {kind} names, {len(names) - len(clean)} listed themselves",
        file=sys.stderr,
    )
    found = _asked(lists, clean)
    alerts = [name for name in clean if found[name]]
    print(f"screening: alerts of {kind} names: {'; '.join(alerts[:20])}", file=sys.stderr)
    share = 100 * len(alerts) / len(clean)
    yield claim(f"screening_false_{kind}_percent", [share], "%", target=1, at_most=True)


def _asked(lists: str, names: Sequence[str]) -> dict[str, set[str]]:
    """The entries of which each name is an alert, by the command."""
    today = datetime.now(UTC).date().isoformat()
    found: dict[str, set[str]] = {}
    asked = [*dict.fromkeys(names)]
    for start in range(0, len(asked), _ARGUMENTS):
        some = asked[start : start + _ARGUMENTS]
        command = [sys.executable, "-m", "zhidao.cli", "finance", "screen"]
        given = ["--list", f"{lists}@{today}", "--hits", "10", "--json", "--", *some]
        done = subprocess.run(
            [*command, *given], capture_output=True, text=True, timeout=_MOST_S, check=False
        )
        if done.returncode not in (0, 1):
            raise SystemExit(f"zhidao finance screen: {done.stderr[-400:]}")
        for line in done.stdout.splitlines():
            told = json.loads(line)
            found[told["name"]] = {hit["entry"] for hit in told["hits"] if hit["alert"]}
    return found


# -- spellings -------------------------------------------------------------------------------------


def _as_listed(name: str, chance: random.Random) -> str:
    del chance
    return name.lower()


def _reordered(name: str, chance: random.Random) -> str:
    del chance
    words = name.replace(",", " ").split()
    return " ".join((*words[1:], words[0])) if len(words) > 1 else ""


def _long_word(words: Sequence[str], chance: random.Random) -> int | None:
    places = [place for place, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    return chance.choice(places) if places else None


def _one_letter(name: str, chance: random.Random) -> str:
    """One letter of a word of five or more is left out, doubled, or exchanged with the next."""
    words = name.split()
    place = _long_word(words, chance)
    if place is None:
        return ""
    word = words[place]
    at = chance.randrange(1, len(word) - 1)
    words[place] = chance.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
        )
    )
    return " ".join(words)


def _middle_left_out(name: str, chance: random.Random) -> str:
    words = name.split()
    if len(words) < 3 or "," not in name:
        return ""
    del words[chance.randrange(2, len(words))]
    return " ".join(words)


def _joined(name: str, chance: random.Random) -> str:
    words = name.replace(",", " ").split()
    if len(words) < 2:
        return ""
    at = chance.randrange(len(words) - 1)
    return " ".join((*words[:at], words[at] + words[at + 1].lower(), *words[at + 2 :]))


def _dressed(name: str, chance: random.Random) -> str:
    """With a form of address, or the legal form written out or cut short."""
    words = name.split()
    if "," in name and not any(word in _LEGAL for word in words):
        return f"{chance.choice(('Mr.', 'Dr', 'General', 'Haji', 'Sheikh'))} {name}"
    changed = [_LEGAL.get(word, word) for word in words]
    return "" if changed == words else " ".join(changed)


def _accented(name: str, chance: random.Random) -> str:
    del chance
    return name.translate(_MARKS)


def _by_sound(name: str, chance: random.Random) -> str:
    able = [(one, other) for one, other in _SOUNDS if one in name]
    return name.replace(*chance.choice(able), 1) if able else ""


SPELLINGS: Final[dict[str, Callable[[str, random.Random], str]]] = {
    "as_listed": _as_listed,
    "reordered": _reordered,
    "one_letter": _one_letter,
    "middle_left_out": _middle_left_out,
    "joined": _joined,
    "dressed": _dressed,
    "accented": _accented,
    "by_sound": _by_sound,
}


FRAMES: Final = (
    "ACME TRADING of {} branch",
    "{} Almaty Representative Office",
    "Branch No. 7 of {} in Dubai, attention of the accounts department",
    "c/o {}, Warehouse 12",
)
# Capitals and small letters of Cyrillic and Greek that are written like Latin ones.
_LOOKS: Final = str.maketrans("ABEKMHOPCTXaeopcxi", "АΒЕКМНОРСТХаеоρсхі")


def _inside(name: str, chance: random.Random) -> str:
    return chance.choice(FRAMES).format(name)


def _look_alikes(name: str, chance: random.Random) -> str:
    """Half of the letters that can be exchanged are."""
    other = "".join(
        letter.translate(_LOOKS) if chance.random() < 0.5 else letter for letter in name
    )
    return "" if other == name else other


HIDDEN: Final[dict[str, Callable[[str, random.Random], str]]] = {
    "inside": _inside,
    "look_alikes": _look_alikes,
}


# -- names -----------------------------------------------------------------------------------------


def _rows(file: Path) -> list[tuple[str, str]]:
    """Entry and name of each row of one of OFAC's files."""
    place = 1 if "sdn" in file.name else 3
    with file.open(encoding="utf-8", errors="replace", newline="") as read:
        rows = [row for row in csv.reader(read) if len(row) > place]
    return [(row[0].strip(), row[place].strip()) for row in rows if len(row[place].strip()) > 3]


def _people_and_firms(file: Path) -> list[tuple[str, str]]:
    """The same without vessels and aircraft: they stand in no name of a party."""
    with file.open(encoding="utf-8", errors="replace", newline="") as read:
        kinds = {row[0].strip(): row[2].strip() for row in csv.reader(read) if len(row) > 2}
    return [one for one in _rows(file) if kinds.get(one[0]) not in ("vessel", "aircraft")]


def _real() -> list[str]:
    """Whom invoices and payment messages of others name, and who stands behind public goods."""
    found: set[str] = set()
    for folder, tags in (("trade", "RegistrationName|Name"), ("finance", "Nm")):
        element = re.compile(rf"<(?:\w+:)?(?:{tags})>([^<]{{4,140}})</")
        for file in sorted((DATA / folder).rglob("*.xml")):
            text = file.read_text(encoding="utf-8", errors="replace")
            if folder == "trade":
                text = "".join(re.findall(r"<cac:Party>.*?</cac:Party>", text, re.DOTALL))
            found.update(element.findall(text))
    goods = DATA / "insight" / "dpg-nominations.jsonl"
    for line in goods.read_text(encoding="utf-8").splitlines() if goods.exists() else ():
        named = json.loads(line).get("nomination") or {}
        found.update(str(one.get("name", "")) for one in named.get("organizations") or ())
    plain = {" ".join(name.split()) for name in found}
    return sorted(name for name in plain if sum(map(str.isalpha, name)) > 3)


def _plain(name: str) -> str:
    """Letters alone, in order of their words."""
    flat = unicodedata.normalize("NFKD", name).casefold()
    return " ".join(sorted(re.findall(r"[^\W\d_]+", flat)))


def _share(hits: Sequence[bool]) -> float:
    return 100 * sum(hits) / len(hits)
