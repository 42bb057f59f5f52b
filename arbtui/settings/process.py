"""What the kernel reports of a process. Standard library only: `arbtui kill` uses it. Without /proc (macOS), nothing."""

from dataclasses import dataclass
from pathlib import Path

#: The state field of /proc/PID/stat that means: stopped, by a signal or by a debugger (proc_pid_stat(5)).
STOPPED = ("T", "t")


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """One process. Both are empty when there is no such process, or when the platform does not report them."""

    state: str = ""  #: one letter: R runs, S sleeps, D waits in the kernel, T stopped, Z ended
    started: str = ""  #: clock ticks after the machine's start: with the pid, identifies a process uniquely


def process_facts(pid: int) -> ProcessFacts:
    """The facts of process ``pid``, from /proc/PID/stat."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        fields = stat[stat.rindex(")") + 2 :].split()  # the name before it may hold anything
        return ProcessFacts(state=fields[0], started=fields[19])
    except (OSError, ValueError, IndexError):
        return ProcessFacts()


def boot_id() -> str:
    """What names the machine's start, anew with each; empty where the platform does not tell (macOS)."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
