"""Who must be at fault, if as few as possible are: the fewest fault units that explain every contradiction.

A contradiction says that one landmark of a pair is at fault, not which. A set of fault units that holds one of every
pair *explains* the contradictions (a vertex cover of their graph), and faults are rare, so the smallest sets come
first. A unit in every smallest set is blamed; units in some of them are ambiguous. Of a blamed unit a landmark is a
suspect if it is the unit's only one in any contradiction, or contradicts somebody whose unit is in none of those sets;
with somebody of an ambiguous unit it is ambiguous itself. What contradictions are then left among blamed units are
explained once more, by the fewest landmarks. Where every landmark is a unit of its own, that never happens, and
where all are one unit, it is all that happens.

That faults are few is an assumption and no proof: two liars who agree on how to contradict one honest landmark make
it the suspect, unless they are known to be of one unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from lightbound.errors import ErrorCode, Fault, Refused

Pairs = Sequence[tuple[int, int]]


MOST_NODES: Final = 2_000
"""Branches the solver may try for one question. A count and not a time: equal readings give equal answers."""

MOST_PAIRS: Final = 20_000
"""Contradictions that hang together and are still explained exactly; more are refused at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A landmark that every best explanation blames."""

    landmark: int
    fewest: int
    """Fault units that the smallest explanations blame, of the contradictions that hang together with this one's."""
    otherwise: int | None
    """The same if this landmark's unit is right; None if it cannot be, for it contradicts itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Landmarks of which some are at fault, and nothing tells which."""

    parts: tuple[tuple[int, ...], ...]
    """Those in one part are of one fault unit and stand or fall together."""
    at_least: int
    """So many parts are at fault, in any best explanation."""

    @property
    def landmarks(self) -> frozenset[int]:
        """Everybody in the group."""
        return frozenset(landmark for part in self.parts for landmark in part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """What all best explanations agree on, and what they do not."""

    suspects: tuple[Suspect, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cover:
    """What the smallest sets that hold one of every pair have in common."""

    forced: dict[int, tuple[int, int | None]]
    """By node: size of the smallest sets where it hangs together, and without it."""
    groups: tuple[tuple[tuple[int, ...], int], ...]
    """Nodes of which the smallest sets hold different ones, and how many they hold."""


def blame(pairs: Pairs, unit_of: Sequence[int]) -> Blame:
    """Who is to blame for some contradicting pairs of landmarks; exact. `unit_of` is by landmark.

    Whoever is in a pair and not in the result contradicts suspects only.

    Raises:
        Refused: the pairs are too many and too tangled for the solver.
    """
    by_unit = sorted({_ordered(unit_of[first], unit_of[second]) for first, second in pairs})
    units = _cover(by_unit)

    def blamed(landmark: int) -> bool:
        return unit_of[landmark] in units.forced

    involved: dict[int, set[int]] = {}
    for landmark in {landmark for pair in pairs for landmark in pair}:
        involved.setdefault(unit_of[landmark], set()).add(landmark)
    doubtful = {unit for members, _ in units.groups for unit in members}
    directed = [(one, other) for pair in pairs for one, other in (pair, pair[::-1]) if blamed(one)]
    # A unit that all smallest sets hold is at fault; a landmark of it is, if it is the only one that contradicts
    # anybody, or if it contradicts somebody whose unit none of those sets holds.
    suspects = {
        one: units.forced[unit_of[one]]
        for one, other in directed
        if involved[unit_of[one]] == {one} or not (blamed(other) or unit_of[other] in doubtful)
    }
    between = sorted({(one, other) for one, other in directed if one not in suspects and unit_of[other] in doubtful})
    inside = [pair for pair in pairs if all(map(blamed, pair)) and not suspects.keys() & set(pair)]
    landmarks = _cover(inside)
    suspects |= landmarks.forced

    open_pairs = [pair for pair in pairs if not any(map(blamed, pair))]
    in_doubt = sorted({landmark for pair in open_pairs for landmark in pair})
    groups = [
        Group(parts=tuple(tuple(i for i in in_doubt if unit_of[i] == unit) for unit in members), at_least=at_least)
        for members, at_least in units.groups
    ]
    groups += [
        Group(parts=tuple((landmark,) for landmark in members), at_least=at_least)
        for members, at_least in landmarks.groups
    ]
    groups += [Group(parts=((one,), (other,)), at_least=1) for one, other in between if one not in landmarks.forced]
    return Blame(
        suspects=tuple(
            Suspect(landmark=landmark, fewest=fewest, otherwise=otherwise)
            for landmark, (fewest, otherwise) in sorted(suspects.items())
        ),
        groups=tuple(sorted(groups, key=lambda group: group.parts)),
    )


def _cover(pairs: Pairs) -> _Cover:
    """What the smallest vertex covers of a graph have in common. A node paired with itself is in all of them."""
    forced: dict[int, tuple[int, int | None]] = {}
    for component in _components(pairs):
        best = _smallest(component)
        candidates = set(best)
        while candidates:
            node = min(candidates)
            candidates.discard(node)
            other = None if (node, node) in component else _smallest(component, without=node)
            if other is not None and len(other) == len(best):
                candidates &= other
            else:
                forced[node] = (len(best), None if other is None else len(other))
    left = [pair for pair in pairs if not forced.keys() & set(pair)]
    # A node that no smallest cover holds has only neighbours that every one holds: so all that is left is in some.
    groups = [
        (tuple(sorted({node for pair in component for node in pair})), len(_smallest(component)))
        for component in _components(left)
    ]
    return _Cover(forced=forced, groups=tuple(groups))


def _smallest(pairs: Pairs, *, without: int | None = None) -> frozenset[int]:
    """A smallest set that holds one of every pair: an integer program with a variable for each node, 1 if held."""
    nodes = sorted({node for pair in pairs for node in pair})
    place = {node: i for i, node in enumerate(nodes)}
    least, most = np.zeros(len(nodes)), np.ones(len(nodes))
    least[[place[first] for first, second in pairs if first == second]] = 1.0
    if without is not None:
        most[place[without]] = 0.0
    ends = [place[node] for pair in pairs for node in pair]
    held = csr_array((np.ones(len(ends)), (np.repeat(np.arange(len(pairs)), 2), ends)), shape=(len(pairs), len(nodes)))
    if len(pairs) > MOST_PAIRS:
        raise _too_tangled(pairs, nodes, f"more than {MOST_PAIRS:,}")
    solved = milp(
        c=np.ones(len(nodes)),
        constraints=LinearConstraint(held, 1.0, np.inf),
        integrality=np.ones(len(nodes), np.int64),
        bounds=Bounds(least, most),
        options={"mip_rel_gap": 0.0, "node_limit": MOST_NODES},
    )
    if solved.status != 0:
        raise _too_tangled(pairs, nodes, str(solved.message))
    return frozenset(node for node in nodes if solved.x[place[node]] > 0.5)


def _too_tangled(pairs: Pairs, nodes: Sequence[int], why: str) -> Refused:
    return Refused(
        Fault(
            code=ErrorCode.VALUE_OUT_OF_RANGE,
            expected="contradictions that the solver can explain exactly",
            found=f"{len(pairs):,} pairs of {len(nodes):,}: {why}",
            next="vet fewer landmarks at a time",
        )
    )


def _components(pairs: Pairs) -> list[list[tuple[int, int]]]:
    """Pairs that hang together by nodes in common."""
    root: dict[int, int] = {}

    def find(node: int) -> int:
        while root.setdefault(node, node) != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for first, second in pairs:
        root[find(first)] = find(second)
    together: dict[int, list[tuple[int, int]]] = {}
    for pair in pairs:
        together.setdefault(find(pair[0]), []).append(pair)
    return list(together.values())


def _ordered(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one <= other else (other, one)
