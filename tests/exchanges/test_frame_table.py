"""Every recorded public frame is decoded, or named with the reason why nothing is made of it; the counts are all there is."""

from pathlib import Path

from tests.exchanges.frame_table import UNUSED, table

#: source, exchange, what became of it: how many. Printed by `python -m tests.exchanges.frame_table FOLDER`.
EXPECTED = """
cryptofeed binance     decoded diff              177
cryptofeed binance     decoded snapshot            4
cryptofeed binance     decoded touch              84
cryptofeed binance     decoded trade               2
cryptofeed binance     unused kline                2
cryptofeed bitget      unused mc books           194
cryptofeed bitget      unused mc candle1m         27
cryptofeed bitget      unused mc ticker          217
cryptofeed bitget      unused mc trade            27
cryptofeed bitget      unused sp books           443
cryptofeed bitget      unused sp candle1m         43
cryptofeed bitget      unused sp ticker          128
cryptofeed bitget      unused sp trade            38
cryptofeed bitget      unused subscribe           40
cryptofeed bybit       decoded diff              548
cryptofeed bybit       decoded snapshot            2
cryptofeed bybit       decoded trade              18
cryptofeed bybit       unused kline.1             25
cryptofeed bybit       unused subscribe            7
cryptofeed bybit       unused tickers             81
cryptofeed okx         decoded trade              74
cryptofeed okx         unused books without ids  290
cryptofeed okx         unused subscribe           18
cryptofeed okx         unused tickers             28
cryptofeed upbit       decoded snapshot          145
cryptofeed upbit       decoded trade             304
jkorf      binance     decoded touch               1
jkorf      binance     decoded trade               2
jkorf      binance     unused 1hTicker             1
jkorf      binance     unused 24hrMiniTicker       1
jkorf      binance     unused 24hrTicker           1
jkorf      binance     unused depth5@100ms         1
jkorf      binance     unused kline                3
jkorf      binance     unused result              10
jkorf      binanceusdm decoded diff                1
jkorf      binanceusdm decoded touch               1
jkorf      binanceusdm decoded trade               1
jkorf      binanceusdm unused !assetIndex@arr      1
jkorf      binanceusdm unused 24hrMiniTicker       1
jkorf      binanceusdm unused 24hrTicker           1
jkorf      binanceusdm unused compositeIndex       1
jkorf      binanceusdm unused continuous_kline     1
jkorf      binanceusdm unused contractInfo         1
jkorf      binanceusdm unused depth5@100ms         1
jkorf      binanceusdm unused forceOrder           1
jkorf      binanceusdm unused kline                3
jkorf      binanceusdm unused markPriceUpdate      1
jkorf      binanceusdm unused result              15
jkorf      bitget      decoded snapshot            1
jkorf      bitget      unused candle1D             1
jkorf      bitget      unused candle1H             1
jkorf      bitget      unused candle1W             1
jkorf      bitget      unused subscribe            6
jkorf      bitget      unused ticker               1
jkorf      bitget      unused trades before        1
jkorf      bybit       unused kline.60             1
jkorf      bybit       unused kline.D              1
jkorf      bybit       unused priceLimit           1
jkorf      bybit       unused subscribe            5
jkorf      bybit       unused system               1
jkorf      bybit       unused tickers              1
jkorf      okx         decoded snapshot            1
jkorf      okx         decoded trade               1
jkorf      okx         unused subscribe            3
jkorf      okx         unused tickers              1
jkorf      upbit       decoded snapshot            1
jkorf      upbit       decoded trade               1
jkorf      upbit       unused candle.1m            1
jkorf      upbit       unused candle.5m            1
jkorf      upbit       unused candle.60m           1
jkorf      upbit       unused ticker               1
"""


def test_nothing_recorded_is_malformed_or_unknown(shared_data: Path) -> None:
    found = [f"{source} {exchange} {became} {count}" for (source, exchange, became), count in sorted(table(shared_data).items())]
    assert found == [" ".join(line.split()) for line in EXPECTED.strip().splitlines()]


def test_every_type_that_is_not_used_is_still_met_and_has_its_reason(shared_data: Path) -> None:
    met = {became.removeprefix("unused ") for _, _, became in table(shared_data) if became.startswith("unused ")}
    assert met == set(UNUSED)
    assert all(len(reason) > 6 for reason in UNUSED.values())
