"""``simulate``: its flags, checked before the first story."""

import re

from arbtui.model.errors import UsageError
from arbtui.settings.state import existing_root

_MOST_SEEDS = 100_000
_MOST_HOURS = 24.0


def run(
    profile: str,
    *,
    seed: int | None,
    seeds: int | None,
    minutes: float | None,
    hours: float | None,
    symbols: int,
    faults: str,
    only: str | None,
    jobs: int,
    stop_at_first: bool,
    json: bool,
    state_dir: str | None,
) -> int:
    """Check, then play.

    Raises:
        UsageError: a flag is wrong.
    """
    from arbtui.runtime.simulate.play import StoryOptions
    from arbtui.runtime.simulate.simulate import SimulateOptions, kinds_of, run_simulate

    if minutes is not None and hours is not None:
        raise UsageError("--minutes or --hours, not both")
    length = minutes if minutes is not None else hours * 60.0 if hours is not None else 3.0
    if not 0.5 <= length <= _MOST_HOURS * 60.0:
        raise UsageError(f"a story of {length:g} minutes: expected from 0.5 minutes to {_MOST_HOURS:g} hours")
    if seed is not None and not 0 <= seed < 2**63:
        raise UsageError(f"--seed {seed}: expected a number from 0 up, below 2**63")
    count = seeds if seeds is not None else 1 if seed is not None else 20
    if not 1 <= count <= _MOST_SEEDS:
        raise UsageError(f"--seeds {count}: expected a number from 1 to {_MOST_SEEDS:,}")
    if not 1 <= symbols <= 50:
        raise UsageError(f"--symbols {symbols}: expected a number from 1 to 50")
    if not 1 <= jobs <= 64:
        raise UsageError(f"--jobs {jobs}: expected a number from 1 to 64")
    first = seed if seed is not None else 1
    story = StoryOptions(first, length, symbols, kinds_of(faults), _numbers(only), profile)
    root = None if state_dir is None else existing_root(state_dir)
    return run_simulate(SimulateOptions(story, range(first, first + count), root, jobs, json, stop_at_first, faults))


def _numbers(only: str | None) -> tuple[int, ...] | None:
    if only is None:
        return None
    if only == "none":
        return ()
    if not re.fullmatch(r"\d{1,6}(,\d{1,6})*", only):
        raise UsageError(f"--only {only!r}: expected numbers of faults with commas between them, or none")
    return tuple(int(number) for number in only.split(","))
