"""A full or failing disk: the commit that met it fails, every later one is refused, and nothing acknowledged is lost."""

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

_CHILD = [sys.executable, "-m", "tests.journal.full_disk_child"]


def on_a_disk_of(kilobytes: int, folder: Path) -> dict[str, Any]:
    """What the child says on a tmpfs of that size, mounted in a namespace of its own."""
    mount = f'mount -t tmpfs -o size={kilobytes}k tmpfs "$0" && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", mount, str(folder), *_CHILD, str(folder)]
    return said(command, lambda: None)


def with_files_up_to(kilobytes: int, folder: Path) -> dict[str, Any]:
    """What the child says when no file may grow beyond that size (writing more is EFBIG)."""
    limit = kilobytes * 1024
    return said([*_CHILD, str(folder)], lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))


def said(command: list[str], prepare: Callable[[], None]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False, preexec_fn=prepare)
    if done.stderr.startswith(("unshare:", "mount:")):
        pytest.skip(f"no namespaces here: {done.stderr.strip()}")
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(("limited", "kilobytes"), [(on_a_disk_of, 1500), (with_files_up_to, 600)])
def test_f42_nothing_acknowledged_is_lost_and_nothing_follows_the_failure(
    tmp_path: Path, limited: Callable[[int, Path], dict[str, Any]], kilobytes: int
) -> None:
    answer = limited(kilobytes, tmp_path)
    assert answer["acknowledged"] > 50
    assert answer["last"] == answer["events"]
    # One more may be there: written, but its acknowledgement failed.
    assert answer["acknowledged"] <= answer["events"] <= answer["acknowledged"] + 1
    assert answer["integrity"] == "ok"
    assert len(answer["errors"]) == 3
    assert len(answer["told"]) == 1
    assert "journal.db" in answer["errors"][0]


@pytest.mark.parametrize("kilobytes", [4, 60, 150])
def test_f42_a_disk_that_is_full_at_the_start_is_refused_with_what_to_do(tmp_path: Path, kilobytes: int) -> None:
    answer = on_a_disk_of(kilobytes, tmp_path)
    assert "journal.db" in answer["refused"]
    assert "free space" in answer["refused"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes the sync fail")
def test_f42_a_failed_sync_is_never_tried_again(tmp_path: Path) -> None:
    """Only one fdatasync fails, so a second try would "succeed" on pages that the kernel may have dropped."""
    inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=20"]
    answer = said([*inject, *_CHILD, str(tmp_path)], lambda: None)
    assert 0 < answer["acknowledged"] < 25
    assert answer["acknowledged"] <= answer["events"] <= answer["acknowledged"] + 1
    assert len(answer["errors"]) == 3
    assert len(answer["told"]) == 1
