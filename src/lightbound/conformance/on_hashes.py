"""The reference's answers about what is hashed, drawn, committed to and counted."""

from collections.abc import Callable
from typing import Final

from lightbound.canonical.commitments import Disclosure, disclosed
from lightbound.conformance.arguments import Arguments, Json, octets, pair
from lightbound.conformance.shapes import as_json, of_json
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.sessions import chain, draw
from lightbound.ranging.statements import binding, session
from lightbound.ranging.statements.closing import Answer, transcript
from lightbound.ranging.statements.opening import Link


def n0(asked: Arguments) -> Json:
    """What a host's quote must carry. The digest of the evidence does not go into it."""
    bind = binding.Bind(
        session=asked.octets("session"),
        s=VerifyingKey(purpose=Purpose.SESSION, raw=asked.octets("s")),
        x=asked.octets("x"),
        contributions=asked.every("contributions", _contribution),
        absent=asked.every("absent", octets),
        evidence=binding.Evidence().digest(),
    )
    return {"n0": bind.n0().hex()}


def _contribution(given: Json) -> binding.Contribution:
    landmark, digest = pair(given)
    return binding.Contribution(landmark=landmark, digest=digest)


def n1(asked: Arguments) -> Json:
    """What a chip's report must carry."""
    return {"n1": binding.n1(asked.octets("n0"), asked.octets("chip_id"), asked.octets_or_none("quote")).hex()}


def n2(asked: Arguments) -> Json:
    """What a second report must carry."""
    found = binding.n2(asked.octets("n1"), asked.every("transcripts", octets), asked.every("close_randoms", octets))
    return {"n2": found.hex()}


def transcript_of(asked: Arguments) -> Json:
    """What stands for the answers that were taken."""
    found = transcript(
        asked.octets("sid"), asked.octets("landmark"), asked.octets("bind"), asked.every("answers", _answer)
    )
    return {"transcript": found.hex()}


def _answer(given: Json) -> Answer:
    asked = Arguments(given)
    return Answer(round=asked.integer("round"), nonce=asked.octets("nonce"), tag=asked.octets("tag"))


def _chip(given: Json) -> tuple[bytes, bytes]:
    asked = Arguments(given)
    return asked.octets("chip_id"), asked.octets("salt")


def chips(asked: Arguments) -> Json:
    """What stands for some chips."""
    return {"chips": session.chips_root(asked.every("chips", _chip)).hex()}


def chip_proof(asked: Arguments) -> Json:
    """What shows one of them."""
    chips = asked.every("chips", _chip)
    return as_json(session.chip_proof(chips, asked.integer("index", least=0, most=len(chips) - 1)))


def asked_for(asked: Arguments) -> Json:
    """Whether a proof shows its chip."""
    proof = of_json(session.ChipProof, asked.plain("proof"))
    return {"asked_for": session.asked_for(proof, asked.octets("chips"))}


def drawn(asked: Arguments) -> Json:
    """The landmarks that a draw gives."""
    found = draw.drawn(
        asked.every("directory", octets),
        beacon=asked.octets("beacon"),
        agent=asked.octets("agent"),
        chosen=asked.every("chosen", octets),
        extras=asked.integer("extras", least=0),
    )
    return {"landmarks": as_json(found)}


def _disclosure(asked: Arguments) -> Disclosure:
    return Disclosure(field=asked.text("field"), salt=asked.octets("salt"), value=asked.value("value"))


def commit(asked: Arguments) -> Json:
    """The digest that stands in a statement for a private field."""
    return {"digest": _disclosure(asked).digest().hex()}


def disclose(asked: Arguments) -> Json:
    """The value of a private field, if the statement committed to it."""
    return {"value": disclosed(_disclosure(asked), asked.by_name("commitments", octets))}


def breaks(asked: Arguments) -> Json:
    """What is wrong with one landmark's sequence about one agent."""
    return as_json(chain.breaks(asked.every("statements", _linked)))


def _linked(given: Json) -> chain.Linked:
    asked = Arguments(given)
    link = Link(landmark=b"", agent=b"", seq=asked.integer("seq"), prev=asked.octets_or_none("prev"))
    return chain.Linked(link=link, digest=asked.octets("digest"))


OPERATIONS: Final[dict[str, Callable[[Arguments], Json]]] = {
    "n0": n0,
    "n1": n1,
    "n2": n2,
    "transcript": transcript_of,
    "chips": chips,
    "chip_proof": chip_proof,
    "asked_for": asked_for,
    "draw": drawn,
    "commit": commit,
    "disclose": disclose,
    "breaks": breaks,
}
