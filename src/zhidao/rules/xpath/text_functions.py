"""The functions of XPath 2.0 on strings, regular expressions among them.

Source: XQuery 1.0 and XPath 2.0 Functions and Operators (second edition), section 7.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from zhidao.rules.xpath.code import (
    ANY,
    BOOLEAN,
    NUMBER,
    STRING,
    Builder,
    Code,
    Env,
    Run,
    all_by_name,
    atom,
    atoms,
    numeric,
    single,
    text,
)
from zhidao.rules.xpath.regex import translated
from zhidao.rules.xpath.values import (
    OutsideSubset,
    XPathError,
    round_half_up,
    to_double,
    to_string,
)
from zhidao.rules.xpath.writing import Writer, is_safe, written

_SPACES: Final = re.compile(r"[ \t\n\r]+")


def normal_space(value: str) -> str:
    """fn:normalize-space: only the four characters of XML's white space count."""
    if value.isalnum():
        return value
    if value.isascii():
        return " ".join(value.split())
    return _SPACES.sub(" ", value).strip(" ")


# Section 7: strings.


def _text_function(work: Callable[[str], Any], kind: str = STRING) -> Builder:
    def build(arguments: list[Code]) -> Code:
        argument = text(arguments[0])

        def source(w: Writer, n: str) -> str:
            if work is not normal_space:
                return f"{w.constant(work)}({w.of(argument, n)})"
            # Most texts are one word, for which a call is not worth while.
            v = w.name()
            found = f"({v} := {w.of(argument, n)})"
            return f"({v} if {found}.isalnum() else {w.constant(work)}({v}))"

        run = written(
            lambda n, e: work(argument(n, e)),
            source,
            safe=is_safe(argument) and work in (normal_space, len),
            whole=work is len,
        )
        return single(kind, run, by_name=all_by_name(arguments))

    return build


def _two_texts(work: Callable[[str, str], Any], kind: str) -> Builder:
    def build(arguments: list[Code]) -> Code:
        first, second = text(arguments[0]), text(arguments[1])
        mark = arguments[1].constant

        def source(w: Writer, n: str) -> str:
            if work is _after and isinstance(mark, str) and mark:
                return f"{w.of(first, n)}.partition({w.constant(mark)})[2]"
            return f"{w.constant(work)}({w.of(first, n)}, {w.of(second, n)})"

        run = written(
            lambda n, e: work(first(n, e), second(n, e)),
            source,
            safe=is_safe(first) and is_safe(second),
        )
        return single(kind, run, by_name=all_by_name(arguments))

    return build


def _contains(arguments: list[Code]) -> Code:
    """fn:contains; a list of codes between blanks is also looked up as a set."""
    first, second = text(arguments[0]), text(arguments[1])
    by_name = all_by_name(arguments)
    listed = arguments[0].constant
    if isinstance(listed, str) and listed[:1] == listed[-1:] == " ":
        codes = [f" {word} " for word in listed.split(" ") if word]
        # Nor are the first two letters of something looked for in all of the text.
        words = frozenset([*codes, *map("".join, pairwise(listed))])

        def known(n: Any, e: Env) -> bool:
            wanted = second(n, e)
            return wanted in words or wanted in listed

        def source(w: Writer, n: str) -> str:
            v = w.name()
            text_of = w.of(second, n)
            return f"(({v} := {text_of}) in {w.constant(words)} or {v} in {w.constant(listed)})"

        return single(BOOLEAN, written(known, source, safe=is_safe(second)), by_name=by_name)
    run = written(
        lambda n, e: second(n, e) in first(n, e),
        lambda w, n: f"({w.of(second, n)} in {w.of(first, n)})",
        safe=is_safe(first) and is_safe(second),
    )
    return single(BOOLEAN, run, by_name=by_name)


def _after(value: str, mark: str) -> str:
    return value.partition(mark)[2] if mark else value


def _before(value: str, mark: str) -> str:
    head, found, _ = value.partition(mark) if mark else ("", "", "")
    return head if found else ""


def _concat(arguments: list[Code]) -> Code:
    if all(each.string or each.kind == STRING for each in arguments):
        texts = [text(each) for each in arguments]
        run = written(
            lambda n, e: "".join([each(n, e) for each in texts]),
            lambda w, n: "(" + " + ".join([w.of(each, n) for each in texts]) + ")",
            safe=all(map(is_safe, texts)),
        )
        return single(STRING, run)
    parts = [atom(each) for each in arguments]

    def joined(n: Any, e: Env) -> str:
        values = (part(n, e) for part in parts)
        return "".join("" if value is None else to_string(value) for value in values)

    return single(STRING, joined, by_name=all_by_name(arguments))


def _string(arguments: list[Code]) -> Code:
    (code,) = arguments
    value_of = atom(code)

    def run(n: Any, e: Env) -> str:
        value = value_of(n, e)
        return "" if value is None else to_string(value)

    def source(w: Writer, n: str) -> str:
        v = w.name()
        value = w.of(value_of, n)
        return f"('' if ({v} := {value}) is None else {w.constant(to_string)}({v}))"

    return single(STRING, written(run, source))


def _substring(arguments: list[Code]) -> Code:
    value_of = text(arguments[0])
    bounds = [each.constant for each in arguments[1:]]
    if all(type(each) is int and each > 0 for each in bounds):
        return single(STRING, _slice(value_of, *bounds))
    start_of = numeric(arguments[1])
    length_of = numeric(arguments[2]) if len(arguments) == 3 else None

    def run(n: Any, e: Env) -> str:
        value = value_of(n, e)
        start = start_of(n, e)
        length = length_of(n, e) if length_of else None
        if start is None or (length_of and length is None):
            raise XPathError("XPTY0004")
        begin = round_half_up(to_double(start))
        end = math.inf if length is None else begin + round_half_up(to_double(length))
        if math.isnan(begin) or math.isnan(end):
            return ""
        first = max(1, begin)
        last = min(len(value) + 1, end)
        return str(value[int(first) - 1 : int(last) - 1]) if last > first else ""

    return single(STRING, run)


def _slice(value_of: Run, start: int, length: int | None = None) -> Run:
    """fn:substring between places that the expression spells out."""
    begin, end = start - 1, None if length is None else start - 1 + length
    return written(
        lambda n, e: value_of(n, e)[begin:end],
        lambda w, n: f"{w.of(value_of, n)}[{begin}:{'' if end is None else end}]",
        safe=is_safe(value_of),
    )


def _translate(arguments: list[Code]) -> Code:
    value_of, from_of, to_of = (text(each) for each in arguments)

    def run(n: Any, e: Env) -> str:
        value, old, new = value_of(n, e), from_of(n, e), to_of(n, e)
        table: dict[int, str | None] = {}
        for index, char in enumerate(old):
            table.setdefault(ord(char), new[index] if index < len(new) else None)
        return str(value.translate(table))

    return single(STRING, run)


def _string_join(arguments: list[Code]) -> Code:
    values_of = atoms(arguments[0])
    between_of = text(arguments[1]) if len(arguments) == 2 else lambda n, e: ""

    def run(n: Any, e: Env) -> str:
        values = values_of(n, e)
        if not all(isinstance(value, str) for value in values):
            raise OutsideSubset("joining what are no strings")
        return str(between_of(n, e).join(values))

    return single(STRING, run)


def _code_points(arguments: list[Code]) -> Code:
    value_of = text(arguments[0])
    return Code(ANY, lambda n, e: [ord(char) for char in value_of(n, e)])


def _from_code_points(arguments: list[Code]) -> Code:
    values_of = atoms(arguments[0])

    def run(n: Any, e: Env) -> str:
        values = values_of(n, e)
        if not all(type(v) is int and 0x20 <= v < 0xD800 for v in values):
            raise OutsideSubset("a rare code point")
        return "".join(map(chr, values))

    return single(STRING, run)


def _ascii_case(work: Callable[[str], str]) -> Callable[[str], str]:
    def run(value: str) -> str:
        if value.isascii():
            return work(value)
        # Unicode's special cases differ between engines and releases.
        if any(ord(char) > 0x17F for char in value) or "ß" in value or "ŉ" in value:
            raise OutsideSubset("the case of a rare letter")
        return work(value)

    return run


# Section 7.6: regular expressions.


def _flags(arguments: list[Code], index: int) -> Run:
    return text(arguments[index]) if len(arguments) > index else lambda n, e: ""


def _matches(arguments: list[Code]) -> Code:
    value_of, pattern_of, flags_of = text(arguments[0]), text(arguments[1]), _flags(arguments, 2)

    def run(n: Any, e: Env) -> bool:
        pattern = translated(pattern_of(n, e), flags_of(n, e))
        return pattern.search(value_of(n, e)) is not None

    return single(BOOLEAN, run)


def _tokenize(arguments: list[Code]) -> Code:
    value_of, pattern_of, flags_of = text(arguments[0]), text(arguments[1]), _flags(arguments, 2)

    def run(n: Any, e: Env) -> list[str]:
        pattern = translated(pattern_of(n, e), flags_of(n, e))
        if pattern.search("") is not None:
            raise XPathError("FORX0003")
        value = value_of(n, e)
        if pattern.groups:
            pattern = re.compile(re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern.pattern))
            if pattern.groups:
                raise OutsideSubset("groups where a text is split")
        return pattern.split(value) if value else []

    return Code(ANY, run)


def _replace(arguments: list[Code]) -> Code:
    value_of, pattern_of, by_of = (text(each) for each in arguments[:3])
    flags_of = _flags(arguments, 3)

    def run(n: Any, e: Env) -> str:
        by = by_of(n, e)
        if "$" in by or "\\" in by:
            raise OutsideSubset("a replacement with groups")
        pattern = translated(pattern_of(n, e), flags_of(n, e))
        if pattern.search("") is not None:
            raise XPathError("FORX0003")
        return pattern.sub(by, value_of(n, e))

    return single(STRING, run)


# Local name, smallest and largest number of arguments, builder; -1: the context item stands in.
TEXT_FUNCTIONS: Final[dict[str, tuple[int, int, Builder]]] = {
    "normalize-space": (-1, 1, _text_function(normal_space)),
    "string-length": (-1, 1, _text_function(len, NUMBER)),
    "upper-case": (1, 1, _text_function(_ascii_case(str.upper))),
    "lower-case": (1, 1, _text_function(_ascii_case(str.lower))),
    "contains": (2, 2, _contains),
    "starts-with": (2, 2, _two_texts(str.startswith, BOOLEAN)),
    "ends-with": (2, 2, _two_texts(str.endswith, BOOLEAN)),
    "substring-after": (2, 2, _two_texts(_after, STRING)),
    "substring-before": (2, 2, _two_texts(_before, STRING)),
    "concat": (2, 100, _concat),
    "string": (-1, 1, _string),
    "substring": (2, 3, _substring),
    "translate": (3, 3, _translate),
    "string-join": (1, 2, _string_join),
    "string-to-codepoints": (1, 1, _code_points),
    "codepoints-to-string": (1, 1, _from_code_points),
    "matches": (2, 3, _matches),
    "tokenize": (2, 3, _tokenize),
    "replace": (3, 4, _replace),
}
