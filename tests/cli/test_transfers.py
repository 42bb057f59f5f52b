"""``arbtui transfers``: plans, and the record of what a person moves, typed, without an engine too."""

import json
import socket
from pathlib import Path

import pytest

from tests.cli.command import Here, in_shell

P = ("--profile", "upbit-binance")
TYPED = ("--confirm", "upbit-binance", "--reason", "refill")
GIVEN = ("--amount", "50", "--network", "XRP", "--fee", "0.5", "--minutes", "4")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    where = ("--state-dir", str(folder))
    run = in_shell(*P, "--headless", "--symbols", "XRP,ADA", "--max-runtime", "5", "--speed", "max", *where)
    assert run.code == 0, run.err
    for target, amount in (("upbit.XRP", "50000"), ("binance.XRP", "10")):
        assert in_shell("targets", "set", target, amount, *P, *where, *TYPED).code == 0
    return folder


def test_a_plan_without_an_engine_says_what_it_does_not_know(arbtui: Here, state: Path) -> None:
    where = ("--state-dir", str(state))
    (plan,) = json.loads(arbtui("transfers", "plan", *P, *where, "--json").out)
    assert (plan["id"], plan["reverse_cost"]) == ("XRP:binance>upbit", None)
    assert "no word from" in plan["rails"][0]["why_not"]
    assert "nothing is sent from here" in arbtui("transfers", *P, *where).out


def test_a_transfer_is_begun_listed_and_settled_by_typing(arbtui: Here, state: Path) -> None:
    where = ("--state-dir", str(state))
    begun = arbtui("transfers", "begin", "XRP:binance>upbit", *GIVEN, *P, *where, *TYPED)
    assert (begun.code, begun.err) == (0, "")
    assert "you make this transfer at binance yourself" in begun.out
    (row,) = json.loads(arbtui("transfers", "list", *P, *where, "--json").out)
    assert (row["state"], row["qty"], row["expected"], row["reason"], row["settled"]) == ("BEGUN", "50", "49.5", "refill", None)
    assert json.loads(arbtui("status", *P, *where, "--json").out)["transfers"] == [row]
    assert f"{row['id']} BEGUN: 50 XRP binance > upbit" in " ".join(arbtui("status", *P, *where).out.split())
    venues = next(one for one in json.loads(arbtui("stock", *P, *where, "--json").out) if one["asset"] == "XRP")["venues"]
    assert {venue["exchange"]: (venue["leaving"], venue["coming"]) for venue in venues} == {"binance": ("50", "0"), "upbit": ("0", "49.5")}
    again = arbtui("transfers", "begin", "XRP:binance>upbit", *GIVEN, *P, *where, *TYPED)
    assert again.code == 2
    assert "already" in again.err
    wrong = arbtui("transfers", "settle", row["id"], "lost", *P, *where, *TYPED)
    assert "it has not left yet" in wrong.err
    done = arbtui("transfers", "settle", row["id"], "cancelled", *P, *where, *TYPED)
    assert done.code == 0
    (row,) = json.loads(arbtui("transfers", "list", *P, *where, "--json").out)
    assert (row["state"], row["settled"]["how"]) == ("CANCELLED", "cancelled")
    assert row["id"] in arbtui("transfers", "list", *P, *where).out


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("begin",), "ASSET:FROM>TO in quotes"),
        (("begin", "XRP"), "ASSET:FROM>TO in quotes"),
        (("begin", "XRP:binance>upbit"), "no word from"),
        (("begin", "ADA:binance>upbit"), "no plan gives --amount, --network, --fee, --minutes"),
        (("begin", "XRP:binance>upbit", *GIVEN, "--fee", "x"), "not a number"),
        (("begin", "XRP:binance>kraken", *GIVEN, *TYPED), "no venue 'kraken'"),
        (("begin", "XRP:binance>upbit", *GIVEN, "--confirm", "other", "--reason", "x"), "type the profile's name"),
        (("settle",), "name the transfer and how"),
        (("settle", "T1", "gone"), "name the transfer and how"),
        (("settle", "T1", "lost", *TYPED), "T1 is not under way"),
        (("send", "XRP"), "there are plan, list, begin, settle"),
    ],
)
def test_bad_input_is_one_sentence(arbtui: Here, state: Path, given: tuple[str, ...], why: str) -> None:
    answer = arbtui("transfers", *given, *P, "--state-dir", str(state))
    assert answer.code == 2
    assert why in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (("transfer", "XRP"), "sandbox transfer ASSET FROM TO AMOUNT"),
        (("move", "XRP", "a", "b", "1"), "sandbox transfer ASSET FROM TO AMOUNT"),
        (("transfer", "XRP", "binance", "upbit", "5", "--port", "1"), "no sandbox answers"),
    ],
)
def test_a_sandbox_s_transfer_that_cannot_be_made_says_so(arbtui: Here, given: tuple[str, ...], why: str) -> None:
    answer = arbtui("sandbox", *given)
    assert answer.code == 2
    assert why in answer.err


def test_a_sandbox_s_transfer_goes_by_no_proxy(arbtui: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox is on this machine; a proxy would look for it on its own."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        answer = arbtui("sandbox", "transfer", "XRP", "binance", "upbit", "5", "--port", "1")
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()
    assert answer.code == 2
    assert "no sandbox answers" in answer.err
