"""What is said of a word that is no command: the nearest one, where such a thing is seen, or which commands there are."""

import signal
from typing import Any

from typer.core import TyperGroup
from typer.exceptions import TyperException

from arbtui.model.errors import UsageError
from arbtui.settings.output import mute_standard_output

_TRADED = "arbtui ledger --profile P --json lists them"
#: Where to look for what people ask for by a name of their own.
_ELSEWHERE = {
    "routes": "the console shows them (pane Routes), Telegram's /routes, and before a start arbtui check --profile P --json",
    "fills": _TRADED,
    "trades": _TRADED,
    "cycles": f"{_TRADED}; what is open stands in arbtui status --profile P",
    "balances": "arbtui stock --profile P shows them",
    "pnl": "arbtui status --profile P shows it, arbtui ledger that of any run or time",
    "risk": "arbtui limits --profile P shows what bounds trading, arbtui positions what is one-sided",
    "breaches": "arbtui status --profile P lists what nobody has acknowledged, arbtui ledger all",
    "alerts": "arbtui status --profile P tells which wait, arbtui check who is told",
    "logs": "arbtui locate --profile P tells where the log lies",
    "start": "arbtui --profile P starts a session, arbtui supervise one that is started again when it dies",
    "run": "arbtui --profile P starts a session",
    "stop": "^C or SIGTERM ends a session in order; arbtui kill stops its trading at once",
    "pause": "p in the console, or Telegram's /pause; arbtui kill --scope holds back a part",
    "halt": "arbtui kill stops all trading of a profile, with --scope a part of it",
}
_ELSEWHERE |= {"route": _ELSEWHERE["routes"], "log": _ELSEWHERE["logs"], "balance": _ELSEWHERE["balances"]}


class Commands(TyperGroup):
    """The commands of the program."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; exit code 128 + SIGPIPE when its output pipe is closed: the parser would exit with 1, as for a defect."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            mute_standard_output()
            return 128 + signal.SIGPIPE

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that ``args`` begin with.

        Raises:
            UsageError: there is none of that name.
        """
        try:
            return super().resolve_command(ctx, args)
        except TyperException as error:
            name, told = args[0], error.format_message()
            if name.startswith("-"):  # an option: its own words are right
                raise
            if name in _ELSEWHERE:
                told = f"No such command {name!r}: {_ELSEWHERE[name]}"
            elif "Did you mean" not in told:
                there = ", ".join(known for known, command in self.commands.items() if not command.hidden)
                told = f"{told.rstrip('.')}; there are: {there}; arbtui --help says what each does"
            raise UsageError(told) from None
