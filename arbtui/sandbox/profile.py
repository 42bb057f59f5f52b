"""A profile with the sandbox's URLs: otherwise the same text, including comments."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from arbtui.model.errors import UsageError

#: A key and its one-line string, with the text before and after it.
_VALUE = re.compile(r"""^(\s*)(rest|stream|private)(\s*=\s*)("[^"]*"|'[^']*')(.*)$""")
_TABLE = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")


def turned(text: str, urls: Mapping[str, Mapping[str, str]], where: str) -> str:
    """``text`` (a profile's TOML) with ``urls`` by exchange, and nothing else changed.

    Raises:
        UsageError: it writes its URLs in a way that cannot be edited line by line; ``where`` (the file) begins the message.
    """
    lines: list[str] = []
    exchange = ""
    missing: dict[str, str] = {}
    seen: set[str] = set()

    def leave_table() -> None:
        place = len(lines)
        while place and not lines[place - 1].strip():
            place -= 1
        lines[place:place] = [f'{key} = "{url}"' for key, url in missing.items()]
        missing.clear()

    for line in text.splitlines():
        table = _TABLE.match(line)
        value = _VALUE.match(line)
        if table:
            leave_table()
            exchange = _exchange_of(table[1])
            missing.update(urls.get(exchange, {}))
            seen.add(exchange)
        elif value and value[2] in missing:
            line = f'{value[1]}{value[2]}{value[3]}"{missing.pop(value[2])}"{value[5]}'
        lines.append(line)
    leave_table()
    for name in urls:
        if name not in seen:
            lines += ["", f"[exchanges.{name}.urls]", *(f'{key} = "{url}"' for key, url in urls[name].items())]
    result = "\n".join(lines) + "\n"
    if _without_urls(text, urls) != _without_urls(result, urls) or _urls(result, urls) != urls:
        raise UsageError(f"{where}: its URLs are not in tables [exchanges.NAME.urls] of one line each; write them so, and try again")
    return result


def _exchange_of(table: str) -> str:
    parts = [part.strip().strip("\"'") for part in table.split(".")]
    return parts[1] if len(parts) == 3 and parts[0] == "exchanges" and parts[2] == "urls" else ""


def _without_urls(text: str, urls: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    for name in urls:
        parsed.get("exchanges", {}).get(name, {}).pop("urls", None)
    return parsed


def _urls(text: str, urls: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        parsed = tomllib.loads(text)["exchanges"]
        return {name: parsed[name]["urls"] for name in urls}
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return None
