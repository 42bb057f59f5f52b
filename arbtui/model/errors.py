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
MarketUnknown           2  a venue cannot be asked about a market: it lists none such, or this run has not connected it
OrderRejected           -  a venue definitely refused an order
OrderAbandoned          -  our own order gate refused, immediately before the request
OrderUnknown            -  no usable answer: the order may be open at the venue
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
    """A venue did not answer a query, or not usably. The result is unknown, which is neither zero nor absent.

    It ends the program only during start-up, where its cause is the network or the profile's URLs.
    """

    exit_code = 2


class MarketUnknown(VenueFailed):
    """A venue is asked about a market that it does not list, or that this run has not connected: asking again is no use."""


class JournalFailed(ArbtuiError):
    """A journal commit failed. Fatal to trading: the same write is never tried again."""


class WireError(ArbtuiError):
    """A frame that cannot be decoded. ``kind`` is a short label it is counted under."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail


class OrderRejected(ArbtuiError):
    """The venue refused the order for good; no part of it is open there. ``reason`` is the venue's own error name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OrderAbandoned(ArbtuiError):
    """The gate refused the order at its second check; no byte of it was sent. ``reason`` is the denial's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OrderUnknown(ArbtuiError):
    """The venue gave no usable answer: the order may or may not be open or filled. Never resend; look up by client id."""


class RateLimited(ArbtuiError):
    """The request was not sent: the rate limit leaves no room in time, or the venue banned us. ``retry_s``: seconds until it may be."""

    def __init__(self, message: str, retry_s: float) -> None:
        super().__init__(message)
        self.retry_s = retry_s
