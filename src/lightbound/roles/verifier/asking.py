"""A SESSION for one agent: its chips behind a root, its site behind a digest, its landmarks by policy and draw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.canonical.cbor import Value
from lightbound.canonical.commitments import SALT_BYTES, Disclosure
from lightbound.keys.ed25519 import SigningKey
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.ranging.sessions.draw import drawn
from lightbound.ranging.statements.kinds import VERSION
from lightbound.ranging.statements.session import CHIP_SALT_BYTES, Draw, Session, chips_root, write_session
from lightbound.roles.verifier.choosing import beacon
from lightbound.roles.verifier.settings import Policy
from lightbound.store.asked import Asked
from lightbound.store.enrolments import Agent, Site

BACKDATED_NS: Final = 500_000_000
"""SESSION says that it was issued so long before it was. Agents and landmarks refuse one from their future, and clocks
that are kept differ by milliseconds. Larger: a landmark refuses it for so long after it came up."""

SID_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """What all sessions of a verifier have in common."""

    key: SigningKey
    policy: Policy
    landmarks: AdmittedLandmarks

    def asked(
        self,
        agent: Agent,
        chips: Sequence[bytes],
        *,
        chosen: Sequence[bytes],
        dice: bytes,
        now_ns: int,
        valid_ns: int,
    ) -> Asked:
        """A session for an agent from this moment on; `dice` are as many secret bytes as `dice_bytes` says."""
        sid, dice = dice[:SID_BYTES], dice[SID_BYTES:]
        site = Disclosure(field="site", salt=dice[:SALT_BYTES], value=site_value(agent.site))
        dice = dice[SALT_BYTES:]
        salted = [
            (chip, dice[number * CHIP_SALT_BYTES : (number + 1) * CHIP_SALT_BYTES]) for number, chip in enumerate(chips)
        ]
        value, name = beacon(self.landmarks.digest, now_ns=now_ns)
        session = Session(
            versions=(VERSION,),
            sid=sid,
            agent=agent.key,
            chips=chips_root(salted),
            directory=self.landmarks.digest,
            landmarks=drawn(
                self.landmarks.by_id,
                beacon=value,
                agent=agent.key.raw,
                chosen=chosen,
                extras=self.policy.extras,
            ),
            draw=Draw(beacon=value, beacon_name=name, chosen=tuple(sorted(chosen)), extras=self.policy.extras),
            policy=self.policy.digest(),
            issued_ns=now_ns - BACKDATED_NS,
            expiry_ns=now_ns - BACKDATED_NS + valid_ns,
            commitments={"site": site.digest()},
        )
        return Asked(
            statement=write_session(session, self.key),
            sid=sid,
            agent=agent.key.key_id,
            chips=tuple(salted),
            site=site,
            issued_ns=now_ns,
            expiry_ns=session.expiry_ns,
        )


def dice_bytes(chips: int) -> int:
    """How many secret bytes a session of so many chips takes."""
    return SID_BYTES + SALT_BYTES + chips * CHIP_SALT_BYTES


def site_value(site: Site) -> Value:
    """What the private field `site` of SESSION holds."""
    near: Value = None if site.near_e7 is None else list(site.near_e7)
    return {"name": site.name, "licensed": site.licensed, "excluded": site.excluded, "near_e7": near}
