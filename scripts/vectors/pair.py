"""A landmark and the agent in one session, each a script that is being recorded, with a network of stated delays."""

from __future__ import annotations

from typing import Any

from lightbound.conformance.reference import answer
from vectors import world
from vectors.octets import digest, seed
from vectors.record import Script
from vectors.world import at

MS = 1_000_000
OPENED, CONTRIBUTED, BOUND, READY = 1_000 * MS, 1_100 * MS, 1_500 * MS, 2_000 * MS
"""When things happen, from the issue of SESSION, unless a vector is about when."""

ORDINARY_MS = (31.4, 30.2, 33.9, 30.0, 30.7, 45.1)
"""Round trips of the plain session."""


class Pair:
    """One landmark and the agent."""

    def __init__(
        self, number: int = world.ASKED[0], *, errors: dict[str, Any] | None = None, previous: Any = None
    ) -> None:
        """SESSION has come to both, and CONTRIB to the agent."""
        self.kid = world.LANDMARKS[number].kid
        self.landmark = world.landmark(number, errors=errors)
        self.agent = world.agent()
        given = self.landmark.move(
            "open", data=world.SESSION, previous=previous, up_since_ns=world.FROM, now_ns=world.NOW + OPENED
        )
        self.open, self.contrib = bytes.fromhex(given["open"]), bytes.fromhex(given["contrib"])
        self.agent.move("asked", data=world.SESSION, now_ns=world.NOW + OPENED)
        self.contributes(self)
        self.bind = b""
        self.rounds = 0
        self.now_ns = READY

    def contributes(self, pair: Pair) -> None:
        """The CONTRIB of a landmark comes to this agent."""
        now_ns = world.NOW + CONTRIBUTED
        self.agent.move("contribution", landmark=pair.kid, data=pair.contrib, now_ns=now_ns)

    def is_bound(self, evidence: bytes = world.EVIDENCE) -> Pair:
        """The agent makes BIND, and the landmark takes it."""
        self.bind = bytes.fromhex(self.agent.move("bind", evidence=evidence)["bind"])
        self.landmark.move("bind", data=self.bind, now_ns=world.NOW + BOUND)
        return self

    def is_ready(self) -> Pair:
        """The agent's READY comes."""
        self.comes(self.ready(), at(self.now_ns))
        return self

    def ready(self) -> str:
        """READY."""
        return str(self.agent.move("ready", landmark=self.kid)["packet"])

    def comes(self, packet: Any, moment: Any, *, useful: bool = True, source: str = world.AGENT_ADDRESS) -> None:
        """A packet comes to the landmark."""
        given: dict[str, Any] = {"from": source, "at": moment}
        self.landmark.move("packet", data=packet, is_={"useful": useful}, **given)

    def challenge(self, *, gap_ns: int = 0, moment: Any = None) -> str:
        """A challenge is sent."""
        nonce = seed(f"nonce {self.rounds} of {self.kid.hex()}")[:16]
        self.rounds += 1
        sent = self.landmark.move("challenge", nonce=nonce, gap_ns=gap_ns, at=moment or at(self.now_ns))
        return str(sent["packet"])

    def reply(self, probe: str) -> str:
        """What the agent answers."""
        return str(self.agent.move("packet", landmark=self.kid, data=probe)["reply"])

    def round(self, takes_ns: int, *, gap_ns: int = 0, check_ns: int | None = None) -> None:
        """One round, on whose length the clocks agree unless `check_ns` is another."""
        reply = self.reply(self.challenge(gap_ns=gap_ns))
        came_ns = self.now_ns + takes_ns
        other_ns = None if check_ns is None else self.now_ns + check_ns
        self.comes(reply, at(came_ns, check_ns=other_ns))
        self.now_ns = came_ns + gap_ns

    def silent(self, wait_ns: int) -> None:
        """One challenge to which nothing comes, given up after a wait."""
        self.challenge()
        self.due(wait_ns - 1, challenge=False)
        self.now_ns += wait_ns

    def due(self, later_ns: int = 0, **is_: bool) -> None:
        """What the timed phase waits for, so much later."""
        self.landmark.move("due", now_ns=at(self.now_ns + later_ns)["ns"], is_=is_)

    def ends(self, *, utc_ns: int | None = None) -> Pair:
        """The timed phase ends."""
        self.landmark.move("end", at=at(self.now_ns, utc_ns=utc_ns))
        return self

    def closes(self, *, acknowledged: bool = True, newest: Any = None) -> tuple[bytes, bytes, bytes]:
        """CLOSE, ACK and MEASUREMENT."""
        close = bytes.fromhex(self.landmark.move("close")["close"])
        ack = b""
        if acknowledged:
            ack = bytes.fromhex(self.agent.move("close", landmark=self.kid, data=close)["ack"])
            self.landmark.move("acknowledge", data=ack)
        given = {} if newest is None else {"newest": newest}
        return close, ack, bytes.fromhex(self.landmark.move("measure", **given)["measurement"])

    def keys(self) -> dict[str, bytes]:
        """The keys of the timed phase, as somebody has them who has stolen the agent's."""
        told = answer(
            {
                "do": "timed_keys",
                "seed": world.X_SEED.hex(),
                "peer": contrib_x(self.contrib).hex(),
                "sid": world.SESSION_SAYS["sid"].hex(),
                "landmark": self.kid.hex(),
                "bind": digest(self.bind).hex(),
            }
        )
        return {name: bytes.fromhex(key) for name, key in told["result"].items()}


def contrib_x(contrib: bytes) -> bytes:
    """The landmark's X25519 key in its CONTRIB."""
    key = next(key.public for key in world.LANDMARKS if key.kid in contrib)
    told = answer({"do": "read", "statement": "contrib", "data": contrib.hex(), "keys": [key.hex()]})
    return bytes.fromhex(told["result"]["fields"]["x"])


def packet(kind: int, key: bytes, *, handle: bytes, number: int, nonce: bytes) -> bytes:
    """A packet under any key."""
    names = {1: "ready", 2: "probe", 3: "reply"}
    told = answer(
        {
            "do": "write_packet",
            "type": names[kind],
            "key": key.hex(),
            "handle": handle.hex(),
            "round": number,
            "nonce": nonce.hex(),
        }
    )
    return bytes.fromhex(told["result"]["data"])


class Plain:
    """The plain session: every statement of it, as the landmarks and the agent made them."""

    def __init__(self) -> None:
        """Play it."""
        pair, waits = Pair(), Pair(world.ASKED[1])
        pair.contributes(waits)
        pair.is_bound()
        waits.landmark.move("bind", data=pair.bind, now_ns=world.NOW + BOUND)
        pair.is_ready()
        self.ready = bytes.fromhex(pair.landmark.moves[-1]["data"])
        for milliseconds in ORDINARY_MS:
            pair.round(round(milliseconds * MS), gap_ns=round(milliseconds * 1_000))
        pair.due(challenge=True, over=False)
        self.probe = bytes.fromhex(pair.landmark.outcomes[2 + 1]["result"]["packet"])
        self.reply = bytes.fromhex(pair.landmark.moves[2 + 2]["data"])
        pair.ends()
        self.open, self.contrib, self.bind = pair.open, pair.contrib, pair.bind
        self.close, self.ack, self.measurement = pair.closes()
        abort = waits.landmark.move("abort", why="no_ready", now_ns=world.NOW + 62 * world.SECOND)
        self.other_contrib, self.abort = waits.contrib, bytes.fromhex(abort["abort"])
        self.pair, self.waits = pair, waits

    @property
    def landmark_script(self) -> Script:
        """What the landmark did that measured."""
        return self.pair.landmark


PLAIN = Plain()
