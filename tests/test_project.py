"""The project itself: locks, the wheel, and the set-up that `make` does."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.settings.shipped import NAMES

LOCKS = [REPOSITORY / "requirements.lock", REPOSITORY / "requirements-dev.lock"]


def locked(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\$", path.read_text(), re.MULTILINE))


def project() -> dict[str, object]:
    told: dict[str, object] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return told


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_versions_and_hashes_and_nothing_else(lock: Path) -> None:
    pinned = 0
    for line in lock.read_text().splitlines():
        if re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]* \\", line):
            pinned += 1
        else:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?|# .*|", line), line
            assert "/" not in line, line
    assert pinned > 20


def test_what_is_tested_is_what_runs() -> None:
    running, testing = (locked(lock) for lock in LOCKS)
    assert running.items() <= testing.items()


@pytest.mark.parametrize("name", ["pydantic-core", "psutil", "msgspec", "orjson"])
def test_wheels_of_every_python_and_platform_are_locked(name: str) -> None:
    """Compiled packages come in dozens of wheels; a lock made from this machine's alone would hold one or two hashes."""
    text = LOCKS[0].read_text()
    hashes = text[text.index(f"\n{name}==") :].split("\n")
    count = next(place for place, line in enumerate(hashes[2:]) if not line.startswith("    --hash"))
    assert count > 10


def test_every_dependency_is_locked_and_explained() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text()
    dependencies = project()["dependencies"]
    assert isinstance(dependencies, list)
    for requirement in dependencies:
        name = re.split(r"[=<>]", requirement)[0]
        assert name in locked(LOCKS[0])
        assert re.search(rf'"{re.escape(requirement)}",  # \w.{{15,}}', text), f"{name} has no reason beside it"
    assert "textual==8.2.8" in dependencies


def test_the_version_is_one() -> None:
    import arbtui

    assert project()["version"] == arbtui.__version__


@pytest.mark.slow
def test_an_installed_wheel_finds_its_profiles(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); from arbtui.cli import main; sys.exit(main())"
    command = [sys.executable, "-I", "-c", program, str(installed), "profiles"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in lines] == [[name, "shipped"] for name in NAMES]
    assert all(line[2].startswith(str(installed)) for line in lines)


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
class TestMake:
    @pytest.mark.parametrize(("version", "name"), [((3, 10), "3.10"), ((3, 14), "3.14")])
    def test_a_wrong_python_is_told(self, tmp_path: Path, version: tuple[int, int], name: str) -> None:
        """A Python that claims another version: the set-up stops before it makes anything."""
        shutil.copy(REPOSITORY / "Makefile", tmp_path)
        for lock in (*LOCKS, REPOSITORY / "pyproject.toml"):
            shutil.copy(lock, tmp_path)
        python = tmp_path / "python"
        python.write_text(
            f'#!/bin/sh\n[ "$1" = -V ] && echo Python {name} && exit 0\n'
            f'exec {sys.executable} -c "import sys; sys.version_info = {(*version, 0, "final", 0)}\n$2"\n'
        )
        python.chmod(0o755)
        done = subprocess.run(["make", "run", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0
        assert f"is Python {name}; arbtui needs 3.11, 3.12 or 3.13" in done.stderr
        assert not (tmp_path / ".venv").exists()

    def test_a_missing_python_is_told(self, tmp_path: Path) -> None:
        shutil.copy(REPOSITORY / "Makefile", tmp_path)
        for lock in (*LOCKS, REPOSITORY / "pyproject.toml"):
            shutil.copy(lock, tmp_path)
        done = subprocess.run(["make", "run", "PYTHON=python-that-is-not"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0
        assert "python-that-is-not is not installed" in done.stderr

    @pytest.mark.parametrize(("code", "said"), [(0, "passed under python-a"), (1, "failed under python-a")])
    def test_the_matrix_skips_what_is_not_installed_and_fails_with_any_that_fails(self, tmp_path: Path, code: int, said: str) -> None:
        """Two Pythons, one of them absent; the other's environment is a stub whose test run ends with ``code``."""
        for name in ("Makefile", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
            shutil.copy(REPOSITORY / name, tmp_path)
        stub = tmp_path / "bin" / "python-a"
        made = tmp_path / ".venv-python-a" / "bin" / "python"
        for script, ends in ((stub, 0), (made, code)):
            script.parent.mkdir(parents=True)
            script.write_text(f"#!/bin/sh\nexit {ends}\n")
            script.chmod(0o755)
        shutil.copy(REPOSITORY / "requirements-dev.lock", tmp_path / ".venv-python-a" / ".installed-dev")
        done = subprocess.run(
            ["make", "matrix", "PYTHONS=python-b python-a"],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{stub.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode != 0) == (code != 0)
        assert "python-b is not installed: skipped" in done.stdout
        assert said in done.stdout + done.stderr

    def test_targets(self) -> None:
        text = (REPOSITORY / "Makefile").read_text()
        for target in ("run", "test", "check", "coverage", "matrix", "bench", "proof", "lock"):
            assert re.search(rf"^{target}:", text, re.MULTILINE)
