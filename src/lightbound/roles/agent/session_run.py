"""One session, end to end: every landmark asked at once, bound to those that answered, and what came of it."""

import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from lightbound.enrolment.delivery import Content, Failure, Step
from lightbound.enrolment.requests import told
from lightbound.errors import LightboundError
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.roles.agent.conversation import Conversation
from lightbound.roles.agent.handing import Timed
from lightbound.roles.agent.roots import Gathered, RootOfTrust
from lightbound.roles.agent.trust_file import Trusted

LOOK_S: Final = 0.1
"""While a session runs, it looks so often whether the agent is to end."""

STOPPED: Final = "stopped"
"""Why a session came to nothing that the agent was in the middle of when it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a session is run with."""

    trusted: Trusted
    root: RootOfTrust
    timed: Timed
    software: str
    stop: threading.Event
    """Set when the agent is to end: the session then ends at once, with what there is."""
    now_ns: Callable[[], int] = time.time_ns  # noqa: TID251 - a role is where the clock is read
    dice: Callable[[int], bytes] = secrets.token_bytes


def run_session(data: bytes, means: Means) -> Content:
    """Run a session, and give what there is to bring of it; also if it came to nothing."""
    name = digest(data)
    try:
        live = AgentSession.asked(
            data,
            trust=means.trusted.trust(),
            enrolment=means.root.key,
            s_seed=means.dice(32),
            x_seed=means.dice(32),
            now_ns=means.now_ns(),
        )
    except LightboundError as error:
        return _came_to_nothing(name, Step.SESSION, str(error.faults[0]))
    arrived: queue.SimpleQueue[Conversation] = queue.SimpleQueue()
    lock = threading.Lock()
    conversations = [
        Conversation(
            landmark=landmark,
            host=means.trusted.landmarks[landmark],
            session=data,
            name=name.hex(),
            timed=means.timed,
            software=means.software,
            stop=means.stop,
            arrived=arrived.put,
            lock=lock,
            live=live,
        )
        for landmark in live.session.landmarks
    ]
    for one in conversations:
        # Daemons: one whose landmark stalls does not keep the agent from ending.
        threading.Thread(target=one.run, name=f"landmark {one.host.name}", daemon=True).start()
    try:
        _gather(live, arrived, conversations, means)
        gathered = _gathered(live, means)
        bind = live.bind(gathered.evidence)
    except LightboundError as error:
        return _came_to_nothing(name, Step.CONTRIB, str(error.faults[0]), conversations)
    else:
        for one in conversations:
            if one.landmark in live.contributions:
                one.bind = bind
            else:
                one.contrib = None
                one.fail("no CONTRIB in time")
    finally:
        for one in conversations:
            one.bound.set()
    for one in conversations:
        while one.landmark in live.contributions and not one.ended.wait(LOOK_S):
            if means.stop.is_set():
                break
    stopped = Failure(step=Step.SESSION, why=STOPPED) if means.stop.is_set() else None
    return Content(
        session=name,
        bind=bind,
        evidence=gathered.evidence.manifest(),
        documents=gathered.documents,
        landmarks={one.landmark: one.part() for one in conversations},
        failure=stopped,
    )


def stopped_in(session: bytes) -> Content:
    """What there is to bring of a session in the middle of which the agent ended."""
    return _came_to_nothing(session, Step.SESSION, STOPPED)


def _gather(
    live: AgentSession,
    arrived: "queue.SimpleQueue[Conversation]",
    conversations: Sequence[Conversation],
    means: Means,
) -> None:
    """Take CONTRIBs until all are there, or those that lack have had their time."""
    waiting = len(conversations)
    while waiting and (until_ns := live.waits_until_ns()) is not None and not means.stop.is_set():
        left_s = (until_ns - means.now_ns()) / 1e9
        if left_s <= 0:
            return
        try:
            one = arrived.get(timeout=min(left_s, LOOK_S))
        except queue.Empty:
            continue
        waiting -= 1
        if one.contrib is None:
            continue
        try:
            live.contribution(one.landmark, one.contrib, now_ns=means.now_ns())
        except LightboundError as error:
            one.fail(str(error.faults[0]))


def _gathered(live: AgentSession, means: Means) -> Gathered:
    gathered = means.root.gathered(live.unattested().n0())
    for why in gathered.silent:
        structlog.get_logger().warning("no evidence", why=why)
    return gathered


def _came_to_nothing(session: bytes, step: Step, why: str, conversations: Sequence[Conversation] = ()) -> Content:
    for one in conversations:
        one.contrib = None
        one.fail("the session went no further")
    return Content(
        session=session,
        landmarks={one.landmark: one.part() for one in conversations},
        failure=Failure(step=step, why=told(why)),
    )
