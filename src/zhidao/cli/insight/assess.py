"""`zhidao insight assess`: what a repository shows of a standard's questions."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import put, take, tell
from zhidao.cli.insight.sboms import add_sboms, sboms_of
from zhidao.cli.insight.signatories import add_trusted, declared, trusted_by


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("source", type=Path, help="work tree, bare repository or git bundle")
    parser.add_argument("--rev", default="HEAD", help="commit, branch or tag (HEAD)")
    parser.add_argument(
        "--standard",
        action="append",
        default=[],
        metavar="ID",
        help="one of `zhidao insight standards`, as often as wanted; all without it",
    )
    parser.add_argument(
        "--declare",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="answers of a person, as TOML or signed, or a withdrawal; as often as wanted",
    )
    add_trusted(parser)
    add_sboms(parser)
    parser.add_argument(
        "--against", type=Path, metavar="RESULT", help="an earlier result: say what was lost since"
    )
    parser.add_argument("-o", "--output", type=Path, help="write the result here, as JSON")
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of the table (en)")
    parser.add_argument("--json", action="store_true", help="print the result, not the table")
    parser.set_defaults(run=run)


_EXAMPLES: Final = (
    "Reads what is committed through git's plumbing: no hook, filter, network or code of the\n"
    "repository runs. Each answer is shown, claimed, contradicted or needs a person, with path,\n"
    "line, blob and quotation; nothing is added up to a score. The same commit gives the same\n"
    "bytes. The history counts people and names none.\n"
    'A declaration is TOML: by = "...", on = 2026-11-30, and [[answer]] of standard, item, text;\n'
    "also met = false for what is not so, and see = [{ path, says }], lines that bear it out and\n"
    "have to be there. What `zhidao insight declaration sign` wrote counts as signed by the keys\n"
    "that you name with --signatory, and is refused of any other. --against prints what an\n"
    "earlier result had and this one has not: a line of evidence, a better verdict, an answer, a\n"
    "signature.\n"
    "--sbom takes CycloneDX (1.2 to 1.7) and SPDX (2.2, 2.3, 3.0) in JSON; of lock files in the\n"
    "tree names are read. Parts whose licence a person must look at are listed, and nothing is\n"
    "decided.\n"
    "examples:\n"
    "  zhidao insight assess ~/project --standard dpg -o result.json\n"
    "  zhidao insight assess project.git --rev v1.0 --standard osps --language zh\n"
    "  zhidao insight assess project.bundle --declare answers.toml --json\n"
    "  zhidao insight assess . --standard dpg --sbom zhidao.cdx.json --sbom zhidao.spdx.json\n"
    "  zhidao insight assess . --declare answers.toml --against result.json\n"
    "  zhidao insight assess . --declare signed.json --signatory 'A. Person=z6Mk...'\n"
    "status: 0 assessed, whatever the answers; 1 refused (a clone that is not whole, no such\n"
    "commit, a declared line that is not there), or something was lost; 2 bad input, 3 there is\n"
    "no git or it takes too long"
)


def run(options: argparse.Namespace) -> int:
    """Assesses, writes the result where it is wanted, and prints the table."""
    from zhidao.insight.library.assessments import (
        ASSESSMENT_BYTES_MAX,
        assess,
        assessment_table,
        check_assessment,
        lost,
    )

    earlier = take(options.against, bytes_max=ASSESSMENT_BYTES_MAX) if options.against else None
    if earlier is not None:
        check_assessment(earlier)
    data = assess(
        options.source,
        revision=options.rev,
        standards=options.standard,
        declarations=declared(options.declare),
        trusted=trusted_by(options),
        sboms=sboms_of(options),
    )
    losses = lost(earlier, data) if earlier is not None else []
    if options.output:
        put(data, options.output)
    if earlier is not None:
        return _compared(losses, as_json=options.json)
    if options.json:
        if not options.output:
            tell(data.decode())
        return 0
    tell(assessment_table(data, options.language).rstrip("\n"))
    return 0


def _compared(losses: list[dict[str, Any]], *, as_json: bool) -> int:
    """What was lost, in the place of the table."""
    from zhidao.insight.library.assessments import plain

    if as_json:
        tell(json.dumps({"lost": losses}, ensure_ascii=False))
        return 1 if losses else 0
    for each in losses:
        now = f" -> {each['now']}" if each["now"] else ""
        where = f"{each['standard']} {each['item']}"
        tell(plain(f"lost {each['what']:<8} {where}  {each['was']}{now}"))
    tell(f"lost since the earlier result: {len(losses)}")
    return 1 if losses else 0
