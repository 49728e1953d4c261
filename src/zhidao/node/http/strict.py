"""Bodies are read as they stand: no text becomes a number, no unknown field is passed over.

Litestar converts what it received leniently, which is right for paths and queries (they are text)
and wrong for JSON, where `"1"` and `1` are two things. The request converts the body itself.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException
from litestar.handlers import HTTPRouteHandler

from zhidao.core.canonical import decode_json
from zhidao.core.errors import MalformedInput
from zhidao.core.text.plain_text import refuse_unseen
from zhidao.node.http.bodies import READ_STRICTLY
from zhidao.node.http.known_parties import (
    MUST_BE_KNOWN,
    MustBeKnown,
    check_parties,
    fields_naming,
)

# Where this is not in a body, no text of it has a character that nobody sees: most bodies are done.
_MAY_HIDE: Final = re.compile(
    rb"\\[ubf]|\x7f|\xc2[\x80-\x9f\xad]|\xcd\x8f|\xd8\x9c|\xe1\x85[\x9f\xa0]|\xe1\x9e[\xb4\xb5]"
    rb"|\xe1\xa0[\x8b-\x8f]|\xe2[\x80\x81]|\xe2\xa0\x80|\xe3\x85\xa4|\xef\xb8[\x80-\x8f]"
    rb"|\xef\xbb\xbf|\xef\xbe\xa0|\xef\xbf[\xb0-\xbf]|\xf0\x9b\xb2[\xa0-\xa3]"
    rb"|\xf0\x9d\x85[\xb3-\xba]|\xf3\xa0"
)
# Secrets, which nobody reads, and what has rules of its own: papers, and fields as they are typed,
# of which the entry's own check names the one that is wrong.
_AS_THEY_ARE: Final = frozenset(("password", "old", "new", "content", "fields"))
AS_KEPT: Final = msgspec.Meta(extra={"as_kept": True})
"""Beside the type of a body's field: it may be the name of somebody or something that is kept.

An earlier release may have kept it with what nobody sees. Whoever keeps a new one under it asks for
that; here it is refused only for U+0000, under which no database keeps anything.
"""
_PLACE: Final = re.compile(r" - at `\$\.?(.*)`\Z")


class UnsupportedMedia(MalformedInput):
    """A body of another media type than the route reads."""

    http_status = 415
    default_code = "unsupported_media_type"


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON body is decoded strictly into what the handler's `data` asks for."""

    async def json(self) -> Any:
        """The body as a value of the handler's own type.

        Raises ValidationException with the place of the first misfit, UnsupportedMedia if the
        body says that it is no JSON, and what `check_parties` and `refuse_unseen`
        raise.
        """
        kind = self.content_type[0]
        if kind != "application/json" and not kind.endswith("+json"):
            raise UnsupportedMedia(
                f"this route reads application/json, not {kind[:80] or 'a body without a type'}",
                where="Content-Type",
            )
        handler = self.route_handler
        field = handler.parsed_data_field if isinstance(handler, HTTPRouteHandler) else None
        wanted = field.annotation if field else Any
        try:
            # Litestar takes a value of the right type as it is.
            body = await self.body()
            read = (
                msgspec.json.decode(body, type=wanted)
                if READ_STRICTLY in self.scope
                else decode_json(body, wanted)
            )
        except msgspec.ValidationError as error:
            raise self._invalid(str(error)) from error
        except msgspec.DecodeError as error:
            raise MalformedInput(f"not JSON: {error}", where="body") from error
        if _MAY_HIDE.search(body):
            _refuse_unseen(msgspec.json.decode(body), wanted)
        must_be_known: MustBeKnown | None = self.app.state.get(MUST_BE_KNOWN)
        if must_be_known:
            await check_parties(read, must_be_known)
        return read

    def _invalid(self, message: str) -> ValidationException:
        place = _PLACE.search(message)
        first = {
            "source": "body",
            "key": place[1] if place else "",
            "message": _PLACE.sub("", message),
        }
        return ValidationException(detail="the body does not fit its schema", extra=[first])


def _refuse_unseen(body: Any, kind: Any) -> None:
    """Raises MalformedInput for what nobody sees, but in fields that may name something kept."""
    kept = {name for _, name in fields_naming(kind, AS_KEPT)}
    if kept:
        asked = {name: "\x00" for name in kept & body.keys() if "\x00" in body[name]}
        body = {name: value for name, value in body.items() if name not in kept} | asked
    refuse_unseen(body, one_line=False, besides=_AS_THEY_ARE)
