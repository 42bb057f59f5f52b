"""Mutants tried in forks of one pytest that has loaded and collected everything: a mutant costs what its tests cost.

As a pytest plugin (``-p tests.proof.mutation.warm``) it runs no test by itself. It takes requests from the socket whose
number ``PROOF_WARM`` holds, a line of JSON each: in a fork it gives the function that lies around the change its changed
code and runs the tests until the first fails. A change that loading or collecting has already met (outside of any
function, a default value, a function that was called meanwhile) would not be seen whole: it is handed back, to be tried
in a process of its own.
"""

import ast
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.proof.mutation.mutants import Mutant, changed_tree

#: s that collecting the tests of a package may take.
_LOADING_S = 600.0
_VARIABLE = "PROOF_WARM"


class WarmPytest:
    """A pytest that waits in ``folder`` with ``tests`` (files and folders) collected."""

    def __init__(self, folder: Path, tests: Sequence[str], environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider"]
        command += ["-p", "tests.proof.mutation.warm", f"--basetemp={folder / 'tmp'}", *tests]
        with theirs:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment, _VARIABLE: str(theirs.fileno())},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._socket = ours
        self._answers = ours.makefile("r")

    def ask(self, mutant: Mutant, tests: Sequence[str], *, seconds: float, seconds_a_test: float) -> tuple[str, str]:
        """Run ``tests`` with the change; ("passed" | "failed" | "timeout" | "fresh", which test).

        "fresh": it has to be tried in a process of its own.

        Raises:
            RuntimeError: the process has ended.
        """
        request = {"module": mutant.module, "function": mutant.function, "number": mutant.number}
        request |= {"tests": list(tests), "seconds": seconds, "seconds_a_test": seconds_a_test}
        self._socket.settimeout(_LOADING_S + seconds)
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            line = self._answers.readline()
        except OSError as error:
            raise RuntimeError(f"the waiting pytest does not answer: {error}") from error
        if not line:
            raise RuntimeError(f"the waiting pytest ended with {self._process.wait()}")
        how, by = json.loads(line)
        return how, by

    def close(self) -> None:
        """End it."""
        self._answers.close()
        self._socket.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Server:
    """The other end: inside the pytest that waits."""

    def __init__(self, package: Path, connection: socket.socket) -> None:
        self._package = package
        self._connection = connection
        self._functions: dict[tuple[str, str, int], list[FunctionType]] = {}
        self._called: dict[CodeType, None] = {}  #: while loading and collecting
        self._failed: list[str] = []
        threading.settrace(self._on_call)
        sys.settrace(self._on_call)

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if code.co_filename.startswith(str(self._package)):
            self._called[code] = None

    def pytest_collection_finish(self) -> None:
        """Everything is loaded."""
        sys.settrace(None)
        threading.settrace(None)
        for function in gc.get_objects():
            if isinstance(function, FunctionType) and function.__code__.co_filename.startswith(str(self._package)):
                self._functions.setdefault(_place(function.__code__), []).append(function)
        gc.collect()
        gc.freeze()  # so that a fork's collector does not touch, and copy, all of it

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer requests until the other end closes."""
        items = {item.nodeid: item for item in session.items}
        for line in self._connection.makefile("r"):
            request = json.loads(line)
            new = self._changed(request)
            asked = [items[test] for test in request["tests"] if test in items]
            if new is None or len(asked) < len(request["tests"]):
                answer = ("fresh", "")
            else:
                answer = self._in_a_fork(new, asked, request["seconds"], request["seconds_a_test"])
            self._connection.sendall(json.dumps(answer).encode() + b"\n")
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember the first failure."""
        if report.failed:
            said = report.longreprtext.strip().splitlines() or [""]
            self._failed.append(f"FAILED {report.nodeid} - {said[-1]}")

    def _changed(self, request: Mapping[str, Any]) -> CodeType | None:
        """The changed code of the function; None when giving it that would not do."""
        path = self._package / request["module"]
        source = path.read_text()
        before = compile(ast.parse(source), str(path), "exec")
        after = compile(changed_tree(source, request["number"]), str(path), "exec")
        if not request["function"]:
            return None
        for old, new in zip(_codes(before), _codes(after), strict=False):
            if old.co_qualname == new.co_qualname == request["function"] and old != new:
                functions = self._functions.get(_place(new), [])
                called = any(_place(code) == _place(new) for code in self._called)
                same = all(function.__code__.co_freevars == new.co_freevars for function in functions)
                return new if functions and same and not called else None
        return None

    def _in_a_fork(self, new: CodeType, items: Sequence[pytest.Item], seconds: float, seconds_a_test: float) -> tuple[str, str]:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            os.setsid()
            code = 1
            try:
                os.write(writer, self._run(new, items, seconds_a_test).encode()[:2000] + b"\n")
                code = 0
            finally:
                os._exit(code)
        os.close(writer)
        until = time.monotonic() + seconds
        told, ended = b"", False
        while not ended and not told.endswith(b"\n"):
            if not select.select([reader], [], [], max(0.0, until - time.monotonic()))[0]:
                break
            part = os.read(reader, 4096)
            told, ended = told + part, not part
        os.close(reader)
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if told.endswith(b"\n"):
            by = told.decode(errors="replace").strip()
            return ("passed" if not by else "timeout" if "Timeout (>" in by else "failed"), by
        return ("failed", "in no test: the process ended") if ended else ("timeout", "")

    def _run(self, new: CodeType, items: Sequence[pytest.Item], seconds_a_test: float) -> str:
        """In the fork: which test failed; empty when none did."""
        for function in self._functions[_place(new)]:
            function.__code__ = new
        session = items[0].session
        try:
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.add_marker(pytest.mark.timeout(seconds_a_test))
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._failed:
                    break
        except BaseException as error:
            self._failed.append(f"in no test: {error!r}")
        if self._failed:  # fixtures of modules and of the session are still up, with their processes
            try:
                session.config.hook.pytest_sessionfinish(session=session, exitstatus=1)
            except BaseException as error:
                return f"{self._failed[0]}; then {error!r}".replace("\n", " ")
        return self._failed[0].replace("\n", " ") if self._failed else ""


def _place(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of every function and class in it, outermost first."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def pytest_configure(config: pytest.Config) -> None:
    """Wait for requests when told where from."""
    number = os.environ.pop(_VARIABLE, "")
    if number:
        # That an example fails is all that counts: it need not become a small one.
        settings.register_profile("mutants", settings.default, phases=[Phase.explicit, Phase.reuse, Phase.generate])
        settings.load_profile("mutants")
        config.pluginmanager.register(Server(config.rootpath / "arbtui", socket.socket(fileno=int(number))))
