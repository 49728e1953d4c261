"""How long `zhidao insight assess` takes as a program of its own, beside git's own log.

The repository is made by git from a seed: 12,000 commits of some 300 authors, 5,000 files, all
standards asked, from the program's start to the written result. Two rivals, in turn with ours:
`git log` of author and date, which reads the history and no file, and git handing over what we
read and hash, every commit and every file of the head. Memory: the most that a process held.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from benchmarks.measuring import claim

COMMITS: Final = 12_000
FILES: Final = 5_000
# What a person waits for at most on two cores that do nothing else.
_MOST_S: Final = 1.5
# No longer than so many times git's own log: asked for, and out of reach here (see the results).
_LOGS_AT_MOST: Final = 3
_HANDED: Final = (
    "git rev-list HEAD | git cat-file --batch --buffer;"
    " git ls-tree -r HEAD | cut -c13-52 | git cat-file --batch --buffer"
)
_LICENCE: Final = Path(__file__).resolve().parents[1] / "LICENSE"


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Seconds by the clock and of processor, of the whole program and of all that it starts."""
    with tempfile.TemporaryDirectory(prefix="zd-") as place:
        folder = Path(place)
        repository = folder / "large.git"
        _make(repository)
        result = folder / "result.json"
        command = [sys.executable, "-m", "zhidao.cli", "insight", "assess", str(repository)]
        git = f"git --git-dir '{repository}'"
        log = ["sh", "-c", f"{git} log --format='%ae %at'"]
        handed = ["sh", "-c", _HANDED.replace("git", git)]
        ours, logs, objects = [], [], []
        for _ in range(5 if long else 3):
            ours.append(_taken([*command, "-o", str(result)]))
            logs.append(_taken(log))
            objects.append(_taken(handed))
        most_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        clock = [clock for clock, _ in ours]
        yield claim("assess_12000_commits_s", clock, "s", target=_MOST_S, at_most=True)
        yield claim("assess_12000_commits_cpu_s", [cpu for _, cpu in ours], "s")
        yield claim(
            "assess_12000_commits_beside_log_s",
            clock,
            "s",
            target=round(1 / _LOGS_AT_MOST, 4),
            at_most=True,
            rival="git log",
            rival_values=[clock for clock, _ in logs],
        )
        yield claim(
            "assess_12000_commits_beside_objects_s",
            clock,
            "s",
            at_most=True,
            rival="git rev-list, ls-tree, cat-file",
            rival_values=[clock for clock, _ in objects],
        )
        yield claim("assess_memory_mb", [most_kb / 1024], "MB", target=300, at_most=True)


def _taken(words: list[str]) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    clock_s = time.perf_counter() - began_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _make(repository: Path) -> None:
    init = ["git", "-c", "init.defaultBranch=main", "init", "-q", "--bare", str(repository)]
    subprocess.run(init, check=True)
    chance = random.Random(1)
    words = ["git", "--git-dir", str(repository), "fast-import", "--quiet"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(COMMITS):
            _commit(process.stdin, chance, number)
    if process.returncode:
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "--git-dir", str(repository), "repack", "-adq"], check=True)


def _commit(out: IO[bytes], chance: random.Random, number: int) -> None:
    who = int(chance.paretovariate(1.0)) % 300
    at_s = 1_400_000_000 + number * 20_000
    person = f"A{who} <a{who}@example.org> {at_s} +0000"
    message = f"change {number}\n\nSigned-off-by: A{who} <a{who}@example.org>\n"
    out.write(f"commit refs/heads/main\nmark :{number + 1}\nauthor {person}\n".encode())
    out.write(f"committer {person}\ndata {len(message)}\n{message}\n".encode())
    if number:
        out.write(f"from :{number}\n".encode())
        _file(out, _path(chance.randrange(FILES)), f"changed {number}\n" * chance.randrange(5, 200))
    else:
        _file(out, "LICENSE", _LICENCE.read_text(encoding="utf-8"))
        _file(out, "README.md", "# Large\n")
        for file in range(FILES):
            head = "# SPDX-License-Identifier: Apache-2.0\n" if file % 3 == 0 else ""
            lines = (
                f"line {file} {chance.randrange(9999)}\n" for _ in range(chance.randrange(400))
            )
            _file(out, _path(file), head + "".join(lines))
    out.write(b"\n")


def _path(file: int) -> str:
    return f"src/d{file % 50}/e{file % 7}/f{file}.py"


def _file(out: IO[bytes], path: str, text: str) -> None:
    data = text.encode()
    out.write(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
