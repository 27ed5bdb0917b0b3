"""The running example set up: folders, keys, landmarks, verifier, agents, and the ways between them.

Everything but the distances is as in earnest: each party is a process of its own that was given the command line a
person would give, and knows what it was told over a socket. The verifier is told nothing of the story.
"""

import json
import random
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self, TextIO

from lightbound.demo.addresses import (
    LANDMARK_PORT,
    LOG_PORT,
    VERIFIER_PORT,
    WITNESS_PORT,
    Addresses,
    free_addresses,
)
from lightbound.demo.admission import DemoLandmark, make_admission
from lightbound.demo.chips import SimulatedChips
from lightbound.demo.processes import LOOK_AGAIN_S, Process, Processes
from lightbound.demo.relay import Leg, Relay
from lightbound.demo.standings import LotStanding, read_standings
from lightbound.demo.story import CHIPS_OF_A_LOT, FAULT_BUDGET, LANDMARKS, LOTS, Lot, Truth, round_trips_ns
from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.roles.logs import set_up

SECOND_NS: Final = 1_000_000_000

EVERY_S: Final = 8
"""Each agent is asked so often, and a verdict rests on its newest session alone."""

SILENT_AFTER_S: Final = 18
"""Two askings missed, and some time for a busy machine."""

UP_WITHIN_S: Final = 60.0
"""On a machine that has much else to do."""

WITNESSES: Final = 2
ORIGIN: Final = "log.example/lightbound-demo"

VALID_S: Final = 86_400
"""Statements of the admission folder are valid for a day each way."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """What runs. Threads do not share it."""

    folder: Path
    processes: Processes
    relay: Relay
    addresses: Addresses
    chips: SimulatedChips
    _landmarks: list[Process] = field(default_factory=list)
    _agents: dict[str, Process] = field(default_factory=dict)
    _legs: dict[str, list[Leg]] = field(default_factory=dict)
    _round_trips_ns: dict[tuple[str, str], int] = field(default_factory=round_trips_ns)
    _log_key: str = ""
    _witness_keys: list[str] = field(default_factory=list)
    """As the log's and witnesses' `init` printed them."""
    _log: TextIO | None = None
    """Of what this process does itself, which is to answer for the chips."""
    truths: dict[str, Truth] = field(default_factory=lambda: {one.name: Truth(region=one.region) for one in LOTS})
    """Of each lot. Nobody on the stage is told."""
    landmark_ids: dict[str, str] = field(default_factory=dict)
    """By the names of landmarks, the ids that verdicts know them by."""

    @classmethod
    def empty(cls, folder: Path, *, program: str) -> Self:
        """A stage with nobody on it, in a folder that is there.

        Raises:
            Unavailable: no addresses are free.
        """
        dice = random.Random(secrets.randbits(64))  # noqa: S311 - addresses are no secrets
        addresses = free_addresses(landmarks=len(LANDMARKS), witnesses=WITNESSES, dice=dice)
        processes = Processes(program)
        try:
            chips = SimulatedChips.of(secrets.randbits(63), beside=folder)
            return cls(folder=folder, processes=processes, relay=Relay(), addresses=addresses, chips=chips)
        except BaseException:
            processes.close()
            raise

    @property
    def url(self) -> str:
        """Where the verifier answers."""
        return f"http://{self.addresses.verifier}:{VERIFIER_PORT}"

    @property
    def landmark_url(self) -> str:
        """Where the first landmark answers."""
        return f"http://{self.addresses.landmark(0)}:{LANDMARK_PORT}"

    @property
    def log_url(self) -> str:
        """Where the log answers."""
        return f"http://{self.addresses.log}:{LOG_PORT}"

    @property
    def verifier_data(self) -> Path:
        """The verifier's folder."""
        return self.folder / "verifier"

    def agent_data(self, lot: Lot) -> Path:
        """The folder of a lot's agent."""
        return self.folder / "agents" / lot.name

    def build(self, said: Callable[[str], None]) -> None:
        """Bring everybody on.

        Raises:
            LightboundError: somebody does not come up.
        """
        logs = self.folder / "logs"
        logs.mkdir()
        self._log = (logs / "chips.log").open("w", encoding="utf-8")
        set_up(as_json=False, out=self._log)
        self.processes.run(
            "verifier init",
            *("verifier", "init", "--data", self.verifier_data, "--json"),
            log=logs / "verifier-init.log",
            out=self.folder / "verifier.json",
            within_s=UP_WITHIN_S,
        )
        key = json.loads((self.folder / "verifier.json").read_text(encoding="utf-8"))["key"]
        self._admit()
        self._make_chips()
        self._begin_log()
        invitations = [self._invite(lot) for lot in LOTS]
        for number, landmark in enumerate(LANDMARKS):
            where = f"{self.addresses.landmark(number)}:{LANDMARK_PORT}"
            data = self.folder / "landmarks" / landmark.name
            process = self.processes.start(
                f"landmark {landmark.name}",
                *("landmark", "run", "--data", data, "--listen", where, "--verifier", key),
                *("--per-s", "1000", "--burst", "1000", "--log", self.log_url, "--log-key", self._log_key),
                log=logs / f"landmark-{landmark.name}.log",
            )
            self._landmarks.append(process)
        self.processes.finish(invitations, within_s=UP_WITHIN_S)
        self.processes.start(
            "verifier",
            *("verifier", "run", "--data", self.verifier_data, "--admission", self.folder / "admission"),
            *("--listen", f"{self.addresses.verifier}:{VERIFIER_PORT}", "--per-s", "1000", "--burst", "1000"),
            *("--every", f"{EVERY_S}s", "--window", f"{EVERY_S}s", "--silent-after", f"{SILENT_AFTER_S}s"),
            *("--proof", "alone", "--fault-budget", str(FAULT_BUDGET), "--log-key", self._log_key),
            *(word for key in self._witness_keys for word in ("--witness", key)),
            log=logs / "verifier.log",
        )
        self._wait_for(self.addresses.log, LOG_PORT)
        for number in range(len(LANDMARKS)):
            self._wait_for(self.addresses.landmark(number), LANDMARK_PORT)
        self._wait_for(self.addresses.verifier, VERIFIER_PORT)
        said(f"{len(LANDMARKS)} landmarks, a verifier, and a log with {WITNESSES} witnesses are up.")
        self._lay_ways()
        self.processes.finish([self._enrol(lot) for lot in LOTS], within_s=UP_WITHIN_S)
        for lot in LOTS:
            self._send_by_relay(lot)
            self.switch_on(lot)
        said(f"{len(LOTS)} agents are enrolled, each with {CHIPS_OF_A_LOT} simulated chips that sign each session.")

    def standings(self) -> dict[str, LotStanding]:
        """What the verifier says of each lot.

        Raises:
            Unavailable: the verifier does not say, or a process has ended that should run.
        """
        self.processes.check()
        return read_standings(self.url)

    def move(self, lot: Lot, region: str, *, later_ns: int = 0) -> None:
        """Take a lot elsewhere; its answers are later by as much as its holder likes."""
        self.truths[lot.name] = Truth(region=region, deed="delaying" if later_ns else "")
        for leg, landmark in zip(self._legs[lot.name], LANDMARKS, strict=True):
            self.relay.change(leg, round_trip_ns=self._round_trips_ns[region, landmark.region] + later_ns)

    def switch_off(self, lot: Lot) -> None:
        """Stop the agent of a lot."""
        self.truths[lot.name] = replace(self.truths[lot.name], deed="switched off")
        self.processes.stop(self._agents.pop(lot.name), within_s=UP_WITHIN_S)

    def switch_on(self, lot: Lot) -> None:
        """Start the agent of a lot."""
        self._agents[lot.name] = self.processes.start(
            f"agent {lot.name}",
            # Nobody looks at an agent's own copy here, and twelve agents would ask eight landmarks for it all the time.
            *("agent", "run", "--data", self.agent_data(lot), "--keep-days", "0"),
            log=self.folder / "logs" / f"agent-{lot.name}.log",
        )

    def close(self) -> None:
        """End everything, and wait until it has ended."""
        try:
            self.processes.close()
        finally:
            self.relay.close()
            self.chips.close()
            if self._log is not None:
                self._log.close()

    def __enter__(self) -> Self:
        """It is open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, however the block ended."""
        self.close()

    def _admit(self) -> None:
        now_ns = time.time_ns()  # noqa: TID251 - whoever sets a stage up has a clock
        wanted = [
            DemoLandmark(
                name=one.name,
                latitude=one.latitude,
                longitude=one.longitude,
                error_m=one.error_m,
                operator=one.owner,
                owner=one.owner,
                hosting=f"{one.owner} {one.name}",
                jurisdiction=one.country,
                url=f"http://{self.addresses.landmark(number)}:{LANDMARK_PORT}",
                data=self.folder / "landmarks" / one.name,
            )
            for number, one in enumerate(LANDMARKS)
        ]
        keys = make_admission(
            self.folder / "admission",
            wanted,
            seed=secrets.token_bytes,
            from_ns=now_ns - VALID_S * SECOND_NS,
            to_ns=now_ns + VALID_S * SECOND_NS,
        )
        self.landmark_ids = {name: key.key_id.hex() for name, key in keys.items()}

    def _make_chips(self) -> None:
        """Chips for each lot; the verifier believes the root that they lead to, which is none of a vendor."""
        roots = self.verifier_data / "attestation" / "roots"
        roots.mkdir(parents=True)
        (roots / "simulated.pem").write_bytes(self.chips.foundry.root_pem)
        for lot in LOTS:
            self.chips.add(lot)
        self.chips.begin()

    def _begin_log(self) -> None:
        """A log, and witnesses that hold it to one history."""
        logs = self.folder / "logs"
        made = [
            self.processes.begin(
                "log init",
                *("log", "init", "--data", self.folder / "log", "--origin", ORIGIN, "--json"),
                log=logs / "log-init.log",
                out=self.folder / "log.json",
            )
        ]
        for number in range(WITNESSES):
            name = f"witness-{number + 1}"
            words = ("witness", "init", "--data", self.folder / name, "--name", f"{name}.example", "--json")
            out = self.folder / f"{name}.json"
            made.append(self.processes.begin(f"{name} init", *words, log=logs / f"{name}-init.log", out=out))
        self.processes.finish(made, within_s=UP_WITHIN_S)
        self._log_key = self._vkey("log")
        self._witness_keys = [self._vkey(f"witness-{number + 1}") for number in range(WITNESSES)]
        for number in range(WITNESSES):
            self.processes.start(
                f"witness {number + 1}",
                *("witness", "run", "--data", self.folder / f"witness-{number + 1}", "--log", self._log_key),
                *("--listen", f"{self.addresses.witness(number)}:{WITNESS_PORT}", "--per-s", "1000"),
                log=logs / f"witness-{number + 1}.log",
            )
        self.processes.start(
            "log",
            *("log", "run", "--data", self.folder / "log", "--origin", ORIGIN),
            *("--admission", self.folder / "admission", "--listen", f"{self.addresses.log}:{LOG_PORT}"),
            *(
                word
                for number, key in enumerate(self._witness_keys)
                for word in ("--witness", f"{key} http://{self.addresses.witness(number)}:{WITNESS_PORT}")
            ),
            log=logs / "log.log",
        )

    def _vkey(self, name: str) -> str:
        return str(json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))["vkey"])

    def _invite(self, lot: Lot) -> Process:
        return self.processes.begin(
            f"invite {lot.name}",
            *("verifier", "invite", "--data", self.verifier_data, "--site", lot.name, "--json"),
            *("--licensed", lot.licensed, "--excluded", lot.excluded, "--chips", str(CHIPS_OF_A_LOT)),
            log=self.folder / "logs" / f"invite-{lot.name}.log",
            out=self.folder / f"{lot.name}.code.json",
        )

    def _enrol(self, lot: Lot) -> Process:
        code = json.loads((self.folder / f"{lot.name}.code.json").read_text(encoding="utf-8"))["code"]
        return self.processes.begin(
            f"enrol {lot.name}",
            *("agent", "enrol", "--data", self.agent_data(lot), "--verifier", self.url),
            *("--code", code, "--evidence", self.chips.sockets_of(lot)),
            log=self.folder / "logs" / f"enrol-{lot.name}.log",
        )

    def _send_by_relay(self, lot: Lot) -> None:
        """Let an agent find each landmark at the end of its own way there."""
        trust = self.agent_data(lot) / "trust.toml"
        text = trust.read_text(encoding="utf-8")
        for index, leg in enumerate(self._legs[lot.name]):
            near, far = self.addresses.landmark(index), leg.listen[0]
            text = text.replace(f'"http://{near}:{LANDMARK_PORT}"', f'"http://{far}:{LANDMARK_PORT}"')
        trust.write_text(text, encoding="utf-8")

    def _lay_ways(self) -> None:
        for number, lot in enumerate(LOTS):
            self._legs[lot.name] = [
                self.relay.add(
                    listen=(self.addresses.leg(number, index), LANDMARK_PORT),
                    target=(self.addresses.landmark(index), LANDMARK_PORT),
                    round_trip_ns=self._round_trips_ns[lot.region, landmark.region],
                )
                for index, landmark in enumerate(LANDMARKS)
            ]

    def _wait_for(self, host: str, port: int) -> None:
        give_up = time.monotonic() + UP_WITHIN_S
        while True:
            self.processes.check()
            try:
                with socket.create_connection((host, port), timeout=1.0):
                    return
            except OSError as error:
                if time.monotonic() > give_up:
                    fault = Fault(
                        code=ErrorCode.PEER_UNREACHABLE,
                        expected=f"somebody to listen at {host}:{port}",
                        found=str(error),
                        file=str(self.folder / "logs"),
                    )
                    raise Unavailable(fault) from error
                time.sleep(LOOK_AGAIN_S)
