"""The figures of the web face. `config` fills them; the defaults are the design's."""

from __future__ import annotations

from msgspec import Struct


class WebSettings(Struct, frozen=True, kw_only=True):
    """What the web face listens on, and its limits.

    host, port: port 0 takes a free one. body_limit, head_limit: bytes. request_seconds: from the first byte (or the
    accepted connection) to the complete request. answer_seconds: from there to the complete answer.
    store_seconds: how long a receipt waits for its commit. per_address: open connections of one address.
    connections: open connections in all. trusted_proxies: addresses or networks whose connections carry many senders:
    they are not counted by address; calls in progress are, by the sender that the proxy names.
    stop_seconds: how long open calls may go on when the daemon stops.
    """

    host: str = "127.0.0.1"
    port: int = 8470
    body_limit: int = 1024 * 1024
    head_limit: int = 32 * 1024
    request_seconds: float = 10.0
    answer_seconds: float = 10.0
    idle_seconds: float = 15.0
    store_seconds: float = 0.9
    per_address: int = 64
    connections: int = 512
    trusted_proxies: tuple[str, ...] = ()
    stop_seconds: float = 3.0
