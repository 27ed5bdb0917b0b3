"""Vectors of admission: whom a directory lets in, from when to when, and which landmarks fail together."""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.octets import Signer, digest, flipped
from vectors.record import CHECKER, Subject
from vectors.statements import payload_of
from vectors.world import FROM, TO

ROLES = (CHECKER,)


def make() -> Subject:
    """Directories, then fault units."""
    subject = Subject("admission", "Whom a directory lets in, from when to when, and which landmarks fail together.")
    _admitted(subject)
    _fault_units(subject)
    return subject


def _directory(**changes: Any) -> bytes:
    return world.statement("directory", payload_of("directory") | changes, *world.PARTIES[:2])


def _listing(operators: Any, positions: Any, **changes: Any) -> dict[str, Any]:
    """A directory that lists exactly these statements, and they with it."""
    listed = {"operators": sorted(map(digest, operators)), "positions": sorted(map(digest, positions))}
    return world.ADMISSION | {
        "directory": _directory(**listed, **changes),
        "operators": operators,
        "positions": positions,
    }


def _admitted(subject: Subject) -> None:
    operators, positions = world.OPERATOR_STATEMENTS, world.POSITION_STATEMENTS

    def position(number: int, **changes: Any) -> bytes:
        says = world.POSITION_SAYS[number] | changes
        return world.statement("position", says, next(key for key in world.OPERATORS if key.kid == says["operator"]))

    def operator(number: int, **changes: Any) -> bytes:
        return world.statement("operator", world.OPERATOR_SAYS[number] | changes, world.OPERATORS[number])

    def ask(name: str, about: str, admission: Any, **is_: Any) -> None:
        subject.result(f"admitted-{name}", about, ROLES, is_=is_, do="admitted", **admission)

    refused = {"class": "refused", "code": "not_admitted"}
    nobody: dict[str, Any] = {"left_out": [], "missing": 0}
    whole = world.ADMISSION
    ask("all", "four landmarks of three operators", whole, **nobody)
    turned = whole | {"operators": operators[::-1], "positions": positions[::-1]}
    ask("any-order", "statements in another order", turned, **nobody)
    more = whole | {"operators": [*operators, operator(0, name="Meridian Timing 2")]}
    ask("unlisted", "a statement that the directory does not list is passed over", more, **nobody)
    ask("missing", "two listed statements are not here", whole | {"positions": positions[2:]}, left_out=[], missing=2)
    ask("axes", "with both axes", _listing(operators, positions, axes=["hosting", "jurisdiction"]), **nobody)
    ask("no-axes", "with none", _listing(operators, positions, axes=[]), **nobody)
    twice = _listing([*operators, operator(1, owner="Somebody else")], positions)
    ask("operator-twice", "an operator that says two things is out, and its landmarks", twice, missing=0)
    twice = _listing(operators, [*positions, position(0, error_m=60)])
    ask("position-twice", "a landmark that is at two places is out", twice, left_out=[refused], missing=0)
    unknown = _listing(operators[1:], positions)
    ask("operator-unlisted", "landmarks of an operator that is not listed are out", unknown, missing=0)
    forged = _listing([flipped(operators[0]), *operators[1:]], positions)
    ask("operator-forged", "an operator whose signature does not hold is out", forged, missing=0)
    forged = _listing(operators, [flipped(positions[0]), *positions[1:]])
    ask(
        "position-forged",
        "so is a position",
        forged,
        left_out=[{"class": "refused", "code": "signature_invalid"}],
        missing=0,
    )
    broken = _listing(operators, [*positions, b"no statement"])
    ask("garbage", "what is no statement is out", broken, left_out=[{"class": "malformed", "code": "cose_malformed"}])
    spans = _listing(
        [operator(0, to_ns=TO - 1), *operators[1:]], [position(0, from_ns=FROM + 5), *positions[1:]], from_ns=FROM + 3
    )
    ask("spans", "a landmark counts while operator, position and directory are all valid", spans, **nobody)
    for name, about, changed, why in (
        ("too-few", "signed by one party of two", {"directory": _by(world.PARTIES[:1])}, "wrong_key"),
        ("stranger", "signed by a stranger, too", {"directory": _by([*world.PARTIES[:2], _stranger()])}, "wrong_key"),
        ("flipped", "a signature that does not hold", {"directory": flipped(world.DIRECTORY)}, "signature_invalid"),
    ):
        asked = {"do": "admitted"} | whole | changed
        subject.refusal(f"admitted-directory-{name}", f"a directory {about}", ROLES, ("refused", why), **asked)


def _by(parties: Any) -> bytes:
    return world.statement("directory", payload_of("directory"), *parties)


def _stranger() -> Signer:
    return Signer.named("somebody else", "directory")


def _fault_units(subject: Subject) -> None:
    def of(operator: str, owner: str, hosting: str, jurisdiction: str) -> dict[str, Any]:
        key = Signer.named(f"operator of units {operator}", "operator").public
        return {"operator": key, "owner": owner, "hosting": hosting, "jurisdiction": jurisdiction}

    apart = [of("1", "Cedar", "a", "DE"), of("2", "Birch", "b", "PL"), of("3", "Aspen", "c", "SE")]
    one_owner = [*apart, of("4", "Birch", "d", "FR")]
    one_operator = [*apart, of("3", "Aspen", "d", "FR")]
    one_room = [*apart, of("4", "Dogwood", "a", "FR")]
    one_state = [*apart, of("4", "Dogwood", "d", "PL")]
    chain = [
        of("1", "Cedar", "a", "DE"),
        of("2", "Birch", "a", "PL"),
        of("3", "Aspen", "c", "PL"),
        of("4", "Elm", "d", "FR"),
    ]
    both = ["hosting", "jurisdiction"]
    for name, about, landmarks, axes, units in (
        ("apart", "nothing in common", apart, both, ["Cedar", "Birch", "Aspen"]),
        ("owner", "one owner", one_owner, [], ["Cedar", "Birch", "Aspen", "Birch"]),
        ("operator", "one operator", one_operator, [], ["Cedar", "Birch", "Aspen", "Aspen"]),
        ("hosting", "one room", one_room, ["hosting"], ["Cedar", "Birch", "Aspen", "Cedar"]),
        ("hosting-ignored", "one room, which does not count", one_room, [], ["Cedar", "Birch", "Aspen", "Dogwood"]),
        ("jurisdiction", "one state", one_state, ["jurisdiction"], ["Cedar", "Birch", "Aspen", "Birch"]),
        ("chain", "a room and a state: together through the second", chain, both, ["Aspen", "Aspen", "Aspen", "Elm"]),
        ("chain-cut", "the room alone", chain, ["hosting"], ["Birch", "Birch", "Aspen", "Elm"]),
        ("nobody", "of no landmarks", [], both, []),
    ):
        given = {"do": "fault_units", "landmarks": landmarks, "axes": axes}
        subject.result(f"fault-units-{name}", about, ROLES, is_={"fault_units": units}, **given)
