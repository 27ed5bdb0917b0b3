"""Plots of an evaluation: what is decided, what is refuted, and how both grow. Equal evaluations, equal bytes.

Every line has its own mark besides its colour, and its interval as a band or a bar.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lightbound.adjudication.evaluation.evaluate import Evaluation
from lightbound.adjudication.evaluation.replay import Tally
from lightbound.adjudication.evaluation.shares import Share
from lightbound.adjudication.evaluation.subsets import Choice
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import PROOFS, Proof
from lightbound.ranging.bounds import Speed

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#1b1b1b")
"""Okabe and Ito's, which colour-blind people tell apart; one for each fault budget."""

MARKS: Final = ("o", "s", "^", "D", "v", "x")

STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "lightbound",  # names inside an SVG follow from its content
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#d5dde3",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}

QUESTIONS: Final[Mapping[str, Callable[[Any], Tally]]] = {
    "licensed": lambda item: item.licensed,
    "excluded": lambda item: item.excluded,
}

ASKED: Final = {"licensed": "inside or outside the licensed area", "excluded": "inside or outside the excluded area"}


def evaluation_plots(evaluation: Evaluation, *, confidence: float) -> dict[str, Figure]:
    """The plots by name, those left out of which there is nothing to show."""
    asked = [name for name, of in QUESTIONS.items() if of(evaluation.outcomes[0]).decided.of]
    figures: dict[str, Figure] = {}
    with _styled():
        if asked:
            figures["decided"] = _decided(evaluation, asked, confidence)
        if any(item.refuted.of for item in evaluation.refutations):
            figures["refuted"] = _refuted(evaluation, confidence)
        if asked and evaluation.most_landmarks:
            by_number = (Choice.RANDOM, Choice.NEAREST)
            figures["number"] = _grown(evaluation, asked, by_number, "landmarks left to each chip", confidence)
            figures["nearness"] = _grown(
                evaluation, asked, (Choice.NOT_NEARER,), "no landmark nearer to the chip than (km)", confidence
            )
    return figures


def saved(figure: Figure, ending: str) -> bytes:
    """The bytes of a plot as `svg` or `png`."""
    stream = io.BytesIO()
    metadata: dict[str, str | None] = {"Date": None} if ending == "svg" else {"Software": None}
    with _styled():
        figure.savefig(stream, format=ending, dpi=144, metadata=metadata)
    return stream.getvalue()


@contextmanager
def _styled() -> Iterator[None]:
    """Our style over the library's own, whatever the user's configuration says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def _decided(evaluation: Evaluation, asked: Sequence[str], confidence: float) -> Figure:
    """Share decided for each choice of settings, one panel for each question."""
    figure, panels = _panels(1, len(asked), "share of chips decided")
    names = [_case(outcome.settings) for outcome in evaluation.outcomes]
    for name, panel in zip(asked, panels[0], strict=True):
        shares = [QUESTIONS[name](outcome).decided for outcome in evaluation.outcomes]
        for place, (share, outcome) in enumerate(zip(shares, evaluation.outcomes, strict=True)):
            look = _look(evaluation, outcome.settings)
            low, high = share.interval(confidence=confidence)
            panel.plot([place, place], [low, high], color=look["color"], linewidth=2)
            panel.plot([place], [share.count / share.of], **{**look, "linestyle": "none"})
        panel.set_xticks(range(len(names)), names, rotation=90)
        panel.set_title(f"{ASKED[name]} (n = {shares[0].of})", fontsize=10)
    return figure


def _refuted(evaluation: Evaluation, confidence: float) -> Figure:
    """Share of false claims refuted by distance, one panel for each speed."""
    figure, panels = _panels(1, len(evaluation.plan.speeds), "share of false claims refuted")
    figure.suptitle(f"proof allowed: {_strongest_proof(evaluation)}", fontsize=10)
    for speed, panel in zip(evaluation.plan.speeds, panels[0], strict=True):
        for settings in _strongest(evaluation, speed):
            points = [
                (item.distance_km, item.refuted)
                for item in evaluation.refutations
                if item.settings == settings and item.refuted.of
            ]
            _line(panel, evaluation, settings, points, confidence)
        _log(panel)
        panel.set_xlabel("distance of the claimed place from the true one (km)")
        panel.set_title(_speed(speed), fontsize=10)
        panel.legend()
    return figure


def _grown(
    evaluation: Evaluation, asked: Sequence[str], choices: Sequence[Choice], label: str, confidence: float
) -> Figure:
    """Share decided against how many or how near landmarks are; a column for each speed, a row for each question."""
    items = [item for item in evaluation.thinned if item.choice in choices]
    figure, panels = _panels(len(asked), len(evaluation.plan.speeds), "share of chips decided")
    figure.suptitle(f"proof allowed: {_strongest_proof(evaluation)}", fontsize=10)
    for name, row in zip(asked, panels, strict=True):
        for speed, panel in zip(evaluation.plan.speeds, row, strict=True):
            for choice in choices:
                for settings in _strongest(evaluation, speed):
                    points = [
                        (item.value, QUESTIONS[name](item).decided)
                        for item in items
                        if item.choice is choice and item.settings == settings
                    ]
                    _line(panel, evaluation, settings, points, confidence, choice=choice)
            panel.set_title(f"{ASKED[name]}, {_speed(speed)}", fontsize=10)
            panel.legend(fontsize=8)
            if Choice.NOT_NEARER not in choices:
                _log(panel)
    for panel in panels[-1]:
        panel.set_xlabel(label)
    return figure


def _panels(rows: int, columns: int, label: str) -> tuple[Figure, list[list[Axes]]]:
    """A figure of panels that share their axis of shares."""
    figure = Figure(figsize=(5.2 * columns, 3.8 * rows), layout="constrained")
    panels: list[list[Axes]] = figure.subplots(rows, columns, sharey=True, squeeze=False).tolist()
    for row in panels:
        row[0].set_ylabel(label)
        for panel in row:
            panel.set_ylim(-0.02, 1.02)
    return figure, panels


def _log(panel: Axes) -> None:
    """Doublings evenly spaced, numbers written out."""
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter("{x:g}")


def _line(
    panel: Axes,
    evaluation: Evaluation,
    settings: Settings,
    points: Sequence[tuple[float, Share]],
    confidence: float,
    *,
    choice: Choice | None = None,
) -> None:
    """One line with its intervals as a band."""
    look = _look(evaluation, settings)
    label = f"f = {settings.fault_budget}"
    if choice in {Choice.RANDOM, Choice.NEAREST}:
        label += f", {choice}"
        look["linestyle"] = "--" if choice is Choice.RANDOM else "-"
    at = [place for place, _ in points]
    intervals = [share.interval(confidence=confidence) for _, share in points]
    panel.plot(at, [share.count / share.of for _, share in points], label=label, **look)
    panel.fill_between(
        at, [low for low, _ in intervals], [high for _, high in intervals], color=look["color"], alpha=0.15, linewidth=0
    )


def _look(evaluation: Evaluation, settings: Settings) -> dict[str, Any]:
    place = list(evaluation.plan.fault_budgets).index(settings.fault_budget)
    return {"color": COLOURS[place % len(COLOURS)], "marker": MARKS[place % len(MARKS)], "markersize": 4}


def _strongest(evaluation: Evaluation, speed: Speed) -> list[Settings]:
    """The settings of one speed with the proof that decides most, by fault budget."""
    proof = _strongest_proof(evaluation)
    return [case for case in evaluation.plan.cases() if case.speed is speed and case.proof is proof]


def _strongest_proof(evaluation: Evaluation) -> Proof:
    return max(evaluation.plan.proofs, key=PROOFS.index)


def _case(settings: Settings) -> str:
    return f"{settings.speed} f={settings.fault_budget} {settings.proof}"


def _speed(speed: Speed) -> str:
    return "at the speed of light" if speed is Speed.VACUUM else f"assuming {speed.fraction_of_c:g} c (fibre)"
