"""``arbtui adjust``, ``arbtui positions`` and ``arbtui orders`` in processes of their own: while an engine runs, and while none does."""

import asyncio
import json
import signal
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.journal.events import CycleState
from arbtui.model.errors import MarketUnknown
from arbtui.model.order import OrderState
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.simulation.ledger import VenueLedger
from tests.execution.test_settler import left, residual
from tests.execution.world import Venue, world
from tests.failover.test_recovery import _cut_off, _lose
from tests.lifecycle.programs import run, running
from tests.lifecycle.state import State
from tests.lifecycle.waiting import until
from tests.portfolio.auditing import audit

HEADLESS = ("--headless", "--symbols", "3")


def _gone_at_the_venue(state: State, **assets: str) -> None:
    """Somebody moves assets at Upbit while nothing runs."""

    async def main() -> None:
        ledger = await VenueLedger.open(state.venue, "aio")
        await ledger.deposit("upbit", {asset: Decimal(amount) for asset, amount in assets.items()}, "somebody", 0)
        await ledger.close()

    asyncio.run(main())


def _listed(state: State, command: str) -> list[dict[str, Any]]:
    answer = run(command, *state.arguments(), "--json")
    assert answer.code == 0, answer.err
    rows: list[dict[str, Any]] = json.loads(answer.out)
    return rows


def test_a_disputed_balance_is_decided_while_the_engine_runs_and_while_none_does(state: State, tmp_path: Path) -> None:
    assert run(*state.arguments(), *HEADLESS, "--max-runtime", "1").code == 0
    _gone_at_the_venue(state, KRW="-5000", XRP="-7")
    typed = ("--confirm", state.profile, "--reason", "lent to another desk")
    with running(*state.arguments(), "--symbols", "3", folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and len(_listed(state, "adjust")) == 2, "both disputes")
        wrong = run("adjust", "upbit", "KRW", *state.arguments(), "--confirm", "another", "--reason", "x")
        assert (wrong.code, "type the profile's name" in wrong.err) == (2, True)
        done = run("adjust", "upbit", "KRW", *state.arguments(), *typed)
        assert (done.code, done.err) == (0, ""), done.err
        assert [row["asset"] for row in _listed(state, "adjust")] == ["XRP"]
    done = run("adjust", "upbit", "xrp", *state.arguments(), *typed)  # the engine was killed: the journal is written here
    assert (done.code, done.err) == (0, "")
    assert _listed(state, "adjust") == []
    assert [(row["asset"], row["change"]) for row in state.ledger()["adjustments"]] == [("KRW", "-5000"), ("XRP", "-7")]
    again = run("adjust", "upbit", "XRP", *state.arguments(), *typed)
    assert (again.code, "disputes no balance of XRP" in again.err) == (2, True)
    assert run(*state.arguments(), *HEADLESS, "--max-runtime", "1").code == 0


def test_a_residual_position_is_listed_and_written_off(tmp_path: Path) -> None:
    state = State(tmp_path, "p")

    async def main() -> None:
        (state.folder / "sim").mkdir(parents=True)
        async with world(state.folder / "sim", profile=state.profile) as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
            w.binance.core.faults.add(None, *[Fault(FaultKind.REJECT)] * 9)
            cycle = await w.trade()
            assert cycle.state is CycleState.RESIDUAL
            assert OrderState.REJECTED in [order.state for order in cycle.orders]

    run_virtual(main())
    (row,) = _listed(state, "positions")
    assert (row["asset"], row["exchange"], row["cycle_id"]) == ("XRP", "binance", "r1-1")
    assert 90 < Decimal(row["value_usdt"]) < 110
    untyped = run("positions", "write-off", "r1-1", *state.arguments())
    assert (untyped.code, "--confirm NAME --reason TEXT" in untyped.err) == (2, True)
    done = run("positions", "write-off", "r1-1", *state.arguments(), "--confirm", "p", "--reason", "kept as stock")
    assert (done.code, done.err) == (0, "")
    assert _listed(state, "positions") == []
    (cycle,) = (row for row in state.ledger()["cycles"] if row["id"] == "r1-1")
    assert (cycle["state"], cycle["settled"]["reason"]) == ("RESIDUAL", "kept as stock")
    assert run("positions", "flatten", "r1-1", *state.arguments()).code == 2


def _one_sided(state: State) -> str:
    """A run of another process leaves XRP bought and not sold; the cycle's id."""

    async def main() -> str:
        (state.folder / "sim").mkdir(parents=True)
        async with world(state.folder / "sim", profile=state.profile) as w:
            return await residual(w)

    cycle_id: str = run_virtual(main())
    return cycle_id


def _refused(state: State, *arguments: str) -> str:
    """What the command says, which must be one sentence and change nothing."""
    settling = "purpose = 'settle'"  # the engine trades meanwhile
    before = state.count("order_", settling)
    answer = run("positions", *arguments, *state.arguments())
    assert (answer.code, answer.err.count("\n"), "Traceback" in answer.err) == (2, 1, False), answer
    assert state.count("order_", settling) == before
    return answer.err


def test_a_position_of_an_earlier_run_is_traded_away_by_the_engine_that_runs(state: State, tmp_path: Path) -> None:
    cycle_id = _one_sided(state)
    typed = ("--confirm", state.profile, "--reason", "too dear to keep")
    assert "no engine runs: start it" in _refused(state, "flatten", cycle_id, *typed)
    (offline,) = _listed(state, "positions")
    assert offline["ways"] is None
    with running(*state.arguments(), "--symbols", "XRP,ADA", folder=tmp_path / "told") as engine:

        def priced() -> bool:
            ways = _listed(state, "positions")[0]["ways"]
            return engine.alive() and bool(ways) and not any(way["why_not"] for way in ways)

        until(priced, "a price of every way")
        (row,) = _listed(state, "positions")
        names = (
            "cycle_id",
            "exchange",
            "asset",
            "qty",
            "currency",
            "value",
            "value_usdt",
            "since",
            "cause",
            "acknowledged_by",
            "settled",
            "ways",
        )
        assert tuple(row) == names
        ways = {way["verb"]: way for way in row["ways"]}
        assert set(ways) == {"complete", "flatten", "write-off"}
        facts = ("verb", "exchange", "market", "side", "asset", "qty", "price", "quote", "cost", "currency", "why_not", "text", "price_tag")
        assert tuple(ways["flatten"]) == facts
        assert (ways["flatten"]["exchange"], ways["flatten"]["side"], ways["flatten"]["quote"]) == ("binance", "sell", "USDT")
        assert (ways["complete"]["exchange"], ways["complete"]["side"], ways["complete"]["quote"]) == ("upbit", "sell", "KRW")
        assert Decimal(ways["flatten"]["qty"]) == Decimal("46.6")
        assert abs(Decimal(ways["flatten"]["cost"])) < 10

        for words, says in {
            ("sell", cycle_id): "there are list, complete, flatten, write-off, adjust",
            ("flatten",): "which one?",
            ("flatten", "r9-9", *typed): f"r9-9 leaves no position; open positions: {cycle_id}",
            ("flatten", cycle_id, "--at", "okx", *typed): "no flatten at okx",
            ("flatten", cycle_id): "--confirm NAME --reason TEXT",
            ("flatten", cycle_id, "--confirm", "another", "--reason", "x"): "type the profile's name",
            ("flatten", cycle_id, "--confirm", state.profile, "--reason", " "): "a reason is needed",
            ("adjust", cycle_id, *typed): "no disputed balance differs by what",
        }.items():
            assert says in _refused(state, *words), words

        done = run("positions", "flatten", cycle_id, "--at", "BINANCE", *state.arguments(), *typed)
        assert (done.code, done.err) == (0, "")
        assert f"{cycle_id} is settled: sold 46.6 XRP at binance for " in done.out
        assert _listed(state, "positions") == []
        assert "leaves no position; open positions: none" in _refused(state, "complete", cycle_id, *typed)
        engine.signal(signal.SIGTERM)
        assert engine.ended().code == 128 + signal.SIGTERM
    ledger = state.ledger()
    (settled,) = (one for one in ledger["residuals"] if one["cycle_id"] == cycle_id)
    assert (settled["qty"], settled["settled"]["how"], settled["settled"]["reason"]) == (row["qty"], "flattened", "too dear to keep")
    (fill,) = (fill for fill in ledger["fills"] if fill["cycle_id"] == cycle_id and fill["side"] == "sell")
    assert (fill["exchange"], fill["leg"]) == ("binance", 1000)
    code, said = audit(ledger)
    assert code == 0, said


def test_nothing_is_traded_after_a_kill_and_a_run_that_leaves_it_ends_with_3(state: State, tmp_path: Path) -> None:
    cycle_id = _one_sided(state)
    with running(*state.arguments(), "--symbols", "XRP,ADA", folder=tmp_path / "told") as engine:
        until(lambda: engine.alive() and bool(_listed(state, "positions")[0]["ways"]), "the engine")
        assert run("kill", *state.arguments()).code == 0
        until(lambda: run("status", *state.arguments(), "--json").out.count("HALTED") > 0, "the halt")
        assert "HALTED" in _refused(state, "flatten", cycle_id, "--confirm", state.profile, "--reason", "x")
        engine.signal(signal.SIGTERM)
        assert engine.ended().code == 3


def test_a_position_that_was_traded_by_hand_is_settled_by_the_balance_that_differs_while_no_engine_runs(state: State) -> None:
    async def main() -> str:
        (state.folder / "sim").mkdir(parents=True)
        async with world(state.folder / "sim", profile=state.profile) as w:
            cycle_id = await residual(w)
            await w.upbit.core._ledger.deposit("upbit", {"XRP": -left(w, cycle_id)}, "sold by hand", 0)
            for _ in range(5):
                await asyncio.sleep(1.1)
                await w.engine.compare_positions()
            return cycle_id

    cycle_id: str = run_virtual(main())
    typed = ("--confirm", state.profile, "--reason", "sold at the venue")
    assert "no disputed balance at binance differs" in _refused(state, "adjust", cycle_id, "--at", "binance", *typed)
    done = run("positions", "adjust", cycle_id, *state.arguments(), *typed)
    assert (done.code, done.err) == (0, "")
    assert (_listed(state, "positions"), _listed(state, "adjust")) == ([], [])
    ledger = state.ledger()
    (row,) = ledger["residuals"]
    (adjusted,) = ledger["adjustments"]
    assert (row["settled"]["how"], adjusted["exchange"], Decimal(adjusted["change"])) == ("adjusted", "upbit", -Decimal(row["qty"]))
    assert audit(ledger)[0] == 0


def test_an_order_whose_market_is_gone_is_listed_and_ended_by_a_person(tmp_path: Path) -> None:
    state = State(tmp_path, "p")

    async def unknown(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        raise MarketUnknown(f"binance: no market {code}")

    def is_gone(venues: Mapping[str, Venue]) -> None:
        venues["binance"].fetch_order = unknown  # type: ignore[method-assign]

    async def start() -> None:
        async with world(state.folder / "sim", on_open=is_gone):
            pass

    typed = ("--confirm", state.profile, "--reason", "the venue shows none")
    (state.folder / "sim").mkdir(parents=True)
    run_virtual(_cut_off(state.folder / "sim", _lose("upbit", "binance")))
    first = _listed(state, "orders")
    assert [(row["exchange"], row["state"]) for row in first] == [("binance", "SENDING"), ("upbit", "SENDING")]
    early = run("orders", "end", first[0]["client_order_id"], *state.arguments(), *typed)
    assert (early.code, "no venue has said that its market is gone" in early.err) == (2, True)
    run_virtual(start())
    (row,) = _listed(state, "orders")
    assert (row["exchange"], row["state"], row["reason"]) == ("binance", "UNKNOWN", "MARKET_GONE")
    own = row["client_order_id"]
    assert own in run("orders", *state.arguments()).out
    wrong = run("orders", "end", *state.arguments())
    assert (wrong.code, "orders end ORDER" in wrong.err) == (2, True)
    done = run("orders", "end", own, *state.arguments(), *typed)
    assert (done.code, done.err) == (0, "")
    assert "its cycle r1-1 ends, and leaves nothing" in done.out
    assert _listed(state, "orders") == []
    (order,) = [order for order in state.ledger()["orders"] if order["client_order_id"] == own]
    assert order["state"] == "CANCELED"
    assert order["reason"].startswith("TAKEN_OVER by ")
