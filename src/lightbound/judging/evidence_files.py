"""What evidence from files comes to: each item by itself, and the devices of a host together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from lightbound.attestation.appraisal import Reference, appraised
from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import NOT_SHOWN, GenuineReport, genuine_report
from lightbound.attestation.node import Topology, named, topology
from lightbound.attestation.reports import read_report
from lightbound.attestation.results import Appraisal, Lacking, Reason, Result
from lightbound.attestation.revocation.answers import notes
from lightbound.errors import ErrorCode, Fault, LightboundError, Refused
from lightbound.files.evidence import EvidenceItem, Unread

if TYPE_CHECKING:
    # It needs the part `judge`; reports alone do not.
    from lightbound.files.evidence_manifests import LeftOut

FORMAT: Final = "lightbound.evidence-results/1"

NO_CHAIN: Final = Fault(
    code=ErrorCode.CHAIN_REFUSED,
    expected="a report with the device's certificate chain",
    found="a report alone",
    column="chain",
    next="give the chain that was collected with it: --chain",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one item came to."""

    name: str
    outcome: Appraisal | LightboundError
    """An error, where nothing was there to be judged."""
    genuine: GenuineReport | None = None
    """Who signed it, where that is proven."""

    @property
    def word(self) -> str:
        """verified, unappraised or refused; malformed or unavailable, where there was nothing to judge."""
        if isinstance(self.outcome, Appraisal):
            return str(self.outcome.result)
        return type(self.outcome).__name__.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What the devices of a host say of one another, and what that came to."""

    topology: Topology
    appraisal: Appraisal


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the whole of it came to."""

    items: tuple[Judged, ...]
    node: Node | None
    """None where no device states to which others it is linked."""

    @property
    def words(self) -> frozenset[str]:
        """Every word that was said."""
        node = () if self.node is None else (str(self.node.appraisal.result),)
        return frozenset((*(one.word for one in self.items), *node))


def judge(
    found: Sequence[EvidenceItem | Unread],
    *,
    roots: DeviceRoots,
    nonce: bytes | None,
    references: Sequence[Reference],
    at_ns: int | None,
    answers: Sequence[tuple[str, bytes]] = (),
) -> Judgement:
    """Every item judged, whatever the others came to, and then the host, as devices that are not refused see it.

    `answers` about revocation, by the names of their files, are told in notes, and change nothing.
    """
    items = tuple(
        _judged(one, roots=roots, nonce=nonce, references=references, at_ns=at_ns, answers=answers) for one in found
    )
    believed = [one.genuine for one in items if one.genuine is not None and one.word != Result.REFUSED]
    closed = topology(believed)
    return Judgement(
        items=items, node=None if closed is None else Node(topology=closed, appraisal=_appraised_node(closed))
    )


def _judged(
    item: EvidenceItem | Unread,
    *,
    roots: DeviceRoots,
    nonce: bytes | None,
    references: Sequence[Reference],
    at_ns: int | None,
    answers: Sequence[tuple[str, bytes]],
) -> Judged:
    if isinstance(item, Unread):
        return Judged(name=item.name, outcome=item.error)
    try:
        genuine = _genuine(item, roots, nonce)
    except Refused as error:
        # None of it is the device's own word against itself: whoever made the file could have made it otherwise.
        refusal = Appraisal(result=Result.REFUSED, faults=tuple(error.faults), is_authenticated=False)
        return Judged(name=item.name, outcome=refusal)
    except LightboundError as error:
        return Judged(name=item.name, outcome=type(error)([replace(one, file=item.name) for one in error.faults]))
    outcome = appraised(genuine, references=references, at_ns=at_ns)
    if answers and at_ns is not None:
        outcome = replace(outcome, notes=(*outcome.notes, *notes(answers, genuine.chain, at_ns=at_ns)))
    return Judged(name=item.name, outcome=outcome, genuine=genuine)


def _genuine(item: EvidenceItem, roots: DeviceRoots, nonce: bytes | None) -> GenuineReport:
    """The device that signed an item, which says what it says in a form that is known.

    Raises:
        Malformed, Refused: none that is proven to have.
    """
    said = read_report(item.report)
    if item.chain is None:
        raise Refused(NO_CHAIN)
    genuine = genuine_report(item.report, item.chain, roots=roots, nonce=nonce)
    named(genuine)
    if item.nonce not in {None, said.nonce}:
        raise Refused(_CLAIM_DIFFERS)
    return genuine


_CLAIM_DIFFERS: Final = Fault(
    code=ErrorCode.NONCE_DIFFERS,
    expected="a report over the nonce that the file states",
    found="one over another",
    column="nonce",
    next="collect it again: report and file do not belong together",
)


def _appraised_node(closed: Topology) -> Appraisal:
    """A device that is missing may only not have been asked; one that is foreign signed, and does not belong there.

    It is held against no device: whoever puts files together chooses which.
    """
    faults = tuple(
        Fault(
            code=ErrorCode.TOPOLOGY_OPEN,
            expected="devices that name one another",
            found=str(one),
            next="give the evidence of one host at a time; else look at that device",
        )
        for one in closed.foreign
    )
    reasons = tuple(
        Reason(lacking=Lacking.DEVICE, why=str(one), next="collect evidence of every device of the host")
        for one in closed.missing
    )
    result = Result.REFUSED if faults else Result.UNAPPRAISED if reasons else Result.VERIFIED
    notes = tuple(f"{name} gave more than one report, and counts once" for name in closed.repeated)
    return Appraisal(result=result, reasons=reasons, faults=faults, is_authenticated=False, notes=notes)


def judgement_object(
    judgement: Judgement, *, as_of: str, nonce: bytes | None, left_out: "Sequence[LeftOut]"
) -> dict[str, Any]:
    """The judgement as JSON has it."""
    return {
        "format": FORMAT,
        "as_of": as_of,
        "nonce": None if nonce is None else nonce.hex(),
        "items": [_item_object(one) for one in judgement.items],
        "node": None if judgement.node is None else _node_object(judgement.node),
        "manifests_left_out": [{"name": one.name, "faults": _faults(one.faults)} for one in left_out],
        "does_not_show": list(NOT_SHOWN),
    }


def _item_object(one: Judged) -> dict[str, Any]:
    return {"name": one.name, "result": one.word, "device": _device(one.genuine), **_outcome(one.outcome)}


def _device(genuine: GenuineReport | None) -> dict[str, Any] | None:
    if genuine is None:
        return None
    device, said = genuine.device, genuine.report.opaque
    return {
        "chip_id": device.chip_id.hex(),
        "serial": device.serial,
        "product": device.product,
        "family": str(device.family),
        "root": device.root.name,
        "root_sha256": device.root.digest.hex(),
        "is_simulated": device.root.is_simulated,
        "board": said.board,
        "driver": said.driver,
        "vbios": said.vbios,
        "firmware_id": genuine.firmware_id.hex(),
        "nonce": genuine.report.nonce.hex(),
        "is_fresh": genuine.is_fresh,
    }


def _node_object(node: Node) -> dict[str, Any]:
    return {
        "result": str(node.appraisal.result),
        "gpus": list(node.topology.gpus),
        "switches": list(node.topology.switches),
        **_outcome(node.appraisal),
    }


def _outcome(outcome: Appraisal | LightboundError) -> Mapping[str, Any]:
    if isinstance(outcome, LightboundError):
        return {"reasons": [], "faults": _faults(outcome.faults), "is_authenticated": False, "notes": []}
    return {
        "reasons": [{"lacking": str(one.lacking), "why": one.why, "next": one.next} for one in outcome.reasons],
        "faults": _faults(outcome.faults),
        "is_authenticated": outcome.is_authenticated,
        "notes": list(outcome.notes),
    }


def _faults(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    return [
        {"code": str(one.code), "expected": one.expected, "found": one.found, "at": one.column, "next": one.next}
        for one in faults
    ]
