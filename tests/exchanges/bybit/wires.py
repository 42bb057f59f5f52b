"""Bybit's frames as its documents show them, and its recorded ones."""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from arbtui.model.book import Level

# bybit-exchange/docs, v5, "Orderbook" and "Trade", at commit 072c197; spot puts ``ts`` before ``type``, and numbers its trades.
SNAPSHOT: dict[str, Any] = {
    "topic": "orderbook.50.BTCUSDT", "ts": 1672304484978, "type": "snapshot",
    "data": {"s": "BTCUSDT", "b": [["16493.50", "0.006"], ["16493.00", "0.100"]], "a": [["16611.00", "0.029"], ["16612.00", "0.213"]],
             "u": 18521288, "seq": 7961638724},
    "cts": 1672304484976,
}  # fmt: skip
DELTA: dict[str, Any] = {
    "topic": "orderbook.50.BTCUSDT", "ts": 1687940967466, "type": "delta",
    "data": {"s": "BTCUSDT", "b": [["30247.20", "30.028"], ["30240.00", "0"]], "a": [["30248.70", "0"], ["30249.30", "0.892"]],
             "u": 177400507, "seq": 66544703342},
    "cts": 1687940967464,
}  # fmt: skip
TRADE: dict[str, Any] = {
    "topic": "publicTrade.BTCUSDT", "ts": 1672304486868, "type": "snapshot",
    "data": [
        {"i": "2290000001189048101", "T": 1672304486865, "p": "16578.50", "v": "0.001", "S": "Buy", "seq": 1783284617, "s": "BTCUSDT",
         "BT": False, "RPI": False},
    ],
}  # fmt: skip
ONE_LEVEL = SNAPSHOT | {"topic": "orderbook.1.BTCUSDT"}
SUBSCRIBED = {"success": True, "ret_msg": "subscribe", "conn_id": "2324d924", "req_id": "10001", "op": "subscribe"}
PONG = {"success": True, "ret_msg": "pong", "conn_id": "0970e817", "op": "ping"}


def raw(message: object) -> bytes:
    """As the venue sends it."""
    return message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()


def book(kind: str, update_id: int, bids: Sequence[Level] = (), asks: Sequence[Level] = (), code: str = "BTCUSDT", ts: int = 0) -> bytes:
    """A book or a change of one."""
    levels = {"b": [[str(price), str(qty)] for price, qty in bids], "a": [[str(price), str(qty)] for price, qty in asks]}
    at = ts or 1_700_000_000_000 + update_id
    data = {"s": code, **levels, "u": update_id, "seq": update_id * 10}
    return raw({"topic": f"orderbook.50.{code}", "ts": at, "type": kind, "data": data, "cts": at})


def recorded(data: Path, connection: str = "BYBIT.ws.3") -> Iterator[bytes]:
    """The frames of one connection of the capture of 2026-08-09: ``ws.3`` is spot, ``ws.2`` contracts."""
    with gzip.open(data / "cryptofeed" / "BYBIT.jsonl.gz", "rt") as lines:
        for message in map(json.loads, lines):
            if message["t"] == "recv" and message["conn"] == connection:
                yield message["data"].encode()
