"""What no profile looks like, told before anything else reads it: shapes that are made to be slow, or to break a parser."""

from typing import Any

#: A profile's deepest key has four parts; its longest list and table have a row for each asset.
DEEPEST = 8
MOST_KEYS = 4000
LONGEST_LIST = 2000
LONGEST_TEXT = 2000  #: characters of a value
LONGEST_KEY = 100
_MOST_DOTS = 40  #: in a line: to follow a dotted key costs TOML's parser the square of its parts


def odd_text(text: str) -> str:
    """Why ``text`` is no profile's, before it is parsed; empty when it may be."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _MOST_DOTS and not line.lstrip().startswith("#"):
            return f"line {number} nests too deeply; a profile's keys have four parts at most"
    return ""


def odd_value(value: Any) -> str:
    """Why ``value``, as it was parsed, is no profile's nor a part of one; empty when it may be. Never recurses."""
    level, keys = [value], 0
    for _ in range(DEEPEST):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                keys += len(one)
                if keys > MOST_KEYS:
                    return f"more than {MOST_KEYS:,} keys, where a profile has a hundred"
                if long := next((key for key in one if len(key) > LONGEST_KEY), None):
                    return f"a key of {len(long):,} letters ({long[:20]}...)"
                below += one.values()
            elif isinstance(one, list):
                if len(one) > LONGEST_LIST:
                    return f"a list of {len(one):,} entries"
                below += one
            elif isinstance(one, str) and len(one) > LONGEST_TEXT:
                return f"a text of {len(one):,} letters"
            elif isinstance(one, int) and one.bit_length() > 64:
                return f"a number of about {one.bit_length() * 3 // 10:,} digits"
        if not below:
            return ""
        if len(below) > MOST_KEYS + LONGEST_LIST:
            return f"{len(below):,} values"
        level = below
    return f"tables or lists nested more than {DEEPEST} deep"
