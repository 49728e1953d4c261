"""Runs tests against planted faults: one process that is warm, and a fork of it for each fault.

Started by `mutants` with a job on standard input; writes a JSON line a fault. What does not depend
on the module is imported once, before the forks. A fault inside of a function is tried in a fork of
a process that has collected the tests, with the function's code replaced; one in a constant, a
default or a class in a fork that imports the module, what depends on it and the tests anew. Each
runs the tests that reach the fault's line (for a line that runs on import or in a fixture, the
module), the quickest first, to the first that fails.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.abc
import importlib.util
import inspect
import json
import os
import resource
import signal
import sys
import threading
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final, TextIO

import hypothesis
import pytest

from benchmarks.faults import Fault, plant

# What every fork imports for itself.
_NOT_WARM: Final = ("tests", "benchmarks", "conftest", "__main__")
_PROCESSOR_S_LEAST: Final = 10
_PROCESSOR_TIMES: Final = 5
_CLOCK_S_LEAST: Final = 120
_MEMORY_BYTES_MAX: Final = 8 << 30
# What pytest says when no test failed: all passed, or none was there.
_PASSED: Final = frozenset({0, 5})


@dataclass(eq=False)
class _Reach:
    """Which tests run which lines of the file; `shared`: on import or in fixtures.

    `imported`: on import of the module or of the tests, which a collected process has behind it.
    """

    path: str
    of: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    shared: set[int] = field(default_factory=set)
    imported: set[int] = field(default_factory=set)
    took_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    now: str = ""

    def trace(self, frame: FrameType, _event: str, _argument: object) -> Any:
        if frame.f_code.co_filename != self.path:
            return None
        (self.of[self.now] if self.now else self.shared).add(frame.f_lineno)
        return self.trace

    def pytest_collection_finish(self) -> None:
        self.imported = set(self.shared)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        self.now = item.nodeid
        # A test library may have put a tracer of its own in place of this one.
        sys.settrace(self.trace)
        try:
            return (yield)
        finally:
            self.now = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.took_s[report.nodeid] += report.duration
        if report.failed:
            print(report.nodeid, report.longreprtext[-2000:], file=sys.stderr)


@dataclass(eq=False)
class _Chosen:
    """Runs the given tests in the given order; tests that nobody knows yet are run, too."""

    order: dict[str, int]
    known: frozenset[str]
    failed: str = ""

    def pytest_collection(self) -> None:
        _hypothesis_profile()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        kept = [one for one in items if one.nodeid in self.order or one.nodeid not in self.known]
        items[:] = sorted(kept, key=lambda one: self.order.get(one.nodeid, -1))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


def _hypothesis_profile() -> None:
    """Examples from one seed; a fault that was seen need not be seen in its least example."""
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    profile = hypothesis.settings(
        hypothesis.settings.default, phases=phases, database=None, derandomize=True
    )
    hypothesis.settings.register_profile("faults", profile)
    hypothesis.settings.load_profile("faults")


class _Faulty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module, with the fault in it."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        self.name, self.path, self.code = name, path, code

    def find_spec(self, name: str, _path: object, _target: object = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


def main() -> None:
    """Reads a job: root, path, module, tests, leave_out, and keys of faults to be tried."""
    job = json.load(sys.stdin)
    os.chdir(job["root"])
    path = str(Path(job["root"], job["path"]))
    reach = _told_by_fork(lambda: _dry(path, job))
    if reach["failed"]:
        _say({"error": f"without any fault the tests do not pass: {reach['failed']}"})
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        faults = {one.key: one for one in plant(Path(path).read_text("utf-8"), path)}
        _warm(reach["modules"], job["module"])
    done = set()
    for told in _served(job, path, [faults[key] for key in job["faults"]], reach):
        _say(told)
        if "error" in told:
            return
        done.add(told["fault"])
    for key in job["faults"]:
        if key not in done:
            _say({"fault": key, **_tried(job, path, faults[key], reach)})


class _Withheld(importlib.abc.MetaPathFinder):
    """Refuses one module, and so every module that needs it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, name: str, _path: object, _target: object = None) -> ModuleSpec | None:
        if name == self.name:
            raise ImportError(name)
        return None


def _warm(modules: list[str], target: str) -> None:
    """Imports what the tests import, but for the module and what depends on it."""
    withheld = _Withheld(target)
    sys.meta_path.insert(0, withheld)
    for name in modules:
        # Whatever cannot be imported by itself is left to the forks.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    sys.meta_path.remove(withheld)
    assert target not in sys.modules, f"{target} was imported before its fault"
    gc.freeze()


def _say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _words(job: dict[str, Any], tests: list[str]) -> list[str]:
    plugins = [f"no:{name}" for name in ("schemathesis", "faker", "cacheprovider", "xdist")]
    # What is imported before the fork is not rewritten, and need not be.
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return [
        *tests,
        *quiet,
        "-m",
        f"not ({job['leave_out']})",
        *(w for p in plugins for w in ("-p", p)),
    ]


def _dry(path: str, job: dict[str, Any]) -> dict[str, Any]:
    """The tests without a fault, and what each reaches."""
    reach = _Reach(path)
    sys.settrace(reach.trace)
    threading.settrace(reach.trace)
    chosen = _Chosen({}, frozenset())
    status = pytest.main(_words(job, job["tests"]), plugins=[reach, chosen])
    sys.settrace(None)
    modules = [name for name in sys.modules if not name.startswith(_NOT_WARM)]
    lines = {test: sorted(lines) for test, lines in reach.of.items()}
    return {
        "failed": chosen.failed if status == pytest.ExitCode.TESTS_FAILED else int(status),
        "modules": modules,
        "lines": lines,
        "shared": sorted(reach.shared),
        "imported": sorted(reach.imported),
        "took_s": reach.took_s,
    }


def _told_by_fork(work: Any) -> dict[str, Any]:
    """What a fork has to say."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _be_quiet()
        text = json.dumps(work())
        with os.fdopen(write, "w") as file:
            file.write(text)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        told: dict[str, Any] = json.loads(file.read())
    os.waitpid(child, 0)
    return told


def _be_quiet() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)


def _order(line: int, reach: dict[str, Any]) -> list[str]:
    """The tests for a fault at a line, those first that reach it, of these the quickest.

    What runs on import or in a fixture is everybody's in the files that reach the module at all.
    """
    took_s = reach["took_s"]
    near = [test for test, lines in reach["lines"].items() if line in lines]
    rest: list[str] = []
    if line in reach["shared"] or not near:
        files = {test.partition("::")[0] for test in reach["lines"] or took_s}
        rest = [test for test in took_s if test.partition("::")[0] in files and test not in near]
    return [*sorted(near, key=took_s.get), *sorted(rest, key=took_s.get)]


_UNREACHED: Final = {"noticed": False, "by": "", "why": "no test reaches it"}


def _tried(job: dict[str, Any], path: str, fault: Fault, reach: dict[str, Any]) -> dict[str, Any]:
    """What became of one fault in a module that a fork imports anew."""
    order = _order(fault.line, reach)
    if not order:
        return _UNREACHED

    def run() -> tuple[int, str]:
        sys.meta_path.insert(0, _Faulty(job["module"], path, fault.code))
        files = list(dict.fromkeys(test.partition("::")[0] for test in order))
        places = {test: at for at, test in enumerate(order)}
        chosen = _Chosen(places, frozenset(reach["took_s"]))
        status = pytest.main(["-x", *_words(job, files)], plugins=[chosen])
        return int(status), chosen.failed

    return _limited(run, sum(reach["took_s"][test] for test in order))


def _served(
    job: dict[str, Any], path: str, faults: list[Fault], reach: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """What became of faults inside of functions, from a process that has collected the tests."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _be_quiet()
        with os.fdopen(write, "w") as told:
            server = _Server(path, faults, reach, told)
            pytest.main(_words(job, job["tests"]), plugins=[server, server.chosen])
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as lines:
        yield from map(json.loads, lines)
    os.waitpid(child, 0)


class _Server:
    """Instead of running the tests: a fork for each fault, with the function's code replaced."""

    def __init__(self, path: str, faults: list[Fault], reach: dict[str, Any], told: TextIO) -> None:
        self.path, self.faults, self.reach, self.told = path, faults, reach, told
        self.chosen = _Chosen({}, frozenset())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Takes the place of the loop over tests."""
        items = {item.nodeid: item for item in session.items}
        gc.unfreeze()
        functions = defaultdict(list)
        for each in gc.get_objects():
            if isinstance(each, FunctionType) and each.__code__.co_filename == self.path:
                functions[_place(each.__code__)].append(each)
        gc.freeze()
        source = Path(self.path).read_text("utf-8")
        whole = _functions_of(compile(source, self.path, "exec", dont_inherit=True))
        reached = [items[test] for test in self.reach["lines"] if test in items]
        # Where kernels are compiled they stay so for all forks; else nothing of a run may stay.
        if "numba" in sys.modules:
            failed = self._run(reached)
        else:
            control = self._outcome([], reached)
            failed = control["by"] or control["why"] if control["noticed"] else ""
        if failed:
            error = f"without any fault the collected tests do not pass: {failed}"
            print(json.dumps({"error": error}), file=self.told, flush=True)
            return True
        for fault in self.faults:
            changed = _changed(whole, _functions_of(fault.code), functions)
            if not changed or fault.line in self.reach["imported"]:
                continue
            order = [items[test] for test in _order(fault.line, self.reach) if test in items]
            outcome = self._outcome(changed, order) if order else _UNREACHED
            print(json.dumps({"fault": fault.key, **outcome}), file=self.told, flush=True)
        return True

    def _outcome(
        self, changed: list[tuple[FunctionType, CodeType]], order: list[pytest.Item]
    ) -> dict[str, Any]:
        def run() -> tuple[int, str]:
            for function, code in changed:
                function.__code__ = code
            failed = self._run(order)
            return int(bool(failed)), failed

        return _limited(run, sum(self.reach["took_s"][item.nodeid] for item in order))

    def _run(self, order: list[pytest.Item]) -> str:
        """The first test that fails, or nothing."""
        for item, following in zip_longest(order, order[1:]):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.chosen.failed:
                break
        return self.chosen.failed


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_name, code.co_firstlineno


def _functions_of(code: CodeType) -> tuple[list[Any], dict[tuple[str, int], CodeType]]:
    """What runs on import without the functions, and the functions of module and classes."""
    shell: list[Any] = []
    functions: dict[tuple[str, int], CodeType] = {}
    bodies = [code]
    while bodies:
        body = bodies.pop()
        plain = [each for each in body.co_consts if not isinstance(each, CodeType)]
        shell.append((_place(body), body.co_code, repr(plain), body.co_names))
        for each in body.co_consts:
            if isinstance(each, CodeType):
                # A class's body runs on import; it has no fast locals.
                if each.co_flags & inspect.CO_OPTIMIZED:
                    functions[_place(each)] = each
                else:
                    bodies.append(each)
    return shell, functions


def _changed(
    whole: tuple[list[Any], dict[tuple[str, int], CodeType]],
    faulty: tuple[list[Any], dict[tuple[str, int], CodeType]],
    functions: dict[tuple[str, int], list[FunctionType]],
) -> list[tuple[FunctionType, CodeType]]:
    """The functions to be changed, each with its code; none unless that is all of the fault."""
    if whole[0] != faulty[0] or set(whole[1]) != set(faulty[1]):
        return []
    places = [place for place, code in faulty[1].items() if code != whole[1][place]]
    if any(not functions[place] for place in places):
        return []
    return [(function, faulty[1][place]) for place in places for function in functions[place]]


def _limited(run: Callable[[], tuple[int, str]], expected_s: float) -> dict[str, Any]:
    """What a run of tests in a fork says, within limits of time and memory."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        os.setsid()
        _be_quiet()
        os.dup2(1, 2)
        limit_s = int(_PROCESSOR_S_LEAST + _PROCESSOR_TIMES * expected_s)
        resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
        try:
            told = run()
        except BaseException as error:  # noqa: BLE001 (whatever a fault does, it was noticed)
            told = (1, repr(error)[:200])
        os.write(write, json.dumps(told).encode())
        os._exit(0)
    os.close(write)
    return _awaited(child, read, _CLOCK_S_LEAST + 20 * expected_s)


def _awaited(child: int, read: int, limit_s: float) -> dict[str, Any]:
    timer = threading.Timer(limit_s, os.killpg, (child, signal.SIGKILL))
    timer.start()
    with os.fdopen(read, "rb") as file:
        told = file.read()
    os.waitpid(child, 0)
    timer.cancel()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if not told:
        return {"noticed": True, "by": "", "why": "it did not end, or ended the process"}
    status, by = json.loads(told)
    return {"noticed": status not in _PASSED, "by": by, "why": f"pytest: {status}"}


if __name__ == "__main__":
    main()
