"""Bitget spot: every documented error code that a request of ours can meet, and the families of those that it cannot.

Sources: bitget.com/api-doc, spot, "Error Code", REST (2025-11, after the unification of 2025-10-14) and WebSocket, and the edition
of the classic interface of 2026-09. Codes that the documents lack and that clients report are marked so. A code comes with status 400
or with 200.
"""

from collections.abc import Mapping

from arbtui.exchanges.refusals import EARLIER_COPY, OPEN, THROTTLED, Meaning, Refusal, Retry, Scope


def _order(say: str, word: str = "") -> Refusal:
    return Refusal(Scope.ORDER, Meaning.REFUSED, Retry.NEVER, say, word)


def _symbol(say: str, word: str = "") -> Refusal:
    return Refusal(Scope.SYMBOL, Meaning.REFUSED, Retry.LATER, say, word)


def _key(say: str, scope: Scope = Scope.KEY) -> Refusal:
    return Refusal(scope, Meaning.KEYS, Retry.PROBE, say)


def _account(say: str) -> Refusal:
    return Refusal(Scope.ACCOUNT, Meaning.ACCOUNT, Retry.PROBE, say)


def _rows(codes: str, row: Refusal) -> dict[str, Refusal]:
    return dict.fromkeys(codes.split(), row)


_MADE_WRONG = _order("the request itself is wrong, which is a fault of arbtui: report it with this line")
_NOT_OURS = _order("of an interface or order type that arbtui does not use: report it with this line")
_GONE = Refusal(Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER, "the venue does not know the order")
_ENDED = _order("the order has ended, or cannot be cancelled now; it is looked up")
_FUNDS = _order("fewer funds than thought: compare balances", "INSUFFICIENT_FUNDS")
_MINIMUM = _symbol("the least value has changed; start anew to read the rules", "MIN_COST")
_MAXIMUM = _order("the order is over the market's most", "MAX_COST")
_UNIT = _symbol("the price unit or its decimals have changed; start anew to read the rules", "PRICE_UNIT")
_LOT = _symbol("the lot or least quantity has changed; start anew to read the rules", "LOT_SIZE")
_BAND = _symbol("the price is too far from the market's own", "PRICE_BAND")
_NO_MARKET = _symbol("Bitget does not list this market any more", "UNKNOWN_MARKET")
_CLOSED = _symbol("Bitget does not trade this market now", "MARKET_CLOSED")
_SOLD_OUT = _symbol("the account may not buy or sell more of it now")
_CLOCK = Refusal(Scope.ORDER, Meaning.CLOCK, Retry.CLOCK, "set this machine's clock (chrony or ntpd)")
_WRONG_KEY = _key("key, secret or passphrase is wrong, or was cut in copying: enter all three anew")
_RIGHT = _key("the key lacks the right: it must read and trade spot")
_ADDRESS = _key("this machine's address is not in the key's list: add it at Bitget", Scope.IP)
_REGION = _account("Bitget does not serve this account from where it is: ask its support")
_IDENTITY = _account("the account lacks its identity check: complete it at Bitget")
_FROZEN = _account("the account is frozen, disabled or restricted: ask Bitget's support")
_TOO_MANY_OPEN = _account("the account has as many open orders as it may: cancel some")
_VENUE = Refusal(Scope.VENUE, Meaning.VENUE, Retry.PROBE, "Bitget takes no orders there now: wait, and read its notices")

CODES: Mapping[str, Refusal] = {
    **_rows("429 30006 30007 30014 30026 1001 40047 25004 70228", THROTTLED),
    # whether it was executed is not told
    **_rows("40010 40015 40725 40842 40908 40910 41100 43002 43003 43059 45001 45023 45124 50031 70229 80002 25000 25001 25003", OPEN),
    # key
    **_rows("40001 40002 40003 40006 40009 40011 40012 40036 40037 40041 30004 30005 30011 30012 30015", _WRONG_KEY),
    **_rows("40014 40025 40040 40301 25620 30002", _RIGHT),
    **_rows("40018 40038 22010", _ADDRESS),
    "40086": _key("this address of Bitget's is for accounts that applied for it: check [exchanges.bitget.urls]"),
    **_rows("40005 40008 40078 30013", _CLOCK),
    # account
    **_rows("40000 40100 40103 40104 40111", _REGION),
    **_rows("40016 40027 40035 40101", _IDENTITY),
    **_rows(
        "40013 40022 40023 40024 40026 40031 40068 40199 40710 40752 40753 40760 45009 45019 45107 45108 50012 50013 50019 50023 50064 "
        "70020 70209 70227 40061 40807 25005 25006 25007 25012",
        _FROZEN,
    ),
    "50038": _account("a limit of Bitget's is met: ask its support"),
    "40085": _account("the account is a unified one, which this interface does not serve: use a classic one"),  # reported
    **_rows("40723 40761 43005 43128 45118 50048 70223 25211", _TOO_MANY_OPEN),
    # venue
    **_rows("40200 25106", _VENUE),
    # market
    **_rows("40102 42016 41113 45017 50024 50028 50065 25100 40845 40309", _NO_MARKET),
    **_rows("40844 41114 43115 43119 43120 45043 50025 50026 50027 50030 25101 25102 25103 25104 22045 70220 25209 25210", _CLOSED),
    **_rows("22004 25013 40919 50029", _symbol("the market does not take orders over this interface")),
    **_rows("12001 12002 12003 13007 13009 43122 46013 50068 50081 70221 70222 70224 70225 25213 25214 25215 25216 25243", _SOLD_OUT),
    # order
    **_rows("40754 40756 43012 43132 45002 45004 45008 49023 50020 50045 25202", _FUNDS),
    **_rows("43010 43027 43037 43042 45110 45114 22034 25611", _MINIMUM),
    **_rows("43038 43041 43051 45112 45113 43007 50017 25208 40762", _MAXIMUM),
    **_rows("43028 45035 45115 25244 50018 40706 41103", _UNIT),
    **_rows("43006 45111 50016 22038 43125 25207 25610 13008", _LOT),
    **_rows("43008 43009 43039 43040 40748 40815 40816 50046 50047 25205 25206 41117", _BAND),
    **_rows("43118 45034 50060 25212 40786 40708", EARLIER_COPY),  # the last two in an earlier edition
    **_rows("43001 40109 45057 43004 22001 40768 25204 50051", _GONE),  # 40768 in an earlier edition
    **_rows("45031 45055 45056 45024 45129 50062 13010", _ENDED),
    **_rows(
        "00001 00171 00172 400171 400172 01001 01002 01003 20001 20002 40007 40017 40019 40020 40034 40053 40054 40057 40058 40059 40064 "
        "40079 40303 40304 40305 40306 40402 40404 40407 40408 40409 40704 40705 40707 40724 40805 40806 40808 40811 40812 40813 40902 "
        "40912 40913 40924 40925 41002 41101 41104 42072 43011 43058 43111 43123 43130 48001 48002 50011 50061 50063 30001 30003 30016 "
        "25002 25200 25201",
        _MADE_WRONG,
    ),
    # futures, margin, copy trading, transfers, sub-accounts, custody, earn, p2p and loans
    **_rows(
        """
        11000 12004 12006 12007 12008 12009 12014 12017 12018 12021 12022 13001 13002 13004 13005 13006 13212 19000 22002 22003 22005 22006
        22007 22008 22009 22011 22012 22013 22014 22015 22016 22017 22018 22019 22020 22021 22022 22023 22024 22025 22026 22027 22028 22029
        22030 22035 22039 22040 22041 22042 22043 22044 22067 31001 31002 31003 31004 31005 31006 31007 31008 31009 31010 31011 31012 31013
        31014 31015 31016 31017 31018 31019 31020 31021 31022 31023 31024 31025 31026 31028 31029 31030 31031 31032 31033 31034 31035 31036
        31037 31038 31039 31040 31041 31042 31043 31044 31045 31046 31047 31048 31049 31050 31051 31052 31053 31054 31057 40021 40028 40029
        40032 40033 40039 40043 40045 40048 40049 40051 40052 40055 40056 40060 40063 40065 40066 40067 40069 40070 40071 40072 40074 40077
        40081 40105 40107 40108 40110 40714 40715 40716 40717 40718 40719 40720 40721 40722 40730 40732 40734 40744 40746 40755 40757 40758
        40764 40765 40766 40775 40778 40780 40781 40782 40783 40784 40785 40788 40789 40790 40791 40792 40793 40794 40798 40799 40800 40801
        40802 40804 40814 40820 40821 40822 40823 40824 40825 40826 40827 40828 40829 40830 40831 40832 40833 40834 40835 40836 40837 40838
        40839 40840 40841 40843 40846 40847 40848 40850 40851 40852 40853 40854 40855 40856 40857 40858 40859 40860 40861 40862 40863 40864
        40865 40866 40867 40868 40869 40871 40872 40873 40874 40875 40877 40878 40879 40880 40887 40888 40889 40890 40891 40892 40893 40894
        40895 40896 40897 40898 40899 40900 40901 40903 40904 40905 40906 40907 40909 40914 40915 40916 40917 40918 40920 40921 40922 40923
        40927 40928 40929 40930 40931 40936 40937 40939 42013 42014 42015 42017 43013 43014 43015 43016 43017 43020 43021 43022 43023 43024
        43025 43026 43029 43030 43031 43032 43033 43034 43035 43036 43043 43044 43045 43047 43048 43049 43050 43052 43053 43054 43055 43056
        43057 43060 43061 43062 43063 43064 43065 43066 43067 43068 43069 43071 43075 43112 43113 43114 43116 43117 43121 43124 43126 43127
        43129 43131 43134 43136 43137 45003 45005 45006 45007 45011 45012 45013 45014 45018 45020 45021 45025 45026 45044 45045 45047 45051
        45052 45054 45060 45061 45062 45064 45065 45066 45067 45068 45075 45082 45089 45091 45097 45098 45099 45100 45101 45102 45103 45104
        45109 45116 45117 45119 45120 45121 45122 45123 45127 45128 47001 47002 47003 49000 49001 49002 49003 49004 49005 49006 49007 49008
        49009 49010 49011 49021 49022 49024 49025 49026 49030 49040 49050 49051 49052 49053 49060 49061 49062 49063 49064 49065 49066 49067
        49068 49069 49070 49071 49072 49073 49074 49075 49076 49077 49078 49079 49080 49081 50001 50002 50003 50004 50014 50015 50021 50022
        50032 50033 50034 50035 50036 50037 50039 50040 50041 50042 50043 50044 50049 50050 50052 50053 50054 50055 50056 50057 50058 50059
        50066 50077 50078 59002 59003 59005 59006 59007 59008 59009 59010 59011 59013 59016 59019 59020 59021 59022 59023 59024 59025 59026
        59027 59029 59030 59031 59033 59034 59035 59037 59038 59039 59040 59041 59043 59044 59045 59046 59047 59048 59049 60001 60002 60003
        60004 60005 60006 60007 60008 60009 60010 60011 60012 60013 60014 60015 60016 60017 60018 60019 60020 60021 60022 60023 60024 60025
        60026 60027 60028 60029 60030 60031 60032 60033 60034 60035 60036 60037 60038 60039 60040 60041 60042 60043 60044 60045 60046 60047
        60049 70001 70002 70006 70008 70101 70102 70103 70104 70204 70205 70206 70207 70208 70210 70211 70212 70213 70214 70215 70216 70217
        70218 70219 70226 80001 80003 80004 80005 80006 80007 80008 80009 80010 80011 80012 80013 80014 80015 80016 80020 90001
        """,
        _NOT_OURS,
    ),
}  # fmt: skip


def refusal(code: str, message: str) -> Refusal | None:
    """The row of an error; None where the table has none. 40808 is told of decimals that the rules do not have, too."""
    if code == "40808" and "checkBDScale" in message:
        return _UNIT if "price" in message else _LOT
    return CODES.get(code)
