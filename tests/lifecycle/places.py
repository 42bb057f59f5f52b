"""Places where things go wrong: folders that cannot be written and disks that are full, in a mount namespace of their own."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lifecycle.programs import Ended
from tests.lifecycle.waiting import DEADLINE_S


def in_namespace(script: str) -> Ended:
    """Run a shell script that may mount things, which nobody outside sees; skips where the kernel does not allow it."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("no mount namespace here (unshare -rm): permission bits alone do not bind root")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def program(*arguments: str) -> str:
    """The command line, for a shell."""
    return shlex.join([sys.executable, "-m", "arbtui", *arguments])


def read_only(folder: Path, *arguments: str) -> Ended:
    """Run the command line while ``folder`` is on a read-only file system."""
    place = shlex.quote(str(folder))
    return in_namespace(f"mount --bind {place} {place} && mount -o remount,bind,ro {place} && exec {program(*arguments)}")
