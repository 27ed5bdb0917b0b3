"""The reference's answers about what a stranger checks: who is let in, who fails together, what a session shows."""

from collections.abc import Callable
from typing import Final

from lightbound.conformance.arguments import Arguments, Json, octets, word
from lightbound.conformance.on_statements import directory_trust
from lightbound.conformance.outcomes import refusal
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.sessions.admitted import AdmittedLandmarks, admitted, fault_units
from lightbound.ranging.sessions.verification import LandmarkStatements, SessionStatements, verified_session
from lightbound.ranging.statements.admission import Axis, Operator, PositionStatement


def _landmarks(asked: Arguments) -> AdmittedLandmarks:
    return admitted(
        asked.octets("directory"),
        operators=asked.every("operators", octets),
        positions=asked.every("positions", octets),
        trust=directory_trust(asked),
    )


def let_in(asked: Arguments) -> Json:
    """Whom a directory lets in, from when to when, and with whom each fails together."""
    found = _landmarks(asked)
    return {
        "landmarks": {
            landmark.hex(): {"fault_unit": one.fault_unit, "from_ns": one.from_ns, "to_ns": one.to_ns}
            for landmark, one in sorted(found.by_id.items())
        },
        "left_out": sorted((refusal(error) for error in found.left_out), key=lambda why: str(why["code"])),
        "missing": found.missing,
    }


def units(asked: Arguments) -> Json:
    """The fault unit of each of some landmarks."""
    axes = asked.every("axes", lambda given: word(given, Axis))
    return {"fault_units": fault_units(asked.every("landmarks", _owned), axes)}


def _owned(given: Json) -> tuple[Operator, PositionStatement]:
    """A landmark of which only matters what it has in common with others."""
    asked = Arguments(given)
    key = VerifyingKey(purpose=Purpose.OPERATOR, raw=asked.octets("operator"))
    operator = Operator(key=key, name="", owner=asked.text("owner"), contact="", from_ns=0, to_ns=0)
    position = PositionStatement(
        landmark_key=VerifyingKey(purpose=Purpose.LANDMARK, raw=key.raw),
        operator=key.key_id,
        latitude_e7=0,
        longitude_e7=0,
        altitude_m=0,
        error_m=0,
        hosting=asked.text("hosting"),
        jurisdiction=asked.text("jurisdiction"),
        can_pause=False,
        surveyed="",
        from_ns=0,
        to_ns=0,
    )
    return operator, position


def _of_landmark(given: Json) -> LandmarkStatements:
    asked = Arguments(given)
    return LandmarkStatements(
        contrib=asked.octets_or_none("contrib"),
        close=asked.octets_or_none("close"),
        ack=asked.octets_or_none("ack"),
        measurement=asked.octets_or_none("measurement"),
        abort=asked.octets_or_none("abort"),
    )


def check_session(asked: Arguments) -> Json:
    """What is left of a session after every check."""
    statements = SessionStatements(
        session=asked.octets("session"),
        bind=asked.octets("bind"),
        evidence=asked.octets("evidence"),
        by_landmark={octets(name): said for name, said in asked.by_name("by_landmark", _of_landmark).items()},
    )
    verifier = VerifyingKey(purpose=Purpose.VERIFIER, raw=asked.octets("verifier"))
    found = verified_session(statements, verifier=verifier, landmarks=_landmarks(asked.inside("admission")))
    return {
        "measurements": [
            {
                "landmark": one.landmark.key.key_id.hex(),
                "bound_ns": one.measurement.bound_ns,
                "acknowledged": one.is_acknowledged,
            }
            for one in found.measurements
        ],
        "aborts": {landmark.hex(): str(abort.why) for landmark, abort in found.aborts.items()},
        "absent": [landmark.hex() for landmark in found.absent],
        "silent": [landmark.hex() for landmark in found.silent],
        "refused": {landmark.hex(): refusal(error) for landmark, error in found.refused.items()},
    }


OPERATIONS: Final[dict[str, Callable[[Arguments], Json]]] = {
    "admitted": let_in,
    "fault_units": units,
    "check_session": check_session,
}
