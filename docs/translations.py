"""Which Chinese pages lag behind their English sources, section by section.

A Chinese page ends in a stamp: the English page it was translated from, and a digest of each of
its sections as they were then. Who translated a change stamps the page anew; who changed the
English and reads no Chinese owes it, and the built page tells its reader until it is translated.

    python docs/translations.py                 what lags and what is owed
    python docs/translations.py stamp PAGE...   these pages are translated as the English stands now
    python docs/translations.py owe [PAGE...]   what lags is owed: told on the page, not yet done
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = ROOT / "docs"
CHINESE: Final = DOCS / "zh"
FOLDERS: Final = ("tutorials", "how-to", "explanation")
_STAMP: Final = re.compile(r"\n<!-- translated from (\S+)\n(.*?)-->\n", re.DOTALL)
_LINE: Final = re.compile(r"([0-9a-f]{12}|-)(?: owes ([0-9a-f]{12}|-))? (#+ .+)")
_FENCE: Final = re.compile(r"^ *(`{3,}|:{3,})")
_HEADING: Final = re.compile(r"^#{1,6} ")
_NONE: Final = "-"
# A break of lines between two Chinese letters would be shown as a blank; four blanks begin code.
_WIDE: Final = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef\u2018-\u201d]"
_BREAK: Final = re.compile(rf"(?<={_WIDE})\n {{0,3}}(?=\[?\*{{0,2}}{_WIDE})")
_FENCED: Final = re.compile(r"^( *```.*?^ *```)$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it, to the next heading of any level."""

    heading: str
    text: str

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits; another break of lines is no other text."""
        told = " ".join(f"{self.heading} {self.text}".split())
        return hashlib.sha256(told.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a stamp says of one section: its digest when translated, and the one that is owed."""

    heading: str
    translated: str
    owed: str | None = None

    def line(self) -> str:
        """The section's line in a stamp."""
        owed = "" if self.owed is None else f" owes {self.owed}"
        return f"{self.translated}{owed} {self.heading}"


@dataclass(frozen=True, slots=True)
class Page:
    """A Chinese page beside its English source."""

    english: Path
    chinese: Path

    @property
    def name(self) -> str:
        """The Chinese page's place in the repository."""
        return self.chinese.relative_to(ROOT).as_posix()


def pages() -> list[Page]:
    """Every page that is there in Chinese, or has to be."""
    found = [Page(ROOT / "README.md", ROOT / "README.zh.md")]
    found.append(Page(DOCS / "index.md", CHINESE / "index.md"))
    for folder in FOLDERS:
        found += [
            Page(path, CHINESE / folder / path.name)
            for path in sorted((DOCS / folder).glob("*.md"))
        ]
    wanted = {page.chinese for page in found}
    more = [path for path in sorted(CHINESE.rglob("*.md")) if path not in wanted]
    return found + [Page(DOCS / path.relative_to(CHINESE), path) for path in more]


def sections(text: str) -> list[Section]:
    """The sections of a page; a `#` inside a fence is no heading, and a stamp is no text."""
    found: list[tuple[str, list[str]]] = []
    fence = ""
    for line in _STAMP.sub("\n", text).splitlines():
        opened = _FENCE.match(line)
        if opened and not fence:
            fence = opened[1]
        elif opened and line.strip() == fence:
            fence = ""
        if not fence and _HEADING.match(line):
            found.append((line.strip(), []))
        elif found:
            found[-1][1].append(line)
    return [Section(heading, "\n".join(lines)) for heading, lines in found]


def marks(text: str) -> list[Mark]:
    """The stamp of a Chinese page. Raises ValueError for a page without one, or a wrong line."""
    stamp = _STAMP.search(text)
    if stamp is None:
        raise ValueError("no stamp: python docs/translations.py stamp PAGE")
    found = []
    for line in stamp[2].splitlines():
        told = _LINE.fullmatch(line.strip())
        if told is None:
            raise ValueError(f"not a line of a stamp: {line}")
        found.append(Mark(told[3], told[1], told[2]))
    return found


def lag(english: str, chinese: str) -> list[Mark]:
    """Sections that are not translated as they stand now, each as it would be owed.

    A new section was translated from nothing; of one that is gone nothing is owed.
    """
    known = {mark.heading: mark for mark in marks(chinese)}
    found = []
    for section in sections(english):
        mark = known.pop(section.heading, Mark(section.heading, _NONE))
        if mark.translated != section.digest:
            found.append(replace(mark, owed=section.digest))
    gone = [replace(mark, owed=_NONE) for mark in known.values() if mark.translated != _NONE]
    return found + gone


def untranslated(chinese: str) -> bool:
    """Whether a page is no more than a title and what is owed."""
    return all(mark.translated == _NONE for mark in marks(chinese))


def unowed(english: str, chinese: str) -> list[str]:
    """Headings of sections that lag and of which nobody said so."""
    said = set(marks(chinese))
    return [mark.heading for mark in lag(english, chinese) if mark not in said]


def stamped(page: Page, found: Sequence[Mark], text: str) -> str:
    """The text of a Chinese page under another stamp."""
    source = Path("../" * len(page.chinese.relative_to(ROOT).parts[1:]))
    told = (source / page.english.relative_to(ROOT)).as_posix()
    body = _STAMP.sub("\n", text).rstrip()
    lines = "".join(f"{mark.line()}\n" for mark in found)
    return f"{body}\n\n<!-- translated from {told}\n{lines}-->\n"


def notice(page: Page, text: str) -> str:
    """A Chinese page's source with a note to the reader, if the English has gone on since."""
    late = lag(page.english.read_text(encoding="utf-8"), text)
    if not late:
        return text
    depth = len(page.chinese.relative_to(DOCS).parts) - 1
    link = "../" * depth + page.english.relative_to(DOCS).as_posix()
    names = "、".join(f"“{mark.heading.lstrip('# ')}”" for mark in late)
    told = f"英文原文在翻译之后又有改动，涉及：{names}。这些部分请以[英文页面]({link})为准。"
    if untranslated(text):
        told = f"本页尚未译成中文，请看[英文页面]({link})。"
    heading, _, rest = text.partition("\n")
    return f"{heading}\n\n:::{{note}}\n{told}\n:::\n{rest}"


def joined(text: str) -> str:
    """A Chinese page with each paragraph on one line, fences as they are."""
    parts = _FENCED.split(text)
    return "".join(part if at % 2 else _BREAK.sub("", part) for at, part in enumerate(parts))


def stamp(page: Page) -> None:
    """Says that a page is translated as its source stands now."""
    english = page.english.read_text(encoding="utf-8")
    now = [Mark(section.heading, section.digest) for section in sections(english)]
    text = page.chinese.read_text(encoding="utf-8")
    page.chinese.write_text(stamped(page, now, text), encoding="utf-8")


def owe(page: Page) -> None:
    """Says of what lags that it is owed; sections keep the order of the English page.

    A page that is not there yet begins with nothing but its English title.
    """
    english = page.english.read_text(encoding="utf-8")
    if not page.chinese.exists():
        title = Mark(sections(english)[0].heading, _NONE)
        page.chinese.write_text(stamped(page, [title], f"{title.heading}\n"), encoding="utf-8")
    text = page.chinese.read_text(encoding="utf-8")
    late = {mark.heading: mark for mark in lag(english, text)}
    known = {mark.heading: replace(mark, owed=None) for mark in marks(text)}
    order = [section.heading for section in sections(english)]
    order += [heading for heading in known if heading not in order]
    kept = [late.get(heading) or known[heading] for heading in order if heading in known | late]
    page.chinese.write_text(stamped(page, kept, text), encoding="utf-8")


def _told() -> Iterator[str]:
    for page in pages():
        if not page.chinese.exists():
            yield f"{page.name}: missing"
            continue
        english = page.english.read_text(encoding="utf-8")
        chinese = page.chinese.read_text(encoding="utf-8")
        fresh = unowed(english, chinese)
        for mark in lag(english, chinese):
            how = "lags" if mark.heading in fresh else "owed"
            yield f"{page.name}: {how}: {mark.heading}"


def main(words: Sequence[str]) -> int:
    """Status 1 if a page lags and nobody said so, 2 for another word."""
    named = [Path(word).resolve() for word in words[1:]]
    chosen = [page for page in pages() if page.chinese in named]
    if words and (words[0] not in ("stamp", "owe") or len(chosen) != len(named)):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    if words and words[0] == "owe":
        chosen = chosen or pages()
    for page in chosen:
        (stamp if words[0] == "stamp" else owe)(page)
    lines = list(_told())
    sys.stdout.write("\n".join(lines or ["every Chinese page is as its English source"]) + "\n")
    return int(any(": owed: " not in line for line in lines))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
