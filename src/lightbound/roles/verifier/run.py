"""A verifier, put together and run until a signal comes."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import structlog

from lightbound.errors import ErrorCode, Fault, Refused, Unavailable
from lightbound.files.admission import AdmissionFolder, read_admission
from lightbound.files.attestation_folder import read_attestation_folder
from lightbound.files.keys import key_path, read_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.net.http_server import serve
from lightbound.ranging.statements.session import MOST_LANDMARKS
from lightbound.roles.state import locked
from lightbound.roles.verifier.app import verifier_app
from lightbound.roles.verifier.areas import Areas
from lightbound.roles.verifier.asking import Asker
from lightbound.roles.verifier.attesting import attestor_of
from lightbound.roles.verifier.choosing import Choosing
from lightbound.roles.verifier.collecting import Collector
from lightbound.roles.verifier.desk import Desk, trust_of
from lightbound.roles.verifier.judging import Judge
from lightbound.roles.verifier.kept import Kept, open_kept
from lightbound.roles.verifier.meters import Meters
from lightbound.roles.verifier.settings import Policy, VerifierSettings, policy_told
from lightbound.roles.verifier.standings import standings
from lightbound.roles.verifier.work import Work

ADMISSION: Final = "admission"
"""Folder in the verifier's own, of who is admitted as a landmark, unless another is named."""

ATTESTATION: Final = "attestation"
"""Folder in the verifier's own, of what evidence is held against besides what is built in."""


def verifier_key(data: Path) -> SigningKey:
    """The key of the verifier with this data folder.

    Raises:
        Unavailable, Refused, Malformed: it cannot be read, others can read it, or it is none.
    """
    return read_key(key_path(data, Purpose.VERIFIER), Purpose.VERIFIER)


def admission_of(data: Path, named: Path | None) -> AdmissionFolder:
    """Whom the verifier with this data folder admits, by the admission folder that is named or its own.

    Raises:
        Unavailable: none is named and it has none of its own, or a file cannot be read.
        Refused, Malformed: the folder is not to be believed.
    """
    own = data / ADMISSION
    if named is None and not own.exists():
        fault = Fault(
            code=ErrorCode.READ_FAILED,
            expected="an admission folder",
            found="none",
            file=str(own),
            next="give --admission as `verifier run` has it",
        )
        raise Unavailable(fault)
    return read_admission(named or own)


def judge_of(kept: Kept, key: SigningKey, admission: AdmissionFolder, data: Path, policy: Policy) -> Judge:
    """What decides, for a process that runs and for one that exports."""
    return Judge(
        kept=kept,
        verifier=key.verifying,
        landmarks=admission.admitted,
        areas=Areas(data, border_error_m=policy.border_error_m),
        policy=policy,
        attestor=attestor_of(read_attestation_folder(data / ATTESTATION)),
    )


@contextmanager
def put_together(settings: VerifierSettings) -> Iterator[tuple[Desk, Work, Kept]]:
    """A verifier whose threads run until the block ends.

    Raises:
        Malformed, Refused, Unavailable: its key, admission folder or database; or another process runs it.
    """
    with locked(settings.data):
        key = verifier_key(settings.data)
        admission = read_admission(settings.admission)
        if not 0 < len(admission.admitted.by_id) <= MOST_LANDMARKS:
            fault = Fault(
                code=ErrorCode.NOT_ADMITTED,
                expected=f"1 to {MOST_LANDMARKS} landmarks",
                found=f"{len(admission.admitted.by_id)}",
                file=str(settings.admission),
            )
            raise Refused(fault)
        kept = open_kept(settings.data)
        try:
            changed = policy_told(kept.enrolments.settings()) != settings.policy
            kept.enrolments.keep_settings(settings.told())
            judge = judge_of(kept, key, admission, settings.data, settings.policy)
            collector = Collector(
                kept,
                admission.admitted,
                admission.addresses,
                ca=settings.ca,
                software=settings.software,
                log=None if settings.log is None else settings.log.key,
            )
            meters = Meters()

            def look_at(session: bytes) -> None:
                work.look_at(session)

            desk = Desk(
                asker=Asker(key=key, policy=settings.policy, landmarks=admission.admitted),
                choosing=Choosing(admission.admitted, judge.areas),
                kept=kept,
                meters=meters,
                trust=trust_of(key, admission.admitted, admission.addresses),
                look_at=look_at,
                attestor=judge.attestor,
            )
            work = Work(
                kept=kept,
                judge=judge,
                collector=collector,
                meters=meters,
                silent_after_ns=settings.silent_after_ns,
                able_since_ns=lambda: desk.able_since_ns if desk.check_able() else None,
            )
            work.begin()
            if changed:
                # What was decided under another policy is decided again, so that all decisions are under this one.
                for agent in kept.enrolments.agents():
                    newest = kept.asked.newest_delivered(agent.key.key_id)
                    if newest is not None:
                        work.look_at(newest.digest)
            try:
                yield desk, work, kept
            finally:
                work.stop()
        finally:
            kept.close()


def run_verifier(settings: VerifierSettings) -> bool:
    """Run until a signal comes; whether it was SIGINT.

    Raises:
        Malformed, Refused, Unavailable: a key, the admission folder, an address or the database.
    """
    log = structlog.get_logger()
    with ExitStack() as opened:
        # Before all else: who cannot listen should not begin to work.
        sockets = [opened.enter_context(one.tcp()) for one in settings.listen]
        desk, _, kept = opened.enter_context(put_together(settings))
        about: dict[str, Any] = {
            "format": "lightbound.verifier/1",
            "key": desk.asker.key.verifying.raw.hex(),
            "directory": desk.asker.landmarks.digest.hex(),
            "landmarks": len(desk.asker.landmarks.by_id),
            "software": settings.software,
        }
        stopping = asyncio.Event()
        app = verifier_app(
            desk,
            limits=settings.limits,
            about=about,
            standings=lambda: standings(kept, now_ns=desk.now_ns()),
            stopping=stopping,
        )
        log.info("listening", verifier=desk.asker.key.key_id.hex(), http=[str(one) for one in settings.listen])
        units = len({one.fault_unit for one in desk.asker.landmarks.by_id.values()})
        if units <= settings.policy.fault_budget:
            # All of them may lie together, and no proof of any kind stands against that.
            log.warning("nothing can be proven", fault_units=units, needed=settings.policy.fault_budget + 1)
        interrupted = asyncio.run(serve(app, sockets, limits=settings.limits, tls=settings.tls, until=stopping))
        log.info("stopped")
    return interrupted
