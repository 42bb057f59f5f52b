"""The filter line."""

import pytest

from arbtui.console.query import QueryError, hint, parse
from arbtui.views import RouteRow

ROW = RouteRow(
    "XRP:UPBIT>BINANCE", "XRP", ("UPBIT", "BINANCE"), edge_bps=18.4, net_bps=3.0, age_ms=40, fills=12, state="OPEN",
    assets=("XRP", "KRW", "USDT"), health=0.83,
)  # fmt: skip
IDLE = RouteRow("ETH:BINANCE>UPBIT", "ETH", ("BINANCE", "UPBIT"), edge_bps=-2.3, net_bps=-10.1, state="BELOW_THRESHOLD")


@pytest.mark.parametrize(
    ("text", "row", "other"),
    [
        ("", True, True),
        ("xrp", True, False),
        ("XR", True, False),
        ("edge>5", True, False),
        ("edge>18.4", False, False),
        ("edge>=18.4", True, False),
        ("net<=3", True, True),
        ("net>-11", True, True),
        ("state:open", True, False),
        ("state:idle", False, True),
        ("idle", False, True),
        ("buy:upbit", True, False),
        ("sell=upbit", False, True),
        ("!buy:upbit", False, True),
        ("!xrp", False, True),
        ("xrp edge>5 state:open net>2", True, False),
        ("xrp net>3", False, False),
        ("fills=12 age<50", True, False),
        ("venue:binance", True, True),
        ("shape:two", True, True),
        ("shape:tri", False, False),
        ("shape:two-leg net>0", True, False),
        ("asset:krw", True, False),
        ("asset:xrp !asset:eth", True, False),
        ("krw", False, False),
        ("health>70", True, False),
    ],
)
def test_every_word_must_hold(text: str, row: bool, other: bool) -> None:
    query = parse(text)
    assert query(ROW) is row
    assert query(IDLE) is other


@pytest.mark.parametrize(("marks", "row", "other"), [(1, False, True), (2, True, False), (3_000, True, False), (3_001, False, True)])
def test_any_number_of_negations(marks: int, row: bool, other: bool) -> None:
    query = parse("!" * marks + "xrp")
    assert query(ROW) is row
    assert query(IDLE) is other
    assert parse("!" * marks)(ROW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("edge>abc", "edge>abc: give a number"),
        ("egde>5", "no egde; did you mean edge"),
        ("qq>5", "no qq: sym venue asset shape state edge net size age health"),
        ("edge:5", "edge:5: edge>number would do"),
        ("shape:triangel", "no shape triangel; did you mean triangular"),
        ("shape:xyz", "shapes: two_leg triangular split_leg multi_hop cross_chain"),
        ("venu:upbit", "no venu; did you mean venue"),
        ("buy>5", "buy>5: buy:text would do"),
    ],
)
def test_what_cannot_be_understood_says_what_would_do(text: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        parse(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("venue:upbitt", "no venue upbitt; did you mean upbit?"),
        ("edge>5 venue:mars", "no venue mars: upbit binance"),
        ("asset:xpr", "no asset xpr; did you mean xrp?"),
        ("venue:upbit edge>1000", ""),
        ("xyz", ""),
        ("venue:", ""),
    ],
)
def test_a_word_that_names_what_is_not_there_says_what_is(text: str, told: str) -> None:
    assert hint(text, [ROW, IDLE]) == told


def test_a_route_over_several_venues_is_found_by_each_of_them() -> None:
    three = RouteRow("r", "ETH", ("UPBIT", "BINANCE", "BINANCE"), shape="multi_hop", assets=("ETH", "KRW", "BTC", "USDT"))
    for text in ("venue:upbit venue:binance", "shape:multi-hop", "asset:btc", "buy:upbit sell:binance", "eth"):
        assert parse(text)(three), text
    assert not parse("btc")(three), "a word alone is looked for as ever"
