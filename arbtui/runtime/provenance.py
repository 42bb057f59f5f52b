"""Which program a run was: the commit of its checkout, and the hash of its pinned dependencies."""

import subprocess
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

#: The folder that holds the package: a checkout's root, or ``site-packages``.
_ROOT = Path(__file__).resolve().parents[2]
_LOCK = "requirements.lock"
_GIT_S = 5.0


@cache
def checkout_commit() -> str:
    """The commit of the checkout that the program runs from, with ``+changes`` where its files differ; empty outside of one."""
    if not (_ROOT / ".git").exists():
        return ""
    with suppress(OSError, subprocess.SubprocessError):
        commit = _git("rev-parse", "HEAD")
        return f"{commit}+changes" if commit and _git("status", "--porcelain", "--untracked-files=no") else commit
    return ""


@cache
def lock_hash() -> str:
    """SHA-256 of the checkout's ``requirements.lock``, hex; empty where there is none."""
    try:
        return sha256((_ROOT / _LOCK).read_bytes()).hexdigest()
    except OSError:
        return ""


def _git(*arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(_ROOT), *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_GIT_S, check=True)
    return done.stdout.strip()
