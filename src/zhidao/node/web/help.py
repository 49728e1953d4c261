"""The documentation as this node serves it, offline: pages and pictures out of one archive.

`python hatch_build.py help` makes the archive; a wheel carries it. It holds no data of anybody's,
so strangers may read it: whoever cannot sign in needs it most.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.params import Parameter

from zhidao.core.access import OPEN
from zhidao.node.http.access import ACCESS
from zhidao.node.web.pages import HEADERS

ARCHIVE: Final = Path(__file__).parent / "help.zip"
_TYPES: Final = {".json": "application/json", ".png": "image/png", ".svg": "image/svg+xml"}
_ASK_AGAIN: Final = "public, max-age=300"
_Name = Annotated[str, Parameter(max_length=200)]


class Help:
    """An archive of help; empty where none was made."""

    def __init__(self, archive: Path = ARCHIVE) -> None:
        self._archive = archive
        self._names: frozenset[str] = frozenset()
        if archive.is_file():
            with zipfile.ZipFile(archive) as opened:
                self._names = frozenset(opened.namelist())

    def read(self, name: str) -> bytes | None:
        """A file of the archive, or None."""
        if name not in self._names:
            return None
        with zipfile.ZipFile(self._archive) as opened:
            return opened.read(name)


def routes(help_pages: Help | None = None) -> list[Any]:
    """GET /help-files/…: contents.json, pages/NAME.json and files/…."""
    found = help_pages or Help()

    @get("/help-files/{name:path}", include_in_schema=False, opt={ACCESS: OPEN})
    async def help_file(name: _Name) -> Response[bytes]:
        wanted = name.lstrip("/")
        kind = _TYPES.get(Path(wanted).suffix)
        data = found.read(wanted) if kind else None
        if data is None:
            return Response(b"", status_code=404, headers=dict(HEADERS))
        headers = HEADERS | {"Cache-Control": _ASK_AGAIN}
        return Response(data, media_type=kind, headers=headers)

    return [help_file]
