"""What stands in each message, in a short notation of our own: facts of the message definitions.

A part is a name and its elements in order. `?` at most once, `*` any number, `+` at least once,
`{n}` up to n, `(a|b)` exactly one of them; after `=` the kind, if it is not the one that the
element's name usually has (`KINDS`). What payments between banks do not use is left out on purpose
(cards, cheques, securities, mandates, tax, garnishment, supplementary data): a message with such
elements is only taken where the official schema is installed.

Held against the official schemas in the tests: whatever these outlines allow, the schemas allow.
"""

from __future__ import annotations

from typing import Final

PARTS: Final = """
address: AdrTp?=(Cd:address-type) Dept? SubDept? StrtNm? BldgNb? BldgNm? Flr? PstBx? Room? PstCd?
  TwnNm? TwnLctnNm? DstrctNm? CtrySubDvsn? Ctry? AdrLine{7}=text70
address-own: Id=word4 Issr SchmeNm?=text35
agent: FinInstnId BrnchId?=branch
institution: BICFI? ClrSysMmbId?=member LEI? Nm? PstlAdr? Othr?=other35
branch: Id?=text35 LEI? Nm? PstlAdr?
member: ClrSysId?=code5 MmbId
party: Nm? PstlAdr? Id?=party-id CtryOfRes? CtctDtls?=contact
party-id: (OrgId|PrvtId)
organisation: AnyBIC? LEI? Othr*=other35
private: DtAndPlcOfBirth?=birth Othr*=other35
birth: BirthDt PrvcOfBirth? CityOfBirth CtryOfBirth
contact: NmPrfx? Nm? PhneNb? MobNb? FaxNb? EmailAdr? EmailPurp? JobTitl? Rspnsblty? Dept?
  PrefrdMtd?
party-or-agent: (Pty|Agt)
other35: Id=text35 SchmeNm?=code4 Issr?
other34: Id=text34 SchmeNm?=code4 Issr?
account-id: (IBAN|Othr=other34)
account: Id=account-id Tp?=code4 Ccy? Nm?=text70 Prxy?=proxy
own-account: Id=account-id Tp?=code4 Ccy? Nm?=text70 Prxy?=proxy Ownr? Svcr?
proxy: Tp?=code4 Id=text2048
code4: (Cd=word4|Prtry=text35)
code5: (Cd=word5|Prtry=text35)
code35: (Cd=text35|Prtry=text35)
payment-type: InstrPrty? ClrChanl? SvcLvl*=code4 LclInstrm?=code35 CtgyPurp?=code4
initiation-type: InstrPrty? SvcLvl*=code4 LclInstrm?=code35 CtgyPurp?=code4
original-type: InstrPrty? ClrChanl? SvcLvl*=code4 LclInstrm?=code35 SeqTp? CtgyPurp?=code4
clearing: (Cd=word3|Prtry=text35)
settlement: SttlmMtd SttlmAcct? ClrSys?=clearing InstgRmbrsmntAgt? InstgRmbrsmntAgtAcct?
  InstdRmbrsmntAgt? InstdRmbrsmntAgtAcct? ThrdRmbrsmntAgt? ThrdRmbrsmntAgtAcct?
settled-at: DbtDtTm? CdtDtTm?
settle-by: CLSTm? TillTm? FrTm? RjctTm?
charge: Amt Agt
remittance: Ustrd* Strd*
remittance-lines: Ustrd*
structured: RfrdDocInf*=referred RfrdDocAmt?=referred-amount CdtrRefInf?=creditor-reference Invcr?
  Invcee? AddtlRmtInf{3}
referred: Tp?=referred-type Nb? RltdDt?
referred-type: CdOrPrtry=(Cd:document-type) Issr?
referred-amount: DuePyblAmt? CdtNoteAmt? RmtdAmt?
creditor-reference: Tp?=reference-type Ref?
reference-type: CdOrPrtry=(Cd:reference-kind) Issr?
remittance-place: RmtId? RmtLctnDtls*=remittance-address
remittance-address: Mtd=remittance-way ElctrncAdr? PstlAdr?=name-address
name-address: Nm Adr=address
for-creditor-agent: Cd?=creditor-agent InstrInf?
for-creditor-bank: Cd?=word4 InstrInf?
for-next-agent: Cd?=next-agent InstrInf?
regulatory: DbtCdtRptgInd? Authrty?=authority Dtls*=regulatory-detail
authority: Nm? Ctry?
regulatory-detail: Tp?=text35 Dt? Ctry? Cd?=text10 Amt? Inf*=text35
day-or-moment: (Dt|DtTm)
either-amount: (InstdAmt|EqvtAmt=equivalent)
equivalent: Amt CcyOfTrf
rate: UnitCcy? XchgRate? RateTp? CtrctId?
original-group: OrgnlMsgId OrgnlMsgNmId OrgnlCreDtTm?
status-reason: Orgtr? Rsn?=code4 AddtlInf*=text105
per-status: DtldNbOfTxs=count DtldSts=word4 DtldCtrlSum?
original: IntrBkSttlmAmt? Amt?=either-amount IntrBkSttlmDt? ReqdColltnDt? ReqdExctnDt? CdtrSchmeId?
  SttlmInf? PmtTpInf?=original-type PmtMtd?=method-any RmtInf? UltmtDbtr?=party-or-agent
  Dbtr?=party-or-agent DbtrAcct? DbtrAgt? DbtrAgtAcct? CdtrAgt? CdtrAgtAcct? Cdtr?=party-or-agent
  CdtrAcct? UltmtCdtr?=party-or-agent Purp?
case: Id=text35 Cretr=party-or-agent ReopCaseIndctn?
assignment: Id=text35 Assgnr=party-or-agent Assgne=party-or-agent CreDtTm
control: NbOfTxs CtrlSum?

page: PgNb LastPgInd
period: FrDtTm ToDtTm
query: MsgId MsgNmId? CreDtTm?
balance-kind: CdOrPrtry=code4 SubTp?=code4
credit-line: Incl Tp?=code4 Amt? Dt?=day-or-moment
available: Dt=available-when Amt CdtDbtInd
available-when: (NbOfDays|ActlDt)
balance: Tp=balance-kind CdtLine*=credit-line Amt CdtDbtInd Dt=day-or-moment Avlbty*
net: Amt=number CdtDbtInd
counted: NbOfNtries? Sum?
counted-net: NbOfNtries? Sum? TtlNetNtry?=net
totals: TtlNtries?=counted-net TtlCdtNtries?=counted TtlDbtNtries?=counted
  TtlNtriesPerBkTxCd*=totals-per-code
totals-per-code: NbOfNtries? Sum? TtlNetNtry?=net CdtNtries?=counted DbtNtries?=counted FcstInd?
  BkTxCd Avlbty* Dt?=day-or-moment
bank-code: Domn?=bank-domain Prtry?=bank-own
bank-domain: Cd=word4 Fmly=bank-family
bank-family: Cd=word4 SubFmlyCd=word4
bank-own: Cd=text35 Issr?
message-id: MsgNmId? MsgId?
exchange: SrcCcy TrgtCcy? UnitCcy? XchgRate CtrctId? QtnDt?
amount-told: Amt CcyXchg?
own-amount: Tp=text35 Amt CcyXchg?
amounts: InstdAmt?=amount-told TxAmt?=amount-told CntrValAmt?=amount-told
  AnncdPstngAmt?=amount-told PrtryAmt*=own-amount
charges: TtlChrgsAndTaxAmt? Rcrd*=charge-record
charge-record: Amt CdtDbtInd? ChrgInclInd? Tp?=charge-kind Rate? Br? Agt?
charge-kind: (Cd=word4|Prtry=own-kind)
own-kind: Id=text35 Issr?
batch: MsgId? PmtInfId? NbOfTxs? TtlAmt? CdtDbtInd?
references: MsgId? AcctSvcrRef? PmtInfId? InstrId? EndToEndId? UETR? TxId? MndtId? ChqNb?
  ClrSysRef? AcctOwnrTxId? AcctSvcrTxId? MktInfrstrctrTxId? PrcgId? Prtry*=own-reference
own-reference: Tp=text35 Ref
parties: InitgPty?=party-or-agent Dbtr?=party-or-agent DbtrAcct? UltmtDbtr?=party-or-agent
  Cdtr?=party-or-agent CdtrAcct? UltmtCdtr?=party-or-agent TradgPty?=party-or-agent
agents: InstgAgt? InstdAgt? DbtrAgt? CdtrAgt? IntrmyAgt1? IntrmyAgt2? IntrmyAgt3? RcvgAgt?
  DlvrgAgt? IssgAgt? SttlmPlc?=agent
dates: AccptncDtTm? TradDt? IntrBkSttlmDt? StartDt? EndDt? TxDtTm?
return-told: OrgnlBkTxCd? Orgtr? Rsn?=code4 AddtlInf*=text105
entry-transaction: Refs? Amt? CdtDbtInd? AmtDtls? Avlbty* BkTxCd? Chrgs? RltdPties? RltdAgts?
  LclInstrm?=code35 Purp? RltdRmtInf{10} RmtInf? RltdDts? RtrInf?=return-told AddtlTxInf?
entry-details: Btch? TxDtls*
entry: NtryRef? Amt CdtDbtInd RvslInd? Sts=code4 BookgDt?=day-or-moment ValDt?=day-or-moment
  AcctSvcrRef? Avlbty* BkTxCd ComssnWvrInd? AddtlInfInd?=message-id AmtDtls? Chrgs?
  TechInptChanl?=code4 NtryDtls* AddtlNtryInf?
statement-header: MsgId CreDtTm MsgRcpt? MsgPgntn?=page OrgnlBizQry?=query AddtlInf?=text500
"""
"""Parts that several messages share."""

_BETWEEN = """PrvsInstgAgt1? PrvsInstgAgt1Acct? PrvsInstgAgt2? PrvsInstgAgt2Acct? PrvsInstgAgt3?
  PrvsInstgAgt3Acct? """
_THROUGH = """IntrmyAgt1? IntrmyAgt1Acct? IntrmyAgt2? IntrmyAgt2Acct? IntrmyAgt3?
  IntrmyAgt3Acct? """
_PAYMENT_ID = "payment-id: InstrId? EndToEndId TxId? UETR? ClrSysRef?"
_BANK_HEADER = """
header: MsgId CreDtTm BtchBookg? NbOfTxs CtrlSum? TtlIntrBkSttlmAmt? IntrBkSttlmDt? SttlmInf
  PmtTpInf? InstgAgt? InstdAgt?
"""
_PACS_008 = f"""
FIToFICstmrCdtTrf: GrpHdr=header CdtTrfTxInf+=transfer
{_BANK_HEADER}
{_PAYMENT_ID}
transfer: PmtId=payment-id PmtTpInf? IntrBkSttlmAmt IntrBkSttlmDt? SttlmPrty? SttlmTmIndctn?
  SttlmTmReq? AccptncDtTm? PoolgAdjstmntDt? InstdAmt? XchgRate? ChrgBr ChrgsInf*
  {_BETWEEN} InstgAgt? InstdAgt? {_THROUGH} UltmtDbtr? InitgPty? Dbtr DbtrAcct? DbtrAgt
  DbtrAgtAcct? CdtrAgt CdtrAgtAcct? Cdtr CdtrAcct? UltmtCdtr? InstrForCdtrAgt* InstrForNxtAgt*
  Purp? RgltryRptg{{10}} RltdRmtInf{{10}} RmtInf?
"""
_PACS_009 = f"""
FICdtTrf: GrpHdr=header CdtTrfTxInf+=transfer
{_BANK_HEADER}
{_PAYMENT_ID}
transfer: PmtId=payment-id PmtTpInf? IntrBkSttlmAmt IntrBkSttlmDt? SttlmPrty? SttlmTmIndctn?
  SttlmTmReq? {_BETWEEN} InstgAgt? InstdAgt? {_THROUGH} UltmtDbtr?=agent Dbtr=agent DbtrAcct?
  DbtrAgt? DbtrAgtAcct? CdtrAgt? CdtrAgtAcct? Cdtr=agent CdtrAcct? UltmtCdtr?=agent
  InstrForCdtrAgt*=for-creditor-bank InstrForNxtAgt* Purp? RmtInf?=remittance-lines
  UndrlygCstmrCdtTrf?=underlying
underlying: UltmtDbtr? InitgPty? Dbtr DbtrAcct? DbtrAgt DbtrAgtAcct? {_BETWEEN} {_THROUGH}
  CdtrAgt CdtrAgtAcct? Cdtr CdtrAcct? UltmtCdtr? InstrForCdtrAgt*=for-creditor-bank
  InstrForNxtAgt* RmtInf? InstdAmt?
"""
_PACS_002 = """
FIToFIPmtStsRpt: GrpHdr=header OrgnlGrpInfAndSts*=group TxInfAndSts*=transaction
header: MsgId CreDtTm InstgAgt? InstdAgt?
group: OrgnlMsgId OrgnlMsgNmId OrgnlCreDtTm? OrgnlNbOfTxs? OrgnlCtrlSum? GrpSts?=word4 StsRsnInf*
  NbOfTxsPerSts*
transaction: StsId? OrgnlGrpInf? OrgnlInstrId? OrgnlEndToEndId? OrgnlTxId? OrgnlUETR? TxSts?
  StsRsnInf* ChrgsInf* AccptncDtTm? FctvIntrBkSttlmDt?=day-or-moment AcctSvcrRef? ClrSysRef?
  InstgAgt? InstdAgt? OrgnlTxRef?
"""
_PACS_004 = f"""
PmtRtr: GrpHdr=header OrgnlGrpInf?=group TxInf*=transaction
header: MsgId CreDtTm BtchBookg? NbOfTxs CtrlSum? GrpRtr? TtlRtrdIntrBkSttlmAmt? IntrBkSttlmDt?
  SttlmInf InstgAgt? InstdAgt?
group: OrgnlMsgId OrgnlMsgNmId OrgnlCreDtTm? RtrRsnInf*=status-reason
transaction: RtrId? OrgnlGrpInf? OrgnlInstrId? OrgnlEndToEndId? OrgnlTxId? OrgnlUETR?
  OrgnlClrSysRef? OrgnlIntrBkSttlmAmt? OrgnlIntrBkSttlmDt? RtrdIntrBkSttlmAmt IntrBkSttlmDt?
  SttlmPrty? SttlmTmIndctn? RtrdInstdAmt? XchgRate? CompstnAmt? ChrgBr? ChrgsInf* ClrSysRef?
  InstgAgt? InstdAgt? RtrChain?=chain RtrRsnInf*=status-reason OrgnlTxRef?
chain: UltmtDbtr?=party-or-agent Dbtr=party-or-agent DbtrAcct? InitgPty?=party-or-agent DbtrAgt?
  DbtrAgtAcct? {_BETWEEN} {_THROUGH} CdtrAgt? CdtrAgtAcct? Cdtr=party-or-agent CdtrAcct?
  UltmtCdtr?=party-or-agent
"""
_PAIN_001 = f"""
CstmrCdtTrfInitn: GrpHdr=header PmtInf+=payment
header: MsgId CreDtTm Authstn{{2}}=authstn NbOfTxs CtrlSum? InitgPty FwdgAgt?
authstn: (Cd=authorisation|Prtry=text128)
payment: PmtInfId PmtMtd BtchBookg? NbOfTxs? CtrlSum? PmtTpInf?=initiation-type ReqdExctnDt
  PoolgAdjstmntDt? Dbtr DbtrAcct DbtrAgt DbtrAgtAcct? InstrForDbtrAgt? UltmtDbtr? ChrgBr?
  ChrgsAcct? ChrgsAcctAgt? CdtTrfTxInf+=transfer
payment-id: InstrId? EndToEndId UETR?
transfer: PmtId=payment-id PmtTpInf?=initiation-type Amt=either-amount XchgRateInf?=rate ChrgBr?
  UltmtDbtr? {_THROUGH} CdtrAgt? CdtrAgtAcct? Cdtr? CdtrAcct? UltmtCdtr? InstrForCdtrAgt*
  InstrForDbtrAgt? Purp? RgltryRptg{{10}} RltdRmtInf{{10}} RmtInf?
"""
_PAIN_002 = """
CstmrPmtStsRpt: GrpHdr=header OrgnlGrpInfAndSts=group OrgnlPmtInfAndSts*=payment
account: Id?=account-id Tp?=code4 Ccy? Nm?=text70 Prxy?=proxy
header: MsgId CreDtTm InitgPty? FwdgAgt? DbtrAgt? CdtrAgt?
group: OrgnlMsgId OrgnlMsgNmId OrgnlCreDtTm? OrgnlNbOfTxs? OrgnlCtrlSum? GrpSts?=word4 StsRsnInf*
  NbOfTxsPerSts*
payment: OrgnlPmtInfId OrgnlNbOfTxs? OrgnlCtrlSum? PmtInfSts?=word4 StsRsnInf* NbOfTxsPerSts*
  TxInfAndSts*=transaction
transaction: StsId? OrgnlInstrId? OrgnlEndToEndId? OrgnlUETR? TxSts? StsRsnInf* ChrgsInf*
  AccptncDtTm? AcctSvcrRef? ClrSysRef? OrgnlTxRef?
"""
_CAMT_056 = """
FIToFIPmtCxlReq: Assgnmt Case? CtrlData? Undrlyg+=underlying
underlying: OrgnlGrpInfAndCxl?=group TxInf*=transaction
group: GrpCxlId? Case? OrgnlMsgId OrgnlMsgNmId OrgnlCreDtTm? NbOfTxs? CtrlSum? GrpCxl?
  CxlRsnInf*=status-reason
transaction: CxlId? Case? OrgnlGrpInf? OrgnlInstrId? OrgnlEndToEndId? OrgnlTxId? OrgnlUETR?
  OrgnlClrSysRef? OrgnlIntrBkSttlmAmt? OrgnlIntrBkSttlmDt? Assgnr?=agent Assgne?=agent
  CxlRsnInf*=status-reason OrgnlTxRef?
"""
_CAMT_029 = """
RsltnOfInvstgtn: Assgnmt RslvdCase?=case Sts=outcome CxlDtls*=details
outcome: (Conf=word4|RjctdMod+=code4|DplctOf=case|AssgnmtCxlConf=yes)
details: OrgnlGrpInfAndSts?=group TxInfAndSts*=transaction
group: OrgnlGrpCxlId? RslvdCase?=case OrgnlMsgId OrgnlMsgNmId OrgnlCreDtTm? OrgnlNbOfTxs?
  OrgnlCtrlSum? GrpCxlSts? CxlStsRsnInf*=status-reason
transaction: CxlStsId? RslvdCase?=case OrgnlGrpInf? OrgnlInstrId? OrgnlEndToEndId? OrgnlTxId?
  OrgnlClrSysRef? OrgnlUETR? TxCxlSts? CxlStsRsnInf*=status-reason OrgnlIntrBkSttlmAmt?
  OrgnlIntrBkSttlmDt? Assgnr?=party-or-agent Assgne?=party-or-agent OrgnlTxRef?
"""


def _account_report(root: str, part: str, page: str, balances: str, note: str) -> str:
    return f"""
{root}: GrpHdr=statement-header {part}+=told
told: Id=text35 {page}?=page ElctrncSeqNb? LglSeqNb? CreDtTm? FrToDt?=period CpyDplctInd?
  RptgSrc?=code4 Acct=own-account RltdAcct? {balances} TxsSummry?=totals Ntry*=entry
  {note}?=text500
"""


_HEAD = """
AppHdr: CharSet? Fr=end To=end BizMsgIdr MsgDefIdr BizSvc? MktPrctc?=practice CreDt=moment
  BizPrcgDt? CpyDplct? PssblDplct? Prty? Rltd*=related
related: CharSet? Fr=end To=end BizMsgIdr MsgDefIdr BizSvc? CreDt=moment CpyDplct? PssblDplct?
  Prty?
end: (OrgId=party|FIId=agent)
practice: Regy=text350 Id=text2048
"""
_STATEMENT = _account_report("BkToCstmrStmt", "Stmt", "StmtPgntn", "Bal+", "AddtlStmtInf")
_REPORT = _account_report("BkToCstmrAcctRpt", "Rpt", "RptPgntn", "Bal*", "AddtlRptInf")
_NOTICE = _account_report("BkToCstmrDbtCdtNtfctn", "Ntfctn", "NtfctnPgntn", "", "AddtlNtfctnInf")

MESSAGES: Final = {
    "pain.001.001.09": _PAIN_001,
    "pain.002.001.10": _PAIN_002,
    "pain.002.001.12": _PAIN_002,
    "pacs.002.001.10": _PACS_002,
    "pacs.002.001.11": _PACS_002,
    "pacs.004.001.09": _PACS_004,
    "pacs.004.001.10": _PACS_004,
    "pacs.008.001.08": _PACS_008,
    "pacs.009.001.08": _PACS_009,
    "pacs.009.001.09": _PACS_009,
    "camt.029.001.09": _CAMT_029,
    "camt.029.001.10": _CAMT_029,
    "camt.052.001.08": _REPORT,
    "camt.053.001.08": _STATEMENT,
    "camt.054.001.08": _NOTICE,
    "camt.056.001.08": _CAMT_056,
    "camt.056.001.09": _CAMT_056,
    "head.001.001.02": _HEAD,
}
"""The outline of each message definition. Of pacs.002.001.10, pacs.004.001.09, pacs.009.001.08,
camt.029.001.09 and camt.056.001.08 the schemas were not at hand: taken to be as their successors
(not checked)."""
