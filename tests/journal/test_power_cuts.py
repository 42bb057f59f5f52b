"""F41: the power fails at any moment, and of what was not synced any part is there: nothing that was acknowledged is lost."""

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from arbtui.journal.database import Statement
from arbtui.journal.store import AioWriter
from tests.disk.connection import DiskOptions, on_disk
from tests.disk.log import PowerCuts
from tests.journal.power_life import Acknowledged, Cuts, Life, chosen_places, lost
from tests.proof.steps import CUTS

_CUTS = int(os.environ.get(CUTS, "0")) or 40
_A_LIFE = 20  #: cuts of one recorded life; the next one begins on what the last of them left
_LIVES = 4  #: lives of one journal
_SEED = 20261129


def cut_power(folder: Path, seed: int, cuts: int, options: DiskOptions) -> Cuts:
    """Record lives of journals and cut the power ``cuts`` times, each at a place that ``seed`` determines."""
    shown, number, told = Cuts(), 0, list[Acknowledged]()
    root = folder / "fresh"
    root.mkdir()
    while shown.done < cuts:
        random = Random(f"{seed} {number}")
        checkpoint = options.checkpoint or random.choice((0, 12, 40))
        with on_disk(root, options=DiskOptions(options.synchronous, checkpoint)) as log:
            life = Life(log, cycles=random.randint(4, 14))
            life.play()
        assert not life.refused, life.refused
        assert not life.failures
        walk = PowerCuts(log, random)
        for place in chosen_places(log, random, min(_A_LIFE, cuts - shown.done)):
            walk.advance(place)
            left = folder / f"left-{shown.done}"
            walk.leave(left)
            base = folder / f"base-{shown.done}"
            shutil.copytree(left, base)
            shown.done += 1
            shown.acknowledged += len(told) + len(walk.told)
            if why := lost(left, [*told, *walk.told]):
                shown.found.append(f"seed {seed}, life {number}, operation {place} of {len(log.ops)}: {why}")
            shutil.rmtree(left)
            shutil.rmtree(root, ignore_errors=True)
            root = base
        number += 1
        told += walk.told
        if number % _LIVES == 0 or shown.found:
            told = []
            root = folder / f"fresh-{number}"
            root.mkdir()
    return shown


def test_f41_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    shown = cut_power(tmp_path, _SEED, _CUTS, DiskOptions())
    print(f"CUTS {shown.done}, {shown.acknowledged:,} acknowledgements looked for, {len(shown.found)} lost something")
    assert not shown.found, shown.found[:3]
    assert shown.acknowledged > 10 * _CUTS


def test_f41_the_check_finds_what_a_weaker_setting_loses(tmp_path: Path) -> None:
    """``NORMAL`` syncs the log at checkpoints only, as the journal once might have been set."""
    shown = cut_power(tmp_path, _SEED, 20, DiskOptions(synchronous="NORMAL"))
    assert len(shown.found) >= 5, shown.found


def test_f41_the_check_finds_a_tip_that_is_ahead_of_its_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a tip would have the next start refuse a journal that is whole."""
    commit = AioWriter.commit

    async def does_not_wait(writer: AioWriter, statements: Sequence[Statement]) -> None:
        if statements:
            await commit(writer, statements)

    async def at_once(work: Callable[..., object], *values: object, **options: object) -> object:
        return work(*values, **options)

    monkeypatch.setattr(AioWriter, "commit", does_not_wait)
    monkeypatch.setattr(asyncio, "to_thread", at_once)
    shown = cut_power(tmp_path, _SEED, 60, DiskOptions())
    assert any("cut off" in found for found in shown.found), shown.found
