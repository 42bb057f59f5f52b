"""Starts a program as ``python -m`` does, without importing the product anew: each start is a fork of one process that has.

The tests start about a thousand programs, and most of what a start costs are imports: 0.6 to 1.2 s of CPU. What is forked is a real
process all the same, with a number, streams, environment, folder, signals and an end of its own; the kernel takes it for a child of
whoever started it, so that :class:`subprocess.Popen` works as ever. It shares with others which modules are loaded, the seed of
hashes and pages of memory, and ``/proc`` shows the command line and the environment of the process it was forked from. A test of one
of these asks for ``cold=True``: a new interpreter. So is every start with ``ARBTUI_TESTS_COLD=1``, and where there is no Linux.
"""

import atexit
import codecs
import ctypes
import fcntl
import gc
import io
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

#: Takes the terminal as its controlling one, as a shell would have it, then becomes the program.
_OWN_TERMINAL = "import os, sys, fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"

_REPOSITORY = Path(__file__).resolve().parent.parent
_PR_SET_CHILD_SUBREAPER = 36  #: prctl(2)
_ENCODING = "PYTHONIOENCODING"
#: What the interpreter and its C library read when they start, and what of that is taken on later, or is no affair of the interpreter's.
_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_")
_READ_LATER = (_ENCODING, "PYTHON_KEYRING_BACKEND")
#: What libraries read once, while they are imported.
_READ_AT_IMPORT = ("TEXTUAL", "ESCDELAY", "TERMINAL_WIDTH", "TYPER_", "_TYPER_", "AIOHTTP_")
#: Options of Popen that reach a fork, too.
_HANDED_ON = frozenset({"stdin", "stdout", "stderr", "text", "encoding", "errors", "bufsize", "cwd", "start_new_session"})
#: Of the tests as they were started, whatever one of them sets.
_ENVIRONMENT = dict(os.environ)
#: What many sessions import while they start: classes of ccxt, and other packages.
_CCXT = ("binance", "upbit")
_PACKAGES = ("telegram", "telegram.request")


def popen(
    module: str, *arguments: str, cold: bool = False, own_terminal: bool = False, env: Mapping[str, str] | None = None, **options: Any
) -> "subprocess.Popen[Any]":
    """``subprocess.Popen([sys.executable, "-m", module, *arguments], ...)``.

    ``own_terminal``: it leads a session, whose controlling terminal is its standard input. With an option that a fork cannot have, it is
    a cold start.
    """
    command = [sys.executable, "-m", module, *arguments]
    if own_terminal:
        options["start_new_session"] = True
    if not cold and _HANDED_ON.issuperset(options) and _can_be_forked(os.environ if env is None else env):
        return _Forked(command, env=env, **options)
    return subprocess.Popen([sys.executable, "-c", _OWN_TERMINAL, *command] if own_terminal else command, env=env, **options)


def run(module: str, *arguments: str, within: float, cold: bool = False) -> tuple[int, str, str]:
    """Run a program to its end, without a terminal and without input; its code (negative: a signal) and what it said.

    Raises:
        subprocess.TimeoutExpired: it did not end ``within`` so many seconds.
    """
    pipe = subprocess.PIPE
    with popen(module, *arguments, cold=cold, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            out, err = process.communicate(timeout=within)
        except BaseException:
            process.kill()
            raise
        return process.returncode, out, err


def _can_be_forked(environment: Mapping[str, str]) -> bool:
    same = _read_at_start(environment) == _read_at_start(_ENVIRONMENT)
    return sys.platform == "linux" and same and not os.environ.get("ARBTUI_TESTS_COLD")


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """What is read once and for all, but for the encoding of the interpreter's streams."""
    once = (*_READ_AT_START, *_READ_AT_IMPORT)
    return {name: value for name, value in environment.items() if name.startswith(once) and name not in _READ_LATER}


class _Forked(subprocess.Popen[Any]):
    """Only how the process comes to be is another."""

    def _execute_child(self, *given: Any) -> None:
        command, cwd, env, streams, new_session = given[0], given[5], given[6], given[10:16], given[21]
        wanted = {"program": command[2:], "folder": os.fspath(cwd or Path.cwd()), "session": new_session, "umask": _umask()}
        wanted["environment"] = dict(os.environ if env is None else env)
        standard = [number if stream < 0 else stream for number, stream in enumerate((streams[0], streams[3], streams[5]))]
        try:
            self.pid = _WarmProcess.here().fork(wanted, standard)
            self._child_created = True
        finally:
            self._close_pipe_fds(*streams)  # type: ignore[attr-defined]


def _umask() -> int:
    """Without changing it: other threads make files meanwhile."""
    return int(Path("/proc/self/status").read_text().split("Umask:")[1].split()[0], 8)


class _WarmProcess:
    """The process that forks, as the one sees it that starts programs."""

    _lock = threading.RLock()
    _by_owner: "dict[int, _WarmProcess]" = {}  # noqa: RUF012

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.warm_start", str(theirs.fileno())]
            self._process = subprocess.Popen(
                command,
                cwd=_REPOSITORY,
                env=_ENVIRONMENT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        atexit.register(self._end)

    @classmethod
    def here(cls) -> "_WarmProcess":
        """Of this process: what it had forked before, if it was forked itself, is the child of another."""
        with cls._lock:
            if os.getpid() not in cls._by_owner:
                cls._by_owner[os.getpid()] = cls()
            return cls._by_owner[os.getpid()]

    def fork(self, wanted: Mapping[str, object], standard: Sequence[int]) -> int:
        """The number of a new process, a child of this one, with these three standard streams.

        Raises:
            RuntimeError: the process that forks has ended.
        """
        with self._lock, open(os.memfd_create("wanted"), "w+b") as file:
            file.write(json.dumps(wanted).encode())
            file.seek(0)
            _adopt(True)
            try:
                socket.send_fds(self._connection, [b"."], [*standard, file.fileno()])
                told = self._connection.recv(20)
            finally:
                _adopt(False)
        if not told:
            raise RuntimeError(f"the process that forks has ended with {self._process.wait()}")
        return int(told)

    def _end(self) -> None:
        if self._process.returncode is None:
            self._connection.close()
            self._process.wait()


def _adopt(whether: bool) -> None:
    """Whether orphans among the processes that descend from this one become its children."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, int(whether), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _load() -> None:
    """Import the product, and what its sessions import later, and make what each process makes once and only reads."""
    import arbtui
    from arbtui.cli.run import command
    from arbtui.exchanges.ccxt_packages import ccxt_pro
    from arbtui.risk.notices.rules import NoticeRules

    for found in pkgutil.walk_packages(arbtui.__path__, "arbtui."):
        if not found.name.endswith("__main__"):
            import_module(found.name)
    for name in _CCXT:
        getattr(ccxt_pro(), name)
    for name in _PACKAGES:
        import_module(name)
    command()
    NoticeRules.shipped()
    gc.collect()
    gc.freeze()  # what is loaded stays: no fork's collector looks through it


def _forked(connection: socket.socket) -> list[int]:
    """Fork whenever that is asked for; it returns in each new process alone, with its standard streams and what it is to be."""
    while True:
        told, descriptors, _, _ = socket.recv_fds(connection, 1, 4)
        if not told:
            sys.exit()
        reader, writer = os.pipe()
        between = os.fork()
        if not between:
            between = os.getpid()
            child = os.fork()
            if not child:
                for number in (reader, writer):
                    os.close(number)
                connection.close()
                while os.getppid() == between:
                    time.sleep(0.001)
                return descriptors
            os.write(writer, str(child).encode())
            os._exit(0)  # the child is an orphan, whom the one that asked has said it takes
        for number in (writer, *descriptors):
            os.close(number)
        told = os.read(reader, 20)
        os.close(reader)
        os.waitpid(between, 0)
        connection.send(told)


def _become(descriptors: Sequence[int]) -> list[str]:
    """Take on streams, folder and environment; the module that is to be run, and its arguments."""
    *standard, file = descriptors
    with open(file, "rb") as told:
        wanted = json.load(told)
    if wanted["session"]:
        os.setsid()
    for number, stream in enumerate(standard):
        os.dup2(stream, number)
        os.close(stream)
    if wanted["session"] and os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        made = _opened(number, getattr(sys, name), wanted["environment"].get(_ENCODING))
        setattr(sys, name, made)
        setattr(sys, f"__{name}__", made)
    os.chdir(wanted["folder"])
    os.umask(wanted["umask"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    time.tzset()
    return list(wanted["program"])


def _opened(number: int, as_before: Any, encoding: str | None) -> io.TextIOWrapper:
    """A standard stream as the interpreter opens it, where ``as_before`` is what it opened for another file."""
    raw = io.FileIO(number, "w" if number else "r", closefd=False)
    buffer: Any = raw if isinstance(as_before.buffer, io.FileIO) else io.BufferedWriter(raw) if number else io.BufferedReader(raw)
    is_through = as_before.write_through
    errors = "strict" if encoding and number < 2 else as_before.errors
    known = codecs.lookup(encoding).name if encoding else as_before.encoding
    by_line = not is_through and (number == 2 or raw.isatty())
    return io.TextIOWrapper(buffer, known, errors, line_buffering=by_line, write_through=is_through)


def _main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        _load()
        module, *arguments = _become(_forked(connection))
    sys.argv[1:] = arguments
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        _end(end.code or 0)
    _end(0)


def _end(code: int) -> None:
    """End as the interpreter does, but leave what is loaded alone: to take it to pieces copies each page of it, for 0.1 s."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _main()
