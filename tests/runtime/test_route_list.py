"""What ``check`` says of routes is what a start lists."""

from arbtui.runtime.route_list import route_list
from arbtui.settings.load import load_profile


def test_routes_over_markets_against_a_coin_are_told_of() -> None:
    settings = load_profile("all-venues", {"mode": "sim", "universe": {"symbols": 6}})
    assert settings.cross_quotes
    told = route_list(settings)
    assert told is not None
    assert told["by_shape"]["triangular"] > 0
    assert not [one for one in told["left_out"] if one["what"] == "triangular"]
