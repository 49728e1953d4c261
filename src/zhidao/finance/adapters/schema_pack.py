"""Schema packs in a folder: an operator's own copy of the free ISO 20022 schemas and code lists."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from zhidao.core.archive import digest_of
from zhidao.core.errors import MalformedInput
from zhidao.core.files.bounded import read_bounded
from zhidao.finance.wire.iso20022.profiles import Profile, read_profile
from zhidao.finance.wire.iso20022.syntax.grammar import NAMESPACE
from zhidao.finance.wire.iso20022.syntax.parsing import parse_message

if TYPE_CHECKING:
    from lxml.etree import XMLSchema, _Element

NOT_CHECKED: Final = "not checked"
_FILE_BYTES_MAX: Final = 16 * 1024 * 1024
_FILES_MAX: Final = 2_000
_LISTING: Final = "pack.json"
_CODES: Final = "external-codes.xsd"
_XS: Final = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True, slots=True)
class Added:
    """One file of a pack: what it is and its SHA-256."""

    name: str
    kind: str
    digest: str


class FolderSchemas:
    """Checks against `<message definition>.xsd` in the folder, where there is one.

    A schema is compiled once; a file that changes afterwards is seen by the next process.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._compiled: dict[str, tuple[XMLSchema, str] | None] = {}
        self._one_at_a_time = Lock()

    async def check(self, message: str, document: bytes) -> str:
        """`valid by …` with the schema's digest, or `not checked`."""
        return await asyncio.to_thread(self._check, message, document)

    def _check(self, message: str, document: bytes) -> str:
        if self._schema(message) is None:
            return NOT_CHECKED
        return self.judge(message, parse_message(document))

    def judge(self, message: str, document: _Element) -> str:
        """The same for a document that was parsed already; raises MalformedInput with the place."""
        schema = self._schema(message)
        if schema is None:
            return NOT_CHECKED
        official, digest = schema
        # The list of errors belongs to the schema, so one document at a time.
        with self._one_at_a_time:
            told = "" if official.validate(document) else str(official.error_log)
        if told:
            # line:column:level:domain:kind: what is wrong
            what = told.splitlines()[0].partition(": ")[2].replace(f"{{{NAMESPACE}{message}}}", "")
            line = told.removeprefix("<string>:").partition(":")[0]
            raise MalformedInput(f"{message}: {what}", code="FF01", where=f"line {line}")
        return f"valid by {message}.xsd sha256 {digest}"

    def _schema(self, message: str) -> tuple[XMLSchema, str] | None:
        if message not in self._compiled:
            self._compiled[message] = self._compile(message)
        return self._compiled[message]

    def _compile(self, message: str) -> tuple[XMLSchema, str] | None:
        from lxml import etree

        if not set(message) <= _NAME:
            return None
        path = self._folder / f"{message}.xsd"
        if not path.is_file():
            return None
        text = path.read_bytes()
        return etree.XMLSchema(_schema_element(text, path.name)), digest_of(text)

    @cached_property
    def codes(self) -> dict[str, frozenset[str]]:
        """External code lists by name, if the folder holds them."""
        path = self._folder / _CODES
        if not path.is_file():
            return {}
        return dict(_enumerations(_schema_element(path.read_bytes(), path.name)))

    def profile(self, name: str) -> Profile | None:
        """A network's profile that the operator added, or None."""
        path = self._folder / f"{name}.json"
        if not set(name) <= _NAME or not path.is_file():
            return None
        return read_profile(path.read_bytes())


_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


def add_pack(source: Path, folder: Path) -> list[Added]:
    """Takes schemas, code lists and network profiles over into a folder, under their own names.

    Raises MalformedInput for a folder in which there is nothing of that kind, or a broken file.
    """
    if not source.is_dir():
        raise MalformedInput(f"no folder {source}", code="no_file")
    files = sorted(
        path for path in source.iterdir() if path.suffix in (".xsd", ".json") and path.is_file()
    )
    if len(files) > _FILES_MAX:
        raise MalformedInput(
            f"{source} holds more than {_FILES_MAX} files",
            code="too_many",
            remedy="give a folder with the schemas alone",
        )
    found = [one for path in files if path.name != _LISTING and (one := _recognised(path))]
    if not found:
        raise MalformedInput(
            f"{source} holds no ISO 20022 schema, external code list or network profile",
            remedy="give the folder with files such as pacs.008.001.08.xsd",
        )
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / _LISTING
    known = json.loads(listing.read_bytes()) if listing.is_file() else {}
    for added, data in found:
        (folder / added.name).write_bytes(data)
        known[added.name] = added.digest
    listing.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    return [added for added, _ in found]


def _recognised(path: Path) -> tuple[Added, bytes] | None:
    data = read_bounded(path, bytes_max=_FILE_BYTES_MAX)
    if path.suffix == ".json":
        if b'"structured_addresses_from"' not in data:
            return None
        profile = read_profile(data)
        return Added(f"{profile.profile}.json", "network profile", digest_of(data)), data
    element = _schema_element(data, path.name)
    space = str(element.get("targetNamespace") or "")
    definition = space.removeprefix(NAMESPACE)
    if space.startswith(NAMESPACE) and definition and set(definition) <= _NAME:
        from lxml import etree

        try:
            etree.XMLSchema(element)
        except etree.XMLSchemaParseError as error:
            raise MalformedInput(f"{path.name} is no schema: {error}") from error
        return Added(f"{definition}.xsd", "schema", digest_of(data)), data
    if dict(_enumerations(element)):
        return Added(_CODES, "external code lists", digest_of(data)), data
    return None


def _schema_element(data: bytes, name: str) -> _Element:
    """The schema, which may lead to no other file. Raises MalformedInput."""
    from zhidao.rules import parse_xml

    try:
        element = parse_xml(data)
    except MalformedInput as error:
        raise MalformedInput(f"{name} is no XML: {error}") from error
    leads = (f"{_XS}{what}" for what in ("import", "include", "redefine"))
    if next(element.iter(*leads), None) is not None:
        raise MalformedInput(f"{name} leads to other files; a schema of a pack stands alone")
    return element


def _enumerations(element: _Element) -> Iterator[tuple[str, frozenset[str]]]:
    for kind in element.iter(f"{_XS}simpleType"):
        name = str(kind.get("name") or "")
        values = frozenset(str(one.get("value")) for one in kind.iter(f"{_XS}enumeration"))
        if name.startswith("External") and values:
            yield name, values
