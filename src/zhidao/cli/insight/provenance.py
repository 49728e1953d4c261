"""`zhidao insight provenance`: whether files are those that a key says to have built."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import take, tell
from zhidao.cli.insight.signatories import accepted_keys
from zhidao.core.errors import MalformedInput
from zhidao.core.files.bounded import open_given


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("statement", type=Path, help="DSSE envelope with provenance of SLSA 1.0")
    parser.add_argument("artefact", type=Path, nargs="+", help="a file that it should be about")
    parser.add_argument(
        "--signatory",
        action="append",
        default=[],
        metavar="[NAME=]KEY",
        help="a builder's key that you compared with its owner; as often as wanted",
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.set_defaults(run=run)


# No release is larger, and a device may have no end.
ARTEFACT_BYTES_MAX: Final = 4 * 1024**3
_PART_BYTES: Final = 1024 * 1024
_EXAMPLES: Final = (
    "A statement says from which commit, with which locks and by whom a file was built. It counts\n"
    "by the keys that you name, and by no other; whose key it is, no file says. What it tells of\n"
    "a second build that came out the same is the builder's word too: build again to know it.\n"
    "examples:\n"
    "  ./run package provenance --key mine.pem --builder https://example.org/our-machine\n"
    "  zhidao insight provenance zhidao-0.1.0.provenance.json zhidao-0.1.0-py3-none-any.whl \\\n"
    "      --signatory 'A. Person=z6Mk...'\n"
    "status: 0 an accepted key says it of every file, 1 it does not, 2 bad input"
)


def run(options: argparse.Namespace) -> int:
    """Tells what the statement says of the files."""
    from zhidao.insight.library.provenance import PROVENANCE_BYTES_MAX, check_provenance

    data = take(options.statement, bytes_max=PROVENANCE_BYTES_MAX)
    accepted = {
        did.removeprefix("did:key:"): name for did, name in accepted_keys(options.signatory).items()
    }
    digests = {str(file): _digest(file) for file in options.artefact}
    told: dict[str, Any] = check_provenance(data, digests, accepted)
    tell(json.dumps(told, ensure_ascii=False) if options.json else _lines(told))
    return 0 if told["signed_by"] and all(each["is_subject"] for each in told["files"]) else 1


def _digest(file: Path) -> str:
    import hashlib

    whole, length = hashlib.sha256(), 0
    try:
        with open_given(file) as source:
            while part := source.read(_PART_BYTES):
                length += len(part)
                if length > ARTEFACT_BYTES_MAX:
                    raise MalformedInput(
                        f"{file} has more than {ARTEFACT_BYTES_MAX} bytes",
                        code="file_too_large",
                        remedy="name the artefact itself",
                    )
                whole.update(part)
    except FileNotFoundError as error:
        raise MalformedInput(f"no file {file}", code="no_file", remedy="check its name") from error
    except OSError as error:
        raise MalformedInput(
            f"{file} cannot be read: {error.strerror}",
            code="file_unusable",
            remedy="name a file that you may read",
        ) from error
    return whole.hexdigest()


def _lines(told: dict[str, Any]) -> str:
    by = [f"{each['name'] or 'a key that you accept'}, {each['key']}" for each in told["signed_by"]]
    lines = [f"signed by {each}" for each in by] or ["NOT signed by any key that you accept"]
    lines += [_place(each) for each in told["files"]]
    lines += [
        f"commit     {told['commit'] or 'not told'}",
        f"builder    {told['builder']}",
        f"build type {told['build_type']}",
    ]
    for each in told["built_again"]:
        how = "equal bit by bit" if each["is_equal"] else "OTHERWISE"
        lines.append(f"built again {how}: {each['name']}")
    return "\n".join(lines)


def _place(file: dict[str, Any]) -> str:
    return f"{'is' if file['is_subject'] else 'NOT'} in it: {file['file']}"
