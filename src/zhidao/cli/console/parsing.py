"""Words to options: what a wrong call is told, and what a group of actions is for.

`argparse` decides; this says it in one line, names what was probably meant, and leaves the form of
the answer, words or JSON, to the caller.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NoReturn

from zhidao.core.errors import MalformedInput

# How much of a wrong word is repeated: it may be a whole file.
_SHOWN: Final = 60
_ALIKE: Final = 0.65
_MISSING: Final = ("the following arguments are required", "one of the arguments")


class UsageError(MalformedInput):
    """The words are not a call that there is."""

    default_code = "usage"


class NoAction(UsageError):
    """A group of actions was called without one. `overview`: its help, which lists them."""

    default_code = "no_action"

    def __init__(self, message: str, *, where: str, overview: str) -> None:
        super().__init__(message, where=where, remedy=f"see {where} --help")
        self.overview = overview


class Parser(argparse.ArgumentParser):
    """Raises UsageError where `argparse` prints and exits; actions are never called unnamed."""

    def __init__(self, *words: Any, **more: Any) -> None:
        more.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*words, **more)
        self._group: argparse.Action | None = None
        self._given: list[str] = []

    def add_subparsers(self, **more: Any) -> Any:
        """As of `argparse`; that an action is missing is told with all that there are."""
        more["required"] = False
        more.setdefault("dest", f"action of {self.prog}")
        self._group = super().add_subparsers(**more)
        return self._group

    # `argparse` types this method by overloads that no subclass can repeat in less than its own.
    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """The options, and never a rest: a word that is not known is told by whom it was given."""
        self._given = list(args or ())
        options, rest = super().parse_known_args(args, namespace)
        if self._group and not getattr(options, self._group.dest) and rest in ([], ["--json"]):
            names = ", ".join(self._group.choices or ())
            raise NoAction(
                f"name {_article(self._group)}: {names}",
                where=self.prog,
                overview=self.format_help(),
            )
        if rest:
            self._refuse_rest(rest)
        return options, []

    def error(self, message: str) -> NoReturn:
        """Raises UsageError, of an option that is not known before one that is missing."""
        given = [word for word in self._given if word.startswith("--") and len(word) > 2]
        unknown = [word for word in given if not self._get_option_tuples(word)]
        if message.startswith(_MISSING) and self._group is None and unknown:
            self._refuse_rest(unknown)
        raise UsageError(message, where=self.prog, remedy=f"see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(each) for each in action.choices]
        meant = _meant(str(value), known) or f"choose from {', '.join(known)}"
        if action is self._group:
            self.error(f"there is no {_noun(action)} {_cut(value)}; {meant}")
        raise argparse.ArgumentError(action, f"{_cut(value)} is no choice; {meant}")

    def _refuse_rest(self, rest: Sequence[str]) -> NoReturn:
        word = rest[0]
        if not word.startswith("-"):
            self.error(f"one word too many: {_cut(word)}")
        name = word.partition("=")[0]
        for place in self._actions:
            called = (place.dest, str(place.metavar or "").lower())
            if not place.option_strings and name.removeprefix("--") in called:
                shown = place.metavar or place.dest
                self.error(f"there is no option {_cut(name)}; {shown} is a word without it")
        known = [each for each in self._option_string_actions if each.startswith("--")]
        meant = _meant(name, known)
        self.error(f"there is no option {_cut(name)}{f'; {meant}' if meant else ''}")


def share_examples(parser: argparse.ArgumentParser, shown: Sequence[str] = ()) -> None:
    """Gives each action without words of its own the examples of its groups that are about it."""
    known = [*shown, *_examples(parser.epilog or "")]
    for child in _children(parser):
        own = [each for each in known if f"{child.prog} " in f"{each} "]
        if not child.epilog and own:
            child.epilog = "\n".join(("examples:", *own))
        share_examples(child, known)


def leaves(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every action below a parser with its words, or the parser itself."""
    children = _children(parser)
    if not children:
        yield parser.prog, parser
    for child in children:
        yield from leaves(child)


def _children(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    groups = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return [child for group in groups for child in group.choices.values()]


def _examples(epilog: str) -> list[str]:
    """The calls that an epilog shows, each with the lines that go on with it."""
    found: list[list[str]] = []
    goes_on = False
    for line in epilog.splitlines():
        if goes_on:
            found[-1].append(line)
        elif line.startswith("  zhidao "):
            found.append([line])
        goes_on = bool(found) and line == found[-1][-1] and line.endswith("\\")
    return ["\n".join(each) for each in found]


def _meant(word: str, known: Iterable[str]) -> str:
    """`did you mean …`, or nothing where none is alike."""
    # Only a wrong word needs it: help answers without it.
    from difflib import get_close_matches

    alike = get_close_matches(word[:_SHOWN], list(known), n=2, cutoff=_ALIKE)
    return f"did you mean {' or '.join(alike)}?" if alike else ""


def _noun(action: argparse.Action) -> str:
    return str(action.metavar or "action").lower()


def _article(action: argparse.Action) -> str:
    noun = _noun(action)
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _cut(word: object) -> str:
    text = repr(str(word))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
