# ruff: noqa: INP001 (a script of the build, not part of a package)
"""Makes src/zhidao/insight/wire/known_licences.json out of licence texts: digests, never texts.

    python build_steps/known_licences.py TEXTS.toml

TEXTS.toml has a table [[text]] for each: id (SPDX's), file, and where the licence's own heading or
appendix is no part of what it grants, `first` and `last`: the words with which the licence itself
begins and ends. What stands before and after those is known as surroundings, and so are the
phrases of the list `around`.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Final

from zhidao.insight.domain.licence_comparison import (
    BLOCK_WORDS,
    SHINGLE_WORDS,
    Token,
    digest_of,
    short_digest,
    words_of,
)

OUTPUT: Final = (
    Path(__file__).resolve().parents[1] / "src" / "zhidao" / "insight" / "wire"
) / "known_licences.json"


def main() -> None:
    """Reads the list, writes the digests."""
    table = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    texts, around = [], set()
    for entry in table["text"]:
        words = words_of(Path(entry["file"]).read_text(encoding="utf-8", errors="replace"))
        first = _find(words, entry.get("first", ""), 0)
        last = _find(words, entry["last"], first) if "last" in entry else len(words)
        end = last + len(entry["last"].split()) if "last" in entry else last
        body = words[first:end]
        texts.append(
            {
                "id": entry["id"],
                "words": len(body),
                "digest": digest_of(body),
                "blocks": [
                    short_digest(body[place : place + BLOCK_WORDS])
                    for place in range(0, len(body) - BLOCK_WORDS + 1, BLOCK_WORDS)
                ],
            }
        )
        for part in (words[:first], words[end:]):
            around |= {
                short_digest(part[place : place + SHINGLE_WORDS])
                for place in range(len(part) - SHINGLE_WORDS + 1)
            }
    # Phrases in which older copies of an appendix differ from the one at hand.
    for phrase in table.get("around", ()):
        part = words_of(phrase)
        around |= {
            short_digest(part[place : place + SHINGLE_WORDS])
            for place in range(len(part) - SHINGLE_WORDS + 1)
        }
    done = {"texts": texts, "around": sorted(around)}
    OUTPUT.write_text(json.dumps(done, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{OUTPUT}: {len(texts)} texts, {len(around)} surroundings")  # noqa: T201


def _find(words: list[Token], phrase: str, start: int) -> int:
    wanted = phrase.split()
    for place in range(start, len(words) - len(wanted) + 1):
        if [word.text for word in words[place : place + len(wanted)]] == wanted:
            return place
    raise SystemExit(f"no words {phrase!r}")


if __name__ == "__main__":
    main()
