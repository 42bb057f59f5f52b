"""A profile is found by name or path, and one that is not there is told with those that are."""

from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.settings.locations import all_profiles, find_profile, own_profiles, shipped_profiles
from arbtui.settings.state import platform_folder
from tests.settings.shipped import LIST, NAMES


def own(home: Path, name: str) -> Path:
    path = own_profiles() / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def test_shipped_ones_are_found_by_name(home: Path) -> None:
    assert find_profile("upbit-binance") == shipped_profiles() / "upbit-binance.toml"
    assert [(profile.name, profile.shipped) for profile in all_profiles()] == [(name, True) for name in NAMES]


def test_an_own_one_hides_a_shipped_one(home: Path) -> None:
    mine = own(home, "upbit-binance")
    assert find_profile("upbit-binance") == mine
    assert [(profile.name, profile.shipped) for profile in all_profiles()] == [(name, name != "upbit-binance") for name in NAMES]


def test_a_path_is_taken_as_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "x.toml").write_text("")
    monkeypatch.chdir(home)
    assert find_profile("x.toml") == Path("x.toml")
    assert find_profile("./x.toml") == Path("x.toml")
    assert find_profile("~/x.toml") == home / "x.toml"


def test_the_current_folder_is_not_searched_by_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "profiles").mkdir()
    (home / "profiles" / "x.toml").write_text("")
    monkeypatch.chdir(home)
    with pytest.raises(UsageError, match="no profile is named x"):
        find_profile("x")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("upbit-binanc", f"no profile is named upbit-binanc; did you mean upbit-binance\\? There are: {LIST}"),
        ("zzz", f"no profile is named zzz; there are: {LIST}"),
        ("upbit-binance.toml", "no such file; did you mean upbit-binance\\?"),
        ("", "gives no profile's name"),
        ("..", "gives no profile's name"),
        ("a b", "gives no profile's name"),
        ("/", "gives no profile's name"),
        ("x" * 65, "gives no profile's name"),
    ],
)
def test_what_is_not_there(home: Path, name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    with pytest.raises(UsageError, match=said):
        find_profile(name)


def test_a_mistyped_path_is_told_the_file_beside_it(home: Path) -> None:
    (home / "kimchi.toml").write_text("")
    with pytest.raises(UsageError, match=f"did you mean {home}/kimchi.toml\\?"):
        find_profile(str(home / "kimchee.toml"))


def test_the_platforms_folders(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert platform_folder("XDG_STATE_HOME", ".local/state") == home / "state"
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    assert platform_folder("XDG_STATE_HOME", ".local/state") == home / ".local/state"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert platform_folder("XDG_STATE_HOME", ".local/state") == home / ".local/state"
    monkeypatch.setattr("sys.platform", "darwin")
    assert platform_folder("XDG_STATE_HOME", ".local/state") == home / "Library" / "Application Support"
