"""The command line. Standard library only: ``kill`` runs before anything heavy is imported."""

import gc
import sys

#: Objects that a start may make before the collector looks through them for the first time. Python's own 700 costs 0.06 s of the
#: 0.6 s that importing takes, and finds nothing: what is imported stays.
_FIRST_LOOK = 100_000


def _look_late_once() -> None:
    """Let the collector begin after the imports; from its first look on it is as frequent as Python has it."""
    usual = gc.get_threshold()

    def as_usual(_phase: str, _info: dict[str, int]) -> None:
        gc.callbacks.remove(as_usual)
        if gc.get_threshold()[0] == _FIRST_LOOK:  # a session may have set its own meanwhile
            gc.set_threshold(*usual)

    gc.callbacks.append(as_usual)
    gc.set_threshold(_FIRST_LOOK, *usual[1:])


def main() -> int:
    """The program: parse, run, and return the exit code."""
    try:
        _look_late_once()
        return _run(sys.argv[1:])
    except KeyboardInterrupt:  # while it imports
        from arbtui.settings.output import say

        say("interrupted")
        return 130


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["kill"]:
        from arbtui.cli.kill import kill

        try:
            return kill(arguments[1:])
        except Exception as error:  # a defect, too: told like one of any other command
            from arbtui.cli.run import code_of

            return code_of(error)

    from arbtui.cli.run import run

    return run(arguments)
