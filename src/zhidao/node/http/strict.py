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
from zhidao.node.http.bodies import READ_STRICTLY

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
        body says that it is no JSON.
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
            if READ_STRICTLY in self.scope:
                return msgspec.json.decode(body, type=wanted)
            return decode_json(body, wanted)
        except msgspec.ValidationError as error:
            raise self._invalid(str(error)) from error
        except msgspec.DecodeError as error:
            raise MalformedInput(f"not JSON: {error}", where="body") from error

    def _invalid(self, message: str) -> ValidationException:
        place = _PLACE.search(message)
        first = {
            "source": "body",
            "key": place[1] if place else "",
            "message": _PLACE.sub("", message),
        }
        return ValidationException(detail="the body does not fit its schema", extra=[first])
