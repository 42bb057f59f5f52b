"""The error family. Each carries what happened, where, what to do, and the exit code it ends a command with.

===================  ====  ==================================================================
error                exit  raised when
===================  ====  ==================================================================
ArbtuiError             1  base; an internal error
UsageError              2  wrong flags, profile, recording, state folder or journal
AlreadyRunning          4  another process holds the profile's lock
VenueRefused            5  a venue refuses keys or permissions
JournalFailed           1  a commit failed: the gate closes, nothing is retried
WireError               -  a frame could not be decoded; counted, never raised out of a stream
VenueFailed             2  a venue did not answer a query, or not usably: no information
OrderRejected           -  a venue's definite no to an order
OrderAbandoned          -  our own gate's no, immediately before the request
OrderUnknown            -  no usable answer: the order may stand at the venue
RateLimited             1  the venue's budget is spent, or it has banned us: nothing was sent
===================  ====  ==================================================================
"""


class ArbtuiError(Exception):
    """Base of every error that this package raises on purpose."""

    exit_code = 1


class UsageError(ArbtuiError):
    """The operator's input is wrong; the message names the file or flag, the key and the nearest right one."""

    exit_code = 2


class AlreadyRunning(ArbtuiError):
    """The profile is already running in another process."""

    exit_code = 4


class VenueRefused(ArbtuiError):
    """A venue refuses the keys or what they may do."""

    exit_code = 5


class VenueFailed(ArbtuiError):
    """A venue did not answer a query, or not usably. It says nothing about what was asked: unknown is not zero, nor absent.

    It ends a program only at its start, where it is a matter of the network or of the profile's URLs.
    """

    exit_code = 2


class JournalFailed(ArbtuiError):
    """A journal commit failed. Fatal to trading: the same write is never tried again."""


class WireError(ArbtuiError):
    """A frame that cannot be decoded. ``kind`` is a short label it is counted under."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


class OrderRejected(ArbtuiError):
    """The venue refused the order for good; nothing of it stands there. ``reason`` is the venue's own word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OrderAbandoned(ArbtuiError):
    """The gate refused the order at its second look; no byte of it left. ``reason`` is the denial's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OrderUnknown(ArbtuiError):
    """The venue gave no usable answer: the order may or may not stand. Never resend; look up by client id."""


class RateLimited(ArbtuiError):
    """The request was not sent: the venue's budget cannot be had in time, or it has banned us. ``retry_s``: seconds until it may be had."""

    def __init__(self, message: str, retry_s: float) -> None:
        super().__init__(message)
        self.retry_s = retry_s
