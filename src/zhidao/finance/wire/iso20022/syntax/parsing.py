"""A message's XML, read by the room `rules` as all XML is; refusals bear ISO 20022's code FF01."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zhidao.core.errors import MalformedInput

if TYPE_CHECKING:
    from lxml.etree import _Element

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
# A tag of a payment is 20 bytes long and more; these are 11 in a file of the greatest size.
FILE_NODES_MAX: Final = 6_000_000


def parse_message(
    data: bytes, *, bytes_max: int = FILE_BYTES_MAX, keeps_remarks: bool = False
) -> _Element:
    """The root element. Raises MalformedInput (FF01) for what `rules` does not read."""
    # lxml costs some megabytes and 0.1 s: whoever sees no message never loads it.
    from zhidao.rules import parse_xml

    try:
        return parse_xml(
            data, bytes_max=bytes_max, nodes_max=FILE_NODES_MAX, keeps_remarks=keeps_remarks
        )
    except MalformedInput as error:
        raise MalformedInput(
            error.args[0], code="FF01", where=error.where, remedy=error.remedy
        ) from error
