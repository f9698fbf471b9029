"""A client of the broker at an address, as each part of ours that talks to it has one."""

from typing import Any

import aiomqtt

from daemon.devices.address import Address

KEEPALIVE_S = 15
DELIVERY_S = 5.0
"""How long the broker may take to acknowledge a message before the link counts as lost."""
PENDING = 1000
"""So many messages may wait for their acknowledgement before aiomqtt complains."""


def new_client(address: Address, **more: Any) -> aiomqtt.Client:
    """Return a client, to be entered to connect; `more` is what else aiomqtt.Client takes."""
    client = aiomqtt.Client(
        address.host,
        address.port,
        username=address.user,
        password=address.password,
        tls_context=address.tls_context(),
        keepalive=KEEPALIVE_S,
        socket_options=address.socket_options(DELIVERY_S),
        timeout=DELIVERY_S,
        **more,
    )
    client.pending_calls_threshold = PENDING
    return client
