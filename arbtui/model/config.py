"""The one base of every floor's `config.py`: frozen, strict, and closed to unknown keys."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A table of a profile. The docstring under a field is its help: unit first, then the reason of its default.

    Strict: a profile's ``"100"`` is not 100 and ``1`` is not true; NaN and infinities are refused.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        populate_by_name=True,
    )
