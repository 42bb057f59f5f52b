"""The profiles that come with the program are complete, true and explained."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from arbtui.risk.config import default_limits
from arbtui.settings.keys import all_keys
from arbtui.settings.load import load_profile
from arbtui.settings.locations import shipped_profiles
from arbtui.settings.profile import Settings

SHIPPED = sorted(shipped_profiles().glob("*.toml"))


@pytest.fixture(params=SHIPPED, ids=lambda path: path.stem)
def profile(request: pytest.FixtureRequest, home: Path) -> Path:
    assert isinstance(request.param, Path)
    return request.param


def uncommented(text: str) -> str:
    """The text with its commented-out keys put in force."""
    return re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)


def flat(table: dict[str, Any], path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    leaves: dict[tuple[str, ...], Any] = {}
    for key, value in table.items():
        if isinstance(value, dict) and (*path, key) not in all_keys():
            leaves.update(flat(value, (*path, key)))
        else:
            leaves[(*path, key)] = value
    return leaves


def test_all_are_there() -> None:
    assert {"binance-spot-perp", "bithumb-binance", "coinone-binance", "upbit-binance", "upbit-bitget", "upbit-bybit", "upbit-okx"} <= {
        path.stem for path in SHIPPED
    }


def test_loads(profile: Path) -> None:
    assert load_profile(str(profile)).name == profile.stem


def test_a_desk_that_counts_in_won_sees_its_curves_at_sizes_in_won() -> None:
    assert load_profile("upbit-binance").desk.sizes == [1_000.0, 5_000.0, 20_000.0, 50_000.0]
    assert load_profile("upbit-bithumb").desk.sizes == [1_400_000.0, 7_000_000.0, 28_000_000.0, 70_000_000.0]
    given = {"desk": {"sizes": [3e6]}}
    assert load_profile("upbit-bithumb", given).desk.sizes == [3e6]


def test_shows_every_key_there_is(profile: Path) -> None:
    shown = flat(tomllib.loads(uncommented(profile.read_text())))
    venues = load_profile(str(profile)).exchanges
    wanted = {path for path in all_keys() if path[0] != "exchanges" or path[1] in venues}
    assert set(shown) == wanted


def test_every_value_has_its_comment(profile: Path) -> None:
    explained: set[str] = set()
    for line in profile.read_text().splitlines():
        key = re.match(r"(?:# )?(\w+) = ", line)
        if key and re.search(r"[^#]# .{6,}", line.removeprefix("# ")):
            explained.add(key[1])
        elif key:
            assert key[1] in explained, f"{profile.name}: {line} says nothing of unit and reason"
    assert explained


RULES = tomllib.loads((shipped_profiles() / "upbit-binance.toml").read_text())["alerts"]["rules"]

#: What the shipped profile says otherwise, and the default that a profile of any desk begins with.
_ITS_OWN: dict[tuple[str, ...], tuple[Any, Any]] = {
    ("desk", "timezone"): ("Asia/Seoul", "UTC"),
    ("netting", "band"): (500.0, None),  # left out it follows the order's value
    ("costs", "rate_fee_bps"): (5.0, None),  # left out it is the venue's own
    ("netting", "max_open_fx"): (1000.0, None),
    ("desk", "currency"): ("USDT", ""),  # left out it follows the venues
    ("universe", "pairs"): ([["upbit", "binance"]], []),
    ("alerts", "rules"): (RULES, {}),  # a profile of one's own says them itself
}


def test_the_default_profile_holds_the_defaults_but_for_where_its_desk_is(home: Path) -> None:
    told = flat(tomllib.loads(uncommented((shipped_profiles() / "upbit-binance.toml").read_text())))
    limits = flat({"risk": default_limits("paper")})
    for path, value in told.items():
        if path[0] == "risk":
            assert value == limits[path], path
        elif path[0] != "exchanges":
            default = Settings.model_fields[path[0]].default.model_dump(mode="json", by_alias=True)
            assert (value, default[path[1]]) == _ITS_OWN.get(path, (value, value)), path
    nothing_told = "exchanges.upbit = {}\nexchanges.binance = {}\n"
    bare = home / "upbit-binance.toml"
    bare.write_text(nothing_told)
    assert load_profile(str(bare)).exchanges == load_profile("upbit-binance").exchanges


def test_spot_perp_opens_nothing(home: Path) -> None:
    settings = load_profile("binance-spot-perp")
    assert list(settings.exchanges) == ["binance", "binanceusdm"]
    assert settings.execution.enabled is False
    assert settings.universe.symbols == ["BTC", "ETH"]


def test_every_key_has_a_help_that_says_more_than_its_name() -> None:
    for key in all_keys().values():
        assert len(key.help) > 20, key.dotted
        assert key.expected != "another type", key.dotted
