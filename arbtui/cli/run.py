"""Runs a command and turns every error into one line on standard error and an exit code."""

import errno
import logging
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from arbtui.model.errors import ArbtuiError
from arbtui.model.printable import printable
from arbtui.monitoring.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable

#: Errors of a write to a full disk or a closed terminal.
_OUTPUT_GONE = (errno.ENOSPC, errno.EIO)
_OWNER = "run this as the user that the engine runs as, or mend its owner and mode"
#: What to do about a file or folder that cannot be used, whichever command has met it.
_PLACES = {
    errno.EACCES: _OWNER,
    errno.EPERM: _OWNER,
    errno.EROFS: "make its file system writable, or name another --state-dir",
    errno.ENOSPC: "free space there",
    errno.EDQUOT: "free space there",
    errno.EIO: "check the disk",
    errno.ELOOP: "take the link away",
    errno.ENAMETOOLONG: "name a shorter path",
}


@cache
def command() -> "Callable[..., int | None]":
    """All commands, ready to parse: made once a process, for each is read from the signature of its function."""
    from typer.main import get_command

    from arbtui.cli.app import app

    return get_command(app)


def run(arguments: Sequence[str]) -> int:
    """Parse and run; the exit code: 2 for wrong usage, 128 + n for signal n, 1 for an internal error."""
    from decimal import getcontext

    import typer
    from typer.exceptions import TyperException

    from arbtui.model.money import DIGITS
    from arbtui.monitoring.redacting_formatter import RedactingFormatter

    getcontext().prec = DIGITS  # a ledger or status adds up the events that an engine did, and must come to the same digits
    if logging.lastResort is not None:  # what is logged before there is a log file goes to standard error
        logging.lastResort.setFormatter(RedactingFormatter("arbtui: %(message)s"))
    try:
        code = int(command()(list(arguments), prog_name="arbtui", standalone_mode=False) or 0)
        if sys.stdout is not None:
            sys.stdout.flush()  # here its failure can still be reported
        return code
    except TyperException as error:
        return fail(_wrong_usage(error.format_message(), arguments), 2)
    except ArbtuiError as error:
        return fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return fail("interrupted", 128 + signal.SIGINT)
    except Exception as error:  # a defect, too, ends with a message and its exit code
        return code_of(error)


def code_of(error: Exception) -> int:
    """Tell of ``error``, which no command has dealt with; the exit code."""
    from arbtui.settings.output import mute_standard_output

    if isinstance(error, BrokenPipeError):
        mute_standard_output()
        return 128 + signal.SIGPIPE
    if isinstance(error, OSError) and error.errno in _OUTPUT_GONE and error.filename is None:
        mute_standard_output()
        return fail(f"standard output could not be written ({error.strerror})", 1)
    if isinstance(error, OSError) and error.filename is not None and error.errno in _PLACES:
        return fail(f"{error.filename}: {error.strerror}: {_PLACES[error.errno]}", 2)
    with suppress(OSError):  # a closed terminal
        sys.stderr.write(printable(redact(traceback.format_exc()), keep="\n"))
    return fail(f"internal error: {type(error).__name__}: {error}", 1)  # last resort: a defect, too, ends with a message and its exit code


def _wrong_usage(told: str, arguments: Sequence[str]) -> str:
    """The parser's message ``told``, or a clearer one for a negative number, which the parser takes for an unknown flag."""
    negative = next((word for word in arguments if re.fullmatch(r"-\.?\d.*", word)), "")
    if negative and told.startswith(f"No such option: {negative[:2]}"):
        return f"{negative}: the value must not be negative; nothing was changed"
    return told


def fail(message: str, code: int) -> int:
    """Write ``message`` as one line to standard error, and return ``code``."""
    from arbtui.settings.output import say

    say(message)
    return code
