"""What was recorded and saved before any set of venues could be played still holds."""

import hashlib

import pytest

from arbtui.simulation.saved_state import SavedState
from tests.simulation.market_worlds import play, record

SYMBOLS = ["BTC", "XRP", "DOGE", "SHIB", "S0500"]
#: As the simulator of two venues saved it: log mid, two numbers of the basis, Binance's ids, Upbit's trade id.
OLD = {"generation": 2, "rate": 7.2442, "assets": {"XRP": [0.8544, 0.5, -0.25, 10_000_004_000, 1_000_000_300, 1_000_000_200]}}


@pytest.mark.parametrize("venues", [("upbit", "binance"), ("binance", "upbit")])
@pytest.mark.parametrize(("scenario", "digest"), [("busy", "3dc83eef8b66b6ac"), ("normal", "407fe47f6b19308a")])
def test_two_venues_send_the_bytes_that_they_always_sent(scenario: str, digest: str, venues: tuple[str, str]) -> None:
    frames = record(SYMBOLS, 20, scenario=scenario, venues=venues)
    assert hashlib.sha256(b"".join(frame.raw for frame in frames)).hexdigest()[:16] == digest


def test_an_old_state_goes_on_and_is_written_anew() -> None:
    saved = SavedState(OLD)
    assert (saved.generation, saved.rates) == (3, {"KRW": 7.2442})
    assert saved.market("binance", "XRP").update_id == 10_000_004_000
    sim = play(["XRP"], 5, lambda *_: None, state=OLD)
    state = sim.state()
    assert sim.prices()["XRP"] == pytest.approx(2.35, rel=0.05)
    assert state["markets"]["binance"]["XRP"][1] >= 1_000_000_300
    assert state["markets"]["upbit"]["XRP"][1] >= 1_000_000_200
    assert SavedState(state).assets == {"XRP": tuple(state["assets"]["XRP"])}
