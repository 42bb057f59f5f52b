"""Where the symbols of a run were set, for errors that show only once the markets are known."""

import os
import tomllib

from arbtui.model.errors import UsageError
from arbtui.settings.complaints import FLAGS, line_of_each_key
from arbtui.settings.environment import EnvironmentSource, variable_of
from arbtui.settings.load import read_text
from arbtui.settings.profile import Settings

_KEY = ("universe", "symbols")


def symbols_source(settings: Settings) -> str:
    """``--symbols``, the variable, or the profile's file, line and key, as messages about other keys begin."""
    wanted, dotted = settings.universe.symbols, ".".join(_KEY)
    if variable_of(_KEY) in os.environ:
        if EnvironmentSource(Settings)().get(_KEY[0], {}).get(_KEY[1]) == wanted:
            return f"{variable_of(_KEY)} in the environment: {dotted}"
        return FLAGS[_KEY]
    try:
        text = read_text(settings.path)
        in_profile = tomllib.loads(text).get(_KEY[0], {}).get(_KEY[1])
    except (UsageError, tomllib.TOMLDecodeError):  # changed since it was loaded: name the file only
        return f"{settings.path}: {dotted}"
    if in_profile != wanted:
        return FLAGS[_KEY]
    line = line_of_each_key(text).get(_KEY)
    return f"{settings.path}:{line}: {dotted}" if line else f"{settings.path}: {dotted}"
