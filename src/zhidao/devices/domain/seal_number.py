"""Numbers off a seal and a container's door, in the one spelling by which they are looked up."""

from __future__ import annotations

import re
from typing import Final

from zhidao.core.errors import MalformedInput

# What looks like nothing else: a second case, a letter of another script or a line's end that
# nobody sees would make a second seal, or one that is never found again.
_SEAL: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,34}", re.ASCII)
# ISO 6346 owner code, category and serial number; special units bear other categories.
_CONTAINER: Final = re.compile(r"[A-Z]{4}[0-9]{7}", re.ASCII)


def seal_number(text: str) -> str:
    """The text if it is a seal's number. Raises MalformedInput."""
    if not _SEAL.fullmatch(text):
        raise MalformedInput(
            f"a seal's number is of A to Z, 0 to 9 and - only, not {text[:40]!a}",
            code="unclear_seal_number",
            where="seal",
            remedy="type it in capitals, without blanks, as it is stamped",
        )
    return text


def container_number(text: str) -> str:
    """The text if it has the form of a container's number. Raises MalformedInput."""
    if not _CONTAINER.fullmatch(text):
        raise MalformedInput(
            f"a container's number is four capitals and seven digits, not {text[:40]!a}",
            code="unclear_container_number",
            where="container",
            remedy="type it as on the container's door, such as CSQU3054383",
        )
    return text
