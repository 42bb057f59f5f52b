"""The commands of an operator: positions, limits, disputed balances, stock, transfers, targets, arming and disarming."""

from typing import TYPE_CHECKING, Annotated

import typer

from arbtui.cli import flags

if TYPE_CHECKING:
    from arbtui.cli.place import Place

operator_app = typer.Typer()


def _place(profile: str | None, mode: str | None, state_dir: str | None, confirm: str | None = None, reason: str | None = None) -> "Place":
    from arbtui.cli.confirmation import Confirmation
    from arbtui.cli.place import Place

    return Place(flags.wanted_profile(profile), mode, state_dir, Confirmation(confirm, reason))


@operator_app.command()
def positions(
    verb: Annotated[str | None, typer.Argument(metavar="[complete|flatten|write-off|adjust]", help="Without a verb: the list.")] = None,
    cycle_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="The cycle that left the position.")] = None,
    at: Annotated[str | None, typer.Option("--at", metavar="EXCHANGE", help="Where; default: the cheapest way.")] = None,
    asset: Annotated[str | None, typer.Option("--asset", metavar="ASSET", help="Which one, where the cycle left several.")] = None,
    profile: flags.Profile = None,
    confirm: flags.Confirm = None,
    reason: flags.Reason = None,
    mode: flags.LatestMode = None,
    json: flags.AsJson = False,
    state_dir: flags.StateDir = None,
) -> int:
    """One-sided positions that cycles left: trade one away (complete, flatten), write it off as stock, or adjust a balance by it.

    The list and what trades nothing work while the profile runs or not; complete and flatten need the engine.
    """
    from arbtui.cli.positions import positions as settle

    return settle(_place(profile, mode, state_dir, confirm, reason), verb, cycle_id, at, asset, as_json=json)


@operator_app.command()
def limits(
    verb: Annotated[str | None, typer.Argument(metavar="[set|reset]", help="Without a verb: the list.")] = None,
    scope: Annotated[str | None, typer.Argument(metavar="[SCOPE]", help="global.max_loss_day, symbol.XRP.order_value, ...")] = None,
    value: Annotated[str | None, typer.Argument(metavar="[VALUE]", help="In the unit that the list shows.")] = None,
    profile: flags.Profile = None,
    confirm: flags.Confirm = None,
    reason: flags.Reason = None,
    mode: flags.LatestMode = None,
    json: flags.AsJson = False,
    state_dir: flags.StateDir = None,
) -> int:
    """What bounds trading, with what is used of it now; set lowers a limit at any time, raises it only while nothing is armed.

    Of the profile's value and one that was set here the stricter holds, also after a restart; reset takes the latter away.
    """
    from arbtui.cli.limits import limits as act

    return act(_place(profile, mode, state_dir, confirm, reason), verb, scope, value, as_json=json)


@operator_app.command()
def adjust(
    exchange: Annotated[str | None, typer.Argument(metavar="[EXCHANGE]", help="Without one: the list.")] = None,
    asset: Annotated[str | None, typer.Argument(metavar="[ASSET]")] = None,
    profile: flags.Profile = None,
    confirm: flags.Confirm = None,
    reason: flags.Reason = None,
    mode: flags.LatestMode = None,
    json: flags.AsJson = False,
    state_dir: flags.StateDir = None,
) -> int:
    """Balances that a venue disputes; take the venue's word for one. Works while the profile runs or not."""
    from arbtui.cli.adjust import adjust as decide

    return decide(_place(profile, mode, state_dir, confirm, reason), exchange, asset, as_json=json)


@operator_app.command()
def orders(
    verb: Annotated[str | None, typer.Argument(metavar="[end]", help="Without a verb: the list.")] = None,
    order: Annotated[str | None, typer.Argument(metavar="[ORDER]", help="Its client order id.")] = None,
    profile: flags.Profile = None,
    confirm: flags.Confirm = None,
    reason: flags.Reason = None,
    mode: flags.LatestMode = None,
    json: flags.AsJson = False,
    state_dir: flags.StateDir = None,
) -> int:
    """Orders whose end is not known; end one whose market is gone from its venue. Works while the profile runs or not.

    Look it up at the venue first, and take over what the venue holds (arbtui adjust). Nothing is sent: its reservation is freed, and
    its cycle ends as what the fills that are known leave.
    """
    from arbtui.cli.orders import orders as act

    return act(_place(profile, mode, state_dir, confirm, reason), verb, order, as_json=json)


@operator_app.command()
def stock(
    profile: flags.Profile = None, mode: flags.LatestMode = None, json: flags.AsJson = False, state_dir: flags.StateDir = None
) -> int:
    """What every venue holds of every asset, against its target, and how long it lasts. Works while the profile runs or not."""
    from arbtui.cli.stock import stock as show

    return show(_place(profile, mode, state_dir), as_json=json)


@operator_app.command()
def transfers(
    verb: Annotated[str | None, typer.Argument(metavar="[plan|list|begin|settle]", help="Without a verb: the plans.")] = None,
    what: Annotated[str | None, typer.Argument(metavar="[PLAN|ID]", help="begin: 'ASSET:FROM>TO'; settle: the transfer.")] = None,
    how: Annotated[str | None, typer.Argument(metavar="[HOW]", help="settle: cancelled, returned or lost.")] = None,
    amount: Annotated[str | None, typer.Option("--amount", metavar="N", help="begin: units that leave, in place of the plan's.")] = None,
    network: Annotated[str | None, typer.Option("--network", metavar="NAME", help="begin: in place of the plan's first.")] = None,
    fee: Annotated[str | None, typer.Option("--fee", metavar="N", help="begin: units that the network keeps.")] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", metavar="N", help="begin: what it usually takes.")] = None,
    profile: flags.Profile = None,
    confirm: flags.Confirm = None,
    reason: flags.Reason = None,
    mode: flags.LatestMode = None,
    json: flags.AsJson = False,
    state_dir: flags.StateDir = None,
) -> int:
    """What a person could move between venues; record one that a person makes, so that its coins are waited for; settle one.

    Nothing is sent from here, in any mode: the transfer itself is made at the venue.
    """
    from arbtui.cli.transfers import transfers as act

    given = {"amount": amount, "network": network, "fee": fee, "minutes": minutes}
    return act(_place(profile, mode, state_dir, confirm, reason), verb, what, how, given, as_json=json)


@operator_app.command(context_settings={"allow_extra_args": True})
def targets(
    context: typer.Context,
    verb: Annotated[str | None, typer.Argument(metavar="[set]", help="Without a verb: the list.")] = None,
    place: Annotated[str | None, typer.Argument(metavar="[EXCHANGE.ASSET]", help="Such as upbit.XRP.")] = None,
    amount: Annotated[str | None, typer.Argument(metavar="[AMOUNT]", help="Units that count as full.")] = None,
    profile: flags.Profile = None,
    confirm: flags.Confirm = None,
    reason: flags.Reason = None,
    mode: flags.LatestMode = None,
    json: flags.AsJson = False,
    state_dir: flags.StateDir = None,
) -> int:
    """How much of each asset a venue should hold; set one. Works while the profile runs or not."""
    from arbtui.cli.stock import targets as decide
    from arbtui.cli.stock import wrong_form

    if context.args:
        raise wrong_form(place, amount, context.args[0])
    return decide(_place(profile, mode, state_dir, confirm, reason), verb, place, amount, as_json=json)


@operator_app.command()
def rearm(
    profile: flags.Profile = None,
    scope: Annotated[
        str | None,
        typer.Option("--scope", metavar="SCOPE", help="exchange.NAME, symbol.ASSET, symbol.EXCHANGE:ASSET, route.ID, global, or a file."),
    ] = None,
    confirm: flags.Confirm = None,
    reason: flags.Reason = None,
    override: Annotated[bool, typer.Option("--override", help="Although the checklist is not clean; that is journaled.")] = False,
    mode: flags.LatestMode = None,
    state_dir: flags.StateDir = None,
) -> int:
    """Take a kill, or with --scope a smaller halt, back: shows a live checklist, and asks for the profile's name and a reason."""
    from arbtui.cli.confirmation import Confirmation
    from arbtui.cli.rearm import rearm_all, rearm_scope

    confirmation = Confirmation(confirm, reason)
    if scope is None:
        return rearm_all(flags.wanted_profile(profile), confirmation, mode, state_dir, override=override)
    return rearm_scope(flags.wanted_profile(profile), scope, confirmation, mode, state_dir)


@operator_app.command()
def disarm(
    profile: flags.Profile = None,
    reason: flags.Reason = None,
    mode: flags.LatestMode = None,
    state_dir: flags.StateDir = None,
) -> int:
    """Send no order any more, also after a restart, until somebody re-arms. Open cycles end first, which kill does not wait for.

    As p, then D, in the console; works while the profile runs, headless or not, or not at all. No name is typed, and a reason may be.
    """
    from arbtui.cli.disarm import disarm as act

    return act(_place(profile, mode, state_dir), reason or "")
