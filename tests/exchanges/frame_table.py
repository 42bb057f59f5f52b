"""Every public frame that others recorded, and what became of it: `python -m tests.exchanges.frame_table FOLDER` prints the table."""

import base64
import gzip
import json
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.model.errors import WireError
from tests.exchanges.told import Told

#: Types that today's protocols still have and that nothing here is made of, with the reason. What is no book and no public
#: trade cannot change a decision.
UNUSED = {
    "kline": "candles are made of trades; decisions are made of books",
    "continuous_kline": "candles of a continuous contract",
    "candle.1m": "candles",
    "candle.5m": "candles",
    "candle.60m": "candles",
    "ticker": "24 hour statistics",
    "24hrTicker": "24 hour statistics",
    "24hrMiniTicker": "24 hour statistics",
    "1hTicker": "statistics of a rolling window",
    "depth5@100ms": "the best five levels; the diffs hold all of them",
    "markPriceUpdate": "marks and funding of perpetuals are not traded on",
    "forceOrder": "liquidations show in trades and book",
    "compositeIndex": "an index, nothing that can be traded",
    "!assetIndex@arr": "an index of collateral",
    "contractInfo": "rules are read over REST at the start",
    "result": "the answer to a subscription",
    "subscribe": "the answer to a subscription",
    "trades before": "what was traded before the subscription",
    "candle1H": "candles",
    "candle1D": "candles",
    "candle1W": "candles",
    "sp books": "Bitget's first interface, which the second has replaced",
    "sp trade": "Bitget's first interface",
    "sp ticker": "Bitget's first interface",
    "sp candle1m": "Bitget's first interface",
    "mc books": "perpetuals on Bitget's first interface",
    "mc trade": "perpetuals on Bitget's first interface",
    "mc ticker": "perpetuals on Bitget's first interface",
    "mc candle1m": "perpetuals on Bitget's first interface",
    "tickers": "24 hour statistics",
    "kline.1": "candles of a minute",
    "kline.60": "candles of an hour",
    "kline.D": "candles of a day",
    "priceLimit": "bounds that the venue itself keeps: an order beyond them is refused",
    "system": "maintenance is noticed by what stops",
    "books without ids": "OKX before 2023: without ids a book cannot be proved complete",
}

#: Fixtures that are pushed on public streams: folder and files of the archives.
FIXTURES = {
    "jkorf-Upbit.Net.tar.gz": {"upbit": r"/Subscriptions/Spot/\w+\.txt$"},
    "jkorf-Bitget.Net.tar.gz": {"bitget": r"/Subscriptions/Spot/(OrderBook|Trades|Ticker|Klines|Concurrent)\.txt$"},
    "jkorf-Binance.Net.tar.gz": {
        "binance": r"/Subscriptions/Spot/ExchangeData/\w+\.txt$",
        "binanceusdm": r"/Subscriptions/UsdFutures/(BookTicker|Book|PartialBook|AggTrades|Klines|ContKlines|MarkPrice|Liquidations"
        r"|Ticker|MiniTicker|Concurrent|CompositIndex|AssetIndex|SymbolUpdates)\.txt$",
    },
    # Without Trades.txt, the documents' example of a contract's trade.
    "jkorf-Bybit.Net.tar.gz": {"bybit": r"/Subscriptions/V5/Spot/(Concurrent|PriceLimit|SystemStatus|Ticker)\.txt$"},
    "jkorf-OKX.Net.tar.gz": {"okx": r"/Subscriptions/Unified/ExchangeData/(OrderBook|Ticker|Trades)\.txt$"},
}
CAPTURES = {
    "upbit": "UPBIT.jsonl.gz",
    "binance": "BINANCE.jsonl.gz",
    "bybit": "BYBIT.jsonl.gz",
    "okx": "OKX.jsonl.gz",
    "bitget": "BITGET.jsonl.gz",
}
#: Of a capture of several of a venue's markets: the connection of spot.
CONNECTIONS = {"bybit": "BYBIT.ws.3"}

Row = tuple[str, str, str]  #: source, exchange, what became of it


def frames(data: Path) -> Iterator[tuple[str, str, bytes, str]]:
    """(source, exchange, frame, market it is the depth answer of)."""
    for exchange, name in CAPTURES.items():
        with gzip.open(data / "cryptofeed" / name, "rt") as lines:
            for message in map(json.loads, lines):
                if message["t"] == "recv" and message["conn"] == CONNECTIONS.get(exchange, message["conn"]):
                    raw = base64.b64decode(message["b64"]) if "b64" in message else message["data"].encode()
                    yield "cryptofeed", exchange, raw, ""
                elif message["t"] == "http" and "/depth?" in message["url"]:
                    yield "cryptofeed", exchange, message["data"].encode(), re.findall(r"symbol=(\w+)", message["url"])[0]
    for archive, folders in FIXTURES.items():
        with tarfile.open(data / "fixtures" / archive) as tar:
            for member in sorted(tar.getmembers(), key=lambda one: one.name):
                for exchange, pattern in folders.items():
                    file = tar.extractfile(member) if re.search(pattern, member.name) else None
                    for raw in pushed(file.read().decode("utf-8-sig")) if file is not None else ():
                        yield "jkorf", exchange, raw, ""


def pushed(text: str) -> Iterator[bytes]:
    """What the venue sends in a fixture: answers (``<``) and pushes (``=``); ``|1|`` stands for an id."""
    for part in re.split(r"^(?=[<>=])", text, flags=re.MULTILINE):
        if part[:1] in ("<", "="):
            yield re.sub(r"\|\w+\|", "1", re.sub(r"^[<=]\d*", "", part)).strip().encode()


def table(data: Path) -> Counter[Row]:
    """How many frames became what: ``decoded X``, ``unused X``, or ``MALFORMED X`` and ``UNKNOWN X``, of which there must be none."""
    rows: Counter[Row] = Counter()
    for source, exchange, raw, snapshot_of in frames(data):
        sink = Told()
        decoder = PUBLIC_STREAMS[exchange].decoder(sink)
        try:
            if snapshot_of:
                decoder.feed_snapshot(snapshot_of, raw)
            else:
                decoder.feed(raw)
            event = sink.events[0]  # a frame may hold several trades
            kind = str(event[1]) if event[0] == "other" else ""
            became = f"decoded {event[0]}" if not kind else f"unused {kind}" if kind in UNUSED else f"UNKNOWN {kind}"
        except WireError as error:
            became = f"MALFORMED {error}"
        rows[source, exchange, became] += 1
    return rows


if __name__ == "__main__":
    for (source, exchange, became), count in sorted(table(Path(sys.argv[1])).items()):
        reason = UNUSED.get(became.removeprefix("unused "), "")
        print(f"{source:<11} {exchange:<12} {became:<28} {count:>5}  {reason}")
