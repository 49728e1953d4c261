"""What a printed document calls each field, each party and each code, in English and Chinese."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from zhidao.trade.domain.model.catalogue import CREDIT, EQUIPMENT, ITEM
from zhidao.trade.domain.model.code_lists import PACKAGE_KINDS, UNITS

Label: TypeAlias = tuple[str, str]
"""The same words in English and in Chinese."""


def _labels(table: str) -> dict[str, Label]:
    """One `path: English | Chinese` a line."""
    found: dict[str, Label] = {}
    for line in table.strip().splitlines():
        path, _, words = line.strip().partition(": ")
        english, _, chinese = words.partition(" | ")
        found[path] = (english, chinese)
    return found


# What a party is called; the seller's own papers say seller and buyer.
ROLES: Final = _labels("""
    consignorParty: Consignor | 发货人
    consigneeParty: Consignee | 收货人
    notifiedParty: Notify party | 通知方
    carrierParty: Carrier | 承运人
    issuingBankParty: Issuing bank | 开证行
    presentingBankParty: Presenting bank | 交单行
    insurerParty: Insurer | 保险人
    originAuthorityParty: Certifying authority | 签证机构
    customsParty: Customs | 海关
""")
SELLER: Final[Label] = ("Seller", "卖方")
BUYER: Final[Label] = ("Buyer", "买方")
OF_PARTY: Final = _labels("""
    name: Name | 名称
    postalAddress.streetName: Street | 街道
    postalAddress.cityName: City | 城市
    postalAddress.postcodeCode: Postcode | 邮编
    postalAddress.countryId: Country | 国家
    legalRegistrationId: Registration | 登记号
    taxRegistrationId: VAT number | 税号
    leiId: LEI | 法人识别码
    usccId: Unified social credit code | 统一社会信用代码
    eoriId: EORI | 经济经营者登记号
    dunsId: D-U-N-S | 邓白氏编码
    emailAddress: E-mail | 电子邮件
    scacCode: Carrier code | 承运人代码
    nodeId: Name on the node | 节点上的名称
""")
OF_FIELD: Final = _labels(f"""
    id: Consignment | 货物托运编号
    invoiceDocument.id: Invoice | 发票号
    invoiceDocument.issueDate: Invoice date | 发票日期
    invoiceDocument.dueDate: Due date | 付款到期日
    invoiceDocument.currencyCode: Currency | 币种
    invoiceDocument.payeeAccountId: Account of the payee | 收款账号
    invoiceDocument.exemptionReasonCode: Code of the VAT exemption | 免税代码
    invoiceDocument.exemptionReason: Reason for no VAT | 免税原因
    buyerOrderDocument.id: Order | 订单号
    packingListDocument.id: Packing list | 装箱单号
    packingListDocument.issueDate: Packing list date | 装箱单日期
    transportContractDocument.id: Bill of lading | 提单号
    transportContractDocument.issueDate: Bill of lading date | 提单日期
    transportContractDocument.electronicIndicator: Electronic | 电子提单
    transportContractDocument.toOrderIndicator: To order | 凭指示
    transportContractDocument.originalQuantity: Number of originals | 正本份数
    transportContractDocument.clause: Carrier's clause | 承运人批注
    freightPaymentCode: Freight | 运费
    shippingInstructionDocument.id: Shipping instruction | 托运单号
    carrierBookingDocument.id: Booking | 订舱号
    railConsignmentNoteDocument.id: Rail consignment note | 铁路运单号
    railConsignmentNoteDocument.issueDate: Date of the rail note | 铁路运单日期
    roadConsignmentNoteDocument.id: Road consignment note | 公路运单号
    roadConsignmentNoteDocument.issueDate: Date of the road note | 公路运单日期
    airWaybillDocument.id: Air waybill | 航空货运单号
    airWaybillDocument.issueDate: Air waybill date | 航空货运单日期
    originAgreementCode: Agreement claimed | 所主张的协定
    loadTypeCode: Kind of load | 装载方式
    preCarriageTransportMovement.modeCode: Carriage before it | 前段运输方式
    onCarriageTransportMovement.modeCode: Carriage after it | 后段运输方式
    rcepOriginDocument.id: RCEP certificate | RCEP证书号
    rcepOriginDocument.issueDate: RCEP certificate date | RCEP证书日期
    formEOriginDocument.id: Form E | E表证书号
    formEOriginDocument.issueDate: Form E date | E表证书日期
    exportDeclarationDocument.id: Export declaration | 出口报关单号
    exportDeclarationDocument.issueDate: Export declaration date | 出口报关日期
    importDeclarationDocument.id: Import declaration | 进口报关单号
    importDeclarationDocument.issueDate: Import declaration date | 进口报关日期
    insuranceDocument.id: Insurance document | 保险单号
    insuranceDocument.issueDate: Insurance date | 保险单日期
    insuranceDocument.effectiveDate: Cover begins | 保险起期
    insuranceDocument.insuredAmount: Insured amount | 保险金额
    insuranceDocument.currencyCode: Currency of the cover | 保险币种
    presentationDocument.id: Presentation | 交单编号
    presentationDocument.issueDate: Presentation date | 交单日期
    presentationDocument.drawnAmount: Amount drawn | 支取金额
    applicableTradeDeliveryTerms.deliveryTypeCode: Delivery term | 贸易术语
    applicableTradeDeliveryTerms.edition: Incoterms edition | 术语版本
    applicableTradeDeliveryTerms.relevantLocation.id: Code of the named place | 指定地点代码
    applicableTradeDeliveryTerms.relevantLocation.name: Named place | 指定地点
    mainCarriageTransportMovement.meansName: Vessel or train | 船名或车次
    mainCarriageTransportMovement.meansId: IMO number | 船舶识别号
    mainCarriageTransportMovement.id: Voyage, train or flight | 航次、车次或航班
    mainCarriageTransportMovement.modeCode: Mode of carriage | 运输方式
    mainCarriageTransportMovement.departureDate: Departure | 启运日期
    mainCarriageTransportMovement.arrivalDate: Planned arrival | 预计到达
    onCarriageTransportMovement.meansName: Second vessel | 二程船名
    onCarriageTransportMovement.id: Second voyage | 二程航次
    railTransportMovement.wagonId: Wagon | 车号
    roadTransportMovement.vehicleId: Vehicle | 车牌号
    loadingBaseportLocation.id: Code of the port of loading | 装货港代码
    loadingBaseportLocation.name: Port of loading | 装货港
    unloadingBaseportLocation.id: Code of the port of discharge | 卸货港代码
    unloadingBaseportLocation.name: Port of discharge | 卸货港
    receiptLocation.id: Code of the place of receipt | 收货地代码
    receiptLocation.name: Place of receipt | 收货地
    receiptLocation.stationId: Station of dispatch | 发站代码
    deliveryLocation.stationId: Station of destination | 到站代码
    deliveryLocation.id: Code of the place of delivery | 交货地代码
    deliveryLocation.name: Place of delivery | 交货地
    hsEditionCode: HS edition | 协调制度版本
    customsValuation.freightAmount: Freight to the border | 运费金额
    customsValuation.insuranceAmount: Insurance to the border | 保险费
    customsValuation.currencyCode: Currency of the declaration | 申报币种
    customsValuation.exchangeRate: Exchange rate | 汇率
    customsValuation.exchangeDate: Day of the rate | 汇率日期
    originStatementDocument.id: Origin statement | 原产地声明编号
    productionOrderDocument.id: Production order | 生产订单号
    productionOrderDocument.lotId: Lot of the order | 订单批号
    simulatedIndicator: Simulated | 模拟数据
    {CREDIT}.id: Credit | 信用证号
    {CREDIT}.goodsDescription: Goods | 货物描述
    {CREDIT}.currencyCode: Currency | 币种
    {CREDIT}.amount: Amount | 金额
    {CREDIT}.tolerancePercent: Tolerance, per cent | 溢短装百分比
    {CREDIT}.deliveryTerms: Delivery terms | 贸易条件
    {CREDIT}.beneficiaryName: Beneficiary | 受益人
    {CREDIT}.applicantName: Applicant | 申请人
    {CREDIT}.consigneeName: Consignee | 收货人
    {CREDIT}.notifiedName: Notify party | 通知方
    {CREDIT}.loadingRange: From | 起运地
    {CREDIT}.unloadingRange: To | 目的地
    {CREDIT}.latestShipmentDate: Latest shipment | 最迟装运日
    {CREDIT}.expiryDate: Expiry | 有效期
    {CREDIT}.presentationDays: Days to present | 交单期（天）
    {CREDIT}.originalQuantity: Originals | 正本份数
    {CREDIT}.transhipmentAllowed: Transhipment | 允许转运
    {ITEM}[].id: Item | 项号
    {ITEM}[].natureIdentificationCargo.description: Goods | 货物名称
    {ITEM}[].globalId: Item code | 商品编码
    {ITEM}[].typeCode: HS code | 协调制度编码
    {ITEM}[].originCountry.id: Origin | 原产国
    {ITEM}[].originCriterionCode: Origin criterion | 原产地标准
    {ITEM}[].requestedQuantity: Quantity | 数量
    {ITEM}[].requestedUnitCode: Unit | 单位
    {ITEM}[].unitPriceAmount: Unit price | 单价
    {ITEM}[].taxCategoryCode: VAT category | 增值税类别
    {ITEM}[].taxRatePercent: VAT, per cent | 增值税率
    {ITEM}[].netWeight: Net weight, kg | 净重（千克）
    {ITEM}[].grossWeight: Gross weight, kg | 毛重（千克）
    {ITEM}[].grossVolume: Volume, m³ | 体积（立方米）
    {ITEM}[].packageQuantity: Packages | 件数
    {ITEM}[].packageTypeCode: Kind of package | 包装种类
    {ITEM}[].shippingMarks: Marks | 唛头
    {ITEM}[].equipmentId: Container | 集装箱
    {ITEM}[].wagonId: Wagon | 车号
    {ITEM}[].lotId: Lot | 批号
    {ITEM}[].productionOrderId: Order of the lot | 批次所属订单
    {ITEM}[].invoiceId: Invoice, if another | 所属发票（如另有）
    {EQUIPMENT}[].id: Container | 集装箱号
    {EQUIPMENT}[].affixedSealId: Seal | 封志号
    {EQUIPMENT}[].wagonId: Wagon | 车号
""")
# What the document says beside single fields.
WORDS: Final = _labels("""
    number: Number | 编号
    issued: Issued on | 签发日期
    references: References | 相关单证
    carriage: Carriage | 运输
    terms: Delivery terms | 贸易条件
    valuation: Customs valuation | 海关估价
    credit: Documentary credit | 跟单信用证
    other: Further facts | 其他
    goods: Goods | 货物
    equipment: Containers and seals | 集装箱与封志
    totals: Totals | 合计
    amount: Amount | 金额
    net: Total without VAT | 不含税合计
    vat: VAT | 增值税
    due: Amount due | 应付金额
    customsValue: Customs value | 完税价格
    signature: Place, date and signature | 地点、日期及签字
    stamp: Stamp of the authority | 签证机构盖章
    machine: Print of a machine form with SHA-256 | 本件为机器格式单证的打印件，其SHA-256为
    page: Page | 页
""")
# A document's own words, paraphrased; no article's text is copied.
STATEMENTS: Final[dict[str, tuple[Label, ...]]] = {
    "transport_document": (("Shipped on board on the day named above.", "已于上述日期装船。"),),
    "rail_consignment_note": (
        (
            "Contracts of carriage under the CIM and the SMGS rules.",
            "运输合同适用国际货约与国际货协。",
        ),
    ),
    "road_consignment_note": (
        (
            "Carriage under the CMR Convention, whatever else is agreed.",
            "不论另有何种约定，本次运输适用《国际公路货物运输合同公约》。",
        ),
    ),
    "origin_rcep": (
        (
            "Issued under the agreement RCEP for the goods and origins stated.",
            "依据《区域全面经济伙伴关系协定》就所列货物及原产地签发。",
        ),
    ),
    "origin_form_e": (
        (
            "Issued under the ASEAN-China agreement (ACFTA) for the goods and origins stated.",
            "依据中国—东盟自由贸易协定就所列货物及原产地签发。",
        ),
    ),
}
YES: Final[Label] = ("yes", "是")
NO: Final[Label] = ("no", "否")
FREIGHT: Final = {"PRE": ("prepaid", "预付"), "COL": ("collect", "到付")}
_UNITS_ZH: Final = dict(
    pair.split(" ")
    for pair in (
        "H87 件, C62 个, SET 套, PR 双, DZN 打, NMP 包, KGM 千克, GRM 克, TNE 吨, LBR 磅, MTR 米, "
        "CMT 厘米, MTK 平方米, MTQ 立方米, LTR 升, MLT 毫升, KWH 千瓦时, HUR 小时"
    ).split(", ")
)
_PACKAGES_ZH: Final = dict(
    pair.split(" ")
    for pair in (
        "CT 纸箱, BX 盒, PX 托盘, PK 件, CS 箱, CR 板条箱, BG 袋, SA 麻袋, DR 桶, BE 捆, RL 卷轴, "
        "RO 卷, CN 集装箱, PC 包裹, NE 无包装, BL 大包, TB 盆"
    ).split(", ")
)
UNIT_NAMES: Final = {code: (name, _UNITS_ZH[code]) for code, name in UNITS.items()}
PACKAGE_NAMES: Final = {code: (name, _PACKAGES_ZH[code]) for code, name in PACKAGE_KINDS.items()}
_INDEX: Final = re.compile(r"\[\d+\]")


def label_of(path: str) -> Label:
    """What a field is called. A party's field is called by its part of the party only."""
    pattern = _INDEX.sub("[]", path)
    role, _, rest = pattern.partition(".")
    return OF_PARTY[rest] if role in ROLES else OF_FIELD[pattern]
