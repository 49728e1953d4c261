"""JSON pointers, and the part of a document that some pointers choose.

Source: RFC 6901; Data Integrity ECDSA Cryptosuites 1.0 section 3.4.11 (selectJsonLd).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from zhidao.core.errors import MalformedInput, Refused

_POINTERS_MAX: Final = 1_000
_STEPS_MAX: Final = 64


def parse_pointer(text: str) -> tuple[str, ...]:
    """The steps of a pointer. Raises MalformedInput.

    >>> parse_pointer("/a~1b/0")
    ('a/b', '0')
    """
    if text == "":
        return ()
    steps = text.split("/")
    bad = any("~" in step.replace("~0", "").replace("~1", "") for step in steps)
    if len(steps) - 1 > _STEPS_MAX:
        raise MalformedInput(f"a JSON pointer of more than {_STEPS_MAX} steps")
    if steps[0] != "" or bad:
        raise MalformedInput(f"not a JSON pointer: {text[:64]!r}")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps[1:])


class Selection:
    """Copies the chosen part of a document, and remembers which original each part is of.

    An object on the way bears its identifier and type, so that its statements keep their meaning.
    """

    def __init__(self, document: Mapping[str, Any], pointers: Sequence[str]) -> None:
        if len(pointers) > _POINTERS_MAX:
            raise Refused(f"more than {_POINTERS_MAX} pointers", code="too_complex")
        self._origin: dict[int, object] = {}
        self._kept: list[object] = []
        self.document: Mapping[str, Any] | None = None
        if not pointers:
            return
        root = self._started(document)
        root["@context"] = document.get("@context")
        chosen: Any = root
        for pointer in pointers:
            steps = parse_pointer(pointer)
            if not steps:
                chosen = self._whole(document)
                break
            self._select(document, root, steps, pointer)
        self.document = _dense(chosen, self._origin, self._kept)

    def origin(self, part: object) -> object:
        """The part of the source document that this one was copied from."""
        return self._origin.get(id(part), part)

    def _select(self, source: Any, chosen: Any, steps: Sequence[str], pointer: str) -> None:
        for place, step in enumerate(steps):
            inner = _step(source, step, pointer)
            key: Any = int(step) if isinstance(source, list) else step
            last = place == len(steps) - 1
            if last or not isinstance(inner, Mapping | list):
                if not last:
                    raise _no_match(pointer)
                if isinstance(inner, Mapping) and isinstance(chosen.get(key), dict):
                    # Parts of it may be chosen already; the whole takes their place.
                    del chosen[key]
                chosen[key] = self._whole(inner)
                return
            if key not in chosen:
                chosen[key] = self._started(inner)
            chosen, source = chosen[key], inner

    def _started(self, source: Any) -> dict[Any, Any]:
        """What an object on the way tells: its identifier unless blank, and its types.

        An array on the way is a dictionary by index until all pointers are followed.
        """
        started: dict[Any, Any] = {}
        self._note(started, source)
        if isinstance(source, Mapping):
            name = source.get("id", source.get("@id"))
            if isinstance(name, str) and not name.startswith("_:"):
                started["id" if "id" in source else "@id"] = name
            for kind in ("type", "@type"):
                if kind in source:
                    started[kind] = source[kind]
        return started

    def _whole(self, source: Any) -> Any:
        if isinstance(source, Mapping):
            copied: Any = {key: self._whole(value) for key, value in source.items()}
        elif isinstance(source, list):
            copied = [self._whole(item) for item in source]
        else:
            return source
        self._note(copied, source)
        return copied

    def _note(self, made: object, source: object) -> None:
        self._origin[id(made)] = source
        # Held, so that no other object gets the same identity.
        self._kept.append(made)


def _dense(chosen: Any, origin: dict[int, object], kept: list[object]) -> Any:
    """Turns dictionaries by index into arrays."""
    if isinstance(chosen, dict):
        source = origin.get(id(chosen))
        for key in list(chosen):
            chosen[key] = _dense(chosen[key], origin, kept)
        if isinstance(source, list):
            array = [chosen[index] for index in sorted(chosen)]
            origin[id(array)] = source
            kept.append(array)
            return array
    elif isinstance(chosen, list):
        chosen[:] = [_dense(item, origin, kept) for item in chosen]
    return chosen


def _step(source: Any, step: str, pointer: str) -> Any:
    if isinstance(source, Mapping) and step in source:
        return source[step]
    counted = isinstance(source, list) and step.isascii() and step.isdigit() and len(step) <= 6
    if counted and str(int(step)) == step and int(step) < len(source):
        return source[int(step)]
    raise _no_match(pointer)


def _no_match(pointer: str) -> Refused:
    return Refused(f"the pointer {pointer[:64]!r} chooses nothing here", code="no_such_part")
