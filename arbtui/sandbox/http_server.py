"""Ending an HTTP server without leaving a connection behind."""

import asyncio

from aiohttp import web

AnyRunner = web.AppRunner | web.ServerRunner
_TURNS = 10  #: of the loop: an accepted socket is a connection, and a closed one is gone, within three


async def shut(runner: AnyRunner) -> None:
    """Stop listening, let what is being answered end within the runner's time, and cut the rest.

    A socket that was accepted in the turn in which the server stops would be neither a connection nor closed: its client would
    wait for ever. So the server first stops accepting, and stops only after what it accepted has become connections.
    """
    server = runner.server
    if server is None:  # it was never set up
        return
    loop = asyncio.get_running_loop()
    for site in runner.sites:
        listening: asyncio.Server | None = getattr(site, "_server", None)
        for sock in listening.sockets if listening is not None else ():
            loop.remove_reader(sock.fileno())
    await _turn()
    transports = [connection.transport for connection in server.connections]
    await runner.cleanup()
    for transport in transports:
        if transport is not None:  # its answer never came, or is half written
            transport.abort()
    await _turn()


async def _turn() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
