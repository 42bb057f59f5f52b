"""Two listings are one asset only when the table or a person says so; whatever is in doubt is left alone and says why."""

from math import inf, nan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arbtui.exchanges.assets import AssetRegistry, Quarantine, Quarantined, SignOff
from arbtui.exchanges.assets.registry import Asset
from arbtui.simulation.asset_table import REAL_ASSETS

SHIPPED = AssetRegistry.shipped()
MNT = SignOff("MNT", "ann", 1_767_225_600_000, "same contract at both")


def _pair(
    upbit: list[str], binance: list[str], *signed: SignOff, registry: AssetRegistry = SHIPPED
) -> tuple[list[str], dict[str, Quarantine]]:
    pairing = registry.pair({"upbit": upbit, "binance": binance}, {one.symbol: one for one in signed})
    return [asset.symbol for asset in pairing.tradable], {one.symbol: one.reason for one in pairing.quarantined}


class TestTheTable:
    def test_it_holds_every_real_asset_that_the_simulator_trades(self) -> None:
        assert list(SHIPPED.assets) == [symbol for symbol, _ in REAL_ASSETS]

    def test_each_has_a_name_a_sane_band_and_networks_or_says_that_it_has_none(self) -> None:
        for asset in SHIPPED.assets.values():
            low, high = asset.price_ratio
            assert asset.name
            assert 0 < low < 1 < high
            assert all(network and network == network.lower() for network in asset.networks)
        assert len([asset for asset in SHIPPED.assets.values() if asset.networks]) > 100
        assert SHIPPED.assets["BTC"].networks == ("bitcoin",)

    def test_nothing_is_known_and_clashing_at_once(self) -> None:
        assert not SHIPPED.clashes.keys() & SHIPPED.assets.keys()
        assert not {ticker for tickers in SHIPPED.renamed.values() for ticker in tickers} & SHIPPED.assets.keys()

    def test_upbits_list_of_today_pairs_what_is_known_and_nothing_else(self, shared_data: Path) -> None:
        lines = (shared_data / "markets" / "upbit_krw_markets_2026-08-24_transcribed.txt").read_text().splitlines()
        upbit = [line.strip().removeprefix("KRW-") for line in lines if line.startswith("KRW-")]
        assert len(upbit) > 200
        tradable, quarantined = _pair(upbit, [*upbit, "MET", "TON"])
        assert set(tradable) == set(SHIPPED.assets)
        assert quarantined["MNT"] is Quarantine.UNKNOWN
        assert quarantined["MET2"] is Quarantine.RENAMED
        assert "USDT" not in tradable


class TestPairing:
    def test_known_assets_in_the_first_venues_order(self) -> None:
        assert _pair(["XRP", "BTC", "ETH"], ["BTC", "XRP", "SOL"]) == (["XRP", "BTC"], {})

    def test_an_unknown_ticker_is_quarantined_until_a_person_signs(self) -> None:
        assert _pair(["MNT", "BTC"], ["BTC", "MNT"]) == (["BTC"], {"MNT": Quarantine.UNKNOWN})
        assert _pair(["MNT", "BTC"], ["BTC", "MNT"], MNT) == (["MNT", "BTC"], {})

    def test_what_only_one_venue_lists_is_nobodys_business(self) -> None:
        assert _pair(["BORA"], ["TON"], MNT) == ([], {})

    def test_a_clash_is_two_assets_whoever_signs(self) -> None:
        assert _pair(["TON"], ["TON"], SignOff("TON", "ann", 0, "looks the same")) == ([], {"TON": Quarantine.CLASH})

    @pytest.mark.parametrize("binance", [["MET"], ["MET", "MET2"], ["MET2"]])
    def test_a_renamed_ticker_is_not_paired_with_what_it_looks_like(self, binance: list[str]) -> None:
        tradable, quarantined = _pair(["MET2"], binance, SignOff("MET2", "ann", 0, "x"), SignOff("MET", "ann", 0, "x"))
        assert tradable == []
        assert quarantined == {"MET2": Quarantine.RENAMED}

    def test_one_asset_under_two_tickers_is_told_and_left_alone(self) -> None:
        other = Asset("BTT", "BitTorrent", (), (0.8, 1.25), {"binance": "BTTC"})
        registry = AssetRegistry({"BTT": other}, {}, {}, (0.8, 1.25))
        assert _pair(["BTT"], ["BTTC"], registry=registry) == ([], {"BTT": Quarantine.TICKER_DIFFERS})
        assert _pair(["BTT"], ["BTT"], registry=registry) == ([], {}), "what the other venue calls BTT is another asset"

    @given(
        st.lists(st.sampled_from([*list(SHIPPED.assets)[:8], "MNT", "TON", "MET", "MET2", "ZZZ"]), unique=True),
        st.lists(st.sampled_from([*list(SHIPPED.assets)[:8], "MNT", "TON", "MET", "MET2", "ZZZ"]), unique=True),
        st.sets(st.sampled_from(["MNT", "TON", "MET2", "ZZZ", "BTC"])),
    )
    def test_whatever_is_listed_tradable_means_known_or_signed_listed_at_both_and_not_quarantined(
        self, upbit: list[str], binance: list[str], signed: set[str]
    ) -> None:
        tradable, quarantined = _pair(upbit, binance, *(SignOff(symbol, "ann", 0, "x") for symbol in signed))
        for symbol in tradable:
            assert symbol in upbit
            assert symbol in binance
            assert symbol in SHIPPED.assets or symbol in signed
            assert symbol not in ("TON", "MET2")
        assert not set(tradable) & set(quarantined)
        assert set(upbit) & set(binance) <= set(tradable) | set(quarantined), "nothing common is lost without a word"


class TestPrices:
    @pytest.mark.parametrize(
        ("price", "kept"),
        [(0.799, False), (0.8, True), (1.0, True), (1.25, True), (1.251, False), (110.21, False), (0.0, False), (-1.0, False),
         (nan, False), (inf, False)],
    )  # fmt: skip
    def test_a_ratio_outside_the_band_at_the_start_is_another_asset(self, price: float, kept: bool) -> None:
        pairing = SHIPPED.pair({"upbit": ["XRP"], "binance": ["XRP"]}, {}, {"upbit": {"XRP": price}, "binance": {"XRP": 1.0}})
        assert [asset.symbol for asset in pairing.tradable] == (["XRP"] if kept else [])
        assert [one.reason for one in pairing.quarantined] == ([] if kept else [Quarantine.PRICE_RATIO])

    def test_a_missing_price_is_a_reason_not_an_excuse(self) -> None:
        pairing = SHIPPED.pair({"upbit": ["XRP"], "binance": ["XRP"]}, {}, {"upbit": {"XRP": 1.0}, "binance": {}})
        assert [one.reason for one in pairing.quarantined] == [Quarantine.PRICE_RATIO]

    def test_a_signature_does_not_help_against_the_price(self) -> None:
        prices = {"upbit": {"MNT": 3.0}, "binance": {"MNT": 1.0}}
        pairing = SHIPPED.pair({"upbit": ["MNT"], "binance": ["MNT"]}, {"MNT": MNT}, prices)
        assert (pairing.tradable, pairing.quarantined[0].reason) == ((), Quarantine.PRICE_RATIO)


class TestSigning:
    @pytest.mark.parametrize(
        ("exchanges", "venues", "said"),
        [
            (("upbit", "binance"), 2, True),
            (("upbit", "binance", "okx"), 3, True),
            (("binance",), 2, False),
            (("upbit",), 2, False),
            (("okx", "bybit"), 2, False),
            ((), 2, True),  # from before profiles could have more than two
            ((), 3, False),
            ((), 1, False),
        ],
    )
    def test_a_statement_is_of_the_venues_that_the_profile_had_then(self, exchanges: tuple[str, ...], venues: int, said: bool) -> None:
        assert SignOff("MNT", "ann", 0, "x", exchanges).is_of("upbit", "binance", venues) is said

    def test_a_signed_asset_has_the_common_band_and_says_who_signed(self) -> None:
        (asset,) = SHIPPED.pair({"upbit": ["MNT"], "binance": ["MNT"]}, {"MNT": MNT}).tradable
        assert asset == Asset("MNT", "signed by ann", (), SHIPPED.price_ratio)
        assert SHIPPED.price_ratio == (0.8, 1.25)

    def test_what_cannot_be_signed_says_why(self) -> None:
        clash = {"TON": {"upbit": "Tokamak", "binance": "Toncoin"}}
        assets = {"BTT": Asset("BTT", "BitTorrent", (), (0.8, 1.25), {"binance": "BTTC", "okx": "BTTO"}), "XRP": SHIPPED.assets["XRP"]}
        registry = AssetRegistry(assets, clash, {"upbit": ["MET2"]}, (0.8, 1.25))
        assert registry.refuses("XRP") is None
        assert registry.refuses("MNT") is None
        assert registry.refuses("TON") == Quarantined("TON", Quarantine.CLASH, "two assets: Tokamak at upbit, Toncoin at binance")
        assert registry.refuses("MET2") == Quarantined(
            "MET2", Quarantine.RENAMED, "upbit has changed this ticker, so no other venue's is the same"
        )
        assert registry.refuses("BTT") == Quarantined(
            "BTT", Quarantine.TICKER_DIFFERS, "BTTC at binance, BTTO at okx: not traded under two names yet"
        )
        assert [assets["BTT"].ticker(exchange) for exchange in ("upbit", "binance", "okx")] == ["BTT", "BTTC", "BTTO"]

    def test_what_is_left_alone_says_what_is_known_of_it(self) -> None:
        def left(here: str, there: str, prices: dict[str, dict[str, float]] | None = None) -> list[Quarantined]:
            registry = AssetRegistry({"XRP": SHIPPED.assets["XRP"]}, {}, {"binance": ["MET2"]}, (0.8, 1.25))
            return list(registry.pair({"upbit": [here], "binance": [there]}, {}, prices).quarantined)

        assert left("MNT", "MNT") == [
            Quarantined(
                "MNT",
                Quarantine.UNKNOWN,
                "upbit and binance list it; `arbtui assets sign MNT` once you have made sure that it is one asset",
            )
        ]
        assert left("MET", "MET2") == [Quarantined("MET2", Quarantine.RENAMED, "binance lists MET2, upbit lists MET")]
        assert left("XRP", "XRP", {"upbit": {"XRP": 3.0}, "binance": {"XRP": 2.0}}) == [
            Quarantined("XRP", Quarantine.PRICE_RATIO, "the prices' ratio is 1.5, its band 0.8 to 1.25")
        ]
        assert left("XRP", "XRP", {"upbit": {}, "binance": {"XRP": 2.0}}) == [
            Quarantined("XRP", Quarantine.PRICE_RATIO, "a venue reports no price for it")
        ]
