"""``AutoResume``: whether a start that nobody confirms arms by itself. Below every latch, and below an unclean recovery."""

from arbtui.failover.config import Resume
from arbtui.failover.crash_detector import Ending, LastEnd
from arbtui.failover.reconciler import Reconciled


class AutoResume:
    """The policy of one start.

    Args:
        resume: ``[failover] resume``.
        is_live: whether real orders would leave.
    """

    def __init__(self, resume: Resume, *, is_live: bool) -> None:
        self.resume: Resume = ("manual" if is_live else "always") if resume == "mode" else resume
        self._is_live = is_live

    @property
    def resumes_cycles(self) -> bool:
        """Whether cycles that the last run left half done are kept open, to be hedged on once the engine is armed."""
        return self.resume != "manual"

    def why_not_cycles(self, found: Reconciled) -> str:
        """Why they are not hedged on after all, or nothing: "clean" wants accounts on which nothing else was found."""
        if self.resume == "manual":
            return '[failover] resume is "manual"'
        other = found.unresolved or found.unread or found.orphans or found.mismatches
        return f'[failover] resume is "clean": recovery {found.in_words()}' if self.resume == "clean" and other else ""

    def why_not(self, last: LastEnd, found: Reconciled) -> str:
        """Why it waits for a person, or nothing where it arms."""
        if self.resume == "manual":
            return 'not confirmed, and [failover] resume is "manual"'
        if self._is_live and last.ending is Ending.FIRST:
            return "not confirmed, and this journal's first run: nobody has ever armed it"
        if self.resume == "always":
            return ""
        if not last.is_clean and last.ending is not Ending.FIRST:
            return f'not confirmed, and [failover] resume is "clean": {last.words}'
        return "" if found.is_nothing else f'not confirmed, and [failover] resume is "clean": recovery {found.in_words()}'
