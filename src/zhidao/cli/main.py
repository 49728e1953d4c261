"""`zhidao …`: finds the command, runs it, and turns refusals into one clear line and a status.

Results go to standard output, talk to standard error. Status: 0 done, 1 the answer is no,
2 bad input or usage, 3 the outside world failed; `docs/reference/commands.md` has them all.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zhidao.cli.console.commands import COMMANDS, parser_of
from zhidao.cli.console.outputs import drop_output, forget_taken, misread, told_of_file
from zhidao.cli.console.parsing import NoAction, UsageError
from zhidao.core.errors import MalformedInput, Unavailable, ZhidaoError
from zhidao.core.hosts.shown import escaped

__all__ = ["COMMANDS", "main", "program"]
# A reader that wants no more, as `| head`: what the shell says of a program that SIGPIPE ended.
PIPE_CLOSED: Final = 141
# A defect of ours (EX_SOFTWARE of sysexits.h).
DEFECT: Final = 70
_DEFECT_CHARACTERS: Final = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = parser_of(next((each for each in words if each[:1] != "-"), "")).parse_args(words)
    except UsageError as error:
        raise SystemExit(_misused(error, as_json="--json" in words)) from None
    forget_taken()
    try:
        return _done(options)
    except ZhidaoError as error:
        if isinstance(error, MalformedInput):
            told_of_file(error)
        return _refused(error, as_json=getattr(options, "json", False))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        drop_output()
        return PIPE_CLOSED
    except OSError as error:
        refused = Unavailable(str(error), remedy="see to what the system says, then try again")
        return _refused(refused, as_json=getattr(options, "json", False))


def _done(options: argparse.Namespace) -> int:
    """The command's status. Raises Unavailable where it stumbled over the shape of an answer."""
    try:
        status = int(options.run(options))
        # What is still in the buffer would meet a closed pipe after the last word here.
        sys.stdout.flush()
    except (TypeError, LookupError, AttributeError, ValueError) as error:
        unread = None if os.environ.get("ZHIDAO_TRACEBACK") else misread(error)
        if unread is None:
            raise
        raise unread from error
    finally:
        # Who signed in for one command stays signed in no longer than it.
        if sign_out := getattr(options, "sign_out", None):
            sign_out()
    return status


def program() -> int:
    """`main` as a program: a defect of ours is told as such, and is never the answer no."""
    try:
        return main()
    # Nothing may pass by here: an uncaught exception ends with 1, which says that a proof is bad.
    except Exception as error:  # noqa: BLE001
        import traceback

        if os.environ.get("ZHIDAO_TRACEBACK"):
            traceback.print_exception(error)
        at = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(at.filename).name}:{at.lineno}"
        what = f"{type(error).__name__} at {place}: {str(error)[:_DEFECT_CHARACTERS]}"
        remedy = "please report it with what ZHIDAO_TRACEBACK=1 shows"
        said = escaped(f"zhidao: a defect of this program, {what}; {remedy}")
        print(said, file=sys.stderr)
        return DEFECT


def _misused(error: UsageError, *, as_json: bool) -> int:
    if isinstance(error, NoAction) and not as_json:
        action = str(error.args[0]).partition(":")[0]
        print(f"{error.overview}\n{error.where}: {action}", file=sys.stderr)
        return error.exit_status
    return _refused(error, as_json=as_json)


def _refused(error: ZhidaoError, *, as_json: bool) -> int:
    # Only a refusal needs the tables: help answers without them.
    from zhidao.core.remedies import remedy_of, with_remedy

    if as_json:
        document = {"error": error.code, "detail": str(error.args[0])}
        document |= {k: v for k, v in (("where", error.where), ("remedy", remedy_of(error))) if v}
        line = escaped(json.dumps(document, ensure_ascii=False))
        try:
            print(line, flush=True)
        except OSError:
            # Standard output is what is full or closed: the last word goes where one is read.
            drop_output()
            print(line, file=sys.stderr)
    else:
        print(escaped(f"zhidao: {with_remedy(error)}"), file=sys.stderr)
    return error.exit_status
