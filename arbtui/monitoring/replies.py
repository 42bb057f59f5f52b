"""Replies to remote commands: always with state and epoch, from the same views that the console paints."""

from arbtui.views import HeaderView

HELP = "/status, /pnl or /kill. Re-arming is done at the console only."


def state_line(header: HeaderView, epoch: int) -> str:
    """``upbit-binance SIM: ARMED, epoch 0``; halted, also by whom and what is left."""
    idle = f", NOT TRADING: {header.idle}" if header.idle and header.state == "ARMED" else ""
    line = f"{header.profile} {header.mode}: {header.state}{idle}, epoch {epoch}"
    if header.halt_source:
        line += f"\nhalted by {header.halt_source}{f': {header.halt_reason}' if header.halt_reason else ''}"
    line += "".join(f"\n{halt.in_words()}" for halt in header.scopes)
    if header.halt_detail:
        line += f"\n{header.halt_detail}"
    return line


def status(header: HeaderView, epoch: int, waiting: int, ignored: int) -> str:
    """The answer to ``/status``. ``waiting``: alerts not sent yet; ``ignored``: updates that were not a command of an allowed user."""
    venues = ", ".join(f"{venue.name} {venue.status}" for venue in header.exchanges)
    rate = f"{header.rate:,.2f} {header.rate_pair}" if header.rate else f"no {header.rate_pair} rate"
    return "\n".join(
        (
            state_line(header, epoch),
            f"up {_duration(header.session_s)}; {venues}{f'; {rate}' if header.rate_pair else ''}",
            f"cycles open {header.open_cycles}, orders in flight {header.orders_in_flight}, "
            f"unhedged {header.unhedged:,.2f} {header.pnl_currency}",
            f"routes {header.routes}, opportunities {header.opportunities}, breaches open {header.breaches_open}",
            _pnl_line(header),
            f"alerts waiting {waiting}, remote messages ignored {ignored}",
        )
    )


def pnl(header: HeaderView, epoch: int) -> str:
    """The answer to ``/pnl``."""
    return f"{_pnl_line(header)}\n{state_line(header, epoch)}"


def killed(header: HeaderView, epoch: int, *, closed_now: bool) -> str:
    """The answer to ``/kill``."""
    first = "KILLED: no further order is sent." if closed_now else "It was halted already."
    return f"{first}\n{state_line(header, epoch)}"


def _pnl_line(header: HeaderView) -> str:
    return (
        f"PnL today {header.pnl_day:+,.2f} {header.pnl_currency} (trading {header.trading_day:+,.2f}), "
        f"this run {header.pnl_session:+,.2f} {header.pnl_currency} (trading {header.trading_session:+,.2f})"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
