"""Reasons for not trading: one enumeration for routes (first blocking reason) and for risk (denials)."""

from enum import StrEnum


class Reason(StrEnum):
    """The first reason why a route did not trade or an order was not sent. The value is what screens print."""

    # market data
    NO_BOOK = "NO_BOOK"  #: a leg's book is empty or still syncing
    GAPPED = "GAPPED"  #: an update is missing; a snapshot is awaited
    STALE = "STALE"  #: a leg's stream has sent nothing for too long
    CROSSED = "CROSSED"  #: a leg's bid is at or above its ask
    NO_RATE = "NO_RATE"  #: the quotes differ and no exchange rate is known
    RATE_OLD = "RATE_OLD"
    RATE_DOUBTED = "RATE_DOUBTED"  #: the coins contradict the exchange rate, or it jumped alone
    RATE_UNCONFIRMED = "RATE_UNCONFIRMED"  #: it pays at the book's rate and not at the rate that the coins confirm
    COIN_DOUBTED = "COIN_DOUBTED"  #: its price has parted from all others' at one venue: a closed wallet, a split, another asset
    # price
    BELOW_THRESHOLD = "BELOW_THRESHOLD"  #: the usual answer: no edge
    CROSS_TOO_NEW = "CROSS_TOO_NEW"  #: the prices have crossed for less than the profile asks for
    EDGE_TOO_GOOD = "EDGE_TOO_GOOD"  #: so large an edge is treated as bad data until the operator has checked it
    PRICE_BAND = "PRICE_BAND"  #: the venues' prices differ too much to be the same thing at the same time
    PRICE_RATIO = "PRICE_RATIO"  #: probably two assets with one ticker: quarantined
    # size
    TOO_SMALL = "TOO_SMALL"  #: under a venue's minimum
    LOT_TOO_COARSE = "LOT_TOO_COARSE"  #: a lot is over a fiftieth of the order: remainders would not be dust
    NO_STOCK = "NO_STOCK"  #: not enough of the asset at the selling venue
    NO_CASH = "NO_CASH"  #: not enough quote currency at the buying venue
    # transfer
    NETWORK_UNKNOWN = "NETWORK_UNKNOWN"  #: no network between its venues is known, or its fee or its minutes are not told
    WALLET_CLOSED = "WALLET_CLOSED"  #: withdrawals are off at the sender, deposits at the receiver, or no address is registered
    TRANSFER_RISK = "TRANSFER_RISK"  #: how much the price moves on the way is not measured yet
    DEPTH_TAKEN = "DEPTH_TAKEN"  #: a better route was given what its books show, and the venue has not shown them anew yet
    # tiers: global
    DISARMED = "DISARMED"
    PAUSED = "PAUSED"
    HALTED = "HALTED"
    SCOPE_PAUSED = "SCOPE_PAUSED"  #: a halt of its exchange, symbol or route, or a global one short of a kill: no new entries
    SCOPE_REDUCING = "SCOPE_REDUCING"  #: likewise: only what shrinks exposure
    SCOPE_HALTED = "SCOPE_HALTED"  #: likewise: nothing is sent
    OLD_EPOCH = "OLD_EPOCH"  #: decided before the last kill
    UNHEDGED = "UNHEDGED"  #: open exposure at its limit
    IN_TRANSIT = "IN_TRANSIT"  #: as much is on its way between venues as may be
    OPEN_FX = "OPEN_FX"  #: it would add to what is open of a settlement currency, and that is at its limit
    FACTOR = "FACTOR"  #: as much stock as may has moved the same way: all coins of one premium are one bet
    LOSS_DAY = "LOSS_DAY"
    LOSS_HOUR = "LOSS_HOUR"
    DRAWDOWN = "DRAWDOWN"  #: too far below the best result of the last day
    ORDER_PACE = "ORDER_PACE"  #: as many orders as may have left in a second, a minute or a day
    UNATTENDED = "UNATTENDED"  #: so many cycles since a person did anything
    LOOP_LAG = "LOOP_LAG"  #: our own loop stood still: what is decided here is late
    COMMIT_LATE = "COMMIT_LATE"  #: the journal's disk is slow, and every order waits for it
    DISK_FULL = "DISK_FULL"  #: too little is left where the journal is
    OPEN_CYCLES = "OPEN_CYCLES"
    JOURNAL = "JOURNAL"  #: a commit of the journal failed
    NO_MARK = "NO_MARK"  #: an asset that would be moved has no known price: what is lost could not be counted
    # tiers: exchange
    IN_FLIGHT = "IN_FLIGHT"  #: too many orders unanswered at the venue
    RATE_LIMITED = "RATE_LIMITED"  #: the venue's limits leave no room for an order
    ORDERS_UNKNOWN = "ORDERS_UNKNOWN"  #: too many orders in state UNKNOWN at the venue
    MESSAGE_AGE = "MESSAGE_AGE"  #: the venue has sent nothing for too long
    VENUE_DOWN = "VENUE_DOWN"  #: nothing is received from the venue, or it does not answer, or it refuses us
    VENUE_FROZEN = "VENUE_FROZEN"  #: the venue's stream is open and its content does not change
    DISPUTED = "DISPUTED"  #: the venue says that it holds another amount of the asset than we do
    VENUE_DEGRADED = "VENUE_DEGRADED"  #: the venue answers late, with errors, or asks for fewer requests
    VENUE_UNTRIED = "VENUE_UNTRIED"  #: one cycle at a time until the venue has accepted an order of ours
    # tiers: symbol
    BOOK_AGE = "BOOK_AGE"
    LEG_SKEW = "LEG_SKEW"  #: the two streams are too far apart in the venues' time
    EXCESS_DELAY = "EXCESS_DELAY"  #: a stream is later than usual: its prices are old, however recently they were received
    LEARNING = "LEARNING"  #: the usual delay of a stream is not known yet
    QUARANTINED = "QUARANTINED"  #: a book has just come back, by a new connection or snapshot
    PRICE_JUMP = "PRICE_JUMP"  #: a price moved too far within a second, or ten
    ORDER_VALUE = "ORDER_VALUE"
    # tiers: route
    ROUTE_BUSY = "ROUTE_BUSY"  #: a cycle of this symbol is open, or a transfer under way that its own could be taken for
    COOLDOWN = "COOLDOWN"
    ONE_LEG = "ONE_LEG"  #: too many cycles of the last hour ended with one leg taken back or left over
    LOSSES = "LOSSES"  #: consecutive losses: paused for a while
    REFUSED = "REFUSED"  #: a venue refused an order of this symbol: paused for a while
    REBALANCE_BUDGET = "REBALANCE_BUDGET"  #: a reverse trade may cost more than the day's budget for it still holds
    RESIDUAL = "RESIDUAL"  #: an unacknowledged residual
    # gate
    DECISION_AGE = "DECISION_AGE"
    DEADLINE = "DEADLINE"
    RESERVATION = "RESERVATION"
    DISABLED = "DISABLED"  #: execution is off in the profile, or the operator disabled the route

    @property
    def tier(self) -> str:
        """Which tier of limits says so: ``global``, ``exchange``, ``symbol`` or ``route``; the ``gate``; or ``data``, before them all."""
        return _TIER_OF[self]


#: As docs/limits.md lists them; ``data`` is what is looked at before any tier is asked.
_TIERS = {
    "data": """NO_BOOK GAPPED STALE CROSSED NO_RATE RATE_OLD RATE_DOUBTED RATE_UNCONFIRMED COIN_DOUBTED CROSS_TOO_NEW PRICE_RATIO
        TOO_SMALL LOT_TOO_COARSE NETWORK_UNKNOWN WALLET_CLOSED TRANSFER_RISK DEPTH_TAKEN""",
    "global": """DISARMED PAUSED HALTED SCOPE_PAUSED SCOPE_REDUCING UNHEDGED IN_TRANSIT OPEN_FX FACTOR LOSS_DAY LOSS_HOUR DRAWDOWN
        ORDER_PACE UNATTENDED LOOP_LAG COMMIT_LATE DISK_FULL OPEN_CYCLES JOURNAL""",
    "exchange": "IN_FLIGHT RATE_LIMITED ORDERS_UNKNOWN MESSAGE_AGE VENUE_DOWN VENUE_FROZEN DISPUTED VENUE_DEGRADED VENUE_UNTRIED",
    "symbol": "PRICE_BAND NO_MARK BOOK_AGE LEG_SKEW EXCESS_DELAY LEARNING QUARANTINED PRICE_JUMP",
    "route": "BELOW_THRESHOLD EDGE_TOO_GOOD ORDER_VALUE ROUTE_BUSY COOLDOWN ONE_LEG LOSSES REFUSED RESIDUAL",
    "gate": "NO_STOCK NO_CASH SCOPE_HALTED OLD_EPOCH REBALANCE_BUDGET DECISION_AGE DEADLINE RESERVATION DISABLED",
}
_TIER_OF = {Reason(name): tier for tier, names in _TIERS.items() for name in names.split()}
