"""One cycle is one, and two are several."""

import pytest

from arbtui.model.counted import counted


@pytest.mark.parametrize(
    ("number", "noun", "plural", "said"),
    [(0, "cycle", "", "0 cycles"), (1, "cycle", "", "1 cycle"), (1200, "fill", "", "1,200 fills"), (2, "entry", "entries", "2 entries")],
)
def test_counted(number: int, noun: str, plural: str, said: str) -> None:
    assert counted(number, noun, plural) == said
