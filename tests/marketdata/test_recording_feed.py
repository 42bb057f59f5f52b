import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from arbtui.exchanges.feed import Frame
from arbtui.marketdata.formats.own import RecordingWriter
from arbtui.marketdata.recording_feed import RecordingFeed
from arbtui.model.clock import LoopClock, SystemClock
from arbtui.model.errors import UsageError
from arbtui.model.virtual_loop import run_virtual

MS = 1_000_000
START = 1_723_161_253_937_085_768


def record(path: Path, *times: int) -> Path:
    with RecordingWriter(path, ["upbit"]) as writer:
        for i, ts in enumerate(times):
            writer.write(START + ts, Frame("upbit", str(i).encode()))
    return path


async def play(path: Path, speed: float) -> list[tuple[float, list[str]]]:
    """(seconds since the start, frames) of every delivery."""
    clock = LoopClock(asyncio.get_running_loop())
    feed = RecordingFeed([path], clock, speed=speed)
    began, out = clock.monotonic(), []

    def deliver(frames: Sequence[Frame]) -> None:
        out.append((round(clock.monotonic() - began, 6), [frame.raw.decode() for frame in frames]))

    await feed.run(deliver)
    return out


def test_frames_come_at_their_time_never_early_and_only_those_of_one_time_together(tmp_path: Path) -> None:
    path = record(tmp_path / "a.gz", 0, 0, 100, 5 * MS, 5 * MS + 1, 2000 * MS)
    assert run_virtual(play(path, 1.0)) == [
        (0.0, ["0", "1"]),
        (0.001, ["2"]),
        (0.005, ["3"]),
        (0.006, ["4"]),
        (2.0, ["5"]),
    ]


def test_a_higher_speed_shortens_every_pause(tmp_path: Path) -> None:
    path = record(tmp_path / "a.gz", 0, 1000 * MS, 3000 * MS)
    assert [when for when, _ in run_virtual(play(path, 10.0))] == [0.0, 0.1, 0.3]
    assert [when for when, _ in run_virtual(play(path, 0.5))] == [0.0, 2.0, 6.0]


def test_an_hour_of_recording_ends_on_its_second_in_virtual_time(tmp_path: Path) -> None:
    path = record(tmp_path / "a.gz", *(i * 1000 * MS for i in range(3601)))
    assert run_virtual(play(path, 1.0))[-1] == (3600.0, ["3600"])


def test_a_replay_that_is_behind_lets_other_tasks_run(tmp_path: Path) -> None:
    path = record(tmp_path / "a.gz", *range(5000))

    async def main() -> list[int]:
        delivered, seen = 0, [0]

        def deliver(frames: Sequence[Frame]) -> None:
            nonlocal delivered
            delivered += len(frames)

        async def other() -> None:
            while True:
                await asyncio.sleep(0)
                seen.append(delivered)

        task = asyncio.create_task(other())
        await RecordingFeed([path], SystemClock()).run(deliver)
        task.cancel()
        return seen

    seen = asyncio.run(main())
    assert max(after - before for before, after in pairwise(seen)) < 2 * 256
    assert seen[-1] > 4000


def test_a_truncated_recording_ends_the_run_with_an_error_after_all_that_was_whole(tmp_path: Path) -> None:
    path = record(tmp_path / "a.gz", *(i * MS for i in range(2000)))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    delivered: list[str] = []

    async def main() -> None:
        feed = RecordingFeed([path], LoopClock(asyncio.get_running_loop()))
        await feed.run(lambda frames: delivered.extend(frame.raw.decode() for frame in frames))

    with pytest.raises(UsageError, match="truncated: the gzip data ends early") as caught:
        run_virtual(main())
    assert delivered == [str(i) for i in range(len(delivered))]
    assert f"after {len(delivered) + 1} whole" in str(caught.value)
    assert len(delivered) > 500


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_leads_nowhere_is_refused(tmp_path: Path, speed: float) -> None:
    path = record(tmp_path / "a.gz", 0)

    async def main() -> None:
        RecordingFeed([path], LoopClock(asyncio.get_running_loop()), speed=speed)

    with pytest.raises(UsageError, match="--speed"):
        run_virtual(main())
