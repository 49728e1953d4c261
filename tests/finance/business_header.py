"""A message and its business application header in one envelope, as networks send it."""

from __future__ import annotations

from xml.sax.saxutils import escape

from zhidao.finance.wire.iso20022.syntax.envelope import Header
from zhidao.finance.wire.iso20022.syntax.grammar import NAMESPACE

HEAD = "head.001.001.02"


def with_header(document: bytes, header: Header) -> bytes:
    """A message and its business application header in one envelope.

    The envelope has no namespace: networks differ there.
    """
    body = document
    if document.startswith(b"<?xml"):
        body = document.partition(b"?>")[2]
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Envelope>\n' + header_xml(header) + "\n"
    ).encode()
    return head + body.strip() + b"\n</Envelope>\n"


def header_xml(header: Header) -> str:
    """head.001.001.02: who sends what to whom."""
    service = f"<BizSvc>{escape(header.service)}</BizSvc>" if header.service else ""
    return (
        f'<AppHdr xmlns="{NAMESPACE}{HEAD}">{_end("Fr", header.sender_bic)}'
        f"{_end('To', header.receiver_bic)}<BizMsgIdr>{escape(header.message)}</BizMsgIdr>"
        f"<MsgDefIdr>{escape(header.definition)}</MsgDefIdr>{service}"
        f"<CreDt>{header.created}</CreDt></AppHdr>"
    )


def _end(name: str, bic: str) -> str:
    inside = f"<BICFI>{bic}</BICFI>" if bic else "<Nm>NOTPROVIDED</Nm>"
    return f"<{name}><FIId><FinInstnId>{inside}</FinInstnId></FIId></{name}>"
