"""What a verifier says of every chip: its standing, since when, what that rests on, and what went wrong last.

`silent` is given here and nowhere else, in place of what was proven or not, never of an adverse finding. That nobody
asked is told apart from that nobody answered: the first is our own failure.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from lightbound.attestation.tiers import UNATTESTED
from lightbound.enrolment.pinned import Pin
from lightbound.ranging.sessions.chain import Breaks
from lightbound.roles.verifier.checking import MEASURED
from lightbound.roles.verifier.collecting import PATIENCE_NS
from lightbound.roles.verifier.judging import read_line
from lightbound.roles.verifier.kept import Kept
from lightbound.roles.verifier.settings import Policy
from lightbound.store.asked import Times
from lightbound.store.enrolments import Agent
from lightbound.store.findings import FindingKept
from lightbound.store.judged import ChipKept

FORMAT: Final = "lightbound.standings/1"

SILENT: Final = "silent"
UNDETERMINED: Final = "undetermined"
SILENCE_REPLACES: Final = ("verified", "cleared", UNDETERMINED)

LOST_PROOF: Final = "lost_proof"
"""Lead: the chip was proven once, and what came last proves nothing. Delay, silence and proxies defeat every
refutation; this they cannot hide. It accuses nobody."""


def standings(kept: Kept, *, now_ns: int) -> dict[str, Any]:
    """The standings of all chips, as GET /v1/standings and `lightbound verifier status --json` show them.

    Raises:
        Unavailable: the database failed.
    """
    told = kept.enrolments.settings()
    times = kept.asked.times()
    agents = {agent.key.key_id: agent for agent in kept.enrolments.agents()}
    pins, findings = kept.enrolments.all_pins(), kept.findings.all()
    broken = kept.sequences.breaks(patience_ns=PATIENCE_NS)
    facts = {
        name: _of_agent(kept, agent, times.get(name, Times()), broken.get(name, {}), told, now_ns)
        for name, agent in agents.items()
    }
    chips = kept.judged.chips()
    owners = {chip.chip: chip.agent for chip in chips}
    return {
        "format": FORMAT,
        "at": instant(now_ns),
        "settings": told,
        "standings": [
            _of_chip(
                chip,
                agents.get(chip.agent),
                facts.get(chip.agent, {}),
                pins.get(chip.chip),
                [one for one in findings if _concerns(one, chip, owners)],
            )
            for chip in chips
        ],
    }


def standing_of(chip: ChipKept, agent: Agent | None) -> tuple[str, int | None]:
    """The one word about a chip, and since when it holds."""
    decided = chip.standing or UNDETERMINED
    if agent is not None and agent.silent_since_ns is not None and decided in SILENCE_REPLACES:
        return SILENT, agent.silent_since_ns
    return decided, chip.standing_since_ns


def instant(ns: int | None) -> str | None:
    """An instant as RFC 3339 in UTC, to the microsecond below it."""
    if ns is None:
        return None
    moment = datetime.fromtimestamp(ns // 1_000_000_000, UTC).replace(microsecond=ns // 1_000 % 1_000_000)
    return moment.isoformat().replace("+00:00", "Z")


def _of_chip(
    chip: ChipKept, agent: Agent | None, facts: Mapping[str, Any], pin: Pin | None, findings: Sequence[FindingKept]
) -> dict[str, Any]:
    standing, since_ns = standing_of(chip, agent)
    verdict = read_line(chip.line) if chip.line else None
    lost = chip.proven_ns is not None and chip.standing == UNDETERMINED
    return {
        "chip_id": chip.chip.hex(),
        "label": chip.label,
        "agent": chip.agent.hex(),
        "standing": standing,
        "tier": str(UNATTESTED.tier) if verdict is None else tier_of(verdict),
        "device": None if pin is None else _of_device(pin),
        "findings": [_of_finding(one) for one in findings],
        "since": instant(since_ns),
        "decided_at": instant(chip.decided_ns),
        "proven_at": instant(chip.proven_ns),
        "lead": LOST_PROOF if lost else None,
        **facts,
        "verdict": verdict,
    }


def tier_of(verdict: Mapping[str, Any]) -> str:
    """The assurance tier of a verdict as it was kept."""
    return str(verdict["assurance"]["tier"])


def _concerns(finding: FindingKept, chip: ChipKept, owners: Mapping[bytes, bytes]) -> bool:
    """Whether a finding is about a chip: about itself, whoever's session it was, or about the host that it sits in."""
    if finding.chip == chip.chip:
        return True
    is_of_host = finding.chip is None or owners.get(finding.chip) != finding.agent
    return is_of_host and finding.agent == chip.agent


def _of_device(pin: Pin) -> dict[str, Any]:
    return {
        "product": pin.product,
        "serial": pin.serial,
        "board": pin.board,
        "vbios": pin.vbios,
        "driver": pin.driver,
        "firmware_id": pin.firmware_id.hex(),
        "root": pin.root,
        "is_simulated": pin.is_simulated,
    }


def _of_finding(one: FindingKept) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "chip_id": None if one.chip is None else one.chip.hex(),
        "agent": one.agent.hex(),
        "detail": one.detail,
        "session": None if one.session is None else one.session.hex(),
        "first_at": instant(one.first_ns),
        "last_at": instant(one.last_ns),
        "times": one.times,
    }


def _of_agent(
    kept: Kept,
    agent: Agent,
    times: Times,
    broken: Mapping[bytes, Breaks],
    told: Mapping[str, Any],
    now_ns: int,
) -> dict[str, Any]:
    every_ns = int(told.get("every_ns", Policy().every_ns))
    return {
        "site": agent.site.name,
        "licensed_area": agent.site.licensed or None,
        "excluded_area": agent.site.excluded or None,
        "landmark": None if agent.site.landmark is None else agent.site.landmark.hex(),
        "enrolled_at": instant(agent.enrolled_ns),
        "last_polled": instant(agent.polled_ns),
        "last_asked": instant(times.asked_ns),
        "last_answered": instant(times.answered_ns),
        "last_decided": instant(times.decided_ns),
        "silent_since": instant(agent.silent_since_ns),
        "not_asked": _not_asked(agent, times, every_ns, now_ns),
        "agent_software": agent.software,
        "agent_error": agent.error or None,
        "newest_session": _of_newest(kept, agent.key.key_id),
        "sequence_breaks": [
            {
                "landmark": landmark.hex(),
                "missing": list(found.missing),
                "forked": list(found.forked),
                "unlinked": list(found.unlinked),
            }
            for landmark, found in broken.items()
        ],
    }


def _not_asked(agent: Agent, times: Times, every_ns: int, now_ns: int) -> bool:
    """Whether we failed to ask an agent that came to be asked."""
    if agent.polled_ns is None or now_ns - agent.polled_ns > every_ns:
        return False
    return times.asked_ns is None or now_ns - times.asked_ns > 2 * every_ns


def _of_newest(kept: Kept, agent: bytes) -> dict[str, Any] | None:
    """How the newest session that is over went, and the first thing that failed in it."""
    newest = kept.asked.newest_concluded(agent)
    if newest is None:
        return None
    parts = kept.asked.parts(newest.digest)
    failed = next((part for part in parts if part.outcome not in MEASURED), None)
    failure: dict[str, Any] | None = None
    if newest.step is not None:
        failure = {"landmark": None, "step": newest.step, "why": newest.why}
    elif failed is not None:
        failure = {"landmark": failed.landmark.hex(), "step": failed.step, "why": failed.why}
    return {
        "session": newest.digest.hex(),
        "issued_at": instant(newest.issued_ns),
        "state": newest.state,
        "landmarks": dict(sorted(Counter(part.outcome for part in parts).items())),
        "failure": failure,
    }
