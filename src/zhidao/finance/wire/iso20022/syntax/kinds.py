"""What an element holds by its name, where an outline says nothing else, and the forms of text."""

from __future__ import annotations

from typing import Final


def _decimal(digits: int, behind: int, *, sign: str = r"\+?") -> str:
    """A decimal of so many digits, so many of them behind the point.

    Source: XML Schema part 2, 4.3.11 and 4.3.12: digits are those of the value, so that zeros in
    front and at the end do not count; white space around it collapses (3.2.3).
    """
    whole = rf"[0-9]{{0,{digits}}}(?:\.0*)?"
    parts = [rf"[0-9]{{0,{digits - n}}}\.[0-9]{{{n}}}0*" for n in range(1, behind + 1)]
    return rf"\s*{sign}(?=\.?[0-9])0*(?:{'|'.join((whole, *parts))})\s*"


# ActiveCurrencyAndAmount, DecimalNumber, BaseOneRate, Number.
_DECIMAL: Final = _decimal(18, 5)
_NUMBER: Final = _decimal(18, 17, sign="[+-]?")
_RATE: Final = _decimal(11, 10, sign="[+-]?")
_WHOLE: Final = _decimal(18, 0, sign="[+-]?")
# Of a month as long as it is; whether a year has a 29th of February is not looked at.
_DATE: Final = (
    r"-?[1-9]?[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9])"
    r"|(?:0[13-9]|1[0-2])-30|(?:0[13578]|1[02])-31)"
)
_ZONE: Final = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_HOUR: Final = r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?)"
_DAY: Final = rf"\s*{_DATE}{_ZONE}\s*"
_TIME: Final = rf"\s*{_HOUR}{_ZONE}\s*"
_MOMENT: Final = rf"\s*{_DATE}T{_HOUR}{_ZONE}\s*"
_BIC: Final = r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?"
AMOUNT: Final = "amount"
"""The kind of an amount with its currency in the attribute Ccy."""

FORMS: Final = {
    **{
        f"text{n}": rf"(?s).{{1,{n}}}"
        for n in (4, 10, 16, 34, 35, 70, 105, 128, 140, 350, 500, 2048)
    },
    **{f"word{n}": rf"(?s).{{1,{n}}}" for n in (3, 4, 5)},
    AMOUNT: _DECIMAL,
    "number": _NUMBER,
    "rate-number": _RATE,
    "whole": _WHOLE,
    "count": r"[0-9]{1,15}",
    "page-number": r"[0-9]{1,5}",
    "days": r"\+?[0-9]{1,15}",
    "currency": r"[A-Z]{3}",
    "country": r"[A-Z]{2}",
    "bic": _BIC,
    "iban": r"[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}",
    "lei": r"[A-Z0-9]{18}[0-9]{2}",
    "uetr": r"[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}",
    "phone": r"\+[0-9]{1,3}-[0-9()+\-]{1,30}",
    "day": _DAY,
    "moment": _MOMENT,
    "clock": _TIME,
    "yes": r"\s*(?:true|false|1|0)\s*",
    "authorisation": "AUTH|FDET|FSUM|ILEV",
    "side": "CRDT|DBIT",
    "bearer": "DEBT|CRED|SHAR|SLEV",
    "priority2": "HIGH|NORM",
    "priority3": "URGT|HIGH|NORM",
    "channel": "RTGS|RTNS|MPNS|BOOK",
    "settlement-method": "INDA|INGA|COVE|CLRG",
    "method": "CHK|TRF|TRA",
    "method-any": "CHK|TRF|DD|TRA",
    "sequence": "FRST|RCUR|FNAL|OOFF|RPRE",
    "address-type": "ADDR|PBOX|HOME|BIZZ|MLTO|DLVY",
    "prefix": "DOCT|MADM|MISS|MIST|MIKS",
    "contact-way": "LETT|MAIL|PHON|FAXX|CELL",
    "rate-type": "SPOT|SALE|AGRD",
    "document-type": (
        "MSIN|CNFA|DNFA|CINV|CREN|DEBN|HIRI|SBIN|CMCN|SOAC|DISP|BOLD|VCHR|AROI|TSUT|PUOR"
    ),
    "reference-kind": "RADM|RPIN|FXDR|DISP|PUOR|SCOR",
    "remittance-way": "FAXI|EDIC|URID|EMAL|POST|SMSM",
    "creditor-agent": "CHQB|HOLD|PHOB|TELB",
    "next-agent": "PHOA|TELA",
    "reporting": "CRED|DEBT|BOTH",
    "cancellation": "RJCR|ACCR|PDCR",
    "group-cancellation": "PACR|RJCR|ACCR|PDCR",
    "copy": "CODU|COPY|DUPL",
}
"""Patterns of text, by kind."""

_TEXT35: Final = (
    "MsgId InstrId EndToEndId TxId ClrSysRef PmtInfId MmbId Issr Nb Ref OrgnlMsgId OrgnlMsgNmId"
    " OrgnlInstrId OrgnlEndToEndId OrgnlTxId OrgnlClrSysRef OrgnlPmtInfId StsId RtrId CxlId"
    " GrpCxlId CxlStsId OrgnlGrpCxlId AcctSvcrRef CtrctId RmtId MsgNmId NtryRef MndtId ChqNb"
    " AcctOwnrTxId AcctSvcrTxId MktInfrstrctrTxId PrcgId TwnNm TwnLctnNm DstrctNm CtrySubDvsn"
    " BldgNm PrvcOfBirth CityOfBirth EmailPurp JobTitl Rspnsblty BizMsgIdr MsgDefIdr BizSvc"
)
_AMOUNTS: Final = (
    "IntrBkSttlmAmt TtlIntrBkSttlmAmt InstdAmt RtrdIntrBkSttlmAmt RtrdInstdAmt CompstnAmt"
    " TtlRtrdIntrBkSttlmAmt OrgnlIntrBkSttlmAmt Amt DuePyblAmt CdtNoteAmt RmtdAmt TtlAmt"
    " TtlChrgsAndTaxAmt"
)
_PARTIES: Final = (
    "Dbtr Cdtr UltmtDbtr UltmtCdtr InitgPty Invcr Invcee Pty Orgtr CdtrSchmeId Ownr MsgRcpt"
)
_MOMENTS: Final = (
    "CreDtTm AccptncDtTm OrgnlCreDtTm DbtDtTm CdtDtTm DtTm FrDtTm ToDtTm TxDtTm QtnDt BizPrcgDt"
)
_DAYS: Final = (
    "IntrBkSttlmDt PoolgAdjstmntDt OrgnlIntrBkSttlmDt ReqdColltnDt BirthDt RltdDt Dt ActlDt TradDt"
    " StartDt EndDt"
)


def _all(names: str, kind: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


KINDS: Final = {
    **_all(_TEXT35, "text35"),
    **_all(_AMOUNTS, AMOUNT),
    **_all(_PARTIES, "party"),
    **_all(_MOMENTS, "moment"),
    **_all(_DAYS, "day"),
    **_all("CLSTm TillTm FrTm RjctTm", "clock"),
    **_all("BldgNb PstBx PstCd", "text16"),
    **_all("Dept SubDept StrtNm Flr Room", "text70"),
    **_all("Nm Ustrd AddtlRmtInf InstrInf InstrForDbtrAgt", "text140"),
    **_all("AddtlTxInf AddtlNtryInf", "text500"),
    **_all("ElctrncAdr EmailAdr", "text2048"),
    **_all("PhneNb MobNb FaxNb", "phone"),
    **_all("Ctry CtryOfRes CtryOfBirth", "country"),
    **_all("Ccy CcyOfTrf UnitCcy SrcCcy TrgtCcy", "currency"),
    **_all("NbOfTxs OrgnlNbOfTxs NbOfNtries", "count"),
    **_all("CtrlSum OrgnlCtrlSum DtldCtrlSum Sum", "number"),
    **_all("XchgRate Rate", "rate-number"),
    **_all("ElctrncSeqNb LglSeqNb", "whole"),
    **_all("BtchBookg GrpRtr GrpCxl ReopCaseIndctn LastPgInd RvslInd ChrgInclInd Incl", "yes"),
    **_all("ComssnWvrInd FcstInd PssblDplct", "yes"),
    **_all("UETR OrgnlUETR", "uetr"),
    **_all("BICFI AnyBIC", "bic"),
    **_all("ChrgBr Br", "bearer"),
    **_all("CpyDplctInd CpyDplct", "copy"),
    **_all("PmtTpInf", "payment-type"),
    **_all("Purp", "code4"),
    **_all("Assgnmt", "assignment"),
    **_all("ReqdExctnDt", "day-or-moment"),
    **_all("BkTxCd OrgnlBkTxCd", "bank-code"),
    "CdtDbtInd": "side",
    "CharSet": "text2048",
    "Prty": "text2048",
    "IBAN": "iban",
    "LEI": "lei",
    "PgNb": "page-number",
    "NbOfDays": "days",
    "InstrPrty": "priority2",
    "SttlmPrty": "priority3",
    "ClrChanl": "channel",
    "SttlmMtd": "settlement-method",
    "PmtMtd": "method",
    "SeqTp": "sequence",
    "NmPrfx": "prefix",
    "PrefrdMtd": "contact-way",
    "RateTp": "rate-type",
    "DbtCdtRptgInd": "reporting",
    "TxSts": "word4",
    "TxCxlSts": "cancellation",
    "GrpCxlSts": "group-cancellation",
    "FinInstnId": "institution",
    "PstlAdr": "address",
    "OrgId": "organisation",
    "PrvtId": "private",
    "SttlmInf": "settlement",
    "SttlmTmIndctn": "settled-at",
    "SttlmTmReq": "settle-by",
    "ChrgsInf": "charge",
    "RmtInf": "remittance",
    "Strd": "structured",
    "RltdRmtInf": "remittance-place",
    "RgltryRptg": "regulatory",
    "InstrForCdtrAgt": "for-creditor-agent",
    "InstrForNxtAgt": "for-next-agent",
    "OrgnlGrpInf": "original-group",
    "OrgnlTxRef": "original",
    "StsRsnInf": "status-reason",
    "NbOfTxsPerSts": "per-status",
    "Case": "case",
    "CtrlData": "control",
    "Avlbty": "available",
    "AmtDtls": "amounts",
    "CcyXchg": "exchange",
    "Chrgs": "charges",
    "Btch": "batch",
    "Refs": "references",
    "RltdPties": "parties",
    "RltdAgts": "agents",
    "RltdDts": "dates",
    "TxDtls": "entry-transaction",
    "NtryDtls": "entry-details",
    "Bal": "balance",
}
"""The kind of an element by its name. Names ending in Agt are agents, in Acct accounts."""


def usual_kind(element: str) -> str:
    """What an element of this name holds unless its outline says otherwise."""
    kind = KINDS.get(element)
    if kind is not None:
        return kind
    # With a number at the end where there are several: IntrmyAgt1.
    stem = element.rstrip("123")
    if stem.endswith("Acct"):
        return "account"
    assert stem.endswith(("Agt", "Svcr")), f"the kind of {element} is not known"
    return "agent"
