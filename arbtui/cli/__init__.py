"""The command line. Standard library only: ``kill`` runs before anything heavy is imported."""

import gc
import sys

#: Objects that a start may make before the collector looks through them. Python's own 700 costs 0.06 s of the 0.6 s that importing
#: takes, and finds nothing: what is imported stays. A session sets its own (arbtui.runtime.garbage).
_YOUNG_OBJECTS = 50_000


def main() -> int:
    """The program: parse, run, and return the exit code."""
    gc.set_threshold(_YOUNG_OBJECTS)
    arguments = sys.argv[1:]
    if arguments[:1] == ["kill"]:
        from arbtui.cli.kill import kill

        return kill(arguments[1:])

    from arbtui.cli.run import run

    return run(arguments)
