"""Runs a command and turns every error into one line on standard error and an exit code."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

from arbtui.model.errors import ArbtuiError


def run(arguments: Sequence[str]) -> int:
    """Parse and run; the exit code: 2 for wrong usage, 128 + n for signal n, 1 for a mistake of our own."""
    import typer
    from typer.exceptions import TyperException

    from arbtui.cli.app import app

    try:
        return int(app(list(arguments), prog_name="arbtui", standalone_mode=False) or 0)
    except TyperException as error:
        return fail(error.format_message(), 2)
    except ArbtuiError as error:
        return fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return fail("interrupted", 128 + signal.SIGINT)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the flush at exit fails once more
        return 128 + signal.SIGPIPE
    except Exception as error:  # the last line of defence: a bug, too, ends with a sentence and its code
        with suppress(OSError):  # a terminal that is gone
            traceback.print_exc()
        return fail(f"internal error: {type(error).__name__}: {error}", 1)


def fail(message: str, code: int) -> int:
    """Say ``message`` on one line of standard error, and give ``code`` back."""
    from arbtui.settings.output import say

    say(message)
    return code
