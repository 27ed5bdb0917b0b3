"""What a picture says in words, and what it must not be taken for."""

from typing import Final

from lightbound.adjudication.verdicts import Proof, Standing, Verdict
from lightbound.drawing.picture import Answer, Picture, PlacedBound, Reach, Role
from lightbound.geo.earth import WGS84_A_M
from lightbound.ranging.bounds import Speed

STANDINGS_SAY: Final = {
    Standing.CONTRADICTION: "more landmarks are wrong than was budgeted for, or a key answers from several places",
    Standing.DIVERTED: "within its excluded area",
    Standing.MISPLACED: "outside its licensed area",
    Standing.VERIFIED: "within its licensed area",
    Standing.CLEARED: "outside its excluded area",
    Standing.UNDETERMINED: "none of the answers is proven",
}

SPEEDS_SAY: Final = {
    Speed.VACUUM: "light in vacuum",
    Speed.FIBRE: "0.69 c, an assumption about the path: grounds for nothing",
}


HALF_WAY_M: Final = 3.1416 * WGS84_A_M
"""A bound longer than this excludes nothing: no place on Earth is farther from another."""


def heading(picture: Picture) -> str:
    """The chip and its standing, with the assurance tier without which no standing may be shown."""
    return f"Chip {picture.chip_id}: {picture.standing} (tier {picture.tier})"


def standing_sentence(picture: Picture) -> str:
    """The standing in plain words."""
    return f"{picture.standing}: {STANDINGS_SAY[picture.standing]}"


def not_shown(picture: Picture) -> str:
    """What the map does not show."""
    return (
        "Not shown: where in the region the key was, since no place in it is likelier than another; at assurance tier "
        f"{picture.tier}, that the key sits in the genuine chip or was not copied; where it is after the window. The "
        "verdict was computed on the globe, not from this picture, whose lines are rounded and whose distances are "
        "true only where the scale says so."
    )


def questions(picture: Picture) -> list[tuple[str, str]]:
    """The two questions, each with its answer and what that stands on."""
    both = [("Within the licensed area", picture.licensed), ("Outside the excluded area", picture.excluded)]
    return [
        (f"{asked}?", "not asked") if answer is None else (f"{asked} {answer.text}?", _answer_sentence(answer))
        for asked, answer in both
    ]


def _answer_sentence(answer: Answer) -> str:
    match answer.verdict:
        case Verdict.WITHIN | Verdict.OUTSIDE:
            if answer.proof is Proof.ALONE:
                spare = f", with {kilometres(answer.margin_m or 0)} to spare"
                return (
                    f"{answer.verdict}, proven alone: more fault units than the budget show it, each by itself{spare}"
                )
            return f"{answer.verdict}, proven jointly: where all bounds meet, taking one key to be in one place"
        case Verdict.UNDETERMINED:
            return "undetermined: neither within nor outside is proven"
        case Verdict.VOID:
            return "void: the bounds contradict one another"


def facts(picture: Picture) -> list[tuple[str, str]]:
    """What the verdict rests on, as pairs of a name and what it is."""
    roles = [bound.role for bound in picture.bounds]
    used, ignored = len(roles) - roles.count(Role.IGNORED), roles.count(Role.IGNORED)
    border = picture.border
    return [
        ("Region", region_sentence(picture)),
        ("Speed", f"{picture.speed}: {SPEEDS_SAY[picture.speed]}"),
        ("Fault budget", f"{picture.region.budget} of the {picture.units_heard} fault units heard may be wrong"),
        ("Landmarks", f"{used} used, {ignored} ignored"),
        ("Window", " to ".join(picture.window) if picture.window else "none: no reading with a time counts"),
        ("Border", f"{border.name} {border.version}, viewpoint {border.viewpoint}, SHA-256 {border.sha256}"),
        ("Border error", f"at most {border.error_m:,} m, counted against every answer"),
        ("Algorithm", f"{picture.algorithm}, proofs allowed: {picture.proof}"),
    ]


def region_sentence(picture: Picture) -> str:
    """How large the region is."""
    if picture.standing is Standing.CONTRADICTION:
        return "empty: no place on Earth agrees with the bounds and the fault budget"
    if picture.units_heard <= picture.region.budget:
        return "all of the Earth: no more fault units were heard than may be wrong"
    return f"at most {picture.region_area_km2:,} km²"


def bound_text(bound: PlacedBound) -> str:
    """How far the key can be from a landmark."""
    return "excludes nothing" if bound.bound_m >= HALF_WAY_M else kilometres(bound.bound_m, up=True)


def reach_text(reach: Reach | None, role: Role) -> str:
    """What one bound by itself shows about one area, and by how much it does or does not."""
    if reach is None:
        return "not asked"
    if role is Role.IGNORED:
        return "not believed"
    if reach.outside_m > 0:
        return f"outside, by {kilometres(reach.outside_m)}"
    if reach.within_m > 0:
        return f"within, by {kilometres(reach.within_m)}"
    return f"nothing ({kilometres(-max(reach.outside_m, reach.within_m), up=True)} short)"


def landmark_sentence(bound: PlacedBound) -> str:
    """Everything about one landmark in one sentence, for a tooltip and for whoever hears the map."""
    parts = [f"Landmark {bound.landmark_id}, {bound.role}", f"fault unit {bound.unit}"]
    parts.append(f"bound {bound_text(bound)}" if bound.bound_m < HALF_WAY_M else "its bound excludes nothing")
    if bound.role is Role.IGNORED:
        parts.append("not believed: it may stand in the excluded area, or declares a country named there")
    else:
        if bound.licensed is not None:
            parts.append(f"licensed area: shows {reach_text(bound.licensed, bound.role)}")
        if bound.excluded is not None:
            parts.append(f"excluded area: shows {reach_text(bound.excluded, bound.role)}")
    return "; ".join(parts)


def kilometres(metres: float, *, up: bool = False) -> str:
    """Whole kilometres, or one decimal below ten; rounded down unless told otherwise."""
    step = 1000 if metres >= 10_000 else 100
    count = -(-metres // step) if up else metres // step
    return f"{count * step / 1000:,.0f} km" if step == 1000 else f"{count / 10:.1f} km"
