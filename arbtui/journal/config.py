"""Settings of the journal: table ``[journal]``."""

from pydantic import Field

from arbtui.model.config import Config


class JournalConfig(Config):
    """How often state is written beyond the events themselves."""

    keep_events: int = Field(default=50_000, ge=1_000, le=100_000_000)
    """Events that stay in the journal's file; older ones go to archives beside it, so that a start takes as long in a year as now."""

    snapshot_interval_s: float = Field(default=5.0, ge=0.1, le=3600)
    """s between two state snapshots; a restart replays at most this much, and a snapshot costs one commit."""
    backup_interval_min: float = Field(default=15.0, ge=0.0, le=1440.0)
    """min between two automatic backups in live, each checked; one is also made at a clean stop. 0: none."""
    backup_hours: int = Field(default=24, ge=1, le=720)
    """h for which the last automatic backup of each hour is kept."""
