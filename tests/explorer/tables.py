"""What each end does with each message in each of its states: the core itself, run once for each pair.

The tables are made for an attacker that is stronger than any: every message that any end could ever send, in any run,
may be delivered in every state, together with all that the attacker makes of it. They are complete when no new state
and no new message turns up. `search` then asks which of their entries a run can reach.
"""

from dataclasses import dataclass

from lightbound.errors import LightboundError
from tests.explorer import world
from tests.explorer.agent_end import AgentEnd
from tests.explorer.attacker import Attacker
from tests.explorer.ends import End, agents_of, landmarks_of
from tests.explorer.messages import VERIFIER, Message, Messages, What
from tests.explorer.ports import Core, Ignored, NotNow, Port, Sent, Took
from tests.explorer.properties import Local, wrong_step
from tests.explorer.shapes import COUNTER, SAME_TO_EVERYBODY, Shapes, copied


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A message taken, or a move made, that led to another state."""

    port: Port
    message: int | None
    to: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A property that this message, or this move, breaks in this state."""

    at: int
    port: Port
    message: int | None
    says: str


@dataclass(slots=True, kw_only=True)
class Table:
    """Everything that one end can do."""

    end: End
    locals: list[Local]
    moves: list[list[Move]]
    """By state."""
    alarms: list[Alarm]


@dataclass(slots=True, kw_only=True)
class Tables:
    """The tables of a configuration."""

    configuration: world.Configuration
    messages: Messages
    tables: list[Table]
    executed: int = 0
    """How often the core was run: pairs of a state and a message, or a move."""
    refused: int = 0
    """How many of these changed nothing, as they had to."""

    @property
    def states(self) -> int:
        """Of all ends, each for itself."""
        return sum(len(table.locals) for table in self.tables)

    @property
    def alarms(self) -> list[str]:
        """What is wrong anywhere, whether or not a run can reach it."""
        return [alarm.says for table in self.tables for alarm in table.alarms]


def tables_of(configuration: world.Configuration) -> Tables:
    """The tables of a configuration, complete."""
    ends: list[End] = []
    messages = Messages()
    for number, asked in enumerate(configuration.sessions):
        ends += [*agents_of(number, asked), *landmarks_of(number, asked, configuration)]
        data = world.session_statement(number, asked)
        messages.given(Message(data=data, name=f"SESSION {number}", what=What.SESSION, maker=VERIFIER, session=number))
    made = Tables(configuration=configuration, messages=messages, tables=[])
    shapes = Shapes(COUNTER), Shapes(SAME_TO_EVERYBODY)
    fillings = [_Filling(end, made, *shapes) for end in ends]
    made.tables = [filling.table for filling in fillings]
    attacker = Attacker(configuration, messages)
    is_news = True
    while is_news:
        attacker.learn()
        is_news = any(list(map(_Filling.goes_on, fillings)))  # all of them, and not only up to the first
    return made


class _Filling:
    """The work on one table."""

    def __init__(self, end: End, into: Tables, whole: Shapes, told_apart: Shapes) -> None:
        self.table = Table(end=end, locals=[], moves=[], alarms=[])
        self._into = into
        self._whole, self._told_apart = whole, told_apart
        self._numbers: dict[object, int] = {}
        self._tried: list[int] = []
        self._ignored: set[tuple[Port, int | None, int | None]] = set()
        """Packets that the one object that sees them ignored, when it was in this state."""
        self._state(Local(core=None, clock_ns=world.ISSUED_NS))

    def goes_on(self) -> bool:
        """Try everything new in every state; whether there was anything new."""
        messages, is_news = self._into.messages, False
        at = 0
        while at < len(self.table.locals):
            if self._tried[at] < len(messages):
                numbers = range(self._tried[at], len(messages))
                self._tried[at] = len(messages)
                is_news = True
                self._try(at, numbers)
            at += 1
        return is_news

    def _try(self, at: int, numbers: range) -> None:
        local, end = self.table.locals[at], self.table.end
        scratch = copied(local.core)
        listening = [port for port in end.packet_ports if end.listener(local.core, port) is not None]
        shapes = {port: self._whole.number(end.listener(local.core, port)) for port in listening}
        for move in end.moves if numbers.start == 0 else ():
            scratch = self._step(at, scratch, move, None)
        statement_ports = end.statement_ports
        for number in numbers:
            if not self._into.messages[number].what.is_packet:
                for port in statement_ports:
                    scratch = self._step(at, scratch, port, number)
                continue
            for port in listening:
                pair = (port, shapes[port], number)
                if pair not in self._ignored:
                    refused = self._into.refused
                    scratch = self._step(at, scratch, port, number)
                    if self._into.refused > refused:
                        self._ignored.add(pair)

    def _step(self, at: int, core: Core, port: Port, number: int | None) -> Core:
        """Run the core once; a core that is still as it was, or a new copy."""
        into, end, local = self._into, self.table.end, self.table.locals[at]
        into.executed += 1
        try:
            took = end.take(core, local.clock_ns, port, b"" if number is None else into.messages[number].data)
        except (LightboundError, NotNow):
            is_same = core == local.core
        except Ignored:
            listener, before = end.listener(core, port), end.listener(local.core, port)
            if listener is not None and before is not None:
                listener.ignored = before.ignored
            is_same = core == local.core
        else:
            return self._taken(at, took, port, number)
        into.refused += 1
        if is_same:
            return core
        self._alarm(at, port, number, f"P3: {end.name} refused {self._name(port, number)}, and was changed by it")
        return copied(local.core)

    def _taken(self, at: int, took: Took, port: Port, number: int | None) -> Core:
        into, end, local = self._into, self.table.end, self.table.locals[at]
        wrong = None if number is None else wrong_step(end, local, port, number, into.messages)
        if wrong is not None:
            self._alarm(at, port, number, wrong)
            return copied(local.core)  # what comes after a violation is of no interest
        under = number if port.name == "bind" and number is not None else local.under
        sent: set[int] = set()
        for one in took.sent:
            each = self._sent(one, under, number)
            sent.add(each)
            under = each if one.what is What.BIND else under
        after = Local(
            core=took.core,
            clock_ns=took.clock_ns,
            under=under,
            taken=local.taken if number is None else local.taken | {(port, number)},
            sent=local.sent | sent,
        )
        if not self._is_same(local, after):
            self.table.moves[at].append(Move(port=port, message=number, to=self._state(after)))
        return copied(local.core)

    def _sent(self, one: Sent, under: int | None, answers: int | None) -> int:
        """The number of what this end sends."""
        end = self.table.end
        which = one.what.upper() if one.round is None else f"{one.what.upper()} {one.round}"
        whom = f" to landmark {one.landmark}" if isinstance(end, AgentEnd) and one.landmark is not None else ""
        message = Message(
            data=one.data,
            name=f"{which} of {end.name}{whom}",
            what=one.what,
            maker=end.name,
            session=end.number,
            landmark=one.landmark,
            under=under,
            answers=answers,
            round=one.round,
        )
        return self._into.messages.sent(message)

    def _is_same(self, local: Local, after: Local) -> bool:
        return self._key(local)[:-1] == self._key(after)[:-1]

    def _key(self, local: Local) -> tuple[object, ...]:
        return self._told_apart.number(local.core), local.clock_ns, local.under, local.sent, local.taken

    def _state(self, local: Local) -> int:
        number = self._numbers.setdefault(self._key(local), len(self.table.locals))
        if number == len(self.table.locals):
            self.table.locals.append(local)
            self.table.moves.append([])
            self._tried.append(0)
        return number

    def _alarm(self, at: int, port: Port, number: int | None, says: str) -> None:
        self.table.alarms.append(Alarm(at=at, port=port, message=number, says=says))

    def _name(self, port: Port, number: int | None) -> str:
        return f"to {port}" if number is None else f"{self._into.messages[number].name} as {port}"
