"""Which landmarks time a session: all that could prove the site, and more that nobody could pick.

The extras are those landmarks of the directory, the chosen ones left out, whose

    SHA-256(CBOR ["CLP/1 draw", beacon, agent's enrolment key, landmark id])

are smallest. Neither the session's id nor its hour goes in, so that a verifier cannot roll again by asking again before
the next beacon; what it asked at earlier beacons shows in the landmarks' sequences.
"""

import hashlib
import heapq
from collections.abc import Iterable

from lightbound.canonical.cbor import encode


def drawn(
    landmarks: Iterable[bytes], *, beacon: bytes, agent: bytes, chosen: Iterable[bytes], extras: int
) -> tuple[bytes, ...]:
    """The landmarks of a session, ascending: the chosen ones and, of the others, as many extras as there are.

    `landmarks` are the ids of the directory, `agent` the 32 bytes of the enrolment key.
    """
    kept = set(chosen)

    def rank(landmark: bytes) -> bytes:
        return hashlib.sha256(encode(["CLP/1 draw", beacon, agent, landmark])).digest()

    return tuple(sorted(kept.union(heapq.nsmallest(extras, set(landmarks) - kept, key=rank))))
