"""A folder that was made is there after a power cut, and so are the names in it that somebody relies on."""

from pathlib import Path
from random import Random

from arbtui.model.durable_folder import make_folders
from arbtui.model.halt import read_flag, write_flag
from tests.disk.connection import on_disk
from tests.disk.log import PowerCuts


def after_a_cut(log_of: Path, left: Path, act: object) -> None:
    """Do ``act`` on a disk at ``log_of``, cut the power right after it, and keep as little as a disk may."""
    assert callable(act)
    with on_disk(log_of) as log:
        act()
    for seed in range(8):
        cuts = PowerCuts(log, Random(seed))
        cuts.advance(len(log.ops))
        cuts.leave(left / str(seed))


def test_folders_that_were_made_outlive_a_power_cut(tmp_path: Path) -> None:
    root, left = tmp_path / "root", tmp_path / "left"
    root.mkdir()
    after_a_cut(root, left, lambda: make_folders(root / "one" / "two" / "three"))
    assert all((left / str(seed) / "one" / "two" / "three").is_dir() for seed in range(8))


def test_a_flag_that_was_written_outlives_a_power_cut_with_the_folder_made_for_it(tmp_path: Path) -> None:
    root, left = tmp_path / "root", tmp_path / "left"
    root.mkdir()
    after_a_cut(root, left, lambda: write_flag(root / "profile", "cli", "of the test"))
    for seed in range(8):
        cause = read_flag(left / str(seed) / "profile")
        assert cause is not None
        assert cause.reason == "of the test"
