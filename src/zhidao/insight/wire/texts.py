"""Every sentence of the report in English and Chinese; placeholders are the same in both."""

from __future__ import annotations

from typing import Final

# Key: (English, Chinese).
TEXTS: Final[dict[str, tuple[str, str]]] = {
    "title": ("Audit annex: what the log proves", "审计附录：日志所证明的事"),
    "as_of": (
        "State of the log when its newest opened leaf was recorded: {at}.",
        "日志状态截至最新一片已打开叶子的记录时刻：{at}。",
    ),
    "nothing": (
        "No leaf was opened: there is nothing to report.",
        "没有打开任何叶子：无可报告。",
    ),
    "opened": (
        (
            "Events given to this report that are exactly what their leaf in the log says, of all "
            "leaves of that log."
        ),
        "交给本报告、且与日志中相应叶子完全一致的事件数，占该日志全部叶子数。",
    ),
    "opened_short": ("opened {value} of {total}", "已打开 {value} / 共 {total}"),
    "simulated_band": (
        "SIMULATED data: {value} of {total} events that tell say so.",
        "含模拟数据：在 {total} 条说明此事的事件中，有 {value} 条标明为模拟。",
    ),
    "unchecked_band": (
        (
            "NOT CHECKED: {value} of {total} heads of logs were held against no trust list. "
            "Anybody could have signed them."
        ),
        "未核对：{total} 个日志树头中有 {value} 个未与任何信任名单核对。签署者可能是任何人。",
    ),
    "chosen": (
        (
            "Of {total} consignments {value} are told of here{which}; {aside} opened leaves "
            "belong to none of these and are left aside."
        ),
        (
            "在 {total} 票货物中，此处陈述 {value} 票{which}；"
            "{aside} 片已打开的叶子不属于这些货物，未计入。"
        ),
    ),
    "which_named": (": {names}", "：{names}"),
    "which_since": (", entered at {first} or later", "，录入不早于 {first}"),
    "which_until": (", entered before {end}", "，录入早于 {end}"),
    "summary": (
        "Summary: figures only. The whole annex has the steps of each consignment.",
        "摘要：仅列数值。完整附录含每票货物的各步骤。",
    ),
    "part_list": ("Consignments", "货物一览"),
    "more_rows": (
        "{count} more rows stand in the JSON of this report.",
        "另有 {count} 行见本报告的 JSON。",
    ),
    "more_leaves": (" and {count} more leaves", " 及另外 {count} 片"),
    "more_steps": (
        (
            "Step by step: the newest {shown} of {total}. Name others, or a time of entry, to "
            "have theirs."
        ),
        "逐步列出最近 {shown} 票，共 {total} 票。指定其他货物或录入时段即可查看其步骤。",
    ),
    "gaps_history": (
        "The whole history of {count} more things that events are about.",
        "另有 {count} 个对象的完整历史。",
    ),
    "gaps_milestones": (
        "That {count} more consignments reached every step.",
        "另有 {count} 票货物已达到全部步骤。",
    ),
    "gaps_unsettled": (
        "That the decisions over {count} more consignments were applied.",
        "对另外 {count} 票货物的裁定已执行。",
    ),
    "reason_of": ("{kind}: {words}", "{kind}：{words}"),
    "part_logs": ("The log", "日志"),
    "part_overview": ("What was proven", "已证明的事"),
    "part_journeys": ("Consignments, step by step", "逐票货物的各步骤"),
    "part_steps": ("How long each step took", "每一步用时"),
    "part_voices": ("Who said it", "由谁陈述"),
    "part_refusals": ("What was refused, and why", "被拒绝的事及原因"),
    "part_marks": ("Marks of the arrivals", "到达的标记"),
    "part_simulated": ("What is simulated", "模拟的部分"),
    "part_gaps": ("What is missing", "缺少什么"),
    "part_again": ("Compute it again", "重新计算"),
    "column_figure": ("Figure", "数值"),
    "column_query": ("Question that it answers", "所回答的问题"),
    "column_leaves": ("Leaves used", "所用叶子"),
    "column_origin": ("Log", "日志"),
    "column_size": ("Leaves", "叶子数"),
    "column_root": ("Root", "根"),
    "column_key": ("Head signed by", "签署者"),
    "column_step": ("Step", "步骤"),
    "column_at": ("Happened at (UTC)", "发生时刻（UTC）"),
    "column_consignment": ("Consignment", "货物"),
    "column_entered": ("Entered at (UTC)", "录入时刻（UTC）"),
    "column_outcome": ("Outcome", "结果"),
    "column_road": ("Entry to settlement", "录入至结清"),
    "column_reached": ("Steps reached", "已达步骤"),
    "written_later": ("written down {at}, {time} later", "记录于 {at}，晚 {time}"),
    "written_before": ("written down {at}, {time} before", "记录于 {at}，早 {time}"),
    "by_recording": (
        (
            "Played: some events are told by the play's time, others by the node's clock. So "
            "steps stand, and are measured, by when they were written down."
        ),
        "演练数据：部分事件按演练时间陈述，其余按节点时钟。因此各步骤按记录时刻排列和计时。",
    ),
    "column_took": ("Since the step before", "距上一步"),
    "column_by": ("Said by", "陈述者"),
    "column_party": ("Party", "参与方"),
    "column_said": ("Events signed", "签署事件"),
    "column_kept": ("With a key kept by the node", "由节点代管密钥"),
    "column_kinds": ("What kind", "种类"),
    "column_reason": ("Reason", "原因"),
    "column_times": ("Times", "次数"),
    "column_sentence": (
        "In the words of the first, as signed",
        "首次的原话（签署时为英文）",
    ),
    "column_gap": ("What the opened leaves do not show", "已打开叶子未能显示的"),
    "none": ("None in the opened leaves.", "已打开的叶子中没有。"),
    "not_enough": (
        "not enough ({total} of at least {least})",
        "数量不足（{total}，至少需 {least}）",
    ),
    "of": ("{value} of {total}", "{value} / {total}"),
    "percent": ("{value} of {total} = {percent} %", "{value} / {total} = {percent}%"),
    "median": ("median {time} over {total}", "中位数 {time}（{total} 例）"),
    "log_number": ("log {number}", "日志 {number}"),
    "checked_own_key": (
        "checked: the node's own key",
        "已核对：节点自己的密钥",
    ),
    "checked_trust_list": ("checked: a key of the trust list", "已核对：信任名单中的密钥"),
    "checked_unchecked": (
        "NOT checked against a trust list",
        "未与信任名单核对",
    ),
    "chart_steps": (
        (
            "Time from the first to the last milestone of the newest {shown} consignments, with "
            "the milestones between"
        ),
        "最近 {shown} 票货物从首个到最后一个里程碑的时间及其间的里程碑",
    ),
    "chart_marks": ("Arrivals that bear each mark", "带有各标记的到达数"),
    "outcome_paid": ("paid", "已付款"),
    "outcome_refused": ("refused", "已拒绝"),
    "outcome_decided": ("decided, not settled", "已裁定，未结清"),
    "outcome_open": ("under way", "进行中"),
    "missing_steps": ("Not reached: {steps}.", "未达到：{steps}。"),
    "first_step": ("first", "首步"),
    "query_took": (
        (
            "For every step: time since the step before it in the same consignment, by when each "
            "happened, which is the word of whoever signed it. What was written down more than "
            "15 minutes before or after it happened shows both times."
        ),
        (
            "每一步：自同一票货物上一步起算，按各自发生的时刻，以签署者所言为准。"
            "记录时刻与发生时刻相差超过 15 分钟的，两者并列。"
        ),
    ),
    "query_voices": (
        (
            "Of each party: leaves whose event was signed in its name; of those, signed with a "
            "key that the node keeps, so that the node could have signed in its place."
        ),
        "各参与方：以其名义签署的事件叶子；其中以节点代管的密钥签署者，节点本可代其签署。",
    ),
    "query_refusals": (
        "Of each kind and reason: leaves that refuse by it.",
        "每种类别与原因：以此拒绝的叶子。",
    ),
    "query_journey": (
        (
            "Events of consignment {consignment}: those that name it; its order and lot, title, "
            "deal and seal; and what its terminal sent and the network answered while it was "
            "awaited."
        ),
        (
            "货物 {consignment} 的事件：提及它的；其订单与批次、提单所有权、交易和铅封；"
            "以及等待期间终端所发与网络所答。"
        ),
    ),
    "consignments": (
        "Leaves that are an entry of a consignment.",
        "内容为货物录入的叶子数。",
    ),
    "lots_within_limits": (
        "Finished lots whose machine values all kept the order's limits, of all finished lots.",
        "机器数值全部符合订单限值的完工批次，占全部完工批次。",
    ),
    "documents_valid": (
        "Documents valid by their schema and rules, of all documents added.",
        "通过格式与规则校验的单证，占全部加入的单证。",
    ),
    "documents_with_credential": (
        "Documents over which a verifiable credential was issued, of all documents added.",
        "已签发可验证凭证的单证，占全部加入的单证。",
    ),
    "papers_agree": (
        "Cross-checks of papers that found no conflict, of all cross-checks.",
        "未发现矛盾的单证交叉核对，占全部交叉核对。",
    ),
    "seals_intact": (
        "Looks at a seal that found it whole, of all looks.",
        "检查时铅封完好的次数，占全部检查。",
    ),
    "arrivals_proven": (
        "Arrivals proven (fix and its bound inside the site), of all windows of signals examined.",
        "已证明的到达（定位及其误差界均在场地内），占全部已检验的信号窗口。",
    ),
    "network_agrees": (
        (
            "Answers of the mobile network that do not contradict the fix (match or partial), of "
            "all answers."
        ),
        "与定位不矛盾的移动网络回答（一致或部分一致），占全部回答。",
    ),
    "decided_release": (
        "Decisions to release title and payment, of all decisions.",
        "裁定放行所有权与付款的决定，占全部决定。",
    ),
    "settled_paid": ("Settlements that paid, of all settlements.", "已付款的结算，占全部结算。"),
    "public_leaves": (
        "Opened leaves that anybody can read whole in the log, without being given them.",
        "任何人都能在日志中完整读到、无需另行提供的已打开叶子。",
    ),
    "said_by": (
        "Leaves whose event was signed in the name of {party}.",
        "以 {party} 名义签署的事件叶子。",
    ),
    "kept_key": (
        (
            "Of those, signed with a key that the node keeps for {party}: the node could have "
            "signed in its place."
        ),
        "其中以节点为 {party} 代管的密钥签署者：节点本可代其签署。",
    ),
    "step_occurred": (
        "Median time until {milestone}, since the step before it happened.",
        "到「{milestone}」的中位用时，自上一步发生时起算。",
    ),
    "step_recorded": (
        (
            "Played consignments: median time until {milestone} was written down, since the step "
            "before it was."
        ),
        "演练货物：到「{milestone}」被记录的中位用时，自上一步被记录时起算。",
    ),
    "whole_road_occurred": (
        "Median time from a consignment's entry to its settlement, as they happened.",
        "从货物录入到结清的中位用时，按发生时刻。",
    ),
    "whole_road_recorded": (
        (
            "Played consignments: median time from the writing down of the entry to that of the "
            "settlement."
        ),
        "演练货物：从录入被记录到结清被记录的中位用时。",
    ),
    "refused": (
        "Leaves that refuse a {kind} for this reason.",
        "以此原因拒绝「{kind}」的叶子。",
    ),
    "mark": (
        "Examined windows whose arrival bears the mark: {mark}.",
        "其到达带有此标记的已检验窗口：{mark}。",
    ),
    "simulated_events": (
        "Events that say that they are simulated, of all events that tell either way.",
        "标明为模拟的事件，占全部说明此事的事件。",
    ),
    "simulated_consignments": (
        "Consignments with at least one simulated event, of all consignments.",
        "至少含一条模拟事件的货物，占全部货物。",
    ),
    "gap_unopened": (
        "What {count} leaves of {origin} say: they were not opened to this report.",
        "{origin} 中 {count} 片叶子的内容：未向本报告打开。",
    ),
    "gap_unchecked_head": (
        (
            "That the head of {origin} is signed by somebody you trust: its key ({key}) was held "
            "against no trust list."
        ),
        "{origin} 的树头由您信任者签署：其密钥（{key}）未与任何信任名单核对。",
    ),
    "gap_other_heads": (
        (
            "That the head of {origin} over {size} leaves continues the ones over {sizes}: proof "
            "files hold no consistency proof."
        ),
        "{origin} 中 {size} 片叶子的树头延续了 {sizes} 片的树头：证明文件不含一致性证明。",
    ),
    "gap_no_witness": (
        (
            "That everybody was shown this same log, and that its times are right: no witness has "
            "cosigned it. Times are the node's word."
        ),
        "所有人看到的是同一份日志、其时间正确：尚无见证方联署。时间以节点所言为准。",
    ),
    "gap_aside": (
        "What {count} opened leaves say that belong to no consignment chosen here.",
        "不属于此处所选货物的 {count} 片已打开叶子的内容。",
    ),
    "gap_history": (
        "The whole history of {aggregate}: {opened} of at least {newest} events were opened.",
        "{aggregate} 的完整历史：至少 {newest} 条事件中打开了 {opened} 条。",
    ),
    "gap_milestones": (
        "That {consignment} reached: {milestones}.",
        "{consignment} 已达到：{milestones}。",
    ),
    "gap_unsettled": (
        "That the decision over {consignment} was applied: no settlement was opened.",
        "对 {consignment} 的裁定已执行：未打开任何结算。",
    ),
    "again": (
        (
            "Take the leaves named beside a figure, open their events and answer the question "
            "again; the command's JSON names the same leaves for programs. A leaf is SHA-256 "
            "over the salted event, or the event itself where it is public, so nobody can put "
            "another event in its place. Running the command twice on the same data gives the "
            "same bytes."
        ),
        (
            "取数值旁所列叶子，打开其事件并重新回答问题；命令的 JSON 输出为程序列出同样的叶子。"
            "叶子是加盐事件的 SHA-256，公开者即事件本身，因此无人能以别的事件替换。"
            "对同样的数据运行两次，得到同样的字节。"
        ),
    ),
    "leaf_list": ("leaves {leaves}", "叶子 {leaves}"),
    "milestone_finished": ("lot finished", "批次完工"),
    "milestone_entered": ("consignment entered", "货物录入"),
    "milestone_papers": ("papers agree", "单证一致"),
    "milestone_title": ("title minted", "所有权凭证签发"),
    "milestone_reserved": ("money reserved", "款项预留"),
    "milestone_custody": ("title in custody", "所有权托管"),
    "milestone_sealed": ("seal checked", "铅封查验"),
    "milestone_signals": ("raw signals received", "收到原始信号"),
    "milestone_network": ("network agrees", "网络印证"),
    "milestone_arrived": ("arrival proven", "到达得证"),
    "milestone_delivered": ("delivered", "已交付"),
    "milestone_customs": ("customs released", "海关放行"),
    "milestone_decided": ("decided", "已裁定"),
    "milestone_settled": ("settled", "已结清"),
    "mark_signed_by_terminal": ("signed by the terminal", "终端签名"),
    "mark_bound_to_goods": ("bound to the goods", "与货物绑定"),
    "mark_recomputed": ("recomputed from raw signals", "由原始信号重算"),
    "mark_corroborated_by": ("corroborated by somebody else", "有他方印证"),
    "mark_inside_risk_ppb": ("surely inside the site", "确在场地内"),
    "mark_inside_open_sky_model_ppb": (
        "inside the site by the model of an open sky",
        "按开阔天空模型在场地内",
    ),
    "mark_disagreed_by": ("contradicted by somebody", "有他方反驳"),
    "kind_submission": ("submission of a terminal", "终端提交"),
    "kind_arrival": ("proof of arrival", "到达证明"),
    "kind_obstacle": ("release (obstacle)", "放行（障碍）"),
    "kind_abort": ("payment", "付款"),
    "kind_document": ("document", "单证"),
    "kind_network": ("fix, by the network", "定位（网络）"),
    "kind_lot": ("lot", "批次"),
    "kind_papers": ("set of papers", "成套单证"),
}

ENGLISH: Final = 0
CHINESE: Final = 1
LANGUAGES: Final = ("en", "zh")


def say(key: str, language: int, /, **words: object) -> str:
    """The sentence of a key in one language. Raises KeyError for an unknown key or word."""
    return TEXTS[key][language].format_map(words)
