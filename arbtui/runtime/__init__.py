"""The composition root: builds everything from a profile, runs it, and tells how it ended."""

from arbtui.runtime.replay import run_replay
from arbtui.runtime.session import run_session

__all__ = ["run_replay", "run_session"]
