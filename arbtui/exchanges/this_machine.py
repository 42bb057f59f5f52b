"""An address of this machine is one of this machine's: a name in its place that leads elsewhere is not followed.

Whatever has a loopback URL is taken for the sandbox: play money, no ``real_orders`` asked for. ``localhost`` is a name, and a hosts
file or a resolver can give it any address; and keys and orders would go there.
"""

import errno
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from arbtui.model.loopback import is_loopback


def socket_factory(url: str) -> Callable[[Any], socket.socket] | None:
    """For a connector of connections to ``url`` (docs.aiohttp.org, TCPConnector): None where it is not of this machine."""
    return _loopback_socket if is_loopback(urlsplit(url).hostname or "") else None


def _loopback_socket(address: Any) -> socket.socket:
    """A socket for ``address``, as of ``socket.getaddrinfo``.

    Raises:
        OSError: it is not of this machine.
    """
    family, kind, protocol, _, peer = address
    if not ip_address(str(peer[0]).partition("%")[0]).is_loopback:
        raise OSError(errno.EADDRNOTAVAIL, f"the name leads to {peer[0]}, which is not this machine")
    return socket.socket(family, kind, protocol)
