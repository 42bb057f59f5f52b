"""A wrong key of [console.keys] is told with file, line and what would do."""

from pathlib import Path

import pytest

from arbtui.settings.load import ProfileError, load_profile

VENUES = "exchanges.upbit = {}\nexchanges.binance = {}\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('paus = "f5"', ":5: console.keys.paus: no such action; did you mean pause?"),
        ('kill = "k"', ":5: console.keys.kill: 'k' will not do: it must work everywhere, also where one types"),
        ('kill = ""', ":5: console.keys.kill: '' will not do"),
        ('pane.next = "r"', ":5: console.keys.pane.next: r is the key of rearm already"),
        ("pause = 5", ":4: console.keys = "),
    ],
)
def test_told_with_file_and_line(home: Path, line: str, said: str) -> None:
    profile = home / "mine.toml"
    profile.write_text(f"{VENUES}\n[console.keys]\n{line}\n")
    with pytest.raises(ProfileError) as caught:
        load_profile(str(profile))
    assert f"{profile}{said}" in str(caught.value)


def test_a_good_one_is_taken(home: Path) -> None:
    profile = home / "mine.toml"
    profile.write_text(f'{VENUES}\n[console.keys]\npane.next = "n"\n"kill" = "ctrl+g"\n')
    assert load_profile(str(profile)).console.keys == {"pane.next": "n", "kill": "ctrl+g"}
