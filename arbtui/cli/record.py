"""``record``: its flags, checked before the start."""

import os
from pathlib import Path

from arbtui.model.errors import UsageError

LONGEST_S = 7 * 86_400.0


def run(profile: str, duration: float | None, output: str | None, json: str | None, *, append: bool = False) -> int:
    """Check, then record.

    Raises:
        UsageError: a flag is wrong.
    """
    from arbtui.settings.load import load_profile
    from arbtui.settings.options import RecordOptions
    from arbtui.settings.output import JsonOutput

    if duration is None:
        raise UsageError("how long? --duration S")
    if not 0.1 <= duration <= LONGEST_S:
        raise UsageError(f"--duration {duration:g}: expected seconds from 0.1 to {LONGEST_S:g}")
    if not output:
        raise UsageError("where to? -o FILE")
    options = RecordOptions(
        settings=load_profile(profile, {"mode": "paper"}),
        duration_s=duration,
        output=Path(os.path.expanduser(output)),
        append=append,
        json=None if json is None else JsonOutput(json),
    )
    from arbtui.runtime.record import run_record

    return run_record(options)
