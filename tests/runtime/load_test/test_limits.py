"""Limits over all symbols are raised with their number; nothing else changes, and the children do read them."""

from collections.abc import Mapping

import pytest

from arbtui.runtime.load_test.limits import SYMBOLS, raised_limits
from arbtui.runtime.load_test.load_test import QUIET
from arbtui.settings.load import load_profile
from arbtui.settings.profile import Settings


def settings(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_profile("upbit-binance", {"mode": "sim"})


@pytest.mark.parametrize("symbols", [1, 50, SYMBOLS])
def test_up_to_the_usual_number_nothing_is_raised(symbols: int) -> None:
    assert raised_limits(load_profile("upbit-binance", {"mode": "sim"}), symbols) == {}


def test_above_it_what_is_open_at_once_grows_in_proportion(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, raised = settings({}, monkeypatch), raised_limits(load_profile("upbit-binance", {"mode": "sim"}), 5 * SYMBOLS)
    large = settings(raised, monkeypatch)
    assert large.netting.limit_for(100.0) == 5 * usual.netting.limit_for(100.0)
    assert large.netting.band_for(100.0) == usual.netting.band_for(100.0)
    before, after = usual.risk, large.risk
    assert after.global_.max_unhedged == 5 * before.global_.max_unhedged
    assert after.global_.max_factor_exposure == 5 * before.global_.max_factor_exposure
    assert after.global_.max_open_cycles == 5 * before.global_.max_open_cycles
    assert after.exchange.max_in_flight_orders == 5 * before.exchange.max_in_flight_orders
    assert after.global_.max_loss_day == before.global_.max_loss_day
    assert (after.symbol, after.route) == (before.symbol, before.route)


def test_a_limit_of_ones_own_is_what_grows(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    own = settings({"ARBTUI_RISK__GLOBAL__MAX_UNHEDGED": "300"}, monkeypatch)
    assert raised_limits(own, 2 * SYMBOLS)["ARBTUI_RISK__GLOBAL__MAX_UNHEDGED"] == "600.0"


def test_no_child_calls_anybody(home: object, monkeypatch: pytest.MonkeyPatch) -> None:
    loud = {"ARBTUI_TELEGRAM__ENABLED": "true", "ARBTUI_TELEGRAM__CHAT_IDS": "[1]"}
    assert settings(loud, monkeypatch).telegram.enabled
    assert not settings(QUIET, monkeypatch).telegram.enabled
