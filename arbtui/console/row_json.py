"""A row as JSON, for the clipboard: all of the model's fields, not only those that fit the screen."""

import json
from dataclasses import asdict
from math import isfinite
from typing import Any

_OF_THE_SCREEN = ("version",)


def row_json(row: Any) -> str:
    """One line of JSON of a row of the read model (a dataclass); NaN and infinities become null."""
    return json.dumps({name: _plain(value) for name, value in asdict(row).items() if name not in _OF_THE_SCREEN}, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
