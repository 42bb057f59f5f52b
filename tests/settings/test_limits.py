"""Which limit set holds is a matter of where orders go, and is said in words."""

from pathlib import Path

import pytest

from arbtui.execution.config import NettingConfig
from arbtui.model.errors import UsageError
from arbtui.settings.limits import limit_facts, limit_problems, limit_set, limits_in_words
from arbtui.settings.load import load_profile

LOCAL = """
[exchanges.upbit.urls]
rest = "http://127.0.0.1:1"
stream = "ws://127.0.0.1:1/websocket/v1"
private = "ws://127.0.0.1:1/websocket/v1/private"
[exchanges.binance.urls]
rest = "http://127.0.0.1:2"
stream = "ws://127.0.0.1:2/stream"
private = "ws://127.0.0.1:2/ws-api/v3"
"""
REAL = "[exchanges.upbit]\n[exchanges.binance]\n"


@pytest.mark.parametrize(
    ("text", "mode", "which", "said"),
    [
        (REAL, "sim", "paper", "paper set (play money): max_unhedged 2000 USDT"),
        (REAL, "paper", "paper", "paper set (play money): max_unhedged 2000 USDT"),
        (REAL, "live", "live", "live set (real orders): max_unhedged 300 USDT"),
        (LOCAL, "live", "paper", "paper set (play money): max_unhedged 2000 USDT"),
    ],
)
def test_the_set_and_its_words(home: Path, text: str, mode: str, which: str, said: str) -> None:
    path = home / "mine.toml"
    path.write_text(text)
    settings = load_profile(str(path), {"mode": mode})
    assert limit_set(settings) == which
    assert limits_in_words(settings).startswith(said)
    assert "set otherwise" not in limits_in_words(settings)
    assert "max_open_fx 1000 USDT (netted from 500)" in limits_in_words(settings)


@pytest.mark.parametrize(
    ("keys", "band", "limit"),
    [
        ({}, 500.0, 1000.0),
        ({"band": 200.0}, 200.0, 400.0),
        ({"max_open_fx": 600.0}, 300.0, 600.0),
        ({"max_open_fx": 6000.0}, 500.0, 6000.0),
        ({"band": 200.0, "max_open_fx": 200.0}, 200.0, 200.0),
    ],
)
def test_what_is_left_out_follows_from_the_order_and_from_what_is_told(keys: dict[str, float], band: float, limit: float) -> None:
    told = NettingConfig(**keys)  # type: ignore[arg-type]
    assert (told.band_for(100.0), told.limit_for(100.0)) == (band, limit)


def test_a_limit_under_the_band_or_under_an_order_is_told(home: Path) -> None:
    path = home / "mine.toml"
    path.write_text(REAL + "[netting]\nband = 500.0\nmax_open_fx = 400.0\n")
    with pytest.raises(UsageError, match=r"max_open_fx: 400 is under the band of 500"):
        load_profile(str(path))
    path.write_text(REAL + "[netting]\nmax_open_fx = 60.0\n")
    assert limit_problems(load_profile(str(path))) == ["netting.max_open_fx 60 is under execution.order_value 100: nothing will open"]
    assert limit_facts(load_profile(str(path)))["netting"] == {"band": 30.0, "max_open_fx": 60.0}
