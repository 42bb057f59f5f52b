"""`arbtui replay`: recordings through the same engine, in a state folder of its own."""

import tempfile
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from arbtui.marketdata.top_check import TopCheck
from arbtui.runtime.fingerprint import Fingerprint
from arbtui.runtime.plan import Plan
from arbtui.runtime.session import run_plan
from arbtui.runtime.venues import Ground, Venues, recorded_venues
from arbtui.settings.lock import ProfileLock
from arbtui.settings.options import ReplayOptions
from arbtui.settings.state import keep_private, make_private, mode_folder, profile_folder
from arbtui.settings.trust import refuse_untrusted


def run_replay(options: ReplayOptions) -> int:
    """Play the recordings; the exit code of docs/interface.md.

    Raises:
        ArbtuiError: a recording, the profile or the state folder cannot be used.
    """
    keep_private()
    if options.state_root is not None:
        return _replay(options, options.state_root)
    with tempfile.TemporaryDirectory(prefix="arbtui-replay-") as folder:
        return _replay(options, Path(folder))


def _replay(options: ReplayOptions, root: Path) -> int:
    settings = options.settings
    refuse_untrusted(root, profile_folder(root, settings.name))
    folder = make_private(profile_folder(root, settings.name))
    with ProfileLock(folder):
        return run_plan(
            Plan(
                settings=settings,
                folder=folder,
                state_folder=make_private(mode_folder(root, settings.name, settings.mode)),
                open_venues=partial(_open, options),
                origins=dict.fromkeys(settings.exchanges, "simulator"),
                virtual=options.speed is None,
                headless=True,
                max_runtime_s=None,
                json=options.json,
                top_check=TopCheck(),
                fingerprint=Fingerprint(),
            )
        )


def _open(options: ReplayOptions, ground: Ground) -> Coroutine[Any, Any, Venues]:
    return recorded_venues(options.settings, ground, options.files, options.speed or 1.0)
