"""The formulas of TR 38.901 as the package tr3gpp writes them, in LaTeX, made computable.

Nothing of our own formulas is in here: only how LaTeX writes a product, a power and a fraction.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

_SYMBOLS = (
    (r"d_{3D}", " d3 "),
    (r"d_{2D-out}", " d2 "),
    (r"(d'_{BP})", " bp "),
    (r"d_{BP}", " bp "),
    (r"h_{BS}", " hb "),
    (r"h_{UT}", " hu "),
    (r"f_c", " f "),
    (r"\pi", " pi "),
    (r"\log_{10}", " log10 "),
    (r"\min", " min "),
    (r"\max", " max "),
    (r"\exp", " exp "),
    (r"\left[", "("),
    (r"\right]", ")"),
    (r"\left", ""),
    (r"\right", ""),
)
_FUNCTIONS = {"log10", "min", "max", "exp", "C"}
_TOKEN = re.compile(r"\s*(\d+\.?\d*|[A-Za-z][A-Za-z0-9]*|\*\*|[-+*/(),])")


def compiled(latex: str) -> Callable[[Mapping[str, object]], float]:
    """A formula as a function of its symbols."""
    text = latex.replace("PL_1(d_{BP})", " PLBP ").replace("C'(h_{UT})", " C(h_{UT})")
    while r"\dfrac" in text:
        text = _fraction(text)
    for symbol, name in _SYMBOLS:
        text = text.replace(symbol, name)
    text = re.sub(r"\^{([^}]*)}", r"**(\1)", text)
    text = re.sub(r"\^(\d)", r"**\1", text)
    expression = compile(_products(text), "TR 38.901", "eval")
    names = {"log10": math.log10, "min": min, "max": max, "exp": math.exp, "pi": math.pi}
    return lambda values: float(eval(expression, {"__builtins__": {}}, {**names, **values}))


def _fraction(text: str) -> str:
    """The last \\dfrac, which holds no other, as a quotient."""
    start = text.rindex(r"\dfrac")
    above_end = _closing(text, start + len(r"\dfrac"))
    below_end = _closing(text, above_end + 1)
    above = text[start + len(r"\dfrac") + 1 : above_end]
    below = text[above_end + 2 : below_end]
    return f"{text[:start]}(({above})/({below})){text[below_end + 1 :]}"


def _closing(text: str, opening: int) -> int:
    assert text[opening] == "{"
    depth = 0
    for at in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise AssertionError(text)


def _products(text: str) -> str:
    """Writes the products that LaTeX leaves out."""
    tokens, at, text = [], 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match, text[at:]
        token = match[1]
        if tokens and _ends(tokens[-1]) and (token[0].isalnum() or token == "("):
            tokens.append("*")
        tokens.append(token)
        at = match.end()
    return " ".join(tokens)


def _ends(token: str) -> bool:
    return token == ")" or (token[0].isalnum() and token not in _FUNCTIONS)


def path_loss_formulas(latex: str) -> dict[str, str]:
    """The named right-hand sides of an entry of table 7.4.1-1, such as PL_1 and PL_2."""
    parts = [part.strip().rstrip(";") for part in latex.split(r"\quad")]
    return dict(re.split(r"\s=\s", part, maxsplit=1) for part in parts)


def far_chance(latex: str) -> str:
    """Of an entry of table 7.4.2-1, what holds beyond the distance at which it is 1."""
    return latex.split(r"\\", 1)[1].split(r" & ", maxsplit=1)[0]
