"""What a venue's interface can do, declared by each venue; whatever needs one of these asks for it before it relies on it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One venue's. The defaults are those of a venue that can do everything an order needs.

    Attributes:
        immediate_orders: it takes limit orders that are immediate or cancelled (IOC). Without them every order is a limit order at its
            worst price that we cancel ourselves at its deadline (:meth:`arbtui.execution.tracker.OrderTracker.resolve`).
        private_stream: it reports orders and balances over a socket. Without one they are asked for
            (:class:`arbtui.exchanges.account_polling.AccountPolling`).
        test_orders: it checks an order without making it. Without that the right to order is not proven before the first real order
            (:mod:`arbtui.exchanges.rights`), and a refusal of orders is over only when a real one is taken
            (:class:`arbtui.exchanges.refusal_watch.RefusalWatch`).
        lists_name_our_ids: its lists of orders and fills name the ids that we gave. Without that an adapter names what it has sent itself,
            and learns what others have sent (:meth:`arbtui.exchanges.adapter.ExchangeAdapter.expect`).
        lists_tell_halts: its public list of markets leaves out those that are halted. Without that only a delisting is seen there, and a
            halt by its refusals (:meth:`arbtui.exchanges.adapter.ExchangeAdapter.fetch_trading`).
        requests_carry_time: a signed request holds our time, so the venue refuses it when it comes late, and clocks can differ.
        announces_shutdown: it says beforehand that it is about to end a connection.
        tells_price_units: its interface tells them. Without that the documented ones are used, and a change of them shows in notices only.
        notices: its announcements are read (:mod:`arbtui.exchanges.announcements`).
        flags: its list of markets tells what it warns of at each (:mod:`arbtui.exchanges.market_flags`).
        publishes_contracts: its networks come with the contract addresses of their tokens, of all assets in one answer.
    """

    immediate_orders: bool = True
    private_stream: bool = True
    test_orders: bool = True
    lists_name_our_ids: bool = True
    lists_tell_halts: bool = True
    requests_carry_time: bool = True
    announces_shutdown: bool = False
    tells_price_units: bool = True
    notices: bool = False
    flags: bool = False
    publishes_contracts: bool = False


#: What a simulated venue is unless it is told otherwise.
EVERYTHING = Capabilities()
