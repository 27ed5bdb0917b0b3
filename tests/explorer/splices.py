"""Who believes what: every statement of an exploration held against every other by the check that a stranger makes.

A measurement may be believed only beside its own SESSION, BIND and CONTRIB, and counts as acknowledged only beside its
own CLOSE and ACK. What comes of these is a function of the statements alone, so each combination is looked at once, and
not in every state in which all of its parts are known.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from lightbound.errors import LightboundError
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.verification import (
    LandmarkStatements,
    SessionStatements,
    VerifiedMeasurement,
    verified_session,
)
from lightbound.ranging.statements.binding import Evidence
from tests.explorer import world
from tests.explorer.messages import Message, Messages, What, payload_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Spliced:
    """What a stranger believed."""

    combinations: int
    believed: int
    acknowledged: int
    wrong: tuple[str, ...]
    """Combinations that were believed and should not have been, or the other way round."""


def spliced(messages: Messages) -> Spliced:
    """What a stranger believes of each combination of these statements."""
    return _Stranger(messages).found()


class _Stranger:
    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._of = {what: [each for each in messages if each.what is what] for what in What}
        self._combinations = self._believed = self._acknowledged = 0
        self._wrong: list[str] = []

    def found(self) -> Spliced:
        for session in self._of[What.SESSION]:
            for bind in self._of[What.BIND]:
                for landmark in self._landmarks(session, bind):
                    self._combine(session, bind, landmark)
        return Spliced(
            combinations=self._combinations,
            believed=self._believed,
            acknowledged=self._acknowledged,
            wrong=tuple(self._wrong),
        )

    def _landmarks(self, session: Message, bind: Message) -> Iterator[int]:
        """The landmarks that BIND binds to, if it is believed beside this SESSION."""
        self._combinations += 1
        try:
            checked = verified_session(
                _statements(session, bind), verifier=world.VERIFIER.verifying, landmarks=world.directory()
            )
        except LightboundError:
            return
        for each in checked.bind.contributions:
            yield world.LANDMARK_ID.index(each.landmark)

    def _combine(self, session: Message, bind: Message, landmark: int) -> None:
        for contrib in self._of[What.CONTRIB]:
            for measurement in self._of[What.MEASUREMENT]:
                one = self._one(session, bind, landmark, contrib, measurement, None, None)
                is_right = _is_right(session, bind, landmark, contrib, measurement, self._messages)
                if (one is not None) is not is_right:
                    self._tell(session, bind, landmark, contrib, measurement)
                if one is not None:
                    self._believed += 1
                    self._close(session, bind, landmark, contrib, measurement)

    def _close(self, session: Message, bind: Message, landmark: int, contrib: Message, measurement: Message) -> None:
        """Every CLOSE beside the right ACK or none, and every ACK beside the right CLOSE or none."""
        said = payload_of(measurement.data)
        closes, acks = [*self._of[What.CLOSE], None], [*self._of[What.ACK], None]
        own_closes = [each for each in closes if each is None or digest(each.data) == said["close"]]
        own_acks = [each for each in acks if each is None or digest(each.data) == said["ack"]]
        for close, ack in {*itertools.product(closes, own_acks), *itertools.product(own_closes, acks)}:
            one = self._one(session, bind, landmark, contrib, measurement, close, ack)
            is_acknowledged = one is not None and one.is_acknowledged
            is_whole = close is not None and ack is not None and close in own_closes and ack in own_acks
            self._acknowledged += is_acknowledged
            if is_acknowledged is not is_whole or (one is not None and close not in own_closes):
                self._tell(session, bind, landmark, contrib, measurement, close, ack)

    def _one(
        self,
        session: Message,
        bind: Message,
        landmark: int,
        contrib: Message,
        measurement: Message,
        close: Message | None,
        ack: Message | None,
    ) -> VerifiedMeasurement | None:
        self._combinations += 1
        said = LandmarkStatements(
            contrib=contrib.data,
            close=None if close is None else close.data,
            ack=None if ack is None else ack.data,
            measurement=measurement.data,
        )
        checked = verified_session(
            _statements(session, bind, {world.LANDMARK_ID[landmark]: said}),
            verifier=world.VERIFIER.verifying,
            landmarks=world.directory(),
        )
        return checked.measurements[0] if checked.measurements else None

    def _tell(self, session: Message, bind: Message, landmark: int, *others: Message | None) -> None:
        names = ", ".join(each.name for each in (session, bind, *others) if each is not None)
        self._wrong.append(f"P2: wrongly believed or not believed of landmark {landmark}: {names}")


def _is_right(
    session: Message, bind: Message, landmark: int, contrib: Message, measurement: Message, messages: Messages
) -> bool:
    """Whether a measurement was made for just these, by the explorer's record."""
    return (
        measurement.under is not None
        and messages[measurement.under] is bind
        and (measurement.session, measurement.landmark) == (session.session, landmark)
        and contrib.maker == measurement.maker
    )


def _statements(
    session: Message, bind: Message, by_landmark: dict[bytes, LandmarkStatements] | None = None
) -> SessionStatements:
    return SessionStatements(
        session=session.data, bind=bind.data, evidence=Evidence().manifest(), by_landmark=by_landmark or {}
    )
