"""One session at one landmark: "States of a landmark" of the page, and what each statement says."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.conformance.second.encoding import Json, Payload, check, h, refuse
from tests.conformance.second.keys import agreed, key_id, public_of, timed_keys
from tests.conformance.second.statements import commitment, read_ack, read_bind, read_session, signed
from tests.conformance.second.timing import MS, TimedPhase, transcript

MOVES: Final = {
    ("opened", "bind"), ("bound", "close"), ("closed", "acknowledge"), ("closed", "measure"),
    ("acknowledged", "measure"), ("opened", "abort"), ("bound", "abort"), ("closed", "abort"),
    ("acknowledged", "abort"),
}  # fmt: skip


class Landmark:
    """One session at one landmark."""

    def __init__(self, asked: Json) -> None:
        """Before SESSION came."""
        self.me, self.dice = asked["identity"], {name: bytes.fromhex(die) for name, die in asked["dice"].items()}
        self.seed, self.verifier = bytes.fromhex(self.me["seed"]), bytes.fromhex(asked["verifier"])
        self.id = key_id(public_of(self.seed))
        self.state, self.seq = "", -1
        self.prev: bytes | None = None
        self.ack: bytes | None = None
        self.phase: TimedPhase | None = None

    def open(self, data: bytes, asked: Json) -> Json:
        session, now_ns = read_session(data, self.verifier), asked["now_ns"]
        check(1 in session["versions"], "wrong_version")
        check(session["issued_ns"] <= now_ns <= session["expiry_ns"], "not_valid_then")
        check(self.id in session["landmarks"], "wrong_landmark")
        check(session["issued_ns"] >= asked["up_since_ns"], "not_valid_then")
        check(now_ns <= session["expiry_ns"] - 45_000 * MS, "not_valid_then")
        self.session, self.session_digest = session, h(data)
        said = signed("open", {**self.link(asked["previous"]), **self.names(), "at_ns": now_ns}, self.seed)
        self.prev, self.expiry_ns = h(said), min(session["expiry_ns"] - 45_000 * MS, now_ns + 60_000 * MS)
        x = X25519PrivateKey.from_private_bytes(self.dice["x_seed"]).public_key().public_bytes_raw()
        contrib = {
            "version": 1, "session": self.session_digest, "landmark": self.id, "x": x, "port": self.me["port"],
            "position": bytes.fromhex(self.me["position"]), "random": self.dice["random"],
            "cookie": self.dice["cookie"], "expiry_ns": self.expiry_ns,
        }  # fmt: skip
        self.contrib, self.state = signed("contrib", contrib, self.seed), "opened"
        return {"open": said.hex(), "contrib": self.contrib.hex()}

    def link(self, newest: Json) -> Payload:
        """Which continues from the newest statement about this agent, whichever session that one is of."""
        if newest:
            self.seq, self.prev = newest["seq"], bytes.fromhex(newest["digest"])
        self.seq += 1
        return {"landmark": self.id, "agent": key_id(self.session["agent"]), "seq": self.seq, "prev": self.prev}

    def names(self) -> Payload:
        return {"sid": self.session["sid"], "session": self.session_digest}

    def bind(self, data: bytes, asked: Json) -> Json:
        bind = read_bind(data, self.session["agent"])
        check(bind["session"] == self.session_digest, "wrong_session")
        named = sorted([*(landmark for landmark, _ in bind["contributions"]), *bind["absent"]])
        check(named == self.session["landmarks"], "bind_differs")
        check([self.id, h(self.contrib)] in bind["contributions"], "wrong_landmark")
        check(asked["now_ns"] <= self.expiry_ns, "not_valid_then")
        shared, sid = agreed(self.dice["x_seed"], bind["x"]), self.session["sid"]
        keys = timed_keys(shared, sid, self.id, h(data))
        self.phase = TimedPhase(keys, sid[:8], self.dice["cookie"], self.me["errors"])
        self.s, self.bind_digest, self.state = bind["s"], h(data), "bound"
        return {}

    def close(self, _: bytes, __: Json) -> Json:
        phase = self.timed()
        phase.bound()
        answers = [answer for answer, _ in phase.valid]
        self.transcript = transcript(self.session["sid"], self.id, self.bind_digest, answers)
        said = {
            "sid": self.session["sid"], "landmark": self.id, "bind": self.bind_digest, "rounds_sent": phase.sent,
            "accepted": [answer[0] for answer in answers], "transcript": self.transcript,
            "random": self.dice["close_random"],
        }  # fmt: skip
        self.closed, self.state = signed("close", said, self.seed), "closed"
        return {"close": self.closed.hex()}

    def acknowledge(self, data: bytes, _: Json) -> Json:
        ack = read_ack(data, self.s)
        check(ack["sid"] == self.session["sid"] and ack["close"] == h(self.closed), "wrong_session")
        check(ack["landmark"] == self.id, "wrong_landmark")
        enough = ack["answered"] >= len(self.timed().valid)
        check(ack["transcript"] == self.transcript and enough, "transcript_differs")
        self.ack, self.state = h(data), "acknowledged"
        return {}

    def measure(self, _: bytes, asked: Json) -> Json:
        phase = self.timed()
        third, error = phase.bound()
        times = sorted(r for _, r in phase.valid)
        began, ended = phase.began["utc_ns"], phase.ended["utc_ns"]
        said = {
            **self.link(asked.get("newest")), **self.names(), "position": bytes.fromhex(self.me["position"]),
            "bind": self.bind_digest, "close": h(self.closed), "ack": self.ack, "transcript": self.transcript,
            "rounds_sent": phase.sent, "rounds_valid": len(times), "rounds_dropped": phase.dropped,
            "smallest_ns": times[:3], "median_ns": times[(len(times) - 1) // 2], "largest_ns": times[-1],
            "clock_error_ns": error, "bound_ns": third + error, "stamps": self.me["stamps"], "from_ns": began,
            "to_ns": max(began, ended), "utc_error_ns": self.me["utc_error_ns"], "software": self.me["software"],
            "commitments": {"address": commitment("address", self.dice["address_salt"], phase.address)},
        }  # fmt: skip
        self.state = "measured"
        return {"measurement": signed("measurement", said, self.seed).hex()}

    def abort(self, _: bytes, asked: Json) -> Json:
        sent, valid = (self.phase.sent, len(self.phase.valid)) if self.phase else (0, 0)
        said = {
            **self.link(asked.get("newest")), **self.names(), "why": asked["why"], "rounds_sent": sent,
            "rounds_valid": valid, "at_ns": asked["now_ns"],
        }  # fmt: skip
        self.state = "aborted"
        return {"abort": signed("abort", said, self.seed).hex()}

    def timed(self) -> TimedPhase:
        if self.phase is None:
            refuse("out_of_order")
        return self.phase

    def move(self, asked: Json) -> Json:
        """What a move comes to."""
        name, data, phase = asked["move"], bytes.fromhex(asked.get("data", "")), self.phase
        if phase and name == "packet":
            return {"useful": phase.arrived(data, asked["from"], asked["at"])}
        if phase and name == "due":
            return dict(zip(("challenge", "over"), phase.look(asked["now_ns"]), strict=True))
        if phase and name == "challenge":
            sent = phase.challenge(bytes.fromhex(asked["nonce"]), asked["gap_ns"], asked["at"])
            return {"packet": sent.hex(), "to": phase.target}
        if phase and name == "end":
            phase.end(asked["at"])
            return {}
        check(name == "open" or (self.state, name) in MOVES, "out_of_order")
        found: Json = getattr(self, name)(data, asked)
        return found
