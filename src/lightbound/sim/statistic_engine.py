"""The bounds of many sessions at once, drawn from their distribution instead of played packet by packet.

A valid round is later than its floor by an amount whose distribution `lateness` has, F; the third smallest of n valid
rounds is F^-1 of the third smallest of n uniform numbers. Those three are drawn by their spacings: with E1, E2, E3
exponential, U(k) = 1 - exp(-(E1/n + E2/(n-1) + ... + Ek/(n-k+1))). The phase may end after 16 rounds, so the first 16
and the other 48 are drawn apart and merged. What is left out, because it cannot change the three smallest or is rarer
than 1 in 10^5 while no more than a fifth of the packets is lost each way: answers given up as late though the floor is
not, 16 silent rounds in a row, and phases that last 30 seconds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lightbound.ranging.statements.closing import MOST_ROUNDS
from lightbound.ranging.statements.measurement import ORDER
from lightbound.ranging.timing.challenger import EARLY_ROUNDS, FAR_NS, LONGEST_WAIT_NS
from lightbound.sim.conduct import Conduct
from lightbound.sim.dice import Dice, rolls
from lightbound.sim.lateness import Lateness, lateness
from lightbound.sim.world import World

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

AT_A_TIME: Final = 20_000
"""Sessions drawn together: some tens of megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnBounds:
    """Rows of sessions and landmarks, shape (rows,), in the order of sessions."""

    session: Integers
    agent: Integers
    landmark: Integers
    third_ns: Integers
    clock_error_ns: Integers


def draw_bounds(world: World, conduct: Conduct, *, seed: int, sessions: int, first: int = 0) -> DrawnBounds:
    """The bounds of sessions `first` to `first + sessions - 1`; agents in turn, as the packet engine has them."""
    parts = [
        _draw(world, conduct, seed=seed, numbers=np.arange(start, min(start + AT_A_TIME, first + sessions)))
        for start in range(first, first + sessions, AT_A_TIME)
    ]
    return DrawnBounds(
        session=np.concatenate([part.session for part in parts]),
        agent=np.concatenate([part.agent for part in parts]),
        landmark=np.concatenate([part.landmark for part in parts]),
        third_ns=np.concatenate([part.third_ns for part in parts]),
        clock_error_ns=np.concatenate([part.clock_error_ns for part in parts]),
    )


def _draw(world: World, conduct: Conduct, *, seed: int, numbers: Integers) -> DrawnBounds:
    dice = rolls(seed, "bounds", int(numbers[0]))
    scenario = world.scenario
    agents = numbers % len(world.agents)
    asked = _asked(world, agents, dice)
    session = np.repeat(numbers, asked.shape[1])
    agent, landmark = np.repeat(agents, asked.shape[1]), asked.ravel()
    kept = conduct.answers[agent, landmark]
    session, agent, landmark = session[kept], agent[kept], landmark[kept]
    base_ns = (conduct.floor_ns + conduct.delay_ns)[agent, landmark].astype(float)
    rounds = lateness(loss=scenario.paths.loss, duplicate=scenario.paths.duplicate)
    jitter_ns = world.paths.jitter_ns

    def smallest(of: int) -> Floats:
        return _smallest(dice, dice.binomial(of, rounds.answered, len(session)), base_ns, rounds, jitter_ns)

    early, late = smallest(EARLY_ROUNDS), smallest(MOST_ROUNDS - EARLY_ROUNDS)
    # A liar's clock is what the phase goes by, too.
    factor = conduct.factor[landmark]
    far = np.isfinite(early[:, -1]) & (early[:, -1] * factor > FAR_NS)
    late[far] = np.inf
    third = np.partition(np.hstack((early, late)), ORDER - 1, axis=1)[:, ORDER - 1] * factor
    measured = third < LONGEST_WAIT_NS
    third_ns = third[measured].astype(np.int64)
    return DrawnBounds(
        session=session[measured],
        agent=agent[measured],
        landmark=landmark[measured],
        third_ns=third_ns,
        clock_error_ns=_clock_errors(world, landmark[measured], third_ns),
    )


def _asked(world: World, agents: Integers, dice: Dice) -> Integers:
    """The landmarks of each session, shape (sessions, nearest + extras): the chosen ones, and others by lot."""
    chosen = np.array([agent.chosen for agent in world.agents])[agents]
    count = len(world.landmarks)
    lots = dice.random((len(agents), count), dtype=np.float32)
    np.put_along_axis(lots, chosen, np.float32(2), axis=1)
    extras = min(world.scenario.extras, count - chosen.shape[1])
    if extras == 0:
        return chosen
    drawn = np.argpartition(lots, extras - 1, axis=1)[:, :extras]
    return np.hstack((chosen, drawn))


def _smallest(dice: Dice, count: Integers, base_ns: Floats, rounds: Lateness, jitter_ns: float) -> Floats:
    """The three smallest of `count` round trips, ascending, shape (rows, 3); infinite where there are fewer."""
    spacings = dice.standard_exponential((len(count), ORDER))
    left = count[:, None] - np.arange(ORDER)
    sums = np.cumsum(spacings / np.maximum(left, 1), axis=1)
    late = rounds.at(-np.expm1(-sums)) * jitter_ns
    return np.where(left > 0, base_ns[:, None] + late, np.inf)


def _clock_errors(world: World, landmark: Integers, third_ns: Integers) -> Integers:
    """What each landmark adds: `ClockErrors.of_round_ns` of every round, once for each pair of landmark and length."""
    errors = [one.identity.errors for one in world.landmarks]
    alike = {one: number for number, one in enumerate(dict.fromkeys(errors))}
    kind = np.array([alike[one] for one in errors])[landmark]
    found = np.empty(len(third_ns), np.int64)
    for one, number in alike.items():
        those = kind == number
        found[those] = one.of_round_ns(third_ns[those])
    return found
