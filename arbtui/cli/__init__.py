"""The command line. Standard library only: ``kill`` runs before anything heavy is imported."""

import sys


def main() -> int:
    """The program: parse, run, and return the exit code."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["kill"]:
        from arbtui.cli.kill import kill

        return kill(arguments[1:])

    from arbtui.cli.run import run

    return run(arguments)
