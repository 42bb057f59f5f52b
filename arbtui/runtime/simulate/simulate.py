"""``arbtui simulate``: plays stories from seeds, tells what fired and what was checked, and shortens the first that breaks something."""

import json
import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from arbtui.model.counted import counted
from arbtui.model.errors import UsageError
from arbtui.runtime.simulate.faults import FaultKind
from arbtui.runtime.simulate.play import Played, StoryOptions, play, settings_of
from arbtui.runtime.simulate.shrink import shrink
from arbtui.runtime.virtual_progress import VirtualProgress
from arbtui.settings.output import say, show_progress, tell


@dataclass(frozen=True, slots=True)
class SimulateOptions:
    """What was asked for. ``story``: of the first seed; ``root``: where the files of each seed are kept, or None."""

    story: StoryOptions
    seeds: Sequence[int]
    root: Path | None
    jobs: int
    json: bool  #: print JSON, and nothing else
    stop_at_first: bool  #: play no more once an invariant broke
    faults: str  #: as typed, for the command that repeats a story


def run_simulate(options: SimulateOptions) -> int:
    """Play every seed; 0, or 1 when an invariant broke.

    Raises:
        UsageError: the profile cannot be played, or a folder for a seed is not empty.
    """
    settings_of(options.story)  # a profile that is wrong is told once, before anything is played
    began = time.monotonic()
    done: list[Played] = []
    for played in _play_all(options):
        done.append(played)
        show_progress("")
        if not options.json:
            tell(f"{line_of(played)}\n")
            sys.stdout.flush()  # whoever reads it through a pipe sees each as it comes
        _progress(len(done), len(options.seeds), began)
        if played.broken is not None and options.stop_at_first:
            break
    show_progress("")
    failed = [played for played in done if played.broken is not None]
    shortened = None
    if failed:
        first = replace(options.story, seed=failed[0].seed)
        say(f"seed {first.seed} breaks an invariant; leaving faults out while it still does")
        shortened = shrink(first, failed[0])
        if not options.json:
            tell("\n" + "\n".join(told(shortened, command_of(options, shortened))) + "\n")
    if options.json:
        tell(json.dumps(facts_of(options, done, shortened, time.monotonic() - began), indent=2) + "\n")
    else:
        tell(f"\n{total_of(done)}\n")
    return 1 if failed else 0


def _play_all(options: SimulateOptions) -> Iterator[Played]:
    stories = [replace(options.story, seed=seed) for seed in options.seeds]
    roots = [None if options.root is None else options.root / f"seed-{seed}" for seed in options.seeds]
    for root in roots:
        if root is not None and root.exists() and any(root.iterdir()):
            raise UsageError(f"{root} is not empty: a story begins in an empty folder; move it away, or name another --state-dir")
        if root is not None:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if options.jobs == 1:
        for story, root in zip(stories, roots, strict=True):
            yield play(story, root, progress=VirtualProgress(story.minutes * 60.0, f"seed {story.seed}: ").look)
        return
    # ^C reaches every process of a terminal: a child that outlived it would play what is queued to its end.
    at_once = (signal.SIGINT, signal.SIG_DFL)
    with ProcessPoolExecutor(options.jobs, max_tasks_per_child=50, initializer=signal.signal, initargs=at_once) as pool:
        yield from pool.map(play, stories, roots)


def line_of(played: Played) -> str:
    """One seed in one line."""
    faults = ", ".join(f"{kind} {times}" if times > 1 else kind for kind, times in played.fired.items()) or "no faults"
    looks = sum(played.checked.values())
    verdict = "ok" if played.broken is None else f"BROKEN {played.broken[0]}"
    return (
        f"seed {played.seed}: {verdict}; {counted(played.starts, 'start')}, {played.orders} orders, {played.fills} fills; {faults}; "
        f"{len(played.checked)} invariants looked at {looks:,} times"
    )


def total_of(done: Iterable[Played]) -> str:
    """All seeds in a few lines."""
    done = list(done)
    fired: Counter[str] = sum((Counter(played.fired) for played in done), Counter())
    checked: Counter[str] = sum((Counter(played.checked) for played in done), Counter())
    virtual, wall = sum(played.virtual_s for played in done), sum(played.wall_s for played in done)
    speed, of_cpu = virtual / max(wall, 1e-9), virtual / max(sum(played.cpu_wall_s for played in done), 1e-9)
    told = f"{speed:.0f} virtual seconds a second, {of_cpu:.0f} a second of CPU"
    lines = [f"{counted(len(done), 'seed')}, {virtual / 60:.1f} virtual minutes, {told}"]
    lines.append(f"faults fired: {', '.join(f'{kind} {times}' for kind, times in sorted(fired.items())) or 'none'}")
    lines.append(f"invariants looked at: {', '.join(f'{name} ({times:,})' for name, times in sorted(checked.items()))}")
    failed = [played.seed for played in done if played.broken is not None]
    lines.append(f"BROKEN in {counted(len(failed), 'seed')}: {', '.join(map(str, failed))}" if failed else "every invariant held")
    return "\n".join(lines)


def told(played: Played, command: str) -> list[str]:
    """The story of a seed that broke something."""
    assert played.broken is not None
    invariant, detail = played.broken
    faults = "; ".join(fault.words() for fault in played.drawn) or "none: it breaks without any"
    return [f"seed {played.seed} breaks: {invariant}", f"  {detail}", f"  faults: {faults}", "", *played.story, "", f"again: {command}"]


def command_of(options: SimulateOptions, played: Played) -> str:
    """The command that plays a story again."""
    story = options.story
    words = ["arbtui", "simulate", "--profile", story.profile, "--seed", str(played.seed), "--minutes", f"{story.minutes:g}"]
    words += ["--symbols", str(story.symbols), "--faults", options.faults]
    words += ["--only", ",".join(str(fault.number) for fault in played.drawn) or "none"]
    return shlex.join(words)


def facts_of(options: SimulateOptions, done: Sequence[Played], shortened: Played | None, wall_s: float) -> dict[str, Any]:
    """As JSON. What differs from run to run has a key with ``wall`` or ``per_s`` in it."""
    virtual = sum(played.virtual_s for played in done)
    facts: dict[str, Any] = {
        "profile": options.story.profile,
        "symbols": options.story.symbols,
        "minutes": options.story.minutes,
        "seeds": [_facts(played) for played in done],
        "broken": [played.seed for played in done if played.broken is not None],
        "virtual_s": round(virtual, 3),
        "wall_s": round(wall_s, 3),
        "virtual_s_per_s": round(virtual / max(sum(played.wall_s for played in done), 1e-9), 1),
    }
    if shortened is not None:
        facts["story"] = {**_facts(shortened), "lines": shortened.story, "command": command_of(options, shortened)}
    return facts


def _facts(played: Played) -> dict[str, Any]:
    row = asdict(replace(played, drawn=[], story=[]))
    del row["drawn"], row["story"]
    row["faults"] = [fault.words() for fault in played.drawn]
    row["broken"] = None if played.broken is None else {"invariant": played.broken[0], "detail": played.broken[1]}
    row |= {name: round(row[name], 3) for name in ("virtual_s", "wall_s", "cpu_wall_s")}
    return row


def _progress(done: int, wanted: int, began: float) -> None:
    left = (time.monotonic() - began) / done * (wanted - done)
    show_progress(f"{done} of {wanted} seeds, about {left:.0f} s left")


def kinds_of(words: str) -> tuple[FaultKind, ...]:
    """``all``, ``none``, or names of kinds with commas between them.

    Raises:
        UsageError: an unknown name.
    """
    if words in ("all", "none"):
        return tuple(FaultKind) if words == "all" else ()
    found = []
    for word in (word.strip().replace("-", " ") for word in words.split(",")):
        if word not in list(FaultKind):
            names = ", ".join(kind.value.replace(" ", "-") for kind in FaultKind)
            raise UsageError(f"--faults {words}: {word!r} is no kind of fault; there are all, none, {names}")
        found.append(FaultKind(word))
    return tuple(found)
