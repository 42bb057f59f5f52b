"""The environment as a layer of settings: ``ARBTUI_`` and the dotted key in capitals, with ``__`` for the dots."""

import os
import tomllib
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from arbtui.model.errors import UsageError
from arbtui.settings.structure import odd_text, odd_value

PREFIX = "ARBTUI_"
MODE_VARIABLE = "ARBTUI_MODE"


class EnvironmentSource(PydanticBaseSettingsSource):
    """Reads ``ARBTUI_EXECUTION__ORDER_VALUE=50`` as ``execution.order_value = 50``.

    A value is read as TOML where it is TOML (``50``, ``true``, ``["BTC"]``) and as plain text where not (``busy``).
    Names without ``__`` belong to others (secrets, the state folder), except ``ARBTUI_MODE``.
    """

    def __call__(self) -> dict[str, Any]:
        """The environment's settings as nested tables.

        Raises:
            UsageError: it would switch real orders on or off.
        """
        tables: dict[str, Any] = {}
        for variable in sorted(os.environ):
            path = dotted_key(variable)
            if not path:
                continue
            if path[-1] == "real_orders":
                raise UsageError(
                    f"{variable}: real orders are switched on in the profile's file only; a variable outlives what it was set for"
                )
            table = tables
            for part in path[:-1]:
                inner = table.setdefault(part, {})
                if not isinstance(inner, dict):
                    inner = table[part] = {}
                table = inner
            table[path[-1]] = _value(os.environ[variable])
        return tables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Required by the base class; unused, since the whole layer is read at once."""
        return None, field_name, False


def dotted_key(variable: str) -> tuple[str, ...]:
    """The key that a variable sets, by its parts; empty when it sets none."""
    if variable == MODE_VARIABLE:
        return ("mode",)
    if not variable.startswith(PREFIX) or "__" not in variable:
        return ()
    return tuple(variable.removeprefix(PREFIX).lower().split("__"))


def variable_of(path: tuple[str, ...]) -> str:
    """The variable that sets a key."""
    return PREFIX + "__".join(path).upper()


def _value(raw: str) -> Any:
    if odd_text(raw):
        return raw
    try:
        read = tomllib.loads(f"value = {raw}")
    except (ValueError, RecursionError):  # no TOML, more digits than Python reads, or nested too deeply
        return raw
    return raw if len(read) != 1 or odd_value(read) else read["value"]
