"""Settings of the journal: table ``[journal]``."""

from pydantic import Field

from arbtui.model.config import Config


class JournalConfig(Config):
    """How often state is written beyond the events themselves."""

    snapshot_interval_s: float = Field(default=5.0, ge=0.1, le=3600)
    """s between two state snapshots; a restart replays at most this much, and a snapshot costs one commit."""
