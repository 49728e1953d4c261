"""What a person is asked at the terminal, and what is said where there is no terminal to ask at."""

from __future__ import annotations

import getpass
import sys
import warnings

from zhidao.core.errors import MalformedInput


def ask(what: str, *, instead: str) -> str:
    """A line that a person types, without the blanks around it.

    `what`: as the prompt names it; `instead`: what to type where nobody can be asked.
    Raises MalformedInput (`no_terminal`) where nothing is left to be read.
    """
    try:
        return input(f"{what}: ").strip()
    # Without a standard input at all it is a RuntimeError.
    except (EOFError, RuntimeError) as error:
        raise _nobody(what, instead) from error


def ask_hidden(what: str, *, instead: str) -> str:
    """The same without an echo, from the terminal if there is one and else from standard input."""
    if sys.stdin is None:
        raise _nobody(what, instead)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(f"{what}: ", stream=sys.stderr)
    except getpass.GetPassWarning as error:
        # There is no terminal that could echo anything: a program sends it.
        print(f"{what}: ", end="", file=sys.stderr, flush=True)
        if line := sys.stdin.readline():
            return line.rstrip("\n")
        print(file=sys.stderr)
        raise _nobody(what, instead) from error
    except EOFError as error:
        print(file=sys.stderr)
        raise _nobody(what, instead) from error


def _nobody(what: str, instead: str) -> MalformedInput:
    return MalformedInput(
        f"no terminal to ask for the {what}", code="no_terminal", remedy=f"use {instead}"
    )
