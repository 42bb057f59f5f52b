"""A number with its noun, as people say it."""


def counted(number: int, noun: str) -> str:
    """``1 cycle``, ``2 cycles``; ``noun`` in the singular."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
