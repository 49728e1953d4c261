"""What judging an invoice costs: parse, XSD and EN 16931 rules, compiled and by Saxon.

Throughput counts processor time of one process, since the machine is shared; the ways run in
turn over the same invoices, each in a process of its own with the environment that a node gives
it. The official XSLT itself is shown beside.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.measuring import claim

DATA: Final = Path(__file__).resolve().parents[4] / "shared" / "data" / "trade"
ROUNDS: Final = 5
# Both engines' rates swing by a quarter from second to second on a shared machine.
TURNS: Final = 15
LINES_MOST: Final = 10_000


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the common contract)
    """The lines; without the published invoices, those that need none."""
    del long
    yield _refusals()
    invoices = _invoices()
    if not invoices:
        return
    compiled, saxon, official = _throughputs()
    yield claim("trade_rules_saxon", saxon, "1/s", target=250)
    yield claim("trade_rules_compiled", compiled, "1/s", target=1000)
    yield claim(
        "trade_rules_compiled_ratio",
        compiled,
        "1/s",
        target=4,
        rival="the same rules by saxonche 13.1, compact form",
        rival_values=saxon,
    )
    yield claim(
        "trade_rules_compiled_official",
        compiled,
        "1/s",
        rival="the official XSLT by saxonche 13.1 after the same parse and XSD",
        rival_values=official,
    )
    yield _first_verdict(invoices[0])
    yield from _two_cores()
    yield from _large_invoices(invoices)


def _invoices() -> list[Path]:
    standard = sorted(DATA.glob("xrechnung/business-cases/standard/*ubl.xml"))
    return (sorted(DATA.glob("en16931/valid-ubl/*.xml")) + standard)[:43]


def _judge(*, only_saxon: bool = False) -> Any:
    from zhidao.trade.adapters.packs import EN16931_UBL, default_folder, newest_pack
    from zhidao.trade.adapters.rule_process import Judge

    return Judge(newest_pack(default_folder(), EN16931_UBL.package), only_saxon=only_saxon)


_TURNS: Final = """
import sys, time
from benchmarks.inner.trade.trade_rules import _invoices, _way
documents = [file.read_bytes() for file in _invoices()]
way = _way(sys.argv[1])
# Rules are written out as they turn out to be asked often: a process that serves has done so.
for document in documents * 8:
    way(document)
print("ready", flush=True)
# A round is long enough that waking up in it counts for nothing.
for _ in sys.stdin:
    start_s, count = time.process_time(), 0
    while time.process_time() - start_s < 1:
        for document in documents:
            way(document)
        count += len(documents)
    print(count / (time.process_time() - start_s), flush=True)
"""
_WAYS: Final = ("compiled", "saxon", "official")


def _way(name: str) -> Callable[[bytes], object]:
    if name == "official":
        return _official()
    judge: Callable[[bytes], object] = _judge(only_saxon=name == "saxon").judge
    return judge


def _throughputs() -> list[list[float]]:
    """Of each way the documents a second of processor time, round by round in turn.

    Each has a process of its own, as a node's has: Saxon's threads work on between documents.
    """
    running = [_started(_TURNS, name) for name in _WAYS]
    found: list[list[float]] = [[] for _ in running]
    try:
        for process in running:
            assert _line(process) == "ready"
        for _ in range(TURNS):
            for process, rates in zip(running, found, strict=True):
                _say(process)
                rates.append(float(_line(process)))
    finally:
        for process in running:
            process.communicate(timeout=60)
    return found


def _started(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
        env=_environment(),
    )


def _environment() -> dict[str, str]:
    """That of a node's judging process, with what finds the code."""
    from zhidao.trade.adapters.rule_worker import PROCESS_ENVIRONMENT

    kept = ("PYTHONPATH", "PYTHONPYCACHEPREFIX", "HOME")
    return {
        **PROCESS_ENVIRONMENT,
        **{name: os.environ[name] for name in kept if name in os.environ},
    }


def _say(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


_FAILED: Final = "{http://purl.oclc.org/dsdl/svrl}failed-assert"


def _official() -> Any:
    """The official XSLT behind the same reading and XSD, its report read back."""
    from lxml import etree

    from zhidao.rules import parse_xml, xml_text
    from zhidao.trade.adapters.packs import EN16931_UBL, default_folder, newest_pack
    from zhidao.trade.adapters.saxon_rules import Saxon

    pack = newest_pack(default_folder(), EN16931_UBL.package)
    saxon = Saxon()
    rules = saxon.compiled((pack.folder / "rules.xslt").read_text(encoding="utf-8"))
    schemas = {
        kind: etree.XMLSchema(etree.parse(str(pack.folder / f"xsd/maindoc/UBL-{kind}-2.1.xsd")))
        for kind in ("Invoice", "CreditNote")
    }

    def judge(document: bytes) -> None:
        root = parse_xml(document)
        schemas[etree.QName(root).localname].validate(root)
        node = saxon.document(xml_text(root))
        report = etree.fromstring(rules.transform_to_string(xdm_node=node).encode())
        list(report.iter(_FAILED))

    return judge


def _refusals() -> dict[str, Any]:
    from zhidao.core.errors import MalformedInput
    from zhidao.rules import parse_xml

    attacks = [
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        b"<a>" * 200 + b"</a>" * 200,
        b"<!--" + b" " * 15_000_000 + b"--><!DOCTYPE a><a/>",
        b"<aaaaaaaaaaaaa>" * 100_000 + b"</aaaaaaaaaaaaa>" * 100_000,
        b"<a " + b" ".join(b"a%d=''" % number for number in range(1_000_000)) + b"/>",
        b"<a>" + b"<a/>" * 3_000_000 + b"</a>",
        b"<a>" + b"x" * 60_000_000 + b"</a>",
        "<a/>".encode("utf-16"),
        b"PK\x03\x04" + bytes(1000),
        b"",
    ]
    slowest = []
    for _ in range(ROUNDS):
        worst_s = 0.0
        for attack in attacks:
            start_s = time.process_time()
            try:
                parse_xml(attack)
            except MalformedInput:
                worst_s = max(worst_s, time.process_time() - start_s)
            else:
                raise AssertionError("an attack was read")
        slowest.append(worst_s * 1000)
    return claim("trade_refusal_slowest", slowest, "ms", target=50, at_most=True)


_FIRST: Final = """
import sys
from pathlib import Path
from benchmarks.inner.trade.trade_rules import _judge
print(_judge().judge(Path(sys.argv[1]).read_bytes()).outcome.value)
"""


def _first_verdict(invoice: Path) -> dict[str, Any]:
    walls = []
    for _ in range(ROUNDS):
        start_s = time.perf_counter()
        done = _python(_FIRST, str(invoice))
        walls.append(time.perf_counter() - start_s)
        assert done.strip() == "valid", done
    return claim("trade_first_verdict", walls, "s", target=0.8, at_most=True)


def _python(program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        cwd=Path(__file__).resolve().parents[3],
        env=_environment(),
    ).stdout


_ROUNDS_OF_ALL: Final = """
import sys, time
from benchmarks.inner.trade.trade_rules import _invoices, _judge
documents = [file.read_bytes() for file in _invoices()]
judge = _judge()
for document in documents:
    judge.judge(document)
print("ready", flush=True)
sys.stdin.readline()
start_s = time.perf_counter()
for _ in range(15):
    for document in documents:
        judge.judge(document)
print(15 * len(documents) / (time.perf_counter() - start_s))
"""


def _two_cores() -> Iterator[dict[str, Any]]:
    if (os.cpu_count() or 1) < 2:
        return
    alone, together = [], []
    for _ in range(ROUNDS):
        alone.append(sum(_rates(1)))
        together.append(sum(_rates(2)))
    yield claim(
        "trade_rules_two_cores",
        together,
        "1/s",
        target=1.8,
        rival="one process",
        rival_values=alone,
    )


def _rates(count: int) -> list[float]:
    """Documents a second by the wall clock of processes that start together."""
    running = [_started(_ROUNDS_OF_ALL) for _ in range(count)]
    for process in running:
        assert _line(process) == "ready"
    for process in running:
        _say(process)
    return [float(process.communicate(timeout=300)[0]) for process in running]


_LARGE: Final = """
import json, re, sys, time
from pathlib import Path
from benchmarks.inner.trade.trade_rules import _judge
judge = _judge()
judge.judge(Path(sys.argv[1]).read_bytes())
document = Path(sys.argv[2]).read_bytes()
times = int(sys.argv[3])
start_s = time.process_time()
for _ in range(times):
    judge.judge(document)
used_s = (time.process_time() - start_s) / times
# The kernel's ru_maxrss would begin at what the parent had when it forked.
mib = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"s": used_s, "mib": mib}))
"""


def large(invoice: bytes, lines: int) -> bytes:
    """The invoice with its first line repeated, so that only totals are wrong."""
    from lxml import etree

    root = etree.fromstring(invoice)
    line = root.find("{*}InvoiceLine")
    assert line is not None
    parent = line.getparent()
    assert parent is not None
    place = parent.index(line)
    for _ in range(lines - len(root.findall("{*}InvoiceLine"))):
        parent.insert(place, etree.fromstring(etree.tostring(line)))
    return etree.tostring(root)


def _large_invoices(files: list[Path]) -> Iterator[dict[str, Any]]:
    seed = files[0]
    used: dict[int, list[float]] = {1000: [], LINES_MOST: []}
    memory: list[float] = []
    with TemporaryDirectory(prefix="zhidao-bench-") as folder:
        for lines in used:
            _large_file(folder, lines).write_bytes(large(seed.read_bytes(), lines))
        # In turn and for as many lines each, so that a slow moment of the machine meets both.
        for _ in range(ROUNDS):
            for lines, found in used.items():
                times = str(LINES_MOST // lines)
                told = json.loads(
                    _python(_LARGE, str(seed), str(_large_file(folder, lines)), times)
                )
                found.append(told["s"])
                if lines == LINES_MOST:
                    memory.append(told["mib"])
    yield claim("trade_invoice_10000_lines", used[LINES_MOST], "s", target=3, at_most=True)
    yield claim("trade_invoice_10000_memory", memory, "MiB", target=286, at_most=True)
    yield claim("trade_line_cost_1000", [each / 1000 * 1e6 for each in used[1000]], "us")
    pairs = zip(used[1000], used[LINES_MOST], strict=True)
    growth = [most / LINES_MOST / (less / 1000) for less, most in pairs]
    yield claim("trade_line_cost_growth", growth, "ratio", target=1.2, at_most=True)


def _large_file(folder: str, lines: int) -> Path:
    return Path(folder) / f"{lines}.xml"
