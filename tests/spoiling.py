"""Real inputs spoiled in a few places, and values of any JSON, for property tests of readers."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

BOUNDED = settings(max_examples=60, derandomize=True, deadline=None)
"""The same examples each time, and few."""

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def spoiled(draw: st.DrawFn, sample: bytes) -> bytes:
    """The sample with up to four bytes changed, a piece cut out, or a piece put in."""
    data = bytearray(sample)
    for _ in range(draw(st.integers(0, 4))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    where = draw(st.integers(0, len(data)))
    match draw(st.sampled_from(("whole", "cut", "short", "longer"))):
        case "cut":
            del data[where : where + draw(st.integers(1, 40))]
        case "short":
            del data[where:]
        case "longer":
            data[where:where] = draw(st.binary(max_size=20))
        case _:
            pass
    return bytes(data)


@st.composite
def with_another_value(draw: st.DrawFn, document: Any) -> Any:
    """A JSON value with one of its parts put aside or replaced by any other."""
    if isinstance(document, dict) and document and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(document)))
        rest = {key: value for key, value in document.items() if key != name}
        return rest if draw(st.booleans()) else rest | {name: draw(json_values)}
    if isinstance(document, dict) and document:
        name = draw(st.sampled_from(sorted(document)))
        return {**document, name: draw(with_another_value(document[name]))}
    if isinstance(document, list) and document:
        place = draw(st.integers(0, len(document) - 1))
        return [
            draw(with_another_value(value)) if at == place else value
            for at, value in enumerate(document)
        ]
    return draw(json_values)
