"""What is wrong with a profile is told with its place, its key, what is expected, and the nearest right one."""

from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.settings.load import LARGEST_PROFILE, ProfileError, load_profile

VENUES = "\n[exchanges.upbit]\n[exchanges.binance]\n"


@pytest.fixture
def complaint(home: Path) -> "Complaint":
    return Complaint(home / "mine.toml")


class Complaint:
    """Writes a profile and gives back what loading it complains of."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, text: str) -> list[str]:
        self.path.write_text(text)
        with pytest.raises(ProfileError) as caught:
            load_profile(str(self.path))
        return [problem.replace(str(self.path), "mine.toml") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[execution]\nordervalue = 3", "mine.toml:2: execution.ordervalue is no key of a profile; did you mean execution.order_value?"),
        ("[executon]\norder_value = 3", "mine.toml:1: executon is no key of a profile; did you mean execution?"),
        ("[execution]\n\nmax_age_ms = 3", "mine.toml:3: execution.max_age_ms is no key of a profile; did you mean rates.max_age_ms?"),
        ("[risk.glbal]\nmax_unhedged = 3", "mine.toml:1: risk.glbal is no key of a profile; did you mean risk.global?"),
        ("[risk.global]\nmax_unhedgd = 3", "did you mean risk.global.max_unhedged?"),
        ("[zzz]", "mine.toml:1: zzz is no key of a profile"),
        ("[email]\nenabled = true", "mine.toml:1: email.host: is empty, so nothing can be sent; say it, or set email.enabled = false"),
        ('[email]\nrecipients = ["a b@c"]', "mine.toml:2: email.recipients: 'a b@c' is no mail address such as desk@example.com"),
        (
            '[email]\nhost = "mail.example.com"\nsecurity = "none"',
            'email.security: "none" would tell mail.example.com everything unencrypted',
        ),
        ("[email]\nport = 70000", "mine.toml:2: email.port = 70000: expected a whole number from 1 to 65,535"),
        ('[email]\npassword = "x"', "mine.toml:2: email.password looks like a secret: a profile holds none"),
        ('[alerts]\nquiet_hours = "11pm-7am"', "mine.toml:2: alerts.quiet_hours: '11pm' is no time of day such as 07:30"),
        ('[alerts]\nsecond = ["mail"]', "mine.toml:2: alerts.second"),
        ('mode = "live"', "mine.toml:1: mode is not set by a profile; a mode is chosen at each start, with --mode"),
        ('name = "other"', "mine.toml:1: name is not set by a profile"),
    ],
)
def test_unknown_keys_name_the_nearest(complaint: Complaint, text: str, said: str) -> None:
    (problem,) = complaint(text + VENUES)
    assert said in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[execution]\norder_value = "ten"',
            'mine.toml:2: execution.order_value = "ten": expected a number above 0 to 1,000,000,000,000 (in desk.currency',
        ),
        ("[execution]\norder_value = 0", "execution.order_value = 0: expected a number above 0"),
        ("[execution]\nmin_edge_bps = nan", "execution.min_edge_bps = nan: expected a number from"),
        ("[risk.global]\nmax_unhedged = inf", "risk.global.max_unhedged = inf: expected a number above 0 (in desk.currency"),
        ("[execution]\nenabled = 1", "execution.enabled = 1: expected true or false"),
        ("[execution]\nmax_attempts = 2.5", "execution.max_attempts = 2.5: expected a whole number from 1 to 100"),
        ("[execution]\nmax_attempts = true", "execution.max_attempts = true: expected a whole number"),
        ('[execution]\nentry_orders = { xrp = "together" }', "'xrp' is neither an asset (XRP) nor a route (XRP:upbit>binance)"),
        ('[execution]\nentry_orders = { XRP = "alone" }', 'expected a table of "together" or "hard leg first"'),
        (
            '[execution]\nentry_orders = { "XRP:upbit>okx" = "together" }',
            "'XRP:upbit>okx' names okx; this profile's venues are upbit, binance",
        ),
        ('[execution]\nentry_orders = { "XRP:upbit>upbit" = "together" }', "'XRP:upbit>upbit' buys and sells at one venue"),
        ('[simulator]\nscenario = "Bussy"', 'expected "busy" or "normal" or "calm" or "crash" or "premium"; did you mean busy?'),
        ("[simulator]\nlatency_ms = [5]", "simulator.latency_ms = [5]: expected a list of 2 whole numbers (ms"),
        ("[simulator]\nlatency_ms = [5, 2]", "mine.toml:2: simulator.latency_ms: the least (5 ms) is above the most (2 ms)"),
        ('[simulator]\ncash = { KRW = "x" }', "simulator.cash ="),
        ("[simulator]\ncash = { krw = 5.0 }", "simulator.cash: 'krw' is not a currency's code"),
        ("[universe]\nsymbols = 0", "universe.symbols = 0: expected a whole number from 1 to 1,000"),
        ("[universe]\nsymbols = 1001", "universe.symbols = 1001: expected a whole number from 1 to 1,000"),
        ('[universe]\nsymbols = "BTC"', 'universe.symbols = "BTC": expected'),
        ('[universe]\nsymbols = ["btc"]', "universe.symbols: 'btc' is not an asset's code"),
        ("[universe]\nsymbols = []", "mine.toml:2: universe.symbols: an empty list trades nothing"),
        ('[universe]\nsymbols = ["BTC", "BTC"]', "universe.symbols: BTC is named twice"),
        ('[universe]\nsymbols = ["BTC"]\nexclude = ["BTC"]', "nothing is left to trade"),
        ("universe = 3", "mine.toml:1: universe is a table: write [universe]"),
        ("risk = 3", "mine.toml:1: risk is a table"),
        ("risk.global = 3", "risk.global is a table"),
        ('[alerts]\nsecond = ["mail"]', 'expected a list of "telegram" or "email" or "services"; did you mean email?'),
        ("[desk]\nsizes = []", "mine.toml:2: desk.sizes = []: expected"),
        ("[desk]\nsizes = [5000.0, 1000.0]", "mine.toml:2: desk.sizes: give each size once, the smallest first"),
        ("[desk]\nsizes = [0.0]", "desk.sizes = [0.0]: expected"),
        ("[console]\nframe_rate = 50", "console.frame_rate = 50: expected a whole number from 1 to 20"),
    ],
)
def test_wrong_values_say_what_is_expected(complaint: Complaint, text: str, said: str) -> None:
    (problem,) = complaint(text + VENUES)
    assert said in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "exchanges is missing; a profile names two venues or more of upbit, binance, binanceusdm"),
        ("exchanges = 5", "exchanges is a table"),
        ("[exchanges]\nupbit = 5\nbinance = {}", "mine.toml:2: exchanges.upbit is a table: write [exchanges.upbit]"),
        ("[exchanges.upbit]", "mine.toml:1: exchanges: a profile names two venues or more, this one has 1"),
        ("[exchanges.upbitt]\n[exchanges.binance]", "exchanges.upbitt is no venue that is built; did you mean exchanges.upbit?"),
        (
            '[exchanges.upbit]\n[exchanges.kraken]\nquote = "USDT"\n[exchanges.kraken.urls]\n'
            'rest = "https://a.example"\nstream = "wss://a.example"\nprivate = "wss://a.example"',
            "mine.toml:2: exchanges.kraken is no venue that is built; there are: upbit, binance",
        ),
        ('[exchanges.upbit]\nquote = "USD"\n[exchanges.binance]', "mine.toml:2: exchanges.upbit.quote: USD markets of upbit are not built"),
        (
            '[exchanges.binance]\n[exchanges.okx]\nquote = "KRW"',
            "mine.toml:3: exchanges.okx.quote: KRW markets of okx are not built; expected USDT or USDC",
        ),
        (
            '[exchanges.binance]\n[exchanges.okx]\nquote = "USDC"',
            "desk.currency: the venues settle in USDT and USDC; say which of them PnL and limits are counted in",
        ),
        (
            '[desk]\ncurrency = "KRW"\n[exchanges.upbit]\n[exchanges.binance]',
            "desk.currency: KRW is no dollar coin, and the defaults of money are for dollars; this profile must set execution.order_value",
        ),
        (
            '[desk]\ncurrency = "EUR"\n[exchanges.upbit]\n[exchanges.binance]',
            "mine.toml:2: desk.currency: EUR is quoted by none of this profile's venues; KRW or USDT",
        ),
        ('[desk]\ncurrency = "krw"\n[exchanges.upbit]\n[exchanges.binance]', 'desk.currency = "krw": expected'),
        (
            "[exchanges.upbit]\n[exchanges.binance]\n[exchanges.binanceusdm]",
            'universe.pairs: of 3 venues it must be told which trade with each other, such as [["upbit", "binance"]',
        ),
        (
            '[universe]\npairs = [["upbit", "binance"]]\n[exchanges.upbit]\n[exchanges.binance]\n[exchanges.binanceusdm]',
            "universe.pairs: binanceusdm is in no pair",
        ),
        (
            '[universe]\npairs = [["upbit", "okx"]]\n[exchanges.upbit]\n[exchanges.binance]',
            "universe.pairs: okx is no venue of this profile",
        ),
        (
            '[universe]\npairs = [["upbit", "upbit"]]\n[exchanges.upbit]\n[exchanges.binance]',
            "universe.pairs: upbit makes no pair with itself",
        ),
        (
            '[universe]\npairs = [["upbit", "binance"], ["binance", "upbit"]]\n[exchanges.upbit]\n[exchanges.binance]',
            "universe.pairs: binance and upbit are named twice",
        ),
        (
            '[universe]\npairs = [["upbit"]]\n[exchanges.upbit]\n[exchanges.binance]',
            "universe.pairs = [['upbit']]: expected a list of pairs",
        ),
        ('exchanges.upbit.urls.rest = "https://a/b"\nexchanges.binance = {}', "exchanges.upbit.urls.rest: 'https://a/b' has a path"),
        ('exchanges.upbit.urls.rest = "api.upbit.com"\nexchanges.binance = {}', "starts with https:// or http://"),
        ('exchanges.upbit.urls.stream = "https://a"\nexchanges.binance = {}', "starts with wss:// or ws://"),
        ('exchanges.upbit.urls.rest = "https://a:x"\nexchanges.binance = {}', "is not a URL"),
        ("exchanges.upbit.taker_bps = -1\nexchanges.binance = {}", "exchanges.upbit.taker_bps = -1: expected a number from 0"),
    ],
)
def test_wrong_venues(complaint: Complaint, text: str, said: str) -> None:
    (problem,) = complaint(text)
    assert said in problem


@pytest.mark.parametrize("key", ["secret", "api_key", "apikey", "password", "access_token", "Passphrase"])
def test_secrets_are_refused_and_not_repeated(complaint: Complaint, key: str) -> None:
    (problem,) = complaint(f'[exchanges.upbit]\n{key} = "hunter2"\n[exchanges.binance]\n')
    assert f"mine.toml:2: exchanges.upbit.{key} looks like a secret" in problem
    assert "hunter2" not in problem


def test_a_password_in_a_url_is_refused_and_not_repeated(complaint: Complaint) -> None:
    (problem,) = complaint('exchanges.upbit.urls.rest = "https://me:hunter2@a"\nexchanges.binance = {}')
    assert "holds no user or password" in problem
    assert "hunter2" not in problem


def test_all_problems_are_told_at_once(complaint: Complaint) -> None:
    problems = complaint("[execution]\norder_value = -1\ncoldown_ms = 3\n[console]\nframe_rate = 0" + VENUES)
    assert [problem.split(" ")[1] for problem in problems] == ["execution.order_value", "execution.coldown_ms", "console.frame_rate"]


def test_the_message_counts_the_rest(complaint: Complaint) -> None:
    complaint.path.write_text("[execution]\norder_value = -1\ncoldown_ms = 3" + VENUES)
    with pytest.raises(ProfileError, match=r"\(and 1 more: arbtui check --profile "):
        load_profile(str(complaint.path))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"[execution\n", "no valid TOML: .*line 1, column 11"),
        (b"[a]\n[a]\n", "no valid TOML: .*line 2"),
        (b"a = 1\nb = \xff\xfe\n", "mine.toml:2: byte 0xff is no UTF-8"),
        (b"\x00\x01\x02ELF", "no valid TOML"),
        (b"a = " + b"[" * 90_000, "no valid TOML"),
        (b"#" * (LARGEST_PROFILE + 1), "larger than 100,000 bytes"),
    ],
    ids=["header", "twice", "encoding", "binary", "nested", "large"],
)
def test_what_is_no_toml(home: Path, raw: bytes, said: str) -> None:
    path = home / "mine.toml"
    path.write_bytes(raw)
    with pytest.raises(UsageError, match=said):
        load_profile(str(path))


def test_a_folder_is_no_profile(home: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        load_profile(str(home) + "/")


def test_a_device_is_no_profile(home: Path) -> None:
    with pytest.raises(UsageError, match="no ordinary file"):
        load_profile("/dev/null")


def test_windows_text_with_a_byte_order_mark_is_read(home: Path) -> None:
    path = home / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf[exchanges.upbit]\r\n[exchanges.binance]\r\n")
    assert load_profile(str(path)).name == "mine"
