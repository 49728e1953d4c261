"""Serves the built pages: one document for every page's address, and files named by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, get

from zhidao.core.access import OPEN
from zhidao.node.http.access import ACCESS

ASSETS: Final = Path(__file__).parent / "assets"

# Nothing inline, nothing foreign, nobody may frame the page. The map's worker is our own file.
CONTENT_SECURITY_POLICY: Final = "; ".join(  # noqa: FLY002 (one directive a line)
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# What no browser opens as a document or runs as a worker needs no more; a first visit brings forty.
_PART_HEADERS: Final = {
    name: HEADERS[name] for name in ("X-Content-Type-Options", "Cross-Origin-Resource-Policy")
}
_PARTS: Final = frozenset((".js", ".css", ".json"))
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
# Text is UTF-8, which Litestar adds to the type by itself.
# A worker that is not served as JavaScript stays silent, and a map without it stays blank.
_TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}
_PACKINGS: Final = (("br", ".br"), ("gzip", ".gz"))
_AT_ROOT: Final = (
    *("worker-offline.js", "manifest.webmanifest", "favicon.svg"),
    *("icon-192.png", "icon-512.png", "icon-maskable-512.png"),
)
_NOT_BUILT: Final = (
    b"<!doctype html><html lang=en><title>Zhidao</title>"
    b"<p>The pages were not built with this installation. The API answers all the same.</p>"
    b"<p>To build them: python hatch_build.py in the checkout, then start the node again.</p>"
)


# Below these nobody looks for a page.
_MACHINES: Final = ("/v1/", "/log/", "/schema", "/assets/", "/help-files/", "/exchange/")
_Handler = Callable[[Request[Any, Any, Any], Any], Response[Any]]


@dataclass(frozen=True, slots=True)
class Built:
    """A built file: its type, its content plain and packed (by encoding), and its entity tag.

    `part`: a document asks for it; nothing opens or runs it by itself.
    """

    media_type: str
    plain: bytes
    packed: dict[str, bytes]
    tag: str
    part: bool = False

    def body(self, accepted: str) -> tuple[bytes, str]:
        """The smallest content that the browser accepts, and its encoding (`` if plain)."""
        wanted = {part.partition(";")[0].strip() for part in accepted.lower().split(",")}
        for encoding, _ in _PACKINGS:
            if encoding in wanted and encoding in self.packed:
                return self.packed[encoding], encoding
        return self.plain, ""


# Addresses of pages; each is the same file, which finds out by itself what to show.
PAGES: Final = (
    *("/", "/consignments/{consignment:str}", "/consignments/{consignment:str}/position"),
    *("/node", "/exchange", "/trust", "/papers", "/papers/folder", "/declarations"),
    *("/people", "/access", "/peers", "/waiting", "/notifications", "/devices", "/factory"),
    "/trace",
    *("/help", "/help/{chapter:path}", "/api", "/certificate"),
    *("/start", "/login", "/login/back", "/enter", "/join", "/meet"),
    "/verify/{consignment:str}",
    *("/money", "/money/credits", "/money/credits/{credit:str}"),
    "/money/credits/{issuer:str}/{credit:str}",
    "/money/accounts/{account:str}",
    *("/money/exchange", "/money/receivables", "/deals", "/deals/{deal:str}"),
    *("/deals/new", "/deals/new/{consignment:str}"),
)


@cache
def built(folder: Path = ASSETS) -> dict[str, Built]:
    """All built files by name; empty if the pages were not built. Read once in a process."""
    if not folder.is_dir():
        return {}
    suffixes = tuple(suffix for _, suffix in _PACKINGS)
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.endswith(suffixes):
            continue
        plain = path.read_bytes()
        packed = {
            encoding: (folder / f"{path.name}{suffix}").read_bytes()
            for encoding, suffix in _PACKINGS
            if (folder / f"{path.name}{suffix}").exists()
        }
        tag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
        media_type = _TYPES.get(path.suffix, "application/octet-stream")
        part = path.suffix in _PARTS and "worker" not in path.name
        files[path.name] = Built(media_type, plain, packed, tag, part)
    return files


def routes(folder: Path = ASSETS) -> list[Any]:
    """Litestar handlers of all pages; none of them asks who is there, for they hold no data."""
    files = built(folder)
    index = files.get("index.html") or Built(_TYPES[".html"], _NOT_BUILT, {}, '"not-built"')

    @get(
        list(PAGES),
        include_in_schema=False,
        opt={ACCESS: OPEN},
    )
    async def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        return _answer(request, index, _ASK_AGAIN)

    @get("/assets/{name:str}", include_in_schema=False, opt={ACCESS: OPEN})
    async def asset(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
        found = files.get(name)
        if found is None or name == "index.html":
            return Response(b"", status_code=404, headers=dict(HEADERS))
        return _answer(request, found, _FOREVER)

    @get([f"/{name}" for name in _AT_ROOT], include_in_schema=False, opt={ACCESS: OPEN})
    async def at_root(request: Request[Any, Any, Any]) -> Response[bytes]:
        found = files.get(request.url.path.removeprefix("/"))
        if found is None:
            return Response(b"", status_code=404, headers=dict(HEADERS))
        return _answer(request, found, _ASK_AGAIN)

    return [page, asset, at_root]


def unknown_address(otherwise: _Handler, folder: Path = ASSETS) -> _Handler:
    """Answers 404 with a page to whoever asks for one; programs get the refusal that they know."""
    index = built(folder).get("index.html")

    def answer(request: Request[Any, Any, Any], error: Any) -> Response[Any]:
        wants_page = request.method in {"GET", "HEAD"} and "text/html" in request.headers.get(
            "accept", ""
        )
        if index is None or not wants_page or request.url.path.startswith(_MACHINES):
            return otherwise(request, error)
        headers = HEADERS | {"Cache-Control": "no-store"}
        return Response(index.plain, status_code=404, media_type=index.media_type, headers=headers)

    return answer


def _answer(request: Request[Any, Any, Any], file: Built, caching: str) -> Response[bytes]:
    headers = _PART_HEADERS if file.part else HEADERS
    headers = headers | {"Cache-Control": caching, "ETag": file.tag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(b"", status_code=304, headers=headers)
    body, encoding = file.body(request.headers.get("accept-encoding", ""))
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(body, media_type=file.media_type, headers=headers)
