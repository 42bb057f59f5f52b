"""The commands. They parse, check what can be checked before the start, and call; heavy modules are imported inside them."""

from typing import Annotated, Literal

import typer

from arbtui.cli import flags
from arbtui.cli.assets import assets_app
from arbtui.cli.commands import Commands
from arbtui.cli.keys import keys_app
from arbtui.cli.operator_commands import operator_app
from arbtui.model.errors import UsageError
from arbtui.settings.output import tell

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(assets_app, name="assets")
app.add_typer(keys_app, name="keys")
app.add_typer(operator_app)


def _version(wanted: bool) -> None:
    if wanted:
        import arbtui

        tell(f"arbtui {arbtui.__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def session(
    context: typer.Context,
    profile: flags.Profile = None,
    mode: flags.Mode = None,
    symbols: Annotated[str | None, typer.Option("--symbols", metavar="N|A,B,C", help="How many assets, or which.")] = None,
    max_runtime: Annotated[float | None, typer.Option("--max-runtime", metavar="S", help="Stop after so many seconds.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the simulated market.")] = None,
    speed: Annotated[str, typer.Option("--speed", metavar="real|max", help="max: virtual clock, headless sim only.")] = "real",
    headless: Annotated[bool, typer.Option("--headless", help="The same engine without the console.")] = False,
    json: flags.JsonTarget = None,
    state_dir: flags.StateDir = None,
    confirm: Annotated[str | None, typer.Option("--confirm", metavar="NAME", help="The profile's name: arms live.")] = None,
    record: Annotated[
        str | None, typer.Option("--record", metavar="FILE", help="Record everything the engine receives, for a replay.")
    ] = None,
    unattended: Annotated[bool, typer.Option("--unattended", hidden=True, help="Started by a supervisor: nobody was asked.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> int:
    """A cross-exchange arbitrage engine in a terminal. Kill it with ^K, or with `arbtui kill` from another shell."""
    if context.invoked_subcommand is not None:
        given = {"--profile": profile, "--mode": mode, "--state-dir": state_dir, "--json": json}
        misplaced = [flag for flag, value in given.items() if value is not None]
        command = context.invoked_subcommand
        if misplaced and command != "kill":
            raise UsageError(f"{misplaced[0]} belongs after the command: arbtui {command} {misplaced[0]} ...")
        return 0
    from arbtui.cli.terminal import need_terminal
    from arbtui.settings.load import load_profile
    from arbtui.settings.options import SessionOptions
    from arbtui.settings.output import JsonOutput
    from arbtui.settings.state import state_root

    settings = load_profile(flags.wanted_profile(profile), flags.overrides(mode, symbols, seed))
    if speed not in ("real", "max"):
        raise UsageError(f"--speed {speed!r}: expected real or max")
    if speed == "max" and not headless:
        raise UsageError("--speed max runs on a virtual clock, which no console can show; add --headless")
    if speed == "max" and settings.mode != "sim":
        raise UsageError(f"--speed max runs on a virtual clock; mode {settings.mode} lives in real time: leave --speed out")
    options = SessionOptions(
        settings=settings,
        state_root=state_root(state_dir),
        headless=headless,
        speed="max" if speed == "max" else "real",
        max_runtime_s=flags.wanted_runtime(max_runtime),
        json=None if json is None else JsonOutput(json),
        confirm=confirm,
        record=flags.new_recording(record),
        unattended=unattended,
    )
    if not headless:
        need_terminal()
    if settings.mode == "live":
        from arbtui.cli.real_orders import tell_open

        tell_open(settings, options.state_root)
    from arbtui.runtime.session import run_session

    return run_session(options)


@app.command()
def replay(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Recordings, played together in order of receive time.")],
    profile: flags.Profile = None,
    speed: Annotated[str, typer.Option("--speed", metavar="max|X", help="Times the recorded speed; max: as fast as possible.")] = "1",
    json: flags.JsonTarget = None,
    state_dir: flags.StateDir = None,
) -> int:
    """Play recordings through the same engine."""
    from arbtui.settings.load import load_profile
    from arbtui.settings.options import ReplayOptions
    from arbtui.settings.output import JsonOutput
    from arbtui.settings.state import state_root

    options = ReplayOptions(
        settings=load_profile(flags.wanted_profile(profile), {"mode": "paper"}),
        files=tuple(flags.recording(file) for file in files),
        state_root=None if state_dir is None else state_root(state_dir),
        speed=flags.wanted_factor(speed),
        json=None if json is None else JsonOutput(json),
    )
    from arbtui.runtime.replay import run_replay

    return run_replay(options)


@app.command()
def record(
    profile: flags.Profile = None,
    duration: Annotated[float | None, typer.Option("--duration", metavar="S", help="For how long.")] = None,
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="FILE", help="The recording; never overwritten.")] = None,
    append: Annotated[
        bool, typer.Option("--append", help="Go on with the recording that is there; what is missing between is told.")
    ] = False,
    json: flags.JsonTarget = None,
) -> int:
    """Record a profile's live public streams, for `arbtui replay`. Needs no keys; Ctrl+C ends it early with a complete file."""
    from arbtui.cli.record import run

    return run(flags.wanted_profile(profile), duration, output, json, append=append)


@app.command("load-test")
def load_test(
    profile: flags.Profile = None,
    symbols: Annotated[
        str | None, typer.Option("--symbols", metavar="N,N,...", help="Numbers of symbols, a process each. Default 10,20,50; of a soak 50.")
    ] = None,
    duration: Annotated[float | None, typer.Option("--duration", metavar="S", help="Seconds for each.")] = None,
    soak: Annotated[
        float | None, typer.Option("--soak", metavar="S", help="The same, judged by what must stay level: memory, descriptors, tasks.")
    ] = None,
    console: Annotated[
        bool, typer.Option("--console", help="Rows with the console on a terminal, beside those without; a soak with it.")
    ] = False,
    report: Annotated[str | None, typer.Option("--report", metavar="DIR", help="Where report.md, .json, .svg and .png go.")] = None,
    state_dir: flags.StateDir = None,
    json: flags.JsonTarget = None,
) -> int:
    """Measure the simulated market at several sizes and judge it. Exit code 1 when a verdict is FAIL."""
    from arbtui.cli.load_test import run

    wanted = symbols if symbols is not None else "10,20,50" if soak is None else "50"
    return run(flags.wanted_profile(profile), wanted, duration, report, state_dir, soak=soak, console=console, json=json)


@app.command()
def simulate(
    profile: flags.Profile = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="The first story's number; alone: that story only.")] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", metavar="N", help="How many stories. Default 20.")] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", metavar="M", help="Virtual minutes of each. Default 3.")] = None,
    hours: Annotated[float | None, typer.Option("--hours", metavar="H", help="The same in hours.")] = None,
    symbols: Annotated[int, typer.Option("--symbols", metavar="N", help="How many assets.")] = 5,
    faults: Annotated[
        str, typer.Option("--faults", metavar="all|none|NAME,...", help="Which kinds of faults and crashes may happen.")
    ] = "all",
    only: Annotated[
        str | None, typer.Option("--only", metavar="N,...|none", help="Of those that a story draws, only these, by number.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", help="Stories played at the same time; changes no story.")] = 1,
    stop_at_first: Annotated[bool, typer.Option("--stop-at-first", help="Play no more once an invariant broke.")] = False,
    json: flags.AsJson = False,
    state_dir: flags.StateDir = None,
) -> int:
    """Play the whole program on a virtual clock with faults and crashes from a seed, and check that nothing is lost or done twice."""
    from arbtui.cli.simulate import run

    return run(
        profile or "upbit-binance",
        seed=seed,
        seeds=seeds,
        minutes=minutes,
        hours=hours,
        symbols=symbols,
        faults=faults,
        only=only,
        jobs=jobs,
        stop_at_first=stop_at_first,
        json=json,
        state_dir=state_dir,
    )


@app.command()
def sandbox(
    verb: Annotated[
        list[str] | None,
        typer.Argument(metavar="[transfer ASSET FROM TO AMOUNT]", help="Without it: serve. Else move coins in the sandbox that runs."),
    ] = None,
    fee: Annotated[str | None, typer.Option("--fee", metavar="N", help="transfer: units that the network keeps.")] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", metavar="N", help="transfer: until they arrive.")] = None,
    port: Annotated[int | None, typer.Option("--port", metavar="N", help="Control port; one follows for each venue. 0: free ones.")] = None,
    symbols: Annotated[str | None, typer.Option("--symbols", metavar="N|A,B,C", help="How many assets, or which.")] = None,
    profile: flags.Profile = None,
    write: Annotated[str | None, typer.Option("--write", metavar="FILE", help="Write the profile with this sandbox's URLs.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the simulated market.")] = None,
    state_dir: Annotated[str | None, typer.Option("--state-dir", metavar="DIR", help="Keeps the venues' ledger; else a fresh one.")] = None,
) -> int:
    """The profile's venues on this machine with play money, to run live against, with faults on demand.

    `sandbox transfer XRP binance upbit 500` plays the person who makes a transfer, in the sandbox that runs on --port.
    """
    from arbtui.cli.sandbox import run, transfer

    if verb:
        return transfer(verb, port, fee, minutes)
    return run(port, symbols, profile, write, seed, state_dir)


@app.command()
def ledger(
    profile: flags.Profile = None,
    mode: flags.LatestMode = None,
    run: Annotated[str | None, typer.Option("--run", metavar="ID", help="One run only.")] = None,
    json: flags.AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the fills as CSV; with --episodes or --denials, those.")] = False,
    episodes: Annotated[bool, typer.Option("--episodes", help="Also the gaps that were seen, taken or not.")] = False,
    denials: Annotated[bool, typer.Option("--denials", help="Also what kept us from them, in the last minute, hour and day.")] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="60s|5m|1h|TIME", help="Only the time from then on."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="60s|5m|1h|TIME", help="Only the time up to then.")] = None,
    state_dir: flags.StateDir = None,
) -> int:
    """What was traded and what is held, over the profile's whole life. Works while it runs, hangs or is stopped.

    With --since and --until, balances, PnL and equity are those of that span.
    """
    from arbtui.cli.ledger import print_ledger

    if json and csv:
        raise UsageError("--json or --csv, not both")
    if csv and episodes and denials:
        raise UsageError("--csv prints one table: --episodes or --denials, not both")
    form: Literal["text", "json", "csv"] = "json" if json else "csv" if csv else "text"
    return print_ledger(
        flags.wanted_profile(profile), mode, run, since, until, form, state_dir, with_episodes=episodes, with_denials=denials
    )


@app.command()
def status(
    profile: flags.Profile = None,
    mode: flags.LatestMode = None,
    json: flags.AsJson = False,
    state_dir: flags.StateDir = None,
) -> int:
    """The state of a profile, read from outside: works while it runs, hangs or is dead."""
    from arbtui.cli.status import print_status

    return print_status(flags.wanted_profile(profile), mode, json, state_dir)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def kill(context: typer.Context) -> int:
    """Close the gate of a profile from another shell: arbtui kill --profile NAME."""
    from arbtui.cli.kill import kill as close_gate

    outside = context.parent.params if context.parent else {}
    given = [f"--{name.replace('_', '-')}={outside[name]}" for name in ("profile", "state_dir") if outside.get(name)]
    return close_gate([*given, *context.args])


@app.command()
def guardian(
    profile: flags.Profile = None,
    status: Annotated[bool, typer.Option("--status", help="Only tell whether one watches.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
    state_dir: flags.StateDir = None,
) -> int:
    """Watch a profile's engine from a process of its own: kill it when it hangs or dies with open orders, and cancel those.

    It holds the keys from its start on (environment, keyring, or the encrypted file, whose passphrase it asks for), so a kill can
    always cancel. Ends with ^C. With --status or --json it only tells whether one watches: exit code 0 if so, else 1.
    """
    from arbtui.cli.guardian import print_guardian, watch

    if status or json:
        return print_guardian(flags.wanted_profile(profile), state_dir, json)
    return watch(flags.wanted_profile(profile), state_dir)


@app.command()
def supervise(
    profile: flags.Profile = None,
    mode: flags.Mode = None,
    symbols: Annotated[str | None, typer.Option("--symbols", metavar="N|A,B,C", help="How many assets, or which.")] = None,
    max_runtime: Annotated[float | None, typer.Option("--max-runtime", metavar="S", help="Stop each start after so many seconds.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the simulated market.")] = None,
    json: flags.JsonTarget = None,
    state_dir: flags.StateDir = None,
    confirm: Annotated[str | None, typer.Option("--confirm", metavar="NAME", help="The profile's name: arms the first live start.")] = None,
) -> int:
    """Run a profile's engine headless, and start it again when it has died (after 1, 2, 4 ... 60 s, 5 times in 10 minutes at most).

    An engine that ended in order, was refused, or is killed by a person stays down; one that the guardian has ended comes back HALTED.
    A restart arms by itself only as far as [failover] resume allows.
    """
    from arbtui.cli.supervise import supervise as keep_running
    from arbtui.settings.load import load_profile

    name = flags.wanted_profile(profile)
    settings = load_profile(name, flags.overrides(mode, symbols, seed))
    flags.wanted_runtime(max_runtime)
    asked = {"--profile": name, "--mode": mode, "--symbols": symbols, "--max-runtime": max_runtime, "--seed": seed, "--json": json}
    asked |= {"--state-dir": state_dir}
    given = [word for flag, value in asked.items() if value is not None for word in (flag, str(value))]
    return keep_running(settings, given, confirm, state_dir)


@app.command()
def profiles(json: flags.AsJson = False) -> int:
    """The profiles that can be started by name."""
    from arbtui.cli.places import print_profiles

    return print_profiles(json)


@app.command()
def init(name: Annotated[str, typer.Argument(metavar="NAME", help="The new profile's name.")], json: flags.AsJson = False) -> int:
    """Write a commented example profile into your own profile folder; never overwrites one."""
    from arbtui.cli.places import write_example

    return write_example(name, json)


@app.command()
def locate(profile: flags.Profile = None, state_dir: flags.StateDir = None, json: flags.AsJson = False) -> int:
    """Where profiles and state live; with --profile also that one's file, log, flag and journals, whether they exist or not."""
    from arbtui.cli.places import print_places

    return print_places(profile, state_dir, json)


@app.command()
def check(profile: flags.Profile = None, mode: flags.Mode = None, state_dir: flags.StateDir = None, json: flags.AsJson = False) -> int:
    """Every problem of a profile and its state, none fatal; --mode paper or live asks the venues too. Exit code 0 for none, else 2."""
    from arbtui.cli.check import print_check

    return print_check(flags.wanted_profile(profile), mode, state_dir, json)


@app.command()
def journal(
    verb: Annotated[str, typer.Argument(metavar="[verify|backup|rebuild]")] = "verify",
    to: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="backup: a new file, or a folder; default: the journal's backups/.")
    ] = None,
    keep: Annotated[int | None, typer.Option("--keep", metavar="N", help="backup: then remove all but the newest N in backups/.")] = None,
    profile: flags.Profile = None,
    mode: flags.LatestMode = None,
    json: flags.AsJson = False,
    state_dir: flags.StateDir = None,
) -> int:
    """Whether the journal is what was written: pages, the hash of every event, every table and snapshot. Exit code 2 if not.

    verify and backup (a copy that is checked before it gets its name) work while the profile runs or not; rebuild makes the tables anew
    from the events, and needs the engine stopped.
    """
    from arbtui.cli.journal import journal as act

    return act(flags.wanted_profile(profile), verb, to, keep, mode, json, state_dir)
