"""Which tests call which functions: a mutant is tried on the tests that reach it, quickest first, and on no others.

As a pytest plugin (``-p tests.proof.mutation.callers``) it writes for each test that passed how long it took and which
outermost functions of the package it entered, in any thread, to the file that ``PROOF_CALLERS`` names; likewise what loading
and collecting entered. What a test does in processes of its own is not seen: such tests are tried on no mutant.
"""

import json
import os
import sys
import threading
from collections.abc import Generator
from itertools import accumulate
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypedDict

import pytest

_LOADING = ""  #: stands for a test's name


class Called(TypedDict):
    """Of one test: seconds, and ``path:function`` with the path relative to the package; ``path:`` for a whole module."""

    seconds: float
    functions: list[str]


class Recorder:
    """Notes the code that is entered while a test runs."""

    def __init__(self, package: Path, file: Path) -> None:
        self._root = str(package) + os.sep
        self._file = file
        self._entered: dict[int, CodeType] = {}  # by identity: a code object's hash reads all of it
        self._tests: dict[str, Called] = {}
        self._unusable: dict[str, None] = {}  # failed or skipped
        sys.settrace(self._on_call)

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> None:
        self._entered[id(frame.f_code)] = frame.f_code

    def pytest_collection_finish(self) -> None:
        """Keep what loading and collecting have entered."""
        sys.settrace(None)
        self._tests[_LOADING] = Called(seconds=0.0, functions=self._functions())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Trace one test, with its fixtures."""
        self._entered.clear()
        threading.settrace(self._on_call)
        sys.settrace(self._on_call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test that passed has entered."""
        kept = self._tests.setdefault(report.nodeid, Called(seconds=0.0, functions=[]))
        kept["seconds"] += report.duration
        kept["functions"] = self._functions()
        if not report.passed:
            self._unusable[report.nodeid] = None

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        self._file.write_text(json.dumps({test: called for test, called in self._tests.items() if test not in self._unusable}))

    def _functions(self) -> list[str]:
        entered = list(self._entered.values())  # tracing goes on meanwhile
        return sorted({function for code in entered if (function := self._function(code))})

    def _function(self, code: CodeType) -> str:
        if not code.co_filename.startswith(self._root):
            return ""
        name = code.co_qualname.split(".<locals>", 1)[0]
        return f"{code.co_filename.removeprefix(self._root)}:{'' if name.startswith('<') else name}"


def pytest_configure(config: pytest.Config) -> None:
    """Record when asked to."""
    file = os.environ.get("PROOF_CALLERS")
    if file:
        config.pluginmanager.register(Recorder(config.rootpath / "arbtui", Path(file)))


class Callers:
    """What was recorded, asked by function."""

    def __init__(self, tests: dict[str, Called]) -> None:
        loading = tests.get(_LOADING)
        self._loading = frozenset(loading["functions"]) if loading is not None else frozenset[str]()
        self._tests = tests = {test: called for test, called in tests.items() if test != _LOADING}
        self._of: dict[str, list[str]] = {}
        for test in sorted(tests, key=lambda name: tests[name]["seconds"]):
            for function in tests[test]["functions"]:
                module = function.partition(":")[0] + ":"
                for key in dict.fromkeys((function, module)):
                    callers = self._of.setdefault(key, [])
                    if not callers or callers[-1] != test:
                        callers.append(test)

    def of(self, module: str, function: str) -> list[str]:
        """Tests that enter ``function``, quickest first; any of the module's, when it is empty or was entered while loading.

        Every test for what lies outside of functions in a module of which no function is entered: constants, defaults of a class.
        """
        name = f"{module}:{function}"
        found = self._of.get(f"{module}:" if name in self._loading else name, [])
        return found if found or function else sorted(self._tests, key=lambda test: self._tests[test]["seconds"])

    def within(self, tests: list[str], budget_s: float) -> list[str]:
        """The first of ``tests`` that together took at most ``budget_s``, and at least the very first; all, when it is 0."""
        reached = list(accumulate(self._tests[test]["seconds"] for test in tests))
        return [test for place, test in enumerate(tests) if not budget_s or not place or reached[place] <= budget_s]

    def seconds(self, tests: list[str]) -> float:
        """How long ``tests`` took together."""
        return sum(self._tests[test]["seconds"] for test in tests)

    def slowest(self, tests: list[str]) -> float:
        """How long the slowest of ``tests`` took."""
        return max((self._tests[test]["seconds"] for test in tests), default=0.0)
