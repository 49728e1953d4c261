"""When two numbers of papers are one number: people write them with other case and blanks."""

from __future__ import annotations

from collections.abc import Iterable


def number_key(number: str) -> str:
    """What numbers are compared by: without case and blanks."""
    return "".join(number.casefold().split())


def same_number(one: str, other: str) -> bool:
    """Whether two numbers are one."""
    return number_key(one) == number_key(other)


def number_keys(numbers: Iterable[str]) -> set[str]:
    """What several are compared by."""
    return {number_key(each) for each in numbers}
