"""What may reach a terminal, a log or a message: letters, and no instruction to whatever shows them."""

import unicodedata


def printable(text: str, keep: str = "") -> str:
    r"""``text`` with everything that steers instead of being shown written out, ``\u001b`` for an escape.

    That is every control, format and private character, each half of a surrogate pair, and each line and paragraph
    separator (Unicode categories C*, Zl and Zp): escape sequences, in seven bits or eight, and signs that turn the
    writing direction. ``keep`` names what stays all the same, such as the line breaks of our own pages. The form is that
    of JSON, so the text of a JSON document stays one and means the same.

    Whatever a venue, a profile, a person or a file said goes through here where it leaves the program.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in keep or _is_space(letter) else _written_out(letter) for letter in text)


def _is_space(letter: str) -> bool:
    return unicodedata.category(letter) == "Zs"  # those of other scripts, which `isprintable` does not count


def _written_out(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))
