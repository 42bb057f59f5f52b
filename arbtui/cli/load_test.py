"""``load-test``: its flags, checked before the start."""

import os
import re
from pathlib import Path

from arbtui.model.errors import UsageError

MOST_SYMBOLS = 1000


def run(
    profile: str,
    symbols: str,
    duration: float | None,
    report: str | None,
    state_dir: str | None,
    *,
    soak: float | None = None,
    console: bool = False,
    json: str | None = None,
) -> int:
    """Check, then run the load test.

    Raises:
        UsageError: a flag is wrong.
    """
    from arbtui.settings.load import load_profile
    from arbtui.settings.options import LoadTestOptions
    from arbtui.settings.output import JsonOutput
    from arbtui.settings.state import state_root

    counts = wanted_counts(symbols)
    if duration is not None and soak is not None:
        raise UsageError("--duration and --soak: give one of them; a soak is a run that is judged by what must stay level")
    flag, seconds = ("--duration", duration) if soak is None else ("--soak", soak)
    if seconds is None:
        raise UsageError("how long? --duration S, for each number of symbols, or --soak S")
    if not 1.0 <= seconds <= 86_400.0:
        raise UsageError(f"{flag} {seconds:g}: expected seconds from 1 to 86400")
    if report == "" or (report is None and soak is None and json is None):
        raise UsageError("where to? --report DIR")
    options = LoadTestOptions(
        settings=load_profile(profile, {"mode": "sim"}),
        profile=profile,
        symbols=counts,
        duration_s=seconds,
        report=None if report is None else Path(os.path.expanduser(report)),
        state_root=None if state_dir is None else state_root(state_dir),
        soak=soak is not None,
        console=console,
        json=None if json is None else JsonOutput(json),
    )
    from arbtui.runtime.load_test.load_test import run_load_test

    return run_load_test(options)


def wanted_counts(text: str) -> tuple[int, ...]:
    """``--symbols 10,20,50``: numbers of symbols, each once.

    Raises:
        UsageError: not numbers from 1 to 1000 with commas between them, or one twice.
    """
    counts: list[int] = []
    for word in (word.strip() for word in text.split(",")):
        if not re.fullmatch(r"\d{1,4}", word) or not 1 <= int(word) <= MOST_SYMBOLS:
            raise UsageError(f"--symbols {text!r}: {word!r} is not a number from 1 to {MOST_SYMBOLS}; expected numbers such as 10,20,50")
        if int(word) in counts:
            raise UsageError(f"--symbols {text!r}: {word} is named twice")
        counts.append(int(word))
    return tuple(counts)
