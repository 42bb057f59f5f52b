"""What an address of this machine is. Standard library only."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether ``host`` is an address of this machine, or the name ``localhost``; any other name is not known before it is resolved."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
