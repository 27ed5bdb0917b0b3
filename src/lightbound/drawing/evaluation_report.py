"""An evaluation as one page that needs nothing else: tables, plots and what they rest on."""

import base64
from collections.abc import Mapping, Sequence
from typing import Final

from lightbound.adjudication.evaluation.evaluate import Evaluation
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import BorderUsed, Verdict
from lightbound.drawing.markup import element, text
from lightbound.geo.sides import Side

STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border-bottom:1px solid #d5dde3;padding:.25rem .8rem .25rem 0;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
img{max-width:100%;height:auto}
.wide{overflow-x:auto}
""".strip()

CAPTIONS: Final = {
    "decided": "Share of chips decided, by speed, fault budget f and proof; bars are exact binomial intervals.",
    "refuted": "Share of naive false claims refuted, by how far the claimed place is from the true one.",
    "number": "Share of chips decided if each is heard by so many of its landmarks only.",
    "nearness": "Share of chips decided if no landmark stands nearer to the chip.",
}


def evaluation_page(
    evaluation: Evaluation, *, border: BorderUsed, plots: Mapping[str, bytes], confidence: float
) -> str:
    """The page; `plots` are SVG by name."""
    percent = f"{100 * confidence:g} %"
    parts = [
        element("h1", "How good the verdicts are"),
        element("p", text(_summary(evaluation, border))),
        element(
            "p",
            text(
                f"Shares are given as count/cases = percent (exact binomial {percent} interval). The intervals take "
                "chips for independent, which chips that share landmarks and cables are not: they are too narrow "
                "rather than too wide. The figures describe these chips and paths; a chip that delays its answers is "
                "not described by them."
            ),
        ),
        _table(
            "Verdicts against the truth",
            ("speed", "f", "proof", "truth kept", "licensed decided", "wrong", "excluded decided", "wrong", "void"),
            [
                (
                    *_case(outcome.settings),
                    outcome.kept.told(confidence=confidence),
                    outcome.licensed.decided.told(confidence=confidence),
                    str(outcome.licensed.wrong),
                    outcome.excluded.decided.told(confidence=confidence),
                    str(outcome.excluded.wrong),
                    str(outcome.contradictions),
                )
                for outcome in evaluation.outcomes
            ],
        ),
        _table(
            "By where the chips truly are",
            ("speed", "f", "proof", "question", "truly", "within", "outside", "undetermined", "void"),
            [
                (*_case(outcome.settings), name, side.value, *(str(count) for count in counts))
                for outcome in evaluation.outcomes
                for name, tally in (("licensed", outcome.licensed), ("excluded", outcome.excluded))
                for side in Side
                if sum(counts := [tally.counts.get((side, verdict), 0) for verdict in _ORDER])
            ],
        ),
        *(_picture(name, plots[name]) for name in CAPTIONS if name in plots),
        _table(
            "False claims refuted",
            ("speed", "f", "proof", "distance km", "refuted"),
            [
                (*_case(item.settings), f"{item.distance_km:g}", item.refuted.told(confidence=confidence))
                for item in evaluation.refutations
            ],
        ),
        _table(
            "Fewer landmarks",
            ("speed", "f", "proof", "left", "value", "licensed decided", "excluded decided"),
            [
                (
                    *_case(item.settings),
                    str(item.choice),
                    f"{item.value:g}",
                    item.licensed.decided.told(confidence=confidence),
                    item.excluded.decided.told(confidence=confidence),
                )
                for item in evaluation.thinned
            ],
        ),
        element("p", text("Taken for granted: " + ", ".join(evaluation.assumptions) + ".")),
    ]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        + element("title", "How good the verdicts are")
        + element("style", STYLE)
    )
    return (
        "<!doctype html>\n"
        + element("html", element("head", head), element("body", element("main", *parts)), lang="en")
        + "\n"
    )


_ORDER: Final = (Verdict.WITHIN, Verdict.OUTSIDE, Verdict.UNDETERMINED, Verdict.VOID)


def _summary(evaluation: Evaluation, border: BorderUsed) -> str:
    return (
        f"{evaluation.chips:,} chips whose place is known, {evaluation.rows:,} readings by {evaluation.landmarks:,} "
        f"landmarks, at most {evaluation.most_landmarks:,} for one chip. Borders: {border.name} {border.version} "
        f"({border.viewpoint}), within {border.error_m} m. False claims are circles of "
        f"{evaluation.plan.claim_radius_km:g} km in a direction drawn by seed {evaluation.plan.seed}."
    )


def _case(settings: Settings) -> tuple[str, str, str]:
    return settings.speed.value, str(settings.fault_budget), settings.proof.value


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = element("tr", *(element("th", text(name), scope="col") for name in heads))
    body = [
        element("tr", *(element("td", text(cell), class_="n" if cell[:1].isdigit() else None) for cell in row))
        for row in rows
    ]
    whole = element("table", element("caption", text(caption)), element("thead", head), element("tbody", *body))
    return element("div", whole, class_="wide", tabindex="0", role="region", aria_label=caption)


def _picture(name: str, svg: bytes) -> str:
    source = "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
    image = f'<img src="{source}" alt="{text(CAPTIONS[name])}">'
    return element("figure", image, element("figcaption", text(CAPTIONS[name])))
