"""Payments as another bank's program writes them: pacs.008, without a line of ours."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.08"><FIToFICstmrCdtTrf>'
    "<GrpHdr><MsgId>M{message}</MsgId><CreDtTm>{now}</CreDtTm><NbOfTxs>{count}</NbOfTxs>"
    "<SttlmInf><SttlmMtd>INGA</SttlmMtd></SttlmInf></GrpHdr>\n"
)
_TAIL = "</FIToFICstmrCdtTrf></Document>\n"
_PAYMENT = (
    "<CdtTrfTxInf><PmtId><InstrId>I{number}</InstrId><EndToEndId>E{number}</EndToEndId>"
    '<UETR>{uetr}</UETR></PmtId><IntrBkSttlmAmt Ccy="CNY">{amount}</IntrBkSttlmAmt>'
    "<IntrBkSttlmDt>{day}</IntrBkSttlmDt><ChrgBr>SHAR</ChrgBr>"
    "<InstgAgt><FinInstnId><BICFI>{payer_bank}</BICFI></FinInstnId></InstgAgt>"
    "<InstdAgt><FinInstnId><BICFI>{payee_bank}</BICFI></FinInstnId></InstdAgt>"
    "<Dbtr><Nm>Payer of the bench</Nm><PstlAdr><TwnNm>Almaty</TwnNm><Ctry>KZ</Ctry></PstlAdr>"
    "</Dbtr><DbtrAcct><Id><Othr><Id>00000000000000000000000000000000</Id></Othr></Id></DbtrAcct>"
    "<DbtrAgt><FinInstnId><BICFI>{payer_bank}</BICFI></FinInstnId></DbtrAgt>"
    "<CdtrAgt><FinInstnId><BICFI>{payee_bank}</BICFI></FinInstnId></CdtrAgt>"
    "<Cdtr><Nm>Payee of the bench</Nm><PstlAdr><TwnNm>Xi'an</TwnNm><Ctry>CN</Ctry></PstlAdr>"
    "</Cdtr><CdtrAcct><Id><Othr><Id>{payee}</Id></Othr></Id></CdtrAcct>"
    "<RmtInf><Ustrd>invoice {number}</Ustrd></RmtInf></CdtTrfTxInf>\n"
)


def message(payees: Sequence[str], *, payer_bank: str, payee_bank: str, first: int) -> bytes:
    """A message with one payment of 0.01 to 0.97 CNY to each payee, numbered from `first`."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    day = settlement_day(datetime.now(UTC).date()).isoformat()
    paid = [
        _PAYMENT.format(
            number=number,
            uetr=UUID(bytes=secrets.token_bytes(16), version=4),
            amount=f"{(1 + number % 97) / 100:.2f}",
            day=day,
            payer_bank=payer_bank,
            payee_bank=payee_bank,
            payee=payee,
        )
        for number, payee in enumerate(payees, first)
    ]
    head = _HEAD.format(message=secrets.token_hex(12), now=now, count=len(payees))
    return "".join([head, *paid, _TAIL]).encode()


def settlement_day(today: date) -> date:
    """The next working day of the week; the node refuses a holiday, and then says so."""
    return today + timedelta(days=max(0, 7 - today.weekday()) if today.weekday() > 4 else 0)
