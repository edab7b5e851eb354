"""Who was affected: how many consumers, exactly up to a bound and estimated beyond it, and the most frequent ones.

A "bottom-k" sketch: of the 64-bit hashes of all consumers, the smallest k are kept. While there are fewer than k the
count is exact; beyond that, how densely they lie tells how many there are, within about 1/sqrt(k). One structure for
both, the same whatever the order, merged by union.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left

from connectors.gateway.discriminator import seen

_SPACE = 1 << 64
_NAMED = 16
_MEMO = 20_000


class Hashes:
    """Names with their hashes, remembered. Each name is given as one and the same text, however often it comes.

    A name that is an address of a person is replaced by its hash: `consumer-` and eight hexadecimal digits.
    """

    def __init__(self) -> None:
        self._memo: dict[str, tuple[str, int]] = {}

    def __call__(self, name: str) -> tuple[str, int]:
        """The name as it is shown, and its hash."""
        found = self._memo.get(name)
        if found is None:
            if len(self._memo) >= _MEMO:
                self._memo.clear()
            raw = name.encode("utf-8", "surrogatepass")
            digest = int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big")
            shown = f"consumer-{digest >> 32:08x}" if "@" in name else seen(name, 80)
            found = self._memo[name] = (shown, digest)
        return found


class Consumers:
    """The consumers of one signature. most: k. top: calls by name, for the first 16 names met."""

    __slots__ = ("_kept", "_most", "top")

    def __init__(self, most: int, kept: bytes = b"", top: dict[str, int] | None = None) -> None:
        self._most = most
        self._kept: array[int] = array("Q")
        self._kept.frombytes(kept)
        del self._kept[most:]
        self.top: dict[str, int] = dict(top or {})

    def add(self, name: str, digest: int) -> None:
        """One call of a consumer."""
        known = self.top.get(name)
        if known is not None:
            self.top[name] = known + 1
        elif len(self.top) < _NAMED:
            self.top[name] = 1
        self._insert(digest)

    def _insert(self, digest: int) -> None:
        kept = self._kept
        if len(kept) >= self._most and digest >= kept[-1]:
            return
        at = bisect_left(kept, digest)
        if at < len(kept) and kept[at] == digest:
            return
        kept.insert(at, digest)
        if len(kept) > self._most:
            kept.pop()

    def merge(self, other: Consumers) -> None:
        """Take in the consumers of another part of the same signature."""
        for digest in other._kept:
            self._insert(digest)
        for name, count in other.top.items():
            if name in self.top or len(self.top) < _NAMED:
                self.top[name] = self.top.get(name, 0) + count

    def count(self) -> int:
        """How many; exact below the bound."""
        kept = self._kept
        if len(kept) < self._most or not kept[-1]:
            return len(kept)
        return round((len(kept) - 1) * _SPACE / kept[-1])

    def kept(self) -> bytes:
        """The hashes as bytes of this machine's order."""
        return self._kept.tobytes()
