"""What must be typed and true before real orders may leave."""

from arbtui.exchanges.venues import strange_addresses
from arbtui.failover.auto_resume import AutoResume
from arbtui.failover.crash_detector import LastEnd
from arbtui.failover.reconciler import Reconciled
from arbtui.model.counted import counted
from arbtui.model.errors import UsageError
from arbtui.runtime.plan import Plan
from arbtui.settings.options import SessionOptions
from arbtui.settings.profile import Settings


def refuse_unarmed(options: SessionOptions) -> None:
    """Look at how ``live`` was asked for.

    Raises:
        UsageError: real orders are not switched on, the name is not the profile's, or nobody could arm it.
    """
    settings, typed = options.settings, options.confirm
    if typed is not None and settings.mode != "live":
        raise UsageError(f"--confirm arms mode live; this start is {settings.mode}: leave it out, or add --mode live")
    if settings.mode != "live":
        return
    refuse_real_orders(settings)
    if typed is not None and typed != settings.name:
        raise UsageError(f"--confirm {typed}: that is not this profile's name; real orders need --confirm {settings.name}")
    if typed is None and options.headless and not options.unattended and settings.failover.resume in ("mode", "manual"):
        raise UsageError(f"mode live sends orders; without a console nobody can arm it later: add --confirm {settings.name}")


def auto_resume(settings: Settings) -> AutoResume:
    """The policy of a start with ``settings``."""
    return AutoResume(settings.failover.resume, is_live=settings.mode == "live")


def refuse_real_orders(settings: Settings) -> None:
    """Look at where mode live would send its orders.

    Raises:
        UsageError: to a real venue whose ``real_orders`` is not on, to an address that is not the venue's own, or to a real venue on
            one side and to this machine on the other.
    """
    real = {name: exchange for name, exchange in settings.exchanges.items() if not exchange.urls.is_loopback}
    for name, exchange in real.items():
        if not exchange.real_orders:
            raise UsageError(
                f"{settings.path}: exchanges.{name}.urls leads to {exchange.urls.rest}, and its real_orders is false: mode live reaches "
                f"this machine only. docs/real-orders.md says what must be true first, and arbtui check --profile {settings.name} --mode "
                "live looks at it; arbtui sandbox --profile P --write FILE writes a profile for play money"
            )
        if strange := strange_addresses(name, exchange):
            raise UsageError(f"{settings.path}: exchanges.{name}.urls: {strange[0]}: real orders go to no other place")
    if real and len(real) < len(settings.exchanges):
        played = next(name for name in settings.exchanges if name not in real)
        raise UsageError(
            f"{settings.path}: {', '.join(real)} is real and {played} is on this machine: real orders would be hedged with play money"
        )


def resume_refusal(plan: Plan, last: LastEnd, found: Reconciled) -> str:
    """Why the session starts DISARMED although nothing worse holds, for the screen; empty where it was confirmed, or arms by itself."""
    settings = plan.settings
    if plan.confirmed:
        return ""
    return auto_resume(settings).why_not(last, found)


def unclean(reconciled: Reconciled, *, live: bool) -> str:
    """What a recovery has left for an operator to look at before anything is armed; empty after a clean one.

    Differences and residuals keep only ``live`` from arming; an order that no run could ever resolve keeps every mode.
    """
    found = []
    if live and reconciled.mismatches:
        found.append(f"{counted(len(reconciled.mismatches), 'balance')} not what the journal held")
    if live and reconciled.residual:
        found.append(f"{counted(len(reconciled.residual), 'cycle')} ended RESIDUAL")
    if live and reconciled.unread:
        found.append(f"orders or balances of {', '.join(reconciled.unread)} could not be read")
    if live and reconciled.orphans:
        found.append(f"{counted(len(reconciled.orphans), 'order')} of ours stood that no open order here explains")
    unknowable = [unresolved for unresolved in reconciled.unresolved if unresolved.disarms]
    if unknowable:
        found.append(f"{counted(len(unknowable), 'order')} that cannot be resolved ({', '.join(row.scope for row in unknowable)})")
    return f"{', '.join(found)}: look at the Risk pane, or arbtui status" if found else ""
