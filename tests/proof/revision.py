"""Which code a result is about."""

import hashlib
import subprocess
from pathlib import Path

#: What can change a check's result. Documentation cannot.
_CODE = ("arbtui", "tests", "profiles", "pyproject.toml")


def revision(repository: Path) -> str:
    """The commit; where code differs from it, followed by ``+`` and a digest of the differences.

    Raises:
        RuntimeError: no git, or no commit.
    """

    def git(*arguments: str) -> bytes:
        done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, check=False, timeout=60)
        if done.returncode:
            raise RuntimeError(f"git {arguments[0]} in {repository}: {done.stderr.decode().strip()}")
        return done.stdout

    commit = git("rev-parse", "HEAD").decode().strip()[:12]
    changes = hashlib.sha256(git("diff", "HEAD", "--", *_CODE))
    added = git("ls-files", "--others", "--exclude-standard", "-z", "--", *_CODE)
    for name in filter(None, added.split(b"\0")):
        changes.update(name + b"\0" + (repository / name.decode()).read_bytes())
    clean = hashlib.sha256(b"").digest() == changes.digest()
    return commit if clean else f"{commit}+{changes.hexdigest()[:8]}"
