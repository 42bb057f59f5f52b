"""The systemd unit: what it says is what systemd understands, and starts what there is."""

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

UNIT = REPOSITORY / "deploy" / "arbtui@.service"


def unit() -> configparser.RawConfigParser:
    told = configparser.RawConfigParser(strict=True)
    told.optionxform = str  # type: ignore[assignment,method-assign]
    told.read_string(UNIT.read_text())
    return told


def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    here = UNIT.read_text().replace("/usr/local/bin/arbtui", sys.executable).replace("User=arbtui", "User=root")
    copy = tmp_path / "arbtui@desk.service"
    copy.write_text(here)
    told = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, timeout=60)
    assert (told.returncode, told.stderr) == (0, "")


def test_it_starts_the_supervisor_ends_it_in_order_and_leaves_what_stays_down_to_a_person() -> None:
    service = unit()["Service"]
    command = shlex.split(service["ExecStart"])
    assert command[1:4] == ["supervise", "--profile", "%i"]
    assert "--confirm" not in command, "nobody has typed it"
    assert (service["KillMode"], service["KillSignal"], service["TimeoutStopSec"]) == ("mixed", "SIGTERM", "30")
    assert service["Restart"] == "on-abnormal", "an exit code is the engine's own word"
    assert (service["UMask"], service["LimitCORE"], service["NoNewPrivileges"]) == ("0077", "0", "yes")
    help_of = subprocess.run([sys.executable, "-m", "arbtui", "supervise", "--help"], capture_output=True, text=True, timeout=60)
    flags = [word for word in command if word.startswith("--")]
    assert flags
    for flag in flags:
        assert flag in help_of.stdout
