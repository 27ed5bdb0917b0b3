"""Codes for agents: what a site may be is looked at before a code for it is given out."""

from dataclasses import dataclass
from pathlib import Path

from lightbound.enrolment.codes import Code
from lightbound.errors import ErrorCode, Fault, Malformed, Refused
from lightbound.geo.areas import Disc, write_area
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.roles.verifier.areas import Areas
from lightbound.store.enrolments import Enrolments, Invitation, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks a code for."""

    name: str
    licensed: str
    excluded: str
    near_e7: tuple[int, int] | None
    landmark: bytes | None
    chips: int | None
    replaces: bytes | None


def site_of(
    wanted: Wanted, areas: Areas, *, landmarks: AdmittedLandmarks | None, beside: Path
) -> tuple[Site, str | None]:
    """The site that is asked for, and a note about it where there is one.

    An agent at a landmark is licensed for where that stands, unless told otherwise. Without a licensed area something
    else must say where its landmarks are looked for.

    Raises:
        Malformed: an area is none, or nothing says where the site is.
        Refused: the licensed area is surely inside the excluded one, or the landmark is not admitted.
        Unavailable: a drawing cannot be read.
    """
    licensed, near_e7 = wanted.licensed, wanted.near_e7
    if wanted.landmark is not None:
        stands = None if landmarks is None else landmarks.by_id.get(wanted.landmark)
        if stands is None:
            fault = Fault(
                code=ErrorCode.NOT_ADMITTED,
                expected="a landmark of the directory",
                found=wanted.landmark.hex(),
                next="give its id as `lightbound landmark` commands show it",
            )
            raise Refused(fault)
        position = stands.position
        near_e7 = near_e7 or (position.latitude_e7, position.longitude_e7)
        # One kilometre more: the host of its agent may stand in the next building.
        licensed = licensed or write_area(
            [Disc(position.position.latitude, position.position.longitude, position.error_m / 1_000 + 1.0)]
        )
    if not licensed and near_e7 is None:
        fault = Fault(
            code=ErrorCode.SETTING_MALFORMED,
            expected="a licensed area, or a place near which landmarks are looked for",
            found="neither",
            column="licensed",
        )
        raise Malformed(fault)
    licensed = areas.adopted(licensed, beside=beside) if licensed else ""
    excluded = areas.adopted(wanted.excluded, beside=beside) if wanted.excluded else ""
    note = areas.check_apart(licensed, excluded)
    site = Site(name=wanted.name, licensed=licensed, excluded=excluded, near_e7=near_e7, landmark=wanted.landmark)
    return site, note


def invite(
    enrolments: Enrolments, site: Site, wanted: Wanted, *, verifier: bytes, secret: bytes, now_ns: int, valid_ns: int
) -> Code:
    """A code for one agent of a site. It is on disk, as a digest of it, before it is returned.

    Raises:
        Refused: the agent to be replaced is not there.
        Unavailable: the database failed.
    """
    code = Code(secret=secret, verifier=verifier)
    enrolments.invite(
        Invitation(
            secret_digest=code.digest(),
            site=site,
            chips_expected=wanted.chips,
            replaces=wanted.replaces,
            made_ns=now_ns,
            expires_ns=now_ns + valid_ns,
        )
    )
    return code
