"""What every test may use."""

import os
import sys
from collections.abc import Iterator
from decimal import getcontext
from pathlib import Path

import pytest

from arbtui.model.money import DIGITS

REPOSITORY = Path(__file__).resolve().parent.parent

# Tests start about a thousand processes of the program. Without stored bytecode each would compile it anew: 0.5 s of CPU a start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(scope="session", autouse=True)
def _digits() -> None:
    """Money is added up in as many digits as in a session and on the command line."""
    getcontext().prec = DIGITS


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data that developers keep beside the repository; absent elsewhere, and then skipped."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recorded data: {folder} is absent")
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home folder with the platform's own places inside, nothing of arbtui in the environment, the umask kept."""
    for variable in [name for name in os.environ if name.startswith("ARBTUI_")]:
        monkeypatch.delenv(variable)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")  # child processes stay out of the developer's own
    before = os.umask(0o022)
    yield folder
    os.umask(before)
