"""Settings of the guardian: table ``[guardian]``."""

from pydantic import Field

from arbtui.model.config import Config


class GuardianConfig(Config):
    """When `arbtui guardian`, a process of its own, takes an engine for lost."""

    heartbeat_s: float = Field(default=5.0, ge=2.0, le=300.0)
    """s without a finished decision, or without the idle pass that is made once a second, after which an armed engine is killed."""
