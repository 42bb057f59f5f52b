"""A flag beats the environment, that beats the profile, that beats the default; and each is named when it is wrong."""

from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.risk.config import risk_defaults
from arbtui.settings.load import ProfileError, load_profile

LOOPBACK = 'urls = { rest = "http://127.0.0.1:9100", stream = "ws://localhost:9100/s", private = "ws://[::1]:9100/p" }\n'


@pytest.fixture
def profile(home: Path) -> Path:
    path = home / "mine.toml"
    path.write_text("[universe]\nsymbols = 30\n[execution]\norder_value = 50\n[exchanges.upbit]\n[exchanges.binance]\n")
    return path


def test_the_profile_beats_the_default(profile: Path) -> None:
    settings = load_profile(str(profile))
    assert settings.universe.symbols == 30
    assert settings.execution.order_value == 50.0
    assert settings.execution.min_edge_bps == 3.0


def test_the_environment_beats_the_profile(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_UNIVERSE__SYMBOLS", '["BTC", "ETH"]')
    monkeypatch.setenv("ARBTUI_SIMULATOR__SCENARIO", "normal")
    monkeypatch.setenv("ARBTUI_RISK__GLOBAL__MAX_OPEN_CYCLES", "7")
    settings = load_profile(str(profile))
    assert settings.universe.symbols == ["BTC", "ETH"]
    assert settings.simulator.scenario == "normal"
    assert settings.risk.global_.max_open_cycles == 7
    assert settings.execution.order_value == 50.0


def test_a_flag_beats_the_environment(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_UNIVERSE__SYMBOLS", "40")
    monkeypatch.setenv("ARBTUI_SIMULATOR__SEED", "5")
    settings = load_profile(str(profile), {"universe": {"symbols": 50}})
    assert settings.universe.symbols == 50
    assert settings.simulator.seed == 5


def test_whom_an_error_names(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_EXECUTION__ORDER_VALUE", "many")
    monkeypatch.setenv("ARBTUI_EXECUTION__ORDR_VALUE", "5")
    with pytest.raises(ProfileError) as caught:
        load_profile(str(profile), {"simulator": {"seed": -1}})
    assert sorted(caught.value.problems) == [
        "--seed: simulator.seed = -1: expected a whole number from 0 below 9,223,372,036,854,775,808 "
        "(number that determines the whole market: same seed, same bytes)",
        'ARBTUI_EXECUTION__ORDER_VALUE in the environment: execution.order_value = "many": expected a number above 0 to 1,000,000,000,000 '
        "(in desk.currency, bought and sold by one cycle; far above both venues' minimum (5,000 KRW, 5 USDT), far below a usual top of "
        "book)",
        "ARBTUI_EXECUTION__ORDR_VALUE in the environment: execution.ordr_value is no key of a profile; did you mean execution.order_value?",
    ]


def test_secrets_and_the_state_folder_are_no_settings(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_BINANCE_SECRET", "hunter2")
    monkeypatch.setenv("ARBTUI_STATE_DIR", "/x")
    assert "hunter2" not in repr(load_profile(str(profile)))


def test_no_variable_switches_real_orders_on(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_EXCHANGES__UPBIT__REAL_ORDERS", "true")
    with pytest.raises(UsageError, match=r"ARBTUI_EXCHANGES__UPBIT__REAL_ORDERS: real orders are switched on in the profile's file only"):
        load_profile(str(profile))


def test_the_mode_comes_from_flag_or_environment(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_profile(str(profile)).mode == "sim"
    monkeypatch.setenv("ARBTUI_MODE", "paper")
    assert load_profile(str(profile)).mode == "paper"
    assert load_profile(str(profile), {"mode": "live"}).mode == "live"
    monkeypatch.setenv("ARBTUI_MODE", "lve")
    with pytest.raises(ProfileError, match='ARBTUI_MODE in the environment: mode "lve": expected sim, paper, live'):
        load_profile(str(profile))


def test_the_mode_chooses_the_limits(profile: Path) -> None:
    assert load_profile(str(profile)).risk == risk_defaults("paper")
    assert load_profile(str(profile), {"mode": "paper"}).risk == risk_defaults("paper")
    assert load_profile(str(profile), {"mode": "live"}).risk == risk_defaults("live")


def test_a_sandbox_has_the_paper_limits(home: Path) -> None:
    path = home / "sandbox.toml"
    path.write_text(f"[exchanges.upbit]\n{LOOPBACK}[exchanges.binance]\n{LOOPBACK}")
    settings = load_profile(str(path), {"mode": "live"})
    assert settings.is_sandbox
    assert settings.risk == risk_defaults("paper")
    path.write_text(f"[exchanges.upbit]\n{LOOPBACK}[exchanges.binance]\n")
    settings = load_profile(str(path), {"mode": "live"})
    assert not settings.is_sandbox
    assert settings.risk == risk_defaults("live")


@pytest.mark.parametrize("host", ["127.evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "[::10]", "0.0.0.0"])
def test_what_only_looks_like_loopback_is_none(home: Path, host: str) -> None:
    urls = LOOPBACK.replace("127.0.0.1", host)
    path = home / "sandbox.toml"
    path.write_text(f"[exchanges.upbit]\n{urls}[exchanges.binance]\n{LOOPBACK}")
    assert not load_profile(str(path), {"mode": "live"}).is_sandbox


def test_one_limit_told_leaves_the_others_of_its_set(home: Path) -> None:
    path = home / "mine.toml"
    path.write_text("[risk.global]\nmax_loss_day = 7\n[exchanges.upbit]\n[exchanges.binance]\n")
    usual = risk_defaults("live").global_.model_dump()
    assert usual["max_loss_day"] != 7.0
    assert load_profile(str(path), {"mode": "live"}).risk.global_.model_dump() == {**usual, "max_loss_day": 7.0}


def test_settings_are_frozen(profile: Path) -> None:
    settings = load_profile(str(profile))
    with pytest.raises(ValueError, match="frozen"):
        settings.execution.order_value = 5.0
