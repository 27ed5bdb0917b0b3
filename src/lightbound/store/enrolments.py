"""Whom a verifier let in: codes given out, agents that used them, the chips that each answers for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError

from lightbound.attestation.tiers import Tier
from lightbound.enrolment.codes import secret_digest
from lightbound.enrolment.pinned import NO_PINS, Pin, Pins
from lightbound.enrolment.requests import Enrol, Poll
from lightbound.errors import ErrorCode, Fault, Refused, refused
from lightbound.keys.ed25519 import VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.store.engine import reading, writing
from lightbound.store.verifier_tables import AGENTS, CHIPS, INVITATIONS, PINS, SETTINGS
from lightbound.units import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the chips of an agent may be, and must not be."""

    name: str
    licensed: str
    """Texts of areas; empty: not asked."""
    excluded: str
    near_e7: tuple[int, int] | None = None
    """Latitude and longitude in 1e-7 degree of where landmarks are looked for; None: the licensed area."""
    landmark: bytes | None = None
    """The landmark that the agent stands at, if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A code that was given out."""

    secret_digest: bytes
    site: Site
    chips_expected: int | None
    replaces: bytes | None
    """Id of the agent whose chips this one takes over."""
    made_ns: int
    expires_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent that was let in."""

    key: VerifyingKey
    site: Site
    tier: str
    software: str
    enrolled_ns: int
    polled_ns: int | None
    error: str
    """What it said went wrong last."""
    silent_since_ns: int | None
    quote_key: bytes | None = None
    """Name of the key that its host's quotes are signed with."""


class Enrolments:
    """Codes, agents, chips. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Of this database."""
        self._engine = engine

    def invite(self, invitation: Invitation) -> None:
        """Keep that a code was given out.

        Raises:
            Refused: it is to replace an agent that is not there.
            Unavailable: the database failed.
        """
        site = invitation.site
        latitude, longitude = site.near_e7 or (None, None)
        with writing(self._engine) as connection:
            if invitation.replaces is not None and _agent(connection, invitation.replaces) is None:
                raise refused(ErrorCode.NOT_ENROLLED, "an agent that is enrolled", "another", "replaces")
            connection.execute(
                INVITATIONS.insert(),
                {
                    "secret_digest": invitation.secret_digest,
                    "site": site.name,
                    "licensed_area": site.licensed,
                    "excluded_area": site.excluded,
                    "near_latitude_e7": latitude,
                    "near_longitude_e7": longitude,
                    "landmark_id": site.landmark,
                    "chips_expected": invitation.chips_expected,
                    "replaces_agent_id": invitation.replaces,
                    "made_ns": invitation.made_ns,
                    "expires_ns": invitation.expires_ns,
                },
            )

    def enrol(self, said: Enrol, data: bytes, *, pins: Pins = NO_PINS, now_ns: int) -> bool:
        """Let an agent in by its code; False if it had been let in before, by the same key with the same chips.

        A chip that only was named by another agent goes to the one that it attests itself to.

        Raises:
            Refused: the code is not one of ours, used up or out of date, or does not fit what is asked; or a chip
                answers through another agent. Nothing is kept.
            Unavailable: the database failed.
        """
        secret = secret_digest(said.secret)
        try:
            with writing(self._engine) as connection:
                invitation = connection.execute(
                    select(INVITATIONS).where(INVITATIONS.c.secret_digest == secret)
                ).one_or_none()
                if invitation is None:
                    raise refused(ErrorCode.CODE_REFUSED, "a code that was given out here", "another", "enrol.secret")
                used = connection.execute(select(AGENTS).where(AGENTS.c.secret_digest == secret)).one_or_none()
                if used is not None:
                    if (
                        used.replaced_ns is None
                        and used.key == said.key.raw
                        and _chips(connection, used.agent_id) == list(said.chips)
                    ):
                        return False
                    raise refused(ErrorCode.CODE_REFUSED, "a code that is not used up", "a used one", "enrol.secret")
                _check_fits(invitation, said, now_ns)
                _add(connection, invitation, said, data, pins, now_ns)
        except IntegrityError as error:
            raise refused(ErrorCode.CODE_REFUSED, "a key that is new here", "one that is known", "enrol.key") from error
        return True

    def check_code(self, code: bytes, *, now_ns: int) -> None:
        """Nothing, if this secret is that of a code which was given out here, and is still valid or was used in time.

        Raises:
            Refused: otherwise.
            Unavailable: the database failed.
        """
        secret = secret_digest(code)
        query = select(INVITATIONS.c.expires_ns).where(INVITATIONS.c.secret_digest == secret)
        with reading(self._engine) as connection:
            used = select(AGENTS.c.agent_id).where(AGENTS.c.secret_digest == secret, AGENTS.c.replaced_ns.is_(None))
            if connection.execute(used).first():
                # By it nobody else is let in. Its agent may come again, which is how it hears of another directory.
                return
            expires_ns = connection.execute(query).scalar_one_or_none()
        if expires_ns is None:
            raise refused(ErrorCode.CODE_REFUSED, "a code that was given out here", "another", "enrol.secret")
        if now_ns > expires_ns:
            raise refused(ErrorCode.CODE_REFUSED, "a code that is still valid", "one out of date", "enrol.secret")

    def has(self, data: bytes) -> bool:
        """Whether an agent was let in by this very ENROL."""
        with reading(self._engine) as connection:
            found = connection.execute(
                select(AGENTS.c.agent_id).where(AGENTS.c.enrol == data, AGENTS.c.replaced_ns.is_(None))
            )
            return found.first() is not None

    def agent(self, agent_id: bytes) -> Agent | None:
        """The agent of this id, if it is enrolled and was not replaced."""
        with reading(self._engine) as connection:
            return _agent(connection, agent_id)

    def agents(self) -> list[Agent]:
        """Every agent that was not replaced, in the order of ids."""
        with reading(self._engine) as connection:
            return [_read(row) for row in connection.execute(_AGENTS.order_by(AGENTS.c.agent_id))]

    def chips(self, agent_id: bytes) -> list[bytes]:
        """Ids of the chips that an agent answers for, ascending."""
        with reading(self._engine) as connection:
            return _chips(connection, agent_id)

    def pins(self, agent_id: bytes) -> Pins:
        """What was pinned of an agent's host; nothing, at tier A0."""
        query = select(PINS).join(CHIPS, CHIPS.c.chip_id == PINS.c.chip_id).where(CHIPS.c.agent_id == agent_id)
        with reading(self._engine) as connection:
            key = connection.execute(select(AGENTS.c.quote_key).where(AGENTS.c.agent_id == agent_id)).scalar_one()
            chips = {row.chip_id: _pin(row) for row in connection.execute(query)}
        return Pins(chips=chips, quote_key=key)

    def all_pins(self) -> dict[bytes, Pin]:
        """What was pinned of every chip that attested itself."""
        with reading(self._engine) as connection:
            return {row.chip_id: _pin(row) for row in connection.execute(select(PINS))}

    def owner(self, chip: bytes) -> bytes | None:
        """Id of the agent that a chip answers through; None if it is not known here."""
        with reading(self._engine) as connection:
            return connection.execute(select(CHIPS.c.agent_id).where(CHIPS.c.chip_id == chip)).scalar_one_or_none()

    def polled(self, agent_id: bytes, poll: Poll, *, now_ns: int) -> None:
        """Keep that an agent polled.

        Raises:
            Refused: not later than the last one: somebody recorded it.
            Unavailable: the database failed.
        """
        newer = or_(AGENTS.c.poll_at_ns.is_(None), AGENTS.c.poll_at_ns < poll.at_ns)
        with writing(self._engine) as connection:
            done = connection.execute(
                update(AGENTS)
                .where(AGENTS.c.agent_id == agent_id, newer)
                .values(poll_at_ns=poll.at_ns, polled_ns=now_ns, software=poll.software, error=poll.error)
            )
            if done.rowcount != 1:
                raise refused(ErrorCode.OUT_OF_ORDER, "a poll made after the last one", "an older one", "poll.at_ns")

    def silent(self, agent_ids: Sequence[bytes], *, now_ns: int) -> None:
        """Keep that these agents are silent; who was before stays so since then."""
        with writing(self._engine) as connection:
            connection.execute(
                update(AGENTS)
                .where(AGENTS.c.agent_id.in_(agent_ids), AGENTS.c.silent_since_ns.is_(None))
                .values(silent_since_ns=now_ns)
            )

    def keep_settings(self, settings: Mapping[str, Any]) -> None:
        """Keep what the process that runs was told."""
        with writing(self._engine) as connection:
            for name, value in settings.items():
                text = json.dumps(value)
                connection.execute(
                    insert(SETTINGS)
                    .values(name=name, value=text)
                    .on_conflict_do_update(index_elements=["name"], set_={"value": text})
                )

    def settings(self) -> dict[str, Any]:
        """What the process that last ran was told; empty if none has."""
        with reading(self._engine) as connection:
            return {row.name: json.loads(row.value) for row in connection.execute(select(SETTINGS))}


_AGENTS = (
    select(AGENTS, INVITATIONS)
    .join(INVITATIONS, INVITATIONS.c.secret_digest == AGENTS.c.secret_digest)
    .where(AGENTS.c.replaced_ns.is_(None))
)


def _agent(connection: Connection, agent_id: bytes) -> Agent | None:
    row = connection.execute(_AGENTS.where(AGENTS.c.agent_id == agent_id)).one_or_none()
    return None if row is None else _read(row)


def _read(row: Row[Any]) -> Agent:
    near = None if row.near_latitude_e7 is None else (row.near_latitude_e7, row.near_longitude_e7)
    site = Site(
        name=row.site,
        licensed=row.licensed_area,
        excluded=row.excluded_area,
        near_e7=near,
        landmark=row.landmark_id,
    )
    return Agent(
        key=VerifyingKey(purpose=Purpose.ENROLMENT, raw=row.key),
        site=site,
        tier=row.tier,
        software=row.software,
        enrolled_ns=row.enrolled_ns,
        polled_ns=row.polled_ns,
        error=row.error,
        silent_since_ns=row.silent_since_ns,
        quote_key=row.quote_key,
    )


def _pin(row: Row[Any]) -> Pin:
    return Pin(
        chip=row.chip_id,
        product=row.product,
        serial=row.serial,
        board=row.board,
        firmware_id=row.firmware_id,
        vbios=row.vbios,
        driver=row.driver,
        root=row.root,
        is_simulated=bool(row.is_simulated),
    )


def _chips(connection: Connection, agent_id: bytes) -> list[bytes]:
    query = select(CHIPS.c.chip_id).where(CHIPS.c.agent_id == agent_id).order_by(CHIPS.c.chip_id)
    return list(connection.execute(query).scalars())


def _check_fits(invitation: Row[Any], said: Enrol, now_ns: int) -> None:
    if now_ns > invitation.expires_ns:
        raise refused(ErrorCode.CODE_REFUSED, "a code that is still valid", "one out of date", "enrol.secret")
    if invitation.chips_expected is not None and invitation.chips_expected != len(said.chips):
        count = invitation.chips_expected
        fault = Fault(
            code=ErrorCode.CODE_REFUSED,
            expected=f"{counted(count, 'chip')}, as the code says",
            found=f"{len(said.chips)}",
            column="enrol.chips",
            next=f"enrol with --chips {count}, or with the sockets of so many in --evidence",
        )
        raise Refused(fault)


def _add(connection: Connection, invitation: Row[Any], said: Enrol, data: bytes, pins: Pins, now_ns: int) -> None:
    connection.execute(
        AGENTS.insert(),
        {
            "agent_id": said.key.key_id,
            "key": said.key.raw,
            "secret_digest": invitation.secret_digest,
            "tier": _tier(pins),
            "quote_key": pins.quote_key,
            "software": said.software,
            "enrol": data,
            "enrolled_ns": now_ns,
            "error": "",
        },
    )
    old = invitation.replaces_agent_id
    if old is not None:
        connection.execute(update(AGENTS).where(AGENTS.c.agent_id == old).values(replaced_ns=now_ns))
    known = select(CHIPS.c.chip_id, CHIPS.c.agent_id).where(CHIPS.c.chip_id.in_(said.chips))
    owners = {row.chip_id: row.agent_id for row in connection.execute(known)}
    attested = set(connection.execute(select(PINS.c.chip_id).where(PINS.c.chip_id.in_(said.chips))).scalars())
    foreign = [chip for chip, owner in owners.items() if owner != old and (chip in attested or chip not in pins.chips)]
    if foreign:
        expected = f"chips that answer through no other agent, or a code that replaces {owners[foreign[0]].hex()}"
        raise refused(ErrorCode.CODE_REFUSED, expected, f"chip {foreign[0].hex()}", "enrol.chips")
    for chip in said.chips:
        if chip in owners:
            moved = update(CHIPS).where(CHIPS.c.chip_id == chip).values(agent_id=said.key.key_id)
            connection.execute(moved)
        else:
            row = {"chip_id": chip, "agent_id": said.key.key_id, "label": invitation.site}
            connection.execute(CHIPS.insert(), row)
        pin = pins.chips.get(chip)
        # A chip that attested itself before, and does not now, is known by its name alone from here on.
        connection.execute(delete(PINS).where(PINS.c.chip_id == chip))
        if pin is not None:
            connection.execute(
                PINS.insert(),
                {
                    "chip_id": chip,
                    "product": pin.product,
                    "serial": pin.serial,
                    "board": pin.board,
                    "firmware_id": pin.firmware_id,
                    "vbios": pin.vbios,
                    "driver": pin.driver,
                    "root": pin.root,
                    "is_simulated": int(pin.is_simulated),
                },
            )


def _tier(pins: Pins) -> Tier:
    if not pins.chips:
        return Tier.A0
    return Tier.A1 if pins.quote_key is None else Tier.A2
