"""What ``check`` prints fits a terminal of 80 columns where a profile has many pairs."""

from arbtui.cli.check import _desk_lines
from arbtui.settings.load import load_profile


def test_the_pairs_of_seven_venues_are_told_in_lines_of_80_columns() -> None:
    settings = load_profile("all-venues")
    text = _desk_lines(settings)
    lines = text.splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("desk     counts in USDT; trades between upbit/binance, ")
    assert all(line.startswith(" " * 9) for line in lines[1:])
    told = " ".join(line.strip() for line in lines).partition(" between ")[2].split(", ")
    assert told == ["/".join(pair) for pair in settings.pairs]
