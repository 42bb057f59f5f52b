"""Settings of a start: table ``[failover]``."""

from typing import Literal

from pydantic import Field

from arbtui.model.config import Config

Resume = Literal["mode", "manual", "clean", "always"]


class FailoverConfig(Config):
    """What a start does that nobody confirms."""

    resume: Resume = Field(default="mode")
    """whether it arms by itself: "manual" never, "clean" after a run that ended in order and a recovery that found nothing, "always"
    after any clean recovery; "mode": manual in live, always else."""
