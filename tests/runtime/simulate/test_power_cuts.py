"""F41 in whole stories: each crash is a power cut of the engine's machine, at the same seeds."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from arbtui.runtime.simulate.faults import CRASHES, FaultKind
from arbtui.runtime.simulate.play import StoryOptions, play
from tests.disk.story import story_disk
from tests.proof.steps import STORIES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_ALL = StoryOptions(1, 1.0, 5, tuple(FaultKind))
_SEEDS = int(os.environ.get(STORIES, "0")) or 3


def test_f41_stories_whose_crashes_are_power_cuts_break_nothing(tmp_path: Path) -> None:
    cuts, lost, fired = 0, 0, Counter[str]()
    for seed in range(1, _SEEDS + 1):
        root = tmp_path / f"{seed}"
        root.mkdir()
        with story_disk(root, seed) as disk:
            played = play(replace(_ALL, seed=seed), root, disk)
        assert played.broken is None, "\n".join(played.story)
        assert disk.cuts == played.crashes
        cuts, lost = cuts + disk.cuts, lost + disk.lost_operations
        fired.update({kind: times for kind, times in played.fired.items() if kind in CRASHES})
    print(f"STORIES {_SEEDS}: {cuts} power cuts, {lost} operations of writes under way lost; {dict(fired)}")
    assert cuts > _SEEDS


def test_one_seed_and_its_power_cuts_are_one_story(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with story_disk(tmp_path / name, 4) as disk:
            digests.add(play(replace(_ALL, seed=4), tmp_path / name, disk).journal_sha256)
    assert len(digests) == 1


def test_a_story_finds_a_flag_that_was_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill that was acknowledged, and is in no journal yet."""
    monkeypatch.setattr("arbtui.model.halt.sync_folder", lambda _: None)
    broken = Counter[str]()
    for seed in range(1, 9):
        root = tmp_path / f"{seed}"
        root.mkdir()
        with story_disk(root, seed) as disk:
            played = play(replace(_ALL, seed=seed, minutes=0.7, kinds=(FaultKind.CRASH_AFTER_FLAG,)), root, disk)
        if played.broken is not None:
            broken[played.broken[0]] += 1
        if broken["I11 a kill outlives the process"]:
            return
    raise AssertionError(broken)
