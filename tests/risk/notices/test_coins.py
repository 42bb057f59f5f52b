"""Which coins, pairs and whole markets a text names."""

from typing import NamedTuple

import pytest

from arbtui.risk.notices.coins import coins_in
from arbtui.risk.notices.rules import NoticeRules

KNOWN = ("XRP", "BTC", "ADA", "NFT")  # the last one is a word that stands in capitals elsewhere


class Told(NamedTuple):
    """What is to be found."""

    coins: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    quotes: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # in brackets: whether they are known or not
        ("(XRP) (ADA) (FOO)", Told(("XRP", "ADA", "FOO"))),
        ("ADA (XRP) ADA", Told(("ADA", "XRP"))),
        ("(XRP및ADA)", Told(("XRP", "ADA"))),
        ("(FOO, 12)", Told()),
        ("(FOO, abc)", Told()),
        ("( , )", Told()),
        ("랩트비트코인(WBTC)", Told(("WBTC",))),
        ("(NFT)", Told(("NFT",))),
        ("(NFT, FOO)", Told(("FOO",))),
        ("(DAO)", Told()),
        # by themselves: only if they are known, and where words in capitals are seldom
        ("EUR, FOO and XRP", Told(("XRP",))),
        ("XRP and NFT", Told(("XRP",))),
        ("XRP2, x.XRP, ADA.io, XRP.", Told(("XRP",))),
        ("BINANCE WILL LIST XRP (ADA)", Told(("ADA",))),
        # as pairs, in either order
        ("XRP/KRW, XRP_USDT, XRP/KRW", Told((), (("XRP", "KRW"), ("XRP", "USDT")))),
        ("BTC/KRW and BTC-USDT", Told((), (("BTC", "KRW"), ("BTC", "USDT")))),
        ("KRW-XRP", Told((), (("XRP", "KRW"),))),
        ("(XRP) XRP/KRW ADA/KRW", Told(("XRP",), (("XRP", "KRW"), ("ADA", "KRW")))),
        ("XRPUSDT, FOOUSDT", Told((), (("XRP", "USDT"),))),
        ("FOO/KRW", Told((), (("FOO", "KRW"),))),
        # what stands beside a pair or a market is no part of it
        ("대상은 ADA.XRP/KRW는 제외", Told(("ADA",), (("XRP", "KRW"),))),
        ("대상은 ADA.KRW-XRP는 제외", Told(("ADA",), (("XRP", "KRW"),))),
        ("대상은 ADA.XRPKRW는 제외", Told(("ADA",), (("XRP", "KRW"),))),
        ("신규원화마켓XRP 추가", Told(("XRP",), (), frozenset({"KRW"}))),
        # whole markets
        ("신규 USDT 마켓", Told((), (), frozenset({"USDT"}))),
        ("원화, BTC 및 FDUSD markets", Told((), (), frozenset({"KRW", "BTC", "FDUSD"}))),
        ("XRP(KRW, BTC 마켓)", Told(("XRP",), (), frozenset({"KRW", "BTC"}))),
    ],
)
def test_coins_pairs_and_markets_are_told_apart(text: str, told: Told) -> None:
    named = coins_in(text, KNOWN, NoticeRules.shipped())
    assert Told(named.coins, named.pairs, named.quotes) == told
    bases = {base for base, _ in told.pairs}
    assert named.in_pairs_only == bases - set(told.coins)
    assert set(named.all) == bases | set(told.coins)
    assert len(named.all) == len(set(named.all))
    assert named.all[: len(told.coins)] == told.coins
