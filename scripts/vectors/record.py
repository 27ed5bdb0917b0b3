"""What becomes a vector: a question, and the answer that it must get.

The answer is the reference's; whether it is a refusal, and why, the maker of the vector says beforehand. Where the two
do not agree, nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lightbound.conformance.arguments import Arguments
from lightbound.conformance.on_scripts import AgentScript, LandmarkScript
from lightbound.conformance.outcomes import outcome
from lightbound.conformance.reference import answer

LANDMARK, AGENT, CHECKER = "landmark", "agent", "checker"
ALL = (LANDMARK, AGENT, CHECKER)

CBOR = ("cbor_malformed", "cbor_not_deterministic")
"""Faults of an encoding that a reader may meet in either way: a library may not tell why it did not read."""


def hexed(value: Any) -> Any:
    """The same as JSON, bytes in hexadecimal."""
    if isinstance(value, bytes):
        return bytes(value).hex()
    if isinstance(value, dict):
        return {name: hexed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [hexed(item) for item in value]
    return value


def _with_codes(told: Any) -> Any:
    """Refusals inside an answer as an expectation has them: with the codes that will do."""
    if isinstance(told, dict):
        if told.keys() == {"class", "code"}:
            return {"class": told["class"], "codes": [told["code"]]}
        return {name: _with_codes(item) for name, item in told.items()}
    return [_with_codes(item) for item in told] if isinstance(told, list) else told


class Subject:
    """One file of vectors."""

    def __init__(self, name: str, about: str) -> None:
        """Begin without any."""
        self.name, self.about = name, about
        self.vectors: list[dict[str, Any]] = []

    def result(self, name: str, about: str, roles: Iterable[str], *, is_: Any = None, **operation: Any) -> Any:
        """A question with a result; `is_` are parts of it that the maker knows."""
        asked = hexed(operation)
        told = answer(asked)
        if "result" not in told or not hexed(is_ or {}).items() <= {**told["result"]}.items():
            raise AssertionError(f"{name}: expected {is_ or 'a result'}, found {told}")
        self._add(name, about, roles, asked, _with_codes(told))
        return told["result"]

    def refusal(self, name: str, about: str, roles: Iterable[str], why: tuple[str, ...], **operation: Any) -> None:
        """A question that must be refused; `why` is the class and the codes that will do."""
        asked = hexed(operation)
        told = answer(asked)
        found = told.get("refusal", {})
        if found.get("class") != why[0] or found.get("code") not in why[1:]:
            raise AssertionError(f"{name}: expected {why}, found {told}")
        codes = [found["code"], *(code for code in why[1:] if code != found["code"])]
        self._add(name, about, roles, asked, {"refusal": {"class": why[0], "codes": codes}})

    def script(self, name: str, about: str, script: Script) -> None:
        """A whole session."""
        asked = {"do": f"{script.role}_session", **script.setup, "moves": script.moves}
        told = {"result": {"moves": script.outcomes}}
        if answer(asked) != told:
            raise AssertionError(f"{name}: another answer at the second time")
        self._add(name, about, (script.role,), asked, _with_codes(told))

    def _add(self, name: str, about: str, roles: Iterable[str], operation: Any, expect: Any) -> None:
        if any(vector["name"] == name for vector in self.vectors):
            raise AssertionError(f"two vectors are called {name}")
        self.vectors.append(
            {
                "name": name,
                "about": about,
                "roles": list(roles),
                "operation": {"do": operation["do"]} | operation,
                "expect": expect,
            }
        )


class Script:
    """One party's moves in one session, made and recorded; `refused` and `is_` say what the maker expects of a move."""

    def __init__(self, role: str, **setup: Any) -> None:
        """A party before anything has happened."""
        self.role, self.setup = role, hexed(setup)
        self._party = (LandmarkScript if role == LANDMARK else AgentScript)(Arguments(self.setup))
        self.moves: list[Any] = []
        self.outcomes: list[Any] = []

    def move(self, name: str, *, refused: tuple[str, str] | None = None, is_: Any = None, **given: Any) -> Any:
        """One move; its result as hexadecimal, or None if it is refused as expected."""
        move = {"move": name, **hexed(given)}
        told = outcome(getattr(self._party, name), Arguments(move))
        expected = None if refused is None else {"class": refused[0], "code": refused[1]}
        if told.get("refusal") != expected or not hexed(is_ or {}).items() <= told.get("result", {}).items():
            raise AssertionError(f"{name}: expected {expected or is_ or 'a result'}, found {told}")
        self.moves.append(move)
        self.outcomes.append(told)
        return told.get("result")
