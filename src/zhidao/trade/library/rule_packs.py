"""What command lines ask of the trade room without a running node: packs, and checks of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.trade.adapters.pack_sources import PackOrder, add_packs
from zhidao.trade.adapters.packs import (
    InstalledPack,
    default_folder,
    pack_folders,
    readable_packs,
    stood_aside,
)
from zhidao.trade.adapters.pinned_packs import install_packs, own_pins
from zhidao.trade.adapters.rule_process import Judge
from zhidao.trade.domain.verdict import Verdict, not_checked

__all__ = [
    "InstalledPack",
    "MalformedInput",
    "PackOrder",
    "Unavailable",
    "Verdict",
    "default_folder",
]


def fetch(folder: Path | None) -> list[InstalledPack]:
    """The packs that this release pins, fetched where they are missing.

    Raises Unavailable if the index of packages does not answer.
    """
    return install_packs(own_pins(), folder or default_folder())


def is_bare() -> bool:
    """Whether no pack stands in this installation's own folder."""
    folder = default_folder()
    return not folder.is_dir() or not any(folder.iterdir())


def add(order: PackOrder, folder: Path | None) -> list[InstalledPack]:
    """Packs made from a package or file into the packs' folder."""
    return add_packs(order, folder or default_folder())


def installed(folder: Path | None) -> tuple[list[InstalledPack], list[str]]:
    """The packs that are installed, and why others cannot be read, which harms none of them.

    Raises Unavailable if there is none.
    """
    return readable_packs(pack_folders(folder or default_folder()))


def aside(pack: InstalledPack, folder: Path | None) -> list[InstalledPack]:
    """The packs in whose place a new one judges from its first day on."""
    return stood_aside(pack, installed(folder)[0])


def check(
    documents: Iterable[tuple[Path, bytes]], folder: Path | None, *, only_saxon: bool = False
) -> Iterator[tuple[Path, Verdict | MalformedInput]]:
    """The verdict of each document, or why it could not be read, in their order.

    Raises Unavailable if no pack is installed.
    """
    packs, broken = readable_packs(pack_folders(folder or default_folder()))
    judge = Judge(*packs, only_saxon=only_saxon, broken=broken)
    for name, document in documents:
        try:
            yield name, judge.judge(document)
        except MalformedInput as error:
            yield name, error


def judged_files(documents: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, Verdict]]:
    """The verdict of each document by this installation's packs; `not checked` without any."""
    try:
        packs, broken = readable_packs(pack_folders(default_folder()))
    except Unavailable as error:
        yield from ((name, not_checked(str(error.args[0]), error.remedy)) for name, _ in documents)
        return
    judge = Judge(*packs, broken=broken)
    yield from ((name, judge.judge(document)) for name, document in documents)
