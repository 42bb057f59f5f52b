from pathlib import Path
from statistics import pstdev

import pytest

from arbtui.simulation import calibration
from arbtui.simulation.calibration import ROWS, Series, kurtosis, measure, quantiles


@pytest.fixture(scope="module")
def normal() -> dict[str, Series]:
    """Ten minutes of the calibrated scenario."""
    return measure("normal", hours=1 / 6, seed=3)


def test_bitcoin_s_mid_moves_as_recorded(normal: dict[str, Series]) -> None:
    """Volatility over one and ten seconds, fat tails at 0.1 s that fade, a mid that rests most of the time."""
    bitcoin = normal["BTCUSDT"]
    assert 0.9 < pstdev(bitcoin.returns(1)) < 1.6
    assert 2.8 < pstdev(bitcoin.returns(10)) < 5.2
    assert 12 < kurtosis(bitcoin.returns(0.1)) < 290
    assert 4 < kurtosis(bitcoin.returns(1)) < 25
    changes = bitcoin.returns(0.1)
    assert 0.82 < sum(change == 0.0 for change in changes) / len(changes) < 0.95


def test_books_are_as_tight_and_as_deep_as_recorded(normal: dict[str, Series]) -> None:
    one_unit = 0.01 / normal["BTCUSDT"].mids[0] * 1e4
    spreads = normal["BTCUSDT"].spreads
    assert sum(spread < 1.5 * one_unit for spread in spreads) / len(spreads) > 0.99
    assert 0.4 < quantiles(normal["KRW-BTC"].spreads, 0.5)[0] < 1.0
    assert 3 < quantiles(normal["STXUSDT"].spreads, 0.5)[0] < 11
    assert 15 < quantiles(normal["S0800USDT"].spreads, 0.5)[0] < 200
    low, middle, high = quantiles(normal["BTCUSDT"].fives, 0.1, 0.5, 0.9)
    assert 60_000 < middle < 220_000
    assert high / low > 2
    assert 7e6 < quantiles(normal["KRW-BTC"].fives, 0.5)[0] < 185e6
    assert 5_000 < quantiles(normal["STXUSDT"].fives, 0.5)[0] < 30_000


def test_the_documented_table_has_every_figure() -> None:
    document = (Path(calibration.__file__).parents[2] / "docs" / "simulator.md").read_text()
    for name, recorded, _ in ROWS:
        assert f"| {name} | {recorded} |" in document
