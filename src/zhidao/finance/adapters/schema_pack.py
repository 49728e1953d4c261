"""Schema packs in a folder: an operator's own copy of the free ISO 20022 schemas."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from zhidao.core.archive import digest_of
from zhidao.core.errors import MalformedInput

NOT_CHECKED: Final = "not checked"


class FolderSchemas:
    """Checks against `<message definition>.xsd` in the folder, where there is one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def check(self, message: str, document: bytes) -> str:
        """`valid by …` with the schema's digest, or `not checked`."""
        return await asyncio.to_thread(self._check, message, document)

    def _check(self, message: str, document: bytes) -> str:
        path = self._folder / f"{message}.xsd"
        if not path.is_file():
            return NOT_CHECKED
        from lxml import etree

        text = path.read_bytes()
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        schema = etree.XMLSchema(etree.fromstring(text, parser))
        tree = etree.fromstring(document, parser)
        try:
            schema.assertValid(tree)
        except etree.DocumentInvalid as error:
            raise MalformedInput(f"{message}: {error}", where=path.name) from error
        return f"valid by {message}.xsd sha256 {digest_of(text)}"
