"""Attack with reference models (RMIA): forget images found at each false positive rate, on logarithmic axes."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from unlearn_core.charts.attack_curves import (
    HEIGHT,
    AttackedImages,
    attack_rows,
    describe_models,
    difference_in_words,
    draw_attacks,
    found_sentence,
)
from unlearn_core.charts.chart import Chart, Row, build_table, needs_gold
from unlearn_core.charts.drawing.theme import Theme
from unlearn_core.charts.drawing.wording import number
from unlearn_core.charts.text.attack_claims import attack_direction, count_references
from unlearn_core.charts.text.claim import Direction
from unlearn_core.domain.report import Report
from unlearn_core.domain.results.privacy import RmiaResult

EARLIER_RELEASE = "This run was measured by an earlier release, without this attack. New runs have it."
NO_CONTROL = "The only retrained model is the reference model, so none is attacked for comparison."
_FINDINGS: Mapping[Direction, str] = {
    "left": "forget {} are more familiar than unseen ones",
    "beyond": "forget {} are less familiar than unseen ones, which reveals them just as well",
    "unclear": "nothing is shown to be left",
}


def table(reports: Sequence[Report]) -> pd.DataFrame:
    """Return one row per model: reference models, population, AUC, and members found at 1 % false positives."""

    def rows(report: Report) -> list[Row]:
        result = report[RmiaResult]
        models = {"reference models": len(result.reference_golds), "population": result.num_population}
        return [{**row, **models} for row in attack_rows(result.attacked)]

    return build_table(reports, rows)


def _attack(report: Report) -> AttackedImages:
    result = report[RmiaResult]
    return AttackedImages(result.attacked, result.steps, result.curves)


def figure(reports: Sequence[Report], theme: Theme) -> go.Figure:
    """Draw one curve per model, the line of chance, and a line at a false positive rate of 1 %."""
    return draw_attacks(reports, theme, _attack)


def summary(report: Report) -> str:
    """Give what is found at 1 % false positives, the AUC beside that of the retrained model, and what they are from."""
    result, noun = report[RmiaResult], f"{report.dataset.item_noun}s"
    after, gap = result.attacked.models["after"], result.attacked.differences.get("after-gold")
    said = (
        f"{found_sentence(result.attacked, f'forget {noun}')}. Its AUC is {number(after.auc, 3)} "
        f"({number(after.auc_low, 3)} to {number(after.auc_high, 3)}; guessing: {number(0.5)})"
    )
    finding = _FINDINGS[attack_direction(result.attacked)].format(noun)
    if gap is None:
        said += f": {finding}. {NO_CONTROL}"
    else:
        said += f", and differs from that of the retrained model by {difference_in_words(gap)}: {finding}."
    return f"{said} {count_references(result).capitalize()}, {result.num_population:,} population {noun}."


def alt_text(report: Report) -> str:
    """List AUC and members found of each model."""
    return f"Curves of forget images found by the false positive rate, log axes. {describe_models(_attack(report))}"


CHART = Chart(
    id="rmia",
    title="Membership with reference models (RMIA)",
    question="Does an attack that knows retrained models still find the forget images?",
    caveat="The robust membership inference attack (RMIA), with retrained models as reference models. It ranks images "
    "by how much more likely their class is than the reference models suggest, compared with other images (the "
    "population). Members are training images of the forget set; non-members and population are different validation "
    "and test images of the same classes. The first retrained model is attacked like the others: where forgetting is "
    "complete, the curves are alike and near the diagonal. Few reference models make a weaker attack, and where a "
    "class was forgotten they say little. With few images the left end of a curve rests on single ones. Attacks with "
    "shadow models (LiRA) find more.",
    applies=needs_gold(RmiaResult, otherwise=EARLIER_RELEASE),
    table=table,
    figure=figure,
    summary=summary,
    alt_text=alt_text,
    section="Privacy",
    order=17,
    height=HEIGHT,
)
