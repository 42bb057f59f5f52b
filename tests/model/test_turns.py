"""Work in pieces: a piece that has taken long enough lets everything else go first, a short one does not."""

import asyncio

from arbtui.model.turns import PIECE_S, Turns
from arbtui.model.virtual_loop import run_virtual


def test_the_loop_has_its_turn_once_a_piece_has_taken_long_enough() -> None:
    async def main() -> None:
        told: list[str] = []
        turns = Turns()
        loop = asyncio.get_running_loop()
        loop.call_soon(told.append, "turn")
        await turns.pause()
        assert told == [], "it has only just begun"
        await asyncio.sleep(PIECE_S)  # virtual time goes on here only
        told.clear()
        loop.call_soon(told.append, "turn")
        await turns.pause()
        assert told == ["turn"]
        loop.call_soon(told.append, "turn")
        await turns.pause()
        assert told == ["turn"], "a new piece has begun"

    run_virtual(main())
