"""What an operator laid into the data folder: schemas, banking calendars, sanctions lists."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from zhidao.finance.adapters import calendar_folder, screening_folder
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.adapters.schema_pack import NOT_CHECKED, FolderSchemas, add_pack
from zhidao.finance.domain.screening.screening import Lists

__all__ = [
    "NOT_CHECKED",
    "FolderCalendars",
    "FolderSchemas",
    "add_pack",
    "calendars_of",
    "lists_folder",
    "lists_of",
    "schemas_folder",
    "schemas_in",
]

_SCHEMAS: Final = "packs/iso20022"


def schemas_folder(data: Path) -> Path:
    """Where a data folder holds schemas, code lists and profiles of networks."""
    return data / _SCHEMAS


def schemas_in(folder: Path) -> FolderSchemas:
    """The schemas of a folder."""
    return FolderSchemas(folder)


def calendars_of(data: Path) -> FolderCalendars:
    """The banking calendars of a data folder, with those that are built in."""
    return FolderCalendars(data / calendar_folder.FOLDER)


def lists_folder(data: Path) -> Path:
    """Where a data folder holds sanctions lists."""
    return data / screening_folder.FOLDER


async def lists_of(data: Path) -> Lists:
    """The sanctions lists of a data folder. Raises Unavailable for one that cannot be read."""
    return await screening_folder.FolderLists(lists_folder(data)).lists()
