"""Prints sheets as PDF/A-2a with typst (an extra: `print`) and Noto Sans SC.

PDF/A-2a (ISO 19005-2) is asked of typst, which refuses what it cannot bear: a character without a
glyph is an error, never a box. No validator besides typst's own checks was run. Equal sheets give
equal bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.programs.extras import command_for
from zhidao.trade.domain.printing.labels import WORDS, Label
from zhidao.trade.domain.printing.sheet import Cell, Said, Sheet, Table

LANGUAGES: Final = ("en", "zh")
FONTS: Final = ("NotoSansSC_400Regular.ttf", "NotoSansSC_700Bold.ttf")
STANDARD: Final = "a-2a"
_PAPER: Final = "paper.typ"
_NO_GLYPH: Final = re.compile(r"the text `?\"(.*?)\"`? could not be displayed", re.DOTALL)
_REMEDY: Final = command_for("print")


def fonts_folder() -> Path:
    """Where the build step lays the fonts: beside the room's code."""
    return Path(__file__).resolve().parents[2] / "artefacts" / "fonts"


class TypstPrinter:
    """One compiler with its fonts, kept for many sheets.

    `languages`: those of the labels, the leading one first. Raises Unavailable where the extra or
    its fonts are not installed.
    """

    def __init__(self, languages: Iterable[str] = LANGUAGES, fonts: Path | None = None) -> None:
        self._languages = tuple(languages)
        if not self._languages or not set(self._languages) <= set(LANGUAGES):
            raise MalformedInput("no such language", remedy="en, zh or both")
        try:
            import typst
        except ImportError as error:
            raise Unavailable(
                "printing needs the package typst", code="no_typst", remedy=_REMEDY
            ) from error
        folder = fonts or fonts_folder()
        missing = next((name for name in FONTS if not (folder / name).is_file()), None)
        if missing:
            raise Unavailable(
                f"the font {missing} is not installed", code="no_font", remedy=_REMEDY
            )
        self._typst: Any = typst
        self._fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(folder)]
        )
        self._paper = resources.files(__package__).joinpath(_PAPER).read_bytes()

    def print(self, sheet: Sheet) -> bytes:
        """The sheet as PDF/A-2a.

        Raises MalformedInput, naming the characters, for a text that the font cannot show.
        """
        told = json.dumps(self._plain(sheet), ensure_ascii=False)
        try:
            pdf: bytes = self._typst.compile(
                self._paper,
                font_paths=self._fonts,
                format="pdf",
                pdf_standards=[STANDARD],
                sys_inputs={"sheet": told},
            )
        except self._typst.TypstError as error:
            found = _NO_GLYPH.search(str(error))
            if not found:
                raise
            raise MalformedInput(
                f"the font has no glyph for {found[1]!r}",
                code="missing_glyph",
                where=_holder(sheet, found[1]),
                remedy="write it with other characters",
            ) from error
        return pdf

    def _plain(self, sheet: Sheet) -> dict[str, Any]:
        return {
            "language": self._languages[0],
            "title": self._words(sheet.title),
            "number": sheet.number,
            "day": sheet.day,
            "dated": bool(sheet.day),
            "digest": sheet.digest,
            "machine": self._words(WORDS["machine"]),
            "page": self._words(WORDS["page"]),
            "words": {n: self._words(WORDS[n]) for n in ("number", "issued", "totals")},
            "sections": [
                {
                    "title": self._words(part.title),
                    "party": part.is_party,
                    "said": [self._said(one) for one in part.said],
                }
                for part in sheet.sections
            ],
            "tables": [self._table(table) for table in sheet.tables],
            "totals": [self._said(one) for one in sheet.totals],
            "statements": [self._words(words) for words in sheet.statements],
            "signatures": [self._words(words) for words in sheet.signatures],
        }

    def _table(self, table: Table) -> dict[str, Any]:
        return {
            "title": self._words(table.title),
            "columns": [self._words(words) for words in table.columns],
            "numeric": list(table.numeric),
            "wide": [table.wide in (k, -1) for k in range(len(table.columns))],
            "rows": [[self._cell(cell) for cell in row] for row in table.rows],
        }

    def _cell(self, cell: Cell) -> dict[str, Any]:
        below = [self._said(one) for one in cell.below]
        return {"text": cell.text, "also": self._words(cell.also), "below": below}

    def _said(self, one: Said) -> dict[str, Any]:
        also = self._words(one.also)
        return {"label": self._words(one.label), "value": one.value, "also": also}

    def _words(self, label: Label) -> list[str]:
        return [label[LANGUAGES.index(name)] for name in self._languages if label[0]]


def _holder(sheet: Sheet, text: str) -> str:
    """The value in which a text stands, shortened."""
    holder = next((value for value in sheet.texts if text in value), "")
    return f"{sheet.kind}: {holder[:80]!r}" if holder else sheet.kind
