"""Which limit set holds is a matter of where orders go, and is said in words."""

from pathlib import Path

import pytest

from arbtui.settings.limits import limit_set, limits_in_words
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
