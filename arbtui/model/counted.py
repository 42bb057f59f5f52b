"""Numbers of things in words, as a person would say them."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 cycle``, ``2 cycles``; ``plural`` where an s at the end is wrong."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
