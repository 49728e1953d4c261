"""An assessment as a table for people, in English or Chinese."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

LANGUAGES: Final = ("en", "zh")
# Each text in the two languages, in the order of LANGUAGES.
_TEXTS: Final = {
    "shown": ("shown", "已显示"),
    "claimed": ("claimed", "仅声称"),
    "needs_person": ("needs a person", "须由人判断"),
    "shown_file": (
        "a file of that name is there; what it says, and who lives by it, is not judged",
        "有此名称的文件；其中所写及是否照办均未判断",
    ),
    "shown_content": ("read in the repository", "从仓库内容读出"),
    "contradicted": ("contradicted", "相互矛盾"),
    "claimed_unsigned": ("declared, unsigned", "已声明，未签名"),
    "claimed_signed": ("declared, and signed", "已声明并签名"),
    "declared_not_met_signed": ("declared as not met, and signed", "已声明尚未满足，并签名"),
    "declaration_expired": ("signed, and its time is over", "有签名，但已过期"),
    "declaration_not_yet": ("signed for a later time", "签名尚未生效"),
    "declaration_withdrawn": ("signed, and taken back by its signer", "签名者已撤回"),
    "declaration_text_changed": (
        "signed of a passage that is another one now",
        "所签的段落现已不同",
    ),
    "declaration_question_changed": (
        "signed of a question in other words",
        "所签的问题现已改变",
    ),
    "declaration_other_repository": (
        "signed of another history",
        "所签的是另一份历史",
    ),
    "declaration_unknown_key": ("signed by a key that is not accepted", "签名密钥未被接受"),
    "declaration_bad_signature": ("the signature does not hold", "签名无效"),
    "declared_not_met": ("declared as not met, unsigned", "已声明尚未满足，未签名"),
    "stands_elsewhere": (
        "it does not stand in the repository: a person looks there",
        "不在仓库之内：须由人在该处查看",
    ),
    "setting": ("to be looked at: {setting}", "查看：{setting}"),
    "not_found": ("looked for and not found; it may stand elsewhere", "查找未见；也可能在别处"),
    "no_file_can_show": ("no file can show this", "没有文件能显示这一点"),
    "head": (
        "Commit {commit} ({kind}): {files} files, {commits} commits. No score is made of verdicts.",
        "提交 {commit}（{kind}）：{files} 个文件，{commits} 次提交。结论不汇总为分数。",
    ),
    "work tree": ("work tree", "工作树"),
    "bare repository": ("bare repository", "裸仓库"),
    "bundle": ("bundle", "打包文件"),
    "committed_only": (
        "Only what is committed was read, not the files beside it.",
        "只读取已提交的内容，不读旁边未提交的文件。",
    ),
    "store_elsewhere": (
        "Its objects lie in another folder, as of a linked work tree.",
        "其对象存放在另一文件夹（链接的工作树）。",
    ),
    "unread": (
        "Not read, larger than 1 MiB: {count} files.",
        "超过 1 MiB 而未读取：{count} 个文件。",
    ),
    "licences": ("Licences", "许可证"),
    "whole": ("the whole", "整体"),
    "exact": ("word for word", "逐字一致"),
    "named": ("named, no text", "只有名称，没有文本"),
    "pointer": ("names other files", "指向其他文件"),
    "near": ("nearly {known}, with other words", "近似 {known}，但词句不同"),
    "more_words": ("{known}, and more words beside it", "{known}，另有其他词句"),
    "several": ("several texts in one file: a person must read", "一个文件含多份文本：须由人阅读"),
    "unknown": ("no known text: a person must read", "不是已知文本：须由人阅读"),
    "not stated": ("only or later: not stated", "仅此版本或更高：未写明"),
    "only": ("this version only", "仅此版本"),
    "headers": (
        "{count} files state in a header: {expression}",
        "{count} 个文件在文件头写明：{expression}",
    ),
    "manifest": ("{path}:{line} states: {stated}", "{path}:{line} 写明：{stated}"),
    "components": ("Components", "组件"),
    "list": (
        "{file} ({form}): {components} components, {with_licence} with a licence",
        "{file}（{form}）：{components} 个组件，其中 {with_licence} 个写明许可证",
    ),
    "names_only": (
        "{file}: {components} names; their licences are unknown here",
        "{file}：{components} 个名称；其许可证在此不详",
    ),
    "to_look_at": (
        "to be looked at beside {outbound}: {count} licences; no list says how parts are joined",
        "须由人对照 {outbound} 查看 {count} 个许可证；清单不写明组件如何结合",
    ),
    "no_outbound": ("no known licence of the whole", "（整体许可证不明）"),
    "part": (
        "{name} {version}: {licences} ({concern}; {file} {where})",
        "{name} {version}：{licences}（{concern}；{file} {where}）",
    ),
    "closed": ("forbids changes, sale or competition", "禁止修改、销售或竞争"),
    "incompatible": ("not to be joined, says the FSF", "自由软件基金会认为不可结合"),
    "stronger": ("asks more of the whole", "对整体要求更多"),
    "unreadable": ("no SPDX expression", "不是 SPDX 表达式"),
    "history": ("History", "历史"),
    "author_rule": (
        "author = e-mail of the author line in small letters, no mailmap; nobody is named",
        "作者 = 作者行的小写邮箱，不用 mailmap；不列出任何人",
    ),
    "figures": (
        (
            "{authors} authors; absence factor {contributor_absence_factor} (so few made half of "
            "the commits); {newcomers_last_year} newcomers and {authors_last_year} authors in the "
            "year before the head; {releases} releases, {gap} between them in the middle"
        ),
        (
            "作者 {authors} 人；缺席系数 {contributor_absence_factor}（这么少的人完成了一半提交）；"
            "最近一年新人 {newcomers_last_year} 人、作者 {authors_last_year} 人；"
            "发布 {releases} 次，间隔中位数 {gap}"
        ),
    ),
    "dates": ("authored from {first} to {last}", "作者日期自 {first} 至 {last}"),
    "days": ("{days} days", "{days} 天"),
    "no_gap": ("no gap", "无间隔"),
    "odd": (
        (
            "{bot_commits} commits by bots, {dates_before_git} dated before git, "
            "{dates_after_head} dated after the head"
        ),
        (
            "机器人提交 {bot_commits} 次，日期早于 git 的 {dates_before_git} 次，"
            "晚于最新提交的 {dates_after_head} 次"
        ),
    ),
    "signed_claim": (
        "{by} on {on}: {text} [{mark}; {key}, until {until}]",
        "{by} 于 {on}：{text}［{mark}；{key}，有效至 {until}］",
    ),
    "signed": ("signed", "有签名"),
    "claim": ("declared by {by} on {on}: {text}", "{by} 于 {on} 声明：{text}"),
}


def table(document: dict[str, Any], language: str) -> str:
    """The table. `document`: as `decode_assessment` gives it."""
    number = LANGUAGES.index(language)
    return "\n".join(plain(line) for line in _lines(document, number)) + "\n"


def plain(line: str) -> str:
    """A line whose control characters are written out: a path may hold a line feed or worse."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in line
    )


def _say(key: str, number: int, /, **words: object) -> str:
    return _TEXTS[key][number].format_map(words) if key in _TEXTS else key


def _lines(document: dict[str, Any], number: int) -> Iterator[str]:
    source, history = document["source"], document["history"]
    yield _say(
        "head",
        number,
        commit=source.get("commit", ""),
        kind=_say(str(source.get("kind", "")), number),
        files=source.get("files", 0),
        commits=history.get("commits", 0),
    )
    for note in source.get("notes", ()):
        yield _say(str(note.get("code", "")), number)
    if source.get("unread_files"):
        yield _say("unread", number, count=source["unread_files"])
    yield from _licence_lines(document["licences"], number)
    yield from _component_lines(document.get("components") or {}, number)
    yield from _history_lines(history, number)
    for standard in document["standards"]:
        mine = [each for each in document["answers"] if each["standard"] == standard.get("id")]
        yield from _standard_lines(standard, mine, number)


def _licence_lines(licences: dict[str, Any], number: int) -> Iterator[str]:
    yield ""
    yield _say("licences", number)
    for scope in licences.get("scopes", ()):
        yield f"  {scope['scope'] or _say('whole', number)}"
        for text in scope["texts"]:
            versions = f"; {_say(text['versions'], number)}" if text["versions"] else ""
            name = text["expression"] or _say(text["verdict"], number)
            reading = _say(text["reading"], number, known=text["resembles"])
            yield f"    {text['path']}: {name} ({reading}{versions})"
            if text["extra"]:
                yield f"      {text['extra']['lines'][0]}: “{text['extra']['quotation']}”"
    for header in licences.get("headers", ())[:10]:
        yield "  " + _say("headers", number, count=header["files"], expression=header["expression"])
    for manifest in licences.get("manifests", ()):
        yield "  " + _say("manifest", number, **manifest)


def _component_lines(components: dict[str, Any], number: int) -> Iterator[str]:
    if not components:
        return
    yield ""
    yield _say("components", number)
    for listed in components.get("lists", ()):
        yield "  " + _say("names_only" if listed["names_only"] else "list", number, **listed)
        for each in [] if listed["names_only"] else listed["licences"][:10]:
            yield f"    {each['components']}  {each['licence']}"
    if count := components.get("to_look_at_count", 0):
        outbound = " OR ".join(components["outbound"]) or _say("no_outbound", number)
        yield "  " + _say("to_look_at", number, count=count, outbound=outbound)
    for part in components.get("to_look_at", ()):
        words = part | {
            "licences": " AND ".join(part["licences"]),
            "concern": _say(part["concern"], number),
        }
        yield "    " + _say("part", number, **words)


def _history_lines(history: dict[str, Any], number: int) -> Iterator[str]:
    gap = history.get("release_gap_days_median")
    words = {name: history.get(name, 0) for name in _HISTORY_WORDS}
    told = _say("no_gap", number) if gap is None else _say("days", number, days=gap)
    yield ""
    yield _say("history", number)
    yield "  " + _say("figures", number, **words, gap=told)
    first, last = (_day(history.get(name)) for name in ("first_authored_s", "last_authored_s"))
    yield "  " + _say("dates", number, first=first, last=last)
    yield "  " + _say("odd", number, **words)
    yield "  " + _say("author_rule", number)


def _day(seconds: object) -> str:
    """In UTC; a commit may be dated as it likes, so what is no day is told as it is."""
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


_HISTORY_WORDS: Final = (
    *("authors", "contributor_absence_factor", "newcomers_last_year", "authors_last_year"),
    *("releases", "bot_commits", "dates_before_git", "dates_after_head"),
)


def _standard_lines(
    standard: dict[str, Any], answers: list[dict[str, Any]], number: int
) -> Iterator[str]:
    counts = Counter(answer["verdict"] for answer in answers)
    told = ", ".join(f"{_say(name, number)} {count}" for name, count in sorted(counts.items()))
    yield ""
    yield f"{standard.get('id')} {standard.get('version')}: {told}"
    for answer in answers:
        question = answer["question"].get(LANGUAGES[number], "")
        yield f"  [{_say(answer['verdict'], number)}] {answer['item']}  {question}"
        if answer["verdict"] != "contradicted":
            yield f"      {_say(answer['reason'], number)}"
        if answer["verdict"] == "needs_person" and "setting" in answer:
            words = answer["setting"].get(LANGUAGES[number], "")
            yield "      " + _say("setting", number, setting=words)
        for evidence in answer["evidence"]:
            yield f"      {_evidence(evidence)}"
        for claim in answer["claims"]:
            yield "      " + _claim(claim, number)


def _claim(claim: dict[str, Any], number: int) -> str:
    if "mark" not in claim:
        return _say("claim", number, **claim)
    mark = str(claim["mark"])
    told = mark if mark == "signed" else f"declaration_{mark}"
    return _say("signed_claim", number, **(claim | {"mark": _say(told, number)}))


def _evidence(evidence: dict[str, Any]) -> str:
    if "figure" in evidence:
        return f"{evidence['figure']}: {evidence['value']}"
    return f"{evidence['path']}:{evidence['lines'][0]} “{evidence['quotation']}”"
