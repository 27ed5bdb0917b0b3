"""Mesh mode: beside a landmark runs an agent, so that other landmarks can time it by the same protocol.

The agent is the one that anybody runs, with a key and a trust.toml of its own, enrolled by an invitation that names the
landmark. It is a process of its own; what goes wrong with it does not touch the landmark.
"""

import contextlib
import ctypes
import os
import signal
from pathlib import Path
from typing import Final

from lightbound.roles.agent.run import AgentSettings, run_agent
from lightbound.roles.channel import Channel, Child, fork

PR_SET_PDEATHSIG: Final = 1
"""From <linux/prctl.h>."""


def fork_mesh(data: Path, *, software: str) -> Child:
    """The agent of a folder, as a process that ends with this one. To be called before the first thread is started."""
    parent = os.getpid()

    def be_agent(_channel: Channel) -> None:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() == parent:
            # Otherwise the landmark was killed before it could be noticed that it is.
            run_agent(AgentSettings(data=data, software=software))

    return fork(be_agent)


def end_mesh(child: Child) -> None:
    """End it as a signal would, and wait."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGTERM)
    child.end()
