"""What one session is subscribed to, and how that changes.

Source: Paradex docs, WebSocket (OpenRPC 1.3.1), seen 2026-11: ``markets`` makes a subscription of
markets_summary a scoped one, which modify_subscription changes in place.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, Final

import attrs

from bot4.simulator.paradex.channels import Channel, read_channel
from bot4.simulator.paradex.refusal import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    RpcRefused,
    invalid_channel,
)

SCOPED: Final = "markets_summary"


class Subscriptions:
    """The channels of one session, by name.

    Args:
        markets: the symbols there are.
        binary: whether the session speaks SBE, which carries one book a market.
    """

    def __init__(self, markets: Container[str], *, binary: bool) -> None:
        self.channels: Final[dict[str, Channel]] = {}
        self._markets = markets
        self._binary = binary

    def read(self, name: object, markets: object) -> Channel:
        """Return the channel a subscription asks for; nothing is subscribed yet.

        Raises:
            RpcRefused: there is no such channel, or it is there already or cannot be.
        """
        channel = read_channel(name, self._markets, binary=self._binary)
        if markets is not None:
            if channel.name != SCOPED:
                raise RpcRefused(INVALID_PARAMS, "markets: only with markets_summary")
            channel = attrs.evolve(channel, scope=frozenset(self._symbols(markets)))
        if channel.name in self.channels:
            raise invalid_channel("already subscribed")
        for other in self.channels.values():
            same_book = channel.family == other.family == "order_book"
            if self._binary and same_book and channel.market == other.market:
                raise RpcRefused(
                    INVALID_REQUEST,
                    "invalid subscribe request",
                    f"channel '{channel.name}' cannot share an SBE session with '{other.name}'",
                )
        return channel

    def remove(self, name: object) -> None:
        """End a subscription.

        Raises:
            RpcRefused: there is none of that name.
        """
        if self.channels.pop(str(name), None) is None:
            raise invalid_channel("not subscribed")

    def modify(self, name: object, add: object, remove: object) -> dict[str, Any]:
        """Change a scoped subscription in place; return the result of the request.

        Raises:
            RpcRefused: it is not a live scoped subscription, or a market is unknown.
        """
        channel = self.channels.get(str(name))
        if channel is None or channel.scope is None:
            raise invalid_channel("not a scoped subscription")
        more, less = self._symbols(add or []), self._symbols(remove or [])
        scope = (channel.scope | set(more)) - set(less)
        self.channels[channel.name] = attrs.evolve(channel, scope=scope)
        return {"channel": channel.name, "add": more, "remove": less}

    def _symbols(self, names: object) -> list[str]:
        if not isinstance(names, list) or not all(one in self._markets for one in names):
            raise RpcRefused(INVALID_PARAMS, "markets: must be a list of symbols")
        return names
