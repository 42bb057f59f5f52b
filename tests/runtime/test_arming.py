"""Where mode live may send its orders, and what is told before."""

from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.runtime.arming import refuse_real_orders
from arbtui.settings.load import load_profile
from arbtui.settings.profile import Settings

HERE = 'urls = { rest = "http://127.0.0.1:9100", stream = "ws://127.0.0.1:9100/s", private = "ws://127.0.0.1:9100/p" }\n'
ON = "real_orders = true\n"


def settings(home: Path, upbit: str = "", binance: str = "") -> Settings:
    path = home / "mine.toml"
    path.write_text(f"[exchanges.upbit]\n{upbit}[exchanges.binance]\n{binance}")
    return load_profile(str(path), {"mode": "live"})


@pytest.mark.parametrize(
    ("upbit", "binance", "said"),
    [
        ("", "", r"exchanges.upbit.urls leads to https://api.upbit.com, and its real_orders is false: mode live reaches this machine only"),
        (ON, "", r"exchanges.binance.urls leads to https://api.binance.com, and its real_orders is false"),
        (ON, HERE, "upbit is real and binance is on this machine: real orders would be hedged with play money"),
        (ON, ON + HERE, "upbit is real and binance is on this machine: real orders would be hedged with play money"),
        (
            ON + 'urls.rest = "https://api.upbit.com.evil.com"\n',
            ON,
            r"https://api.upbit.com.evil.com is no address of upbit's \(upbit.com\)",
        ),
        (ON + 'urls.rest = "https://notupbit.com"\n', ON, "https://notupbit.com is no address of upbit's"),
        (ON + 'urls.private = "ws://api.upbit.com/p"\n', ON, "ws://api.upbit.com/p is not encrypted"),
        (ON, ON + 'urls.stream = "wss://stream.elsewhere.com/s"\n', "no address of binance's"),
    ],
)
def test_what_live_does_not_start_with(home: Path, upbit: str, binance: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        refuse_real_orders(settings(home, upbit, binance))


@pytest.mark.parametrize(
    ("upbit", "binance"),
    [
        (ON, ON),
        (HERE, HERE),
        (ON + 'urls.rest = "https://sg-api.upbit.com"\n', ON),
        (ON, ON + 'urls.rest = "https://testnet.binance.vision"\n'),
    ],
)
def test_what_live_starts_with(home: Path, upbit: str, binance: str) -> None:
    refuse_real_orders(settings(home, upbit, binance))
