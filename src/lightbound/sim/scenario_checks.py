"""Whether a scenario that could be read makes a world: numbers that go together, and names that name something."""

from collections.abc import Callable

from lightbound.ranging.statements.admission import MOST_OPERATORS, MOST_POSITIONS
from lightbound.sim.scenario import AT_HOME, AgentKind, LandmarkKind, Scenario
from lightbound.sim.tables import Table


def check(scenario: Scenario, table: Table) -> None:
    """Nothing, if there can be such a world; `table` is the file, for errors.

    Raises:
        Malformed: there cannot; says which key.
    """
    checks: tuple[Callable[[Scenario, Table], None], ...] = (_check_landmarks, _check_places, _check_faulty)
    for one in checks:
        one(scenario, table)


def _check_landmarks(scenario: Scenario, table: Table) -> None:
    for key, items in (("landmarks", scenario.landmarks), ("sites", scenario.sites)):
        if not items:
            raise table.wrong(key, f"at least one table [[{key}]]", "none")
    operators = {landmark.operator for landmark in scenario.landmarks}
    for what, count, most in (
        ("landmarks", len(scenario.landmarks), MOST_POSITIONS),
        ("operators", len(operators), MOST_OPERATORS),
    ):
        if count > most:
            raise table.wrong("landmarks", f"at most {most:,} {what}, for so many a directory lets in", f"{count:,}")
    names = [landmark.name for landmark in scenario.landmarks]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise table.wrong("landmarks", "names that are told apart", repr(twice), "give one of them a name of its own")
    if len(scenario.landmarks) < scenario.nearest:
        raise table.wrong("session.nearest", f"at most {len(scenario.landmarks)} landmarks", str(scenario.nearest))
    owners: dict[str, str] = {}
    for landmark in scenario.landmarks:
        if owners.setdefault(landmark.operator, landmark.owner) != landmark.owner:
            raise table.wrong("landmarks", f"one owner of {landmark.operator}", "two")


def _check_places(scenario: Scenario, table: Table) -> None:
    """Places enough for the agents that are not where they are licensed to be, and for misplaced landmarks."""
    cheats = scenario.cheats
    needs = {AgentKind.COPIED: cheats.count - 1, AgentKind.TWO_FACED: cheats.count - 1, AgentKind.AIMING: cheats.count}
    wanted = 0 if cheats.agents in AT_HOME else max(1, needs.get(cheats.agents, 1))
    if cheats.landmarks is LandmarkKind.MISPLACED:
        wanted = max(1, wanted)
    if len(cheats.at) < wanted:
        raise table.wrong("cheats.at", f"places, at least {wanted}", str(len(cheats.at)))


def _check_faulty(scenario: Scenario, table: Table) -> None:
    """Owners that there are, and some of them exactly if their landmarks are to cheat."""
    cheats = scenario.cheats
    known = {landmark.owner for landmark in scenario.landmarks}
    for owner in cheats.faulty_owners:
        if owner not in known:
            raise table.wrong("cheats.faulty_owners", "owners of landmarks", repr(owner))
    somebody = cheats.faulty > 0 or bool(cheats.faulty_owners)
    if somebody and cheats.landmarks is LandmarkKind.HONEST:
        raise table.wrong("cheats.landmarks", "how those landmarks cheat", "honest ones")
    if not somebody and cheats.landmarks is not LandmarkKind.HONEST:
        raise table.wrong("cheats.faulty", "at least one owner whose landmarks cheat, or faulty_owners", "none")
