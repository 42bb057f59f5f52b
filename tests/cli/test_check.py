"""What ``check`` prints fits a terminal of 80 columns where a profile has many venues and pairs."""

from tests.cli.command import Here


def test_seven_venues_are_told_in_lines_of_80_columns(arbtui: Here) -> None:
    answer = arbtui("check", "--profile", "all-venues", "--mode", "sim")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("desk     counts in USDT; trades between upbit/binance, ")
    assert "coinone/binance" in "".join(lines)
    assert {line.split()[0] for line in lines if not line.startswith(" ")} == {"desk", "routes", "rate", "limits", "all-venues:"}
