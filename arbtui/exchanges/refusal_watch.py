"""RefusalWatch: while a venue refuses our key, account or orders, finds out when that is over, and takes up other keys."""

import asyncio
import logging
from typing import Protocol

from arbtui.exchanges.answers import Meaning, RequestFailed
from arbtui.exchanges.capabilities import Capabilities
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.refusals import Scope
from arbtui.exchanges.standing import VenueStanding
from arbtui.model.errors import ArbtuiError, VenueRefused

#: s between two checks for new keys while the venue refuses those in use; the venue itself is asked only when a probe is due.
_KEYS_EVERY_S = 5.0

log = logging.getLogger("arbtui")


class Probed(Protocol):
    """What is probed: an adapter. Its methods are :class:`arbtui.exchanges.ccxt_adapter.CcxtAdapter`'s."""

    name: str
    client: CcxtClient
    standing: VenueStanding
    capabilities: Capabilities

    async def check_keys(self) -> str:
        """See there."""
        ...

    async def check_account(self) -> None:
        """See there."""
        ...

    async def test_order(self) -> None:
        """See there."""
        ...


class RefusalWatch:
    """Probes for the :class:`arbtui.exchanges.standing.VenueStanding` of one adapter."""

    def __init__(self, adapter: Probed) -> None:
        self._adapter = adapter
        self._changed = asyncio.Event()
        adapter.standing.on_change = self._changed.set
        self._key_message = ""

    async def run(self) -> None:
        """While the venue refuses our key, account or orders, probe from time to time whether it is over; runs until cancelled.

        Until then the venue is DOWN. New keys are used once the venue accepts them; keys that it refuses, or that can
        withdraw, never are.
        """
        while True:
            self._changed.clear()
            due_s = self._adapter.standing.due_in()
            block = self._adapter.standing.block
            of_key = block is not None and block.refusal.scope in (Scope.KEY, Scope.IP)
            if of_key:  # a person may put another key there at any time
                due_s = _KEYS_EVERY_S if due_s is None else min(due_s, _KEYS_EVERY_S)
            try:
                async with asyncio.timeout(due_s):
                    await self._changed.wait()
                continue  # another block, or none, or another time
            except TimeoutError:
                pass
            if of_key and (await self._rotate() or self._adapter.standing.block is None):
                continue
            if self._adapter.standing.due_in() == 0.0:
                await self._probe()

    async def _probe(self) -> None:
        """Ask whether what stopped us is over."""
        block = self._adapter.standing.block
        if block is None:
            return
        if block.is_trial:
            self._adapter.standing.try_again()
            return
        try:
            said = await self._adapter.check_keys()
            await self._adapter.check_account()
            if self._adapter.capabilities.test_orders:
                await self._adapter.test_order()
        except RequestFailed as error:
            if error.meaning in (Meaning.UNREACHABLE, Meaning.RATE_LIMITED) or not error.answer.code:
                self._adapter.standing.probe_failed()
            else:  # a no to the test order itself, its price or its market, is a yes to the right of making one
                self._adapter.standing.probed(not error.refusal.stops_entries, str(error))
        except VenueRefused as error:
            self._report_key(f"{self._adapter.name}: the key {self._adapter.client.in_use.tail} is not used: {error}")
            self._adapter.standing.probed(False, str(error))
        except ArbtuiError as error:
            log.warning("%s: whether it takes orders again could not be asked: %s", self._adapter.name, error)
            self._adapter.standing.probe_failed()
        else:
            self._adapter.standing.probed(True, said, tested=self._adapter.capabilities.test_orders)

    def _report_key(self, message: str) -> None:
        if message != self._key_message:
            log.error("%s", message)
        self._key_message = message

    async def _rotate(self) -> bool:
        """Use the keys that lie where keys are found, where they are others and the venue takes them; True when that is so."""
        await asyncio.to_thread(self._adapter.client.keys.reread)
        before, found = self._adapter.client.in_use, self._adapter.client.keys.current()
        if found is before:
            return False
        self._adapter.client.use(found)
        try:
            await self._adapter.check_keys()
            if self._adapter.capabilities.test_orders:
                await self._adapter.test_order()
        except RequestFailed as error:
            if error.refusal.stops_entries or not error.answer.code:
                self._adapter.client.use(before)
                self._report_key(f"{self._adapter.name}: the key {found.tail} is not used: {error}")
                return False
        except ArbtuiError as error:
            self._adapter.client.use(before)
            self._report_key(f"{self._adapter.name}: the key {found.tail} is not used: {error}")
            return False
        self._key_message = ""
        log.warning("%s: the key is %s from now on (%s)", self._adapter.name, found.tail, found.source)
        self._adapter.standing.keys_changed()
        return True
