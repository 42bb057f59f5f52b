"""Markets of one coin against another on the venues' own wires, and a gap that the control port plants in one of them."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest

from arbtui.exchanges.config import UrlsConfig
from arbtui.exchanges.venues import VENUES
from arbtui.model.book import BookState
from arbtui.sandbox.doors import door_names
from arbtui.sandbox.sandbox import SandboxOptions, sandbox
from arbtui.simulation.config import SimulatorConfig
from tests.marketdata.live import Live

HAVE = [name for name in door_names() if name in VENUES and VENUES[name].cross_quotes]


def test_every_venue_streams_them_and_a_planted_gap_shows_in_one_book_and_goes(tmp_path: Path) -> None:
    async def main() -> None:
        calm = SimulatorConfig(scenario="calm")
        crosses = dict.fromkeys(HAVE, ("BTC",))
        options = SandboxOptions(0, ["BTC", "ETH"], HAVE, calm, crosses, tmp_path)
        async with sandbox(options) as box:
            codes = {name: [code for code, one in core.markets.items() if one.quote == "BTC"] for name, core in box.cores.items()}
            assert all(len(listed) == 1 for listed in codes.values())
            urls = {name: UrlsConfig(**found) for name, found in box.urls.items()}
            async with Live(cast(Any, SimpleNamespace(markets=codes, urls=urls.__getitem__))) as live, aiohttp.ClientSession() as http:
                await live.all_live()
                books = {name: live.book(name, listed[0]) for name, listed in codes.items()}
                for book in books.values():
                    assert book.bid == pytest.approx(3450.0 / 98500.0, rel=0.02)

                async def plant(**gap: Any) -> tuple[int, Any]:
                    async with http.post(f"{box.control_url}/gaps", data=json.dumps(gap)) as answer:
                        return answer.status, await answer.json()

                (code,) = codes["upbit"]
                before = {name: book.bid for name, book in books.items()}
                gap = {"venue": "upbit", "symbol": code, "bps": 500.0, "seconds": 600.0}
                assert await plant(**gap) == (200, gap)
                await live.until(lambda: books["upbit"].bid > before["upbit"] * 1.04, "the gap")
                assert all(book.bid < before[name] * 1.02 for name, book in books.items() if name != "upbit")
                assert (await plant(**{**gap, "bps": 1.0, "seconds": 0.01}))[0] == 200  # of two at once the later one counts, and ends
                await live.until(lambda: books["upbit"].bid < before["upbit"] * 1.02, "its end")
                assert all(book.state is BookState.LIVE for book in books.values())
                status, told = await plant(**{**gap, "symbol": "BTC-ETC"})
                assert (status, told) == (400, {"error": f"no gap can be planted in upbit:BTC-ETC; the nearest is upbit:{code}"})
                assert (await plant(**{**gap, "bps": 9e9}))[0] == 400
                assert (await plant(venue="upbit"))[0] == 400

    async def bounded() -> None:
        async with asyncio.timeout(120):
            await main()

    asyncio.run(bounded())
