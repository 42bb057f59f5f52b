"""``check`` before real orders, with the keys and answers of a venue; and a start that would send them."""

import asyncio
import json
from pathlib import Path

import pytest

from arbtui.sandbox.sandbox import Sandbox
from tests.lifecycle.test_wrong_network import KEYS, of_box
from tests.runtime.test_record import arbtui, ended
from tests.sandbox.boxes import box

ELSEWHERE = 'private = "wss://ws-api.binance.com/ws-api/v3"'


def turned(profile: str, running: Sandbox) -> Path:
    """The profile with one address of its Binance's turned to the real one."""
    path = Path(profile)
    text = path.read_text().replace(f'private = "{running.urls["binance"]["private"]}"', ELSEWHERE)
    assert ELSEWHERE in text
    path.write_text(text)
    return path


def test_check_goes_through_the_list_and_a_start_is_refused(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox with one address of its Binance's turned to the real one: the venue counts as real, and nothing is sent there."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)

    async def main() -> None:
        async with box(("XRP", "SOL")) as running:
            path = turned(of_box(tmp_path, running), running)
            code, out, err = await ended(await arbtui("check", "--profile", str(path), "--mode", "live", "--json"))
            told = json.loads(out)
            items = {one["name"]: one for one in told["real_orders"]}
            assert (code, told["ok"], err) == (2, False, "")
            assert [name for name, one in items.items() if one["is_required"] and not one["is_met"]] == ["switch", "addresses"]
            assert items["keys"]["words"] == "may read, order and cancel at every venue"
            assert [one["problem"] for one in told["problems"] if one["area"] == "real"] == [
                "switch: real_orders is false: upbit, binance",
                f"addresses: {items['addresses']['words']}",
            ]
            code, out, _ = await ended(await arbtui("check", "--profile", str(path), "--mode", "live"))
            assert "real     [ ] switch    real_orders is false: upbit, binance\n" in out
            assert "real     [x] keys      may read, order and cancel at every venue\n" in out
            live = ("--profile", str(path), "--mode", "live", "--headless", "--confirm", "box")
            code, out, err = await ended(await arbtui(*live))
            assert (code, out) == (2, "")
            assert "and its real_orders is false: mode live reaches this machine only" in err
            assert list(running.trades()) == []

    asyncio.run(main())
