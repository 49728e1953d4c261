"""`zhidao insight standards`: the watch table of the standards whose questions are known."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Any, Final

from zhidao.cli.console.outputs import tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "standard", nargs="*", metavar="ID", help="only these, as ID or ID@sha256:DIGEST"
    )
    parser.add_argument("--questions", action="store_true", help="print their questions too")
    parser.add_argument("--json", action="store_true", help="print the same as JSON")
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "A standard changes while its questions here stay: what nobody looked at for more than 180\n"
    "days is marked. `text` says whether the questions come from bytes with known digests.\n"
    "examples:\n"
    "  zhidao insight standards\n"
    "  zhidao insight standards dpg --questions\n"
    "  zhidao insight standards --json\n"
    "status: 0 printed, 1 no such standard, or its digest is another"
)


def run(options: argparse.Namespace) -> int:
    """Prints the table."""
    from zhidao.insight.library.assessments import packs

    today = datetime.now(UTC).date()
    rows = []
    for pack in packs(options.standard):
        row: dict[str, Any] = {
            "id": pack.id,
            "name": pack.name,
            "version": pack.version,
            "questions": len(pack.questions),
            "looked_at": pack.looked_at.isoformat(),
            "unlooked_days": pack.unlooked_days(today),
            "stale": pack.is_stale(today),
            "licence": pack.licence,
            "texts": [{"file": text.file, "sha256": text.sha256} for text in pack.texts],
            "source": pack.source,
            "note": pack.note,
            "digest": pack.digest,
        }
        if options.questions:
            row["items"] = [
                {
                    "id": question.id,
                    "en": question.en,
                    "zh": question.zh,
                    "answered_by": list(question.answered_by),
                }
                for question in pack.questions
            ]
        rows.append(row)
    if options.json:
        tell(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        _print(row)
    stale = [row["id"] for row in rows if row["stale"]]
    tell(f"looked at within 180 days: {len(rows) - len(stale)} of {len(rows)}")
    if stale:
        tell(f"look again before you rely on: {', '.join(stale)}")
    return 0


def _print(row: dict[str, Any]) -> None:
    text = f"{len(row['texts'])} files, digests known" if row["texts"] else "not at hand"
    days = f"{row['looked_at']}, {row['unlooked_days']} days ago"
    tell(f"{row['id']}  {row['name']} {row['version']}: {row['questions']} questions")
    tell(f"  looked at {days}{'  STALE' if row['stale'] else ''}")
    tell(f"  licence {row['licence']}; text {text}; {row['source']}")
    if row["note"]:
        tell(f"  {row['note']}")
    tell(f"  pack {row['digest']}")
    for item in row.get("items", ()):
        tell(f"  {item['id']}  {item['en']} {item['zh']}  ({', '.join(item['answered_by'])})")
