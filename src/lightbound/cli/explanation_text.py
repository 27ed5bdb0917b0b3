"""An explanation as a person reads it. Every number stands in the JSON as well; here the longest lists are cut."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightbound.adjudication.explanation import Conflict, Explanation, QuestionExplained, Reason
from lightbound.adjudication.places import ReferenceKind
from lightbound.adjudication.remedies import Missing, Trip
from lightbound.adjudication.verdicts import Assumption, Proof, Verdict
from lightbound.cli import terminal
from lightbound.cli.verdict_table import STYLES, print_grounds
from lightbound.files.explanations import instant

MOST_UNITS: Final = 12
MOST_FALLS: Final = 5
MOST_NAMES: Final = 8
"""Lines and names shown; `--json` gives them all."""

WHY: Final = {
    Reason.OWN_NAME: "bear the chip's own name",
    Reason.MAY_STAND_IN_EXCLUDED_AREA: "may stand in the excluded area, whose authorities could make them say anything",
    Reason.DECLARES_EXCLUDED_COUNTRY: "declare a country of the excluded area",
    Reason.OUTSIDE_WINDOW: "measured outside the window",
    Reason.SUPERSEDED: "have rows that a quicker answer inside the window stands for",
}

FROM: Final = {
    ReferenceKind.LICENSED_SITE: "the licensed site",
    ReferenceKind.REGION: "a place well inside what the bounds leave",
    ReferenceKind.LICENSED_AREA: "a place well inside the licensed area",
}

MEANS: Final = {
    (Verdict.WITHIN, Proof.ALONE): "within, proven alone: enough fault units each show it by themselves",
    (Verdict.WITHIN, Proof.JOINT): "within, proven jointly: the bounds overlap only there",
    (Verdict.OUTSIDE, Proof.ALONE): "outside, proven alone: enough fault units each show it by themselves",
    (Verdict.OUTSIDE, Proof.JOINT): "outside, proven jointly: the bounds do not overlap there",
    (Verdict.UNDETERMINED, None): "undetermined: what was measured leaves it open, which is held against nobody",
    (Verdict.VOID, None): "void: what was measured contradicts itself, so it answers nothing",
}


def print_explanation(explanation: Explanation) -> None:
    """Print everything there is to know about the verdicts on one chip."""
    console = terminal.console(markup=False)
    _print_standing(console, explanation)
    if explanation.conflict is not None:
        _print_conflict(console, explanation, explanation.conflict)
    for name, question in (("Licensed", explanation.licensed), ("Excluded", explanation.excluded)):
        console.print()
        if question is None:
            _say(console, f"{name} area: not asked.")
        else:
            _print_question(console, name, question, explanation)
    _print_left_out(console, explanation)
    _print_grounds(console, explanation)


def _print_standing(console: Console, explanation: Explanation) -> None:
    verdicts, standing = explanation.verdicts, explanation.standing
    console.print(
        Text.assemble(explanation.chip_id, ": ", (str(standing), STYLES[standing]), f" ({verdicts.assurance.tier})")
    )
    if verdicts.window_from_ns is None or verdicts.window_to_ns is None:
        _say(console, "The readings carry no times: all of them are taken to be of one instant.")
    elif verdicts.has_window[0]:
        start, end = int(verdicts.window_from_ns[0]), int(verdicts.window_to_ns[0])
        _say(console, f"For the window from {instant(start)} to {instant(end)}, and for no later time.")
    heard, used = int(verdicts.units_heard[0]), int(verdicts.landmarks_used[0])
    if not heard:
        _say(console, "Nothing that counts was measured about this chip. That is held against nobody.")
        return
    _say(
        console,
        f"Heard: {_count(used, 'landmark')} of {_count(heard, 'fault unit')}; a verdict here survives "
        f"{_count(verdicts.fault_budget, 'faulty unit')}, so a proof alone takes {verdicts.fault_budget + 1}.",
    )
    if heard <= verdicts.fault_budget:
        _say(console, f"With fewer than {verdicts.fault_budget + 1} fault units nothing can be proven.")
    elif explanation.conflict is None and verdicts.region_area_km2 is not None:
        _say(console, f"The bounds leave a region of at most {verdicts.region_area_km2[0]:,.0f} km².")
        _say(console, f"Its shape comes from {_names(explanation.shaped_by)}.")


def _print_conflict(console: Console, explanation: Explanation, conflict: Conflict) -> None:
    budget = explanation.verdicts.fault_budget
    bounds = {bound.landmark_id: bound for bound in explanation.bounds}
    console.print()
    allowed = f", not even if any {_count(budget, 'fault unit')} among them may be wrong" if budget else ""
    _say(console, f"These cannot all be true{allowed}:")
    for landmark_id in conflict.landmark_ids:
        bound = bounds[landmark_id]
        _say(
            console,
            f"  {landmark_id} ({bound.unit}) heard the key within {_km(bound.bound_m)} of "
            f"{bound.position.latitude:.2f}, {bound.position.longitude:.2f}, in {_ms(bound.round_trip_ns)}",
        )
    for one, other, gap_m in conflict.gaps:
        _say(console, f"  no place is near enough to both {one} and {other}: {_km(gap_m)} lie between their bounds")
    _say(
        console,
        "Either more fault units are wrong than the budget allows, or the key answers from several places. Look at "
        "these landmarks first: their positions, their clocks, who runs them. It is no finding about the chip.",
    )


def _print_question(console: Console, name: str, question: QuestionExplained, explanation: Explanation) -> None:
    _say(console, f"{name} area {question.area}")
    _say(console, f"  {MEANS[question.verdict, question.proof]}")
    if question.units:
        console.print(_units(question, explanation))
        _say(console, "  room: from the landmark to where the claim is false; margin: room less bound")
    if len(question.units) > MOST_UNITS:
        _say(console, f"  ... and {len(question.units) - MOST_UNITS} more fault units; --json gives them all.")
    if question.decided_by:
        _say(console, f"  Decided by {_names(question.decided_by)} (*).")
    if question.rests_on:
        _say(
            console,
            f"  These bounds together are enough, and none of them can be spared: {_names(question.rests_on)}.",
        )
    if question.missing is not None:
        _print_missing(console, question.missing, explanation)


def _units(question: QuestionExplained, explanation: Explanation) -> Table:
    """The fault units, each with its best landmark for the claim that it comes nearer to proving."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 1))
    for heading in ("fault unit", "landmark"):
        table.add_column(heading, overflow="fold")
    for heading in ("round trip", "bound", "room", "margin"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("by itself", no_wrap=True)
    bounds = {bound.landmark_id: bound for bound in explanation.bounds}
    for unit in question.units[:MOST_UNITS]:
        side = unit.better
        bound = bounds[side.landmark_id]
        table.add_row(
            Text(unit.unit),
            Text(side.landmark_id),
            _ms(bound.round_trip_ns),
            _km(bound.bound_m),
            _km(side.distance_m),
            _km(side.margin_m),
            f"proves {unit.proves}{' *' if unit.unit in question.decided_by else ''}"
            if unit.proves
            else f"not {Verdict.OUTSIDE if side is unit.outside else Verdict.WITHIN}",
        )
    return table


def _print_missing(console: Console, missing: Missing, explanation: Explanation) -> None:
    lacking, claim = missing.proofs_lacking, missing.claim
    _say(
        console,
        f"  For {claim} to be proven alone, {_count(missing.units_needed, 'fault unit')} must each prove it; "
        f"of {missing.units_heard} heard, {missing.units_proving or 'none'} does.",
    )
    if missing.units_heard < missing.units_needed:
        short = missing.units_needed - missing.units_heard
        _say(console, f"  - {_count(short, 'more independent fault unit')} must be heard")
        if Assumption.ONE_FAULT_UNIT in explanation.verdicts.assumptions:
            _say(console, "    (landmarks without a fault_unit count as one; say who runs each in the landmarks file)")
    reference = explanation.reference
    if reference is not None:
        place = f"{reference.position.latitude:.2f}, {reference.position.longitude:.2f}"
        _say(console, f"  Ways are reckoned from {FROM[reference.kind]}, {place}; fibre means straight fibre.")
    hopeful = [fall for fall in missing.falls if fall.trip.possible is not False]
    for fall in hopeful[:MOST_FALLS]:
        _say(
            console,
            f"  - round trip from {fall.landmark_id} ({fall.unit}) must fall from {_ms(fall.round_trip_ns)} to "
            f"{_ms_down(fall.trip.greatest_round_trip_ns)}{_whether(fall.trip)}",
        )
    if more := len(hopeful[MOST_FALLS:]):
        _say(console, f"  - or from {_count(more, 'other landmark')}; --json gives them all")
    if late := len(missing.falls) - len(hopeful):
        who = _count(late, "other landmark" if hopeful else "landmark")
        _say(console, f"  {who} heard would have to answer faster than light from there.")
    if not missing.suggestions:
        _say(console, f"  {_no_suggestion(explanation)}")
        return
    one = "One landmark at any of these places, in a fault unit that does not prove it yet, would settle it:"
    many = f"{lacking} landmarks at these places, in {lacking} fault units that do not prove it yet, would settle it:"
    _say(console, f"  {one if lacking == 1 else many}")
    for suggestion in missing.suggestions:
        place = f"{suggestion.city.name} ({suggestion.city.country})" if suggestion.city else "the licensed site"
        _say(
            console,
            f"  - a landmark at {place}, surely within {suggestion.position_error_m / 1000:g} km of "
            f"{suggestion.position.latitude:.2f}, {suggestion.position.longitude:.2f}, answering within "
            f"{_ms_down(suggestion.trip.greatest_round_trip_ns)}{_whether(suggestion.trip)}",
        )


def _whether(trip: Trip) -> str:
    """Whether such a round trip can be had, from where the chip is taken to be."""
    if not trip.least_ns_at_c or not trip.least_ns_in_fibre:
        return ""
    needs = f"light needs {_ms_up(trip.least_ns_at_c)}, fibre {_ms_up(trip.least_ns_in_fibre)}"
    return f" ({needs})" if trip.possible_in_fibre else f" (hardly: {needs})"


def _no_suggestion(explanation: Explanation) -> str:
    if explanation.reference is None:
        return "No city is named: nothing says where the chip might be, so none is nearer than another."
    return "No city of the packaged list would do: each is too near the edge of the area, or too far for light."


def _print_left_out(console: Console, explanation: Explanation) -> None:
    by_reason: dict[Reason, list[str]] = defaultdict(list)
    for left in explanation.left_out:
        by_reason[left.reason].append(f"{left.landmark_id} ({_count(left.rows, 'row')})")
    if by_reason or explanation.landmarks_not_heard:
        console.print()
        _say(console, "What did not count:")
    for reason, names in by_reason.items():
        _say(console, f"  {_count(len(names), 'landmark')} {WHY[reason]}: {_names(names)}")
    if explanation.landmarks_not_heard:
        _say(console, f"  {_count(explanation.landmarks_not_heard, 'landmark')} of the file did not measure this chip")


def _print_grounds(console: Console, explanation: Explanation) -> None:
    console.print()
    if any(q is not None and q.missing is not None for q in (explanation.licensed, explanation.excluded)):
        _say(
            console, "Round trips that could be had are for planning, cities are GeoNames': nothing is proven by them."
        )
    print_grounds(console, explanation.verdicts)


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True)


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return f"{shown} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else shown


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _km(metres: int) -> str:
    kilometres = metres / 1000
    return f"{kilometres:,.0f} km" if abs(kilometres) >= 100 else f"{kilometres:,.1f} km"


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:,.3f} ms"


def _ms_down(nanoseconds: int) -> str:
    """Rounded down: whoever answers within what is printed answers in time."""
    return _ms(nanoseconds // 1000 * 1000)


def _ms_up(nanoseconds: int) -> str:
    return _ms(-(-nanoseconds // 1000) * 1000)
