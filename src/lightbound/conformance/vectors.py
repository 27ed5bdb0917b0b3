"""The packaged vectors: what is asked, what must be answered, and of whom it is asked.

A vector is one question and its one right answer: a result, or a refusal with its class and code. They are files of
JSON beside this module, made by `scripts/make_vectors.py` and by nothing else.
"""

import fnmatch
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Final

from lightbound.conformance.arguments import Json

FORMAT: Final = "lightbound.vectors/1"

SUBJECTS: Final = (
    "statements",
    "encoding",
    "signatures",
    "fields",
    "packets",
    "hashes",
    "clocks",
    "admission",
    "landmark_sessions",
    "timed_phases",
    "agent_sessions",
    "checked_sessions",
)
"""The files, in the order in which an implementation would grow: what comes later rests on what came before."""


class Role(StrEnum):
    """Which party of the protocol an implementation plays."""

    LANDMARK = "landmark"
    AGENT = "agent"
    CHECKER = "checker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One question and its answer."""

    name: str
    subject: str
    about: str
    """What it shows, in a few words."""
    roles: frozenset[Role]
    """Who must answer it. Empty: only who writes what operators and verifiers sign."""
    operation: Json
    expect: Json

    @property
    def is_refused(self) -> bool:
        """Whether the right answer is a refusal."""
        return "refusal" in self.expect


def read_vectors() -> tuple[Vector, ...]:
    """All vectors, in their order."""
    folder = resources.files("lightbound.conformance") / "data"
    return tuple(
        vector
        for subject in SUBJECTS
        for vector in of_file(json.loads((folder / f"{subject}.json").read_text(encoding="utf-8")))
    )


def of_file(content: Json) -> tuple[Vector, ...]:
    """The vectors of one file; a file of another format is a mistake of whoever packaged it."""
    if content["format"] != FORMAT:
        raise ValueError(f"expected {FORMAT}, found {content['format']}")
    return tuple(
        Vector(
            name=each["name"],
            subject=content["subject"],
            about=each["about"],
            roles=frozenset(map(Role, each["roles"])),
            operation=each["operation"],
            expect=each["expect"],
        )
        for each in content["vectors"]
    )


def wanted(vectors: Iterable[Vector], *, only: Sequence[str] = (), role: Role | None = None) -> tuple[Vector, ...]:
    """The vectors of a role, whose names are among these or match one of these patterns (`session-*`)."""
    return tuple(
        vector
        for vector in vectors
        if (role is None or role in vector.roles)
        and (not only or any(fnmatch.fnmatchcase(vector.name, pattern) for pattern in only))
    )
