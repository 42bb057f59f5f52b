"""Watches transfers that are under way: one that takes twice its usual time is a breach, and its end is told."""

from collections.abc import Callable

from arbtui.engine.breaches import BreachBook
from arbtui.model.clock import Clock
from arbtui.model.money import plain
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.transfers import TransferAccount
from arbtui.risk.breach import Severity

LATE = "TRANSFER_LATE"


class TransferWatch:
    """Looks at every open transfer. A breach of it is recorded once a run, and acknowledged when it ends.

    Args:
        on_end: called with the asset of each transfer that has ended.
    """

    def __init__(
        self, portfolio: Portfolio, breaches: BreachBook, clock: Clock, profile: str, on_end: Callable[[str], None] = lambda _: None
    ) -> None:
        self._portfolio = portfolio
        self._breaches = breaches
        self._clock = clock
        self._profile = profile
        self._on_end = on_end
        self._late: set[str] = set()
        self._ended: set[str] = set()

    def look(self) -> None:
        """Record what is late now; cheap while nothing is under way."""
        transfers = self._portfolio.state.transfers
        if not transfers:
            return
        now_ms = self._clock.time_ms()
        for transfer in transfers.values():
            if transfer.is_open and now_ms >= transfer.late_at_ms() and transfer.id not in self._late:
                self._late.add(transfer.id)
                action = f"waited for; settle it: arbtui transfers settle {transfer.id} --profile {self._profile}"
                self._breaches.record(Severity.CRIT, LATE, transfer.id, self._words(transfer), action, every_time=True)
            elif not transfer.is_open and transfer.id not in self._ended:
                self._ended.add(transfer.id)  # also one that was late in an earlier run
                self._late.intersection_update(transfers)
                self._ended.intersection_update(transfers)
                self._breaches.acknowledge_all(LATE, transfer.id, "engine")
                self._on_end(transfer.asset)

    def _words(self, transfer: TransferAccount) -> str:
        way = f"{transfer.asset} from {transfer.sender} to {transfer.receiver}"
        if transfer.left_ms is None:
            return f"{plain(transfer.qty)} {way} were to leave, and {transfer.sender} still holds them"
        missing = plain(transfer.expected)
        return f"{missing} {way} have not come in twice the usual {transfer.minutes:g} min ({transfer.state})"
