"""A program that tells what it was started with, as JSON, and ends as it is asked to: ``python -m tests.warm_child END ARGUMENTS...``."""

import atexit
import json
import os
import resource
import signal
import sys
import threading
import time
from typing import Any


def _facts() -> dict[str, object]:
    mask = os.umask(0)
    os.umask(mask)
    standard: list[Any] = [sys.stdin, sys.stdout, sys.stderr]
    streams = [(one.encoding, one.errors, one.line_buffering, one.write_through) for one in standard]
    return {
        "arguments": sys.argv[1:],
        "program": os.path.realpath(sys.argv[0]),
        "name": __name__,
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "parent": os.getppid(),
        "group": os.getpgid(0),
        "leads": os.getsid(0) == os.getpid(),
        "umask": mask,
        "streams": streams,
        "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],  # the last one reads this list
        "signals": {number.name: str(signal.getsignal(number)) for number in signal.valid_signals() if isinstance(number, signal.Signals)},
        "masked": len(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "threads": threading.active_count(),
        "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "nice": os.nice(0),
    }


def _late() -> None:
    time.sleep(0.2)
    print("a thread has ended")


if __name__ == "__main__":
    print(json.dumps(_facts()))
    atexit.register(print, "the end")
    match sys.argv[1]:
        case "text":
            sys.exit("an end in words")
        case "error":
            raise ValueError("an end by an error")
        case "thread":
            threading.Thread(target=_late).start()
        case "signal":
            os.kill(os.getpid(), signal.SIGTERM)
        case code:
            sys.exit(int(code))
