"""A process that holds keys and crashes leaves no core dump, wherever the kernel would put one."""

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lifecycle.live import live_desk
from tests.lifecycle.programs import running
from tests.lifecycle.waiting import until

KEYS = {"ARBTUI_UPBIT_KEY": "key-of-a-test-1234", "ARBTUI_UPBIT_SECRET": "secret-of-a-test-12345678"}
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def unlimited() -> None:
    """Let dumps be as large as this user may have them."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def crash(program: str, folder: Path, **environment: str) -> bool:
    """Run ``program``, then abort; True when the kernel wrote a dump, to a file or to the machine's own handler of them."""
    code = f"import os\n{program}\nos.abort()"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, preexec_fn=unlimited, env={**os.environ, **environment})
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status
    assert os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status) or any(folder.iterdir())


@pytest.fixture
def dumping(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not crash("", tmp_path_factory.mktemp("control")):
        pytest.skip("this machine writes no core dumps at all (ulimit -H -c, or no handler): nothing to see")


@pytest.mark.parametrize(
    "program",
    [
        "from arbtui.settings.venue_keys import venue_keys; venue_keys('upbit', live=True)",
        "from arbtui.settings.venue_keys import from_environment; from_environment('upbit')",
        "from arbtui.cli.run import run; run(['check', '--profile', 'upbit-binance'])",
        "from arbtui.cli.run import run; run(['keys', 'list'])",
    ],
    ids=["venue_keys", "environment", "check", "keys list"],
)
def test_whoever_has_read_keys(home: Path, tmp_path: Path, dumping: None, program: str) -> None:
    (tmp_path / "empty").mkdir()
    assert not crash(program, tmp_path / "empty", **KEYS)


@pytest.mark.parametrize(
    ("program", "dumpable"),
    [
        ("pass", 1),
        ("from arbtui.settings.venue_keys import from_environment; from_environment('upbit')", 0),
        ("from arbtui.settings.load import load_profile; from arbtui.settings.secrets import telegram_token\n"
         "telegram_token(load_profile('upbit-binance', {'telegram': {'enabled': True, 'chat_ids': [1]}}))", 0),
    ],
    ids=["nothing read", "keys", "bot token"],
)  # fmt: skip
def test_the_kernel_is_told(home: Path, program: str, dumpable: int) -> None:
    code = f"{program}\nimport ctypes, resource; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[0])"
    environment = {**os.environ, **KEYS, "ARBTUI_TELEGRAM_TOKEN": "123456:AAtoken"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, preexec_fn=unlimited, capture_output=True, text=True, timeout=60)
    told, limit = done.stdout.split()
    assert int(told) == dumpable
    assert (limit == "0") is (dumpable == 0) or resource.getrlimit(resource.RLIMIT_CORE)[1] == 0


def test_an_engine_in_live(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        live_desk(home, monkeypatch, symbols=2) as desk,
        running(*desk.arguments("--symbols", "2"), folder=home / "out") as engine,
    ):
        until(lambda: engine.alive() and desk.journal.exists(), "the engine")
        limits = Path(f"/proc/{engine.pid}/limits").read_text()
        assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.MULTILINE)
        engine.signal(signal.SIGSEGV)
        _, status = os.waitpid(engine.pid, 0)
        engine.process.returncode = status
        assert os.WTERMSIG(status) == signal.SIGSEGV
        assert not os.WCOREDUMP(status)
