"""Every figure of one variant, drawn from its evidence."""

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mds_lightning.reporting.figures.calibration import draw_reliability
from mds_lightning.reporting.figures.confusion import draw_confusion
from mds_lightning.reporting.figures.decision import draw_decision
from mds_lightning.reporting.figures.precision_recall import draw_precision_recall
from mds_lightning.reporting.figures.roc import draw_roc
from mds_lightning.reporting.tables.estimate_tables import format_estimate
from mds_lightning.reporting.tables.evidence import Evidence
from mds_lightning.reporting.tables.numbers import find_estimate
from mds_lightning.statistics.curves.precision_recall import trace_precision_recall
from mds_lightning.statistics.curves.roc import trace_roc
from mds_lightning.statistics.external import find_external
from mds_lightning.statistics.metric import Level
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.pooled_rows import HELD_OUT

log = logging.getLogger(__name__)

Curve = TypeVar("Curve")

_LEVELS: dict[Level, str] = {"patient": "", "image": "_images"}


def draw_figures(evidence: Evidence) -> Iterator[tuple[str, Figure]]:
    """Yield file name (without extension) and figure, one at a time.

    Names end in `_images` at image level, and in the class where there are more than two.
    """
    classes = evidence.predictions.classes
    for level, rows in evidence.test.items():
        for name in classes[1:] if len(classes) == 2 else classes:
            title = f"{_against(classes, name)}, {level} level, recalibrated"
            ending = _LEVELS[level] + ("" if len(classes) == 2 else f"_{name}")
            yield from _draw_curves(evidence, rows, (name, level), title, ending)
    yield from _draw_external(evidence)
    yield "confusion", _draw_confusion(evidence)
    yield from _draw_calibration(evidence)
    if "decision_curve" in evidence.tables:
        title = f"{_against(classes, classes[1])}, patient level, folds pooled, recalibrated"
        yield "decision_curve", draw_decision(evidence.tables["decision_curve"], title)


def _against(classes: tuple[str, ...], name: str) -> str:
    return f"{name} vs {classes[0] if len(classes) == 2 else 'rest'}"


def _draw_curves(
    evidence: Evidence, rows: Predictions, place: tuple[str, str], title: str, ending: str
) -> Iterator[tuple[str, Figure]]:
    name, level = place
    roc = _trace_folds(rows, name, trace_roc)
    if not roc:
        log.warning("%s: no fold has both positive and negative rows, so no curves are drawn", title)
        return
    remarks = [f"pooled: AUC {_summarise(evidence, level, 'roc_auc', name)}"]
    k = rows.classes.index(name)
    pooled = trace_roc(rows.target == k, rows.probabilities[:, k])
    if len(roc) > 1:
        within = _summarise(evidence, level, "roc_auc_within_folds", name)
        remarks.append(f"within folds: AUC {within}")
    yield f"roc{ending}", draw_roc(roc, title, pooled, remarks)
    curves = _trace_folds(rows, name, trace_precision_recall)
    precision = _summarise(evidence, level, "average_precision", name)
    yield f"precision_recall{ending}", draw_precision_recall(curves, title, f"pooled: AP {precision}")


def _trace_folds(
    rows: Predictions, name: str, trace: Callable[[NDArray[np.bool_], NDArray[np.float64]], Curve]
) -> dict[str, Curve]:
    k = rows.classes.index(name)
    curves = {}
    for fold in np.unique(rows.table["fold"]):
        part = rows.of_fold(int(fold))
        positive = part.target == k
        if positive.any() and not positive.all():
            curves[f"fold {fold}"] = trace(positive, part.probabilities[:, k])
        else:
            log.warning("fold %d has no curve for %s: its rows are all positive or all negative", fold, name)
    return curves


def _summarise(evidence: Evidence, level: str, metric: str, class_name: str) -> str:
    one = find_estimate(evidence.tables["metrics"], HELD_OUT, level, metric, class_name)
    assert one is not None, "every drawn curve has its estimate"
    return format_estimate(one.value, one.low, one.high)


def _draw_external(evidence: Evidence) -> Iterator[tuple[str, Figure]]:
    """Curves of each model; precision depends on the class frequencies, so not for mixed sources."""
    if not evidence.predictions.is_binary or "external" not in evidence.tables:
        return
    for level, ending in _LEVELS.items():
        external = find_external(evidence.levels[level])
        assert external is not None, "the external patients have estimates"
        name, title = external.compared.classes[1], f"{external.compared_name}, {level} level"
        roc = _trace_folds(external.compared, name, trace_roc)
        if not roc:
            log.warning("%s: no fold has both positive and negative rows, so no curves are drawn", title)
            continue
        remark = f"mean over folds: AUC {_summarise_external(evidence, level, 'roc_auc')}"
        yield f"roc_external{ending}", draw_roc(roc, title, None, [remark])
        if not external.mixture:
            curves = _trace_folds(external.compared, name, trace_precision_recall)
            remark = f"mean over folds: AP {_summarise_external(evidence, level, 'average_precision')}"
            yield f"precision_recall_external{ending}", draw_precision_recall(curves, title, remark)


def _summarise_external(evidence: Evidence, level: Level, metric: str) -> str:
    table = evidence.tables["external"]
    line = table[(table["level"] == level) & (table["metric"] == metric)].iloc[0]
    return format_estimate(float(line["value"]), float(line["low"]), float(line["high"]))


def _draw_confusion(evidence: Evidence) -> Figure:
    table, classes = evidence.tables["confusion"], list(evidence.predictions.classes)
    matrices = {
        f"{level} level": _square(table[table["level"] == level], classes) for level in ("image", "patient")
    }
    return draw_confusion(
        matrices, evidence.predictions.classes, "Held-out patients, folds pooled, recalibrated"
    )


def _square(table: pd.DataFrame, classes: list[str]) -> NDArray[np.float64]:
    wide = table.pivot_table(index="true", columns="predicted", values="rows")
    return wide.loc[classes, classes].to_numpy(np.float64)


def _draw_calibration(evidence: Evidence) -> Iterator[tuple[str, Figure]]:
    positive = evidence.predictions.classes[-1]
    for level, ending in _LEVELS.items():
        curves = {kind: bins for (kind, one), bins in evidence.reliability.items() if one == level}
        figure = draw_reliability(curves, positive, f"Calibration, {level} level, folds pooled")
        yield f"calibration{ending}", figure
