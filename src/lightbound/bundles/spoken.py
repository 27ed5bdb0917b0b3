"""What of the landmarks' statements a verified session rests on; what else was said proves nothing and is left out."""

from collections.abc import Mapping

from lightbound.ranging.sessions.verification import LandmarkStatements, SessionStatements, VerifiedSession


def spoken(found: VerifiedSession, statements: SessionStatements) -> Mapping[bytes, LandmarkStatements]:
    """By landmark, those statements that were verified in `found`.

    Of one that measured its CONTRIB, CLOSE, ACK (if MEASUREMENT names one) and MEASUREMENT; of one that aborted CONTRIB
    and ABORT; of one that fell silent CONTRIB alone. Of one that the agent did not bind to, nothing.
    """
    kept: dict[bytes, LandmarkStatements] = {}
    for one in found.measurements:
        said = statements.by_landmark[one.landmark.key.key_id]
        ack = said.ack if one.measurement.ack is not None else None
        kept[one.landmark.key.key_id] = LandmarkStatements(
            contrib=said.contrib, close=said.close, ack=ack, measurement=said.measurement
        )
    for landmark in found.aborts:
        said = statements.by_landmark[landmark]
        kept[landmark] = LandmarkStatements(contrib=said.contrib, abort=said.abort)
    for landmark in found.silent:
        contrib = statements.by_landmark[landmark].contrib if landmark in statements.by_landmark else None
        if contrib is not None:
            kept[landmark] = LandmarkStatements(contrib=contrib)
    return kept
