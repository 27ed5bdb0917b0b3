"""Honest agents as real processes, forked from one that has loaded everything.

`python -m tests.scenarios.honest_agents` reads orders from its standard input, one JSON object a line, and answers each
with the process id of an agent, which polls the verifier of its trust.toml. When its input ends, so do all of them.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lightbound.enrolment.trust import Trust, TrustedLandmark
from lightbound.files.keys import key_path, write_new_key
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.sessions import agent as sessions
from lightbound.roles import logs
from lightbound.roles.agent import conversation
from lightbound.roles.agent.run import AgentSettings, run_agent
from lightbound.roles.agent.trust_file import NAME, trust_text
from tests.scenarios.forking import serve_orders

IMPATIENT_CONTRIB_S: Final = 1.0
IMPATIENT_CLOSE_S: Final = 3.0
"""How long agents wait for landmarks of which the test knows that they say nothing. In earnest it is 5 and 60 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOrder:
    """An agent to be run."""

    data: str
    is_impatient: bool

    def line(self) -> str:
        """For the process that forks."""
        return json.dumps(asdict(self)) + "\n"


def enrol(
    folder: Path,
    key: SigningKey,
    *,
    verifier: VerifyingKey,
    url: str,
    directory: bytes,
    landmarks: Iterable[TrustedLandmark],
) -> None:
    """Make the folder of an agent that has enrolled."""
    write_new_key(key_path(folder, Purpose.ENROLMENT), key)
    trust = Trust(
        verifier=verifier,
        directories=(directory,),
        landmarks=tuple(sorted(landmarks, key=lambda one: one.key.key_id)),
    )
    (folder / NAME).write_text(trust_text(trust, url=url, ca=None, landmark_ca=None), encoding="utf-8")


def _be(line: str) -> None:
    order = AgentOrder(**json.loads(line))
    log = os.open(f"{order.data}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (0, 1, 2):
        os.dup2(log, descriptor)
    logs.set_up(as_json=False)
    if order.is_impatient:
        vars(sessions)["CONTRIB_WITHIN_NS"] = int(IMPATIENT_CONTRIB_S * 1e9)
        vars(conversation)["CLOSE_WITHIN_S"] = IMPATIENT_CLOSE_S
    run_agent(AgentSettings(data=Path(order.data), software="lightbound-test"))


if __name__ == "__main__":
    serve_orders(_be)
