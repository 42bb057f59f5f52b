"""A count with its noun in the singular or plural."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 cycle``, ``2 cycles``; ``plural``: for nouns whose plural is not made with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
