"""Results of a variant that was trained with several seeds: of each, of their mean and of their ensemble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from rich import box
from rich.markup import escape
from rich.table import Table

from mds_lightning.reporting.tables.estimate_tables import format_estimate
from mds_lightning.reporting.tables.headline import WITHIN_FOLDS
from mds_lightning.reporting.tables.numbers import Estimate, find_estimate
from mds_lightning.statistics.estimates import COLUMNS, Settings, estimate_levels
from mds_lightning.statistics.intervals.bootstrap import BCA
from mds_lightning.statistics.metric import Level
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.statistics.recalibrated_levels import RECALIBRATED
from mds_lightning.statistics.training_variance import TrainingVariance, measure_training_variance
from mds_lightning.studies.pooled_rows import HELD_OUT

_MEASURE = ["level", "metric", "class"]


@dataclass(frozen=True)
class SeedEvidence:
    """Results of the held-out patients by seed.

    Attributes:
        by_seed: Seed to the estimates of its models, as of `statistics.estimates.estimate`.
        ensemble: The estimates of the ensemble.
        variances: Class to the variance of the patients' ROC-AUC within folds.
        confidence: Of the intervals.
    """

    by_seed: Mapping[int, pd.DataFrame]
    ensemble: pd.DataFrame
    variances: Mapping[str, TrainingVariance]
    confidence: float

    @property
    def label(self) -> str:
        """`seeds 0, 1, 2`."""
        return f"seeds {', '.join(map(str, self.by_seed))}"

    @property
    def seeds(self) -> pd.DataFrame:
        """The estimates of every seed, with a column seed before those of `metrics`."""
        tables = [table.assign(seed=seed) for seed, table in self.by_seed.items()]
        return pd.concat(tables, ignore_index=True)[["seed", *COLUMNS]].assign(probabilities=RECALIBRATED)

    @property
    def summary(self) -> pd.DataFrame:
        """A row for each level, metric and class.

        Columns: seeds (their number), mean, sd, lowest and highest of the seeds' values; ensemble. For the
        patients' ROC-AUC within folds also low, high and interval of the mean, for a model that is trained in
        the same way, and sd_patients, sd_folds and sd_seeds, the components of the standard deviation of the
        mean.
        """
        values = _list_values(self.seeds)
        table = values.groupby(_MEASURE, sort=False)["value"].agg(
            seeds="count", mean=_mean, sd=_deviation, lowest="min", highest="max"
        )
        table["ensemble"] = _list_values(self.ensemble).set_index(_MEASURE)["value"]
        for class_name, variance in self.variances.items():
            interval, key = variance.interval(self.confidence), ("patient", WITHIN_FOLDS, class_name)
            table.loc[key, ["low", "high"]] = interval.low, interval.high
            table.loc[key, "interval"] = f"{interval.method}, with the variance of training"
            deviations = np.sqrt([variance.patients, variance.folds, variance.seeds])
            table.loc[key, ["sd_patients", "sd_folds", "sd_seeds"]] = deviations
        return table.reset_index()

    @property
    def mean(self) -> pd.DataFrame:
        """The means over the seeds as a table of estimates, with the intervals of `summary`."""
        first, summary = next(iter(self.by_seed.values())), self.summary
        # Any kind of interval has one row a measure; these have no interval.
        rows = first[first["interval"] == BCA].merge(summary[[*_MEASURE, "mean"]], on=_MEASURE)
        rows = rows.assign(value=rows["mean"], low=np.nan, high=np.nan, note="").drop(columns="mean")
        for class_name, variance in self.variances.items():
            interval = variance.interval(self.confidence)
            chosen = (
                (rows["level"] == "patient")
                & (rows["metric"] == WITHIN_FOLDS)
                & (rows["class"] == class_name)
            )
            mean = rows[chosen].assign(low=interval.low, high=interval.high, interval=interval.method)
            rows = pd.concat([rows, mean], ignore_index=True)
        return rows

    def models(self, variant: str) -> dict[str, pd.DataFrame]:
        """Name to estimates: the ensemble, one training in the mean, and each seed."""
        return {f"{variant}, {name}": table for name, table in self._tables.items()}

    @property
    def one_training(self) -> str:
        """Name of the mean over the seeds."""
        return f"one training (mean of {len(self.by_seed)} seeds)"

    @property
    def names(self) -> list[str]:
        """Names of the ensemble, of one training in the mean, and of each seed."""
        return [*self._tables]

    @cached_property
    def _tables(self) -> dict[str, pd.DataFrame]:
        return {
            f"ensemble of {len(self.by_seed)} seeds": self.ensemble,
            self.one_training: self.mean,
            **{f"seed {seed}": table for seed, table in self.by_seed.items()},
        }

    def headlines(self, class_name: str) -> dict[str, Estimate]:
        """Each of `names` to the patients' ROC-AUC within folds of a class of `variances`."""
        found = {
            name: find_estimate(table, HELD_OUT, "patient", WITHIN_FOLDS, class_name)
            for name, table in self._tables.items()
        }
        return {name: one for name, one in found.items() if one is not None}


def gather_seed_evidence(
    by_seed: Mapping[int, Mapping[Level, Predictions]], ensemble: pd.DataFrame, settings: Settings
) -> SeedEvidence:
    """Compute the results of every seed.

    Args:
        by_seed: Seed to level to held-out rows, recalibrated; at least two seeds.
        ensemble: The estimates of the ensemble, `evidence.tables["metrics"]`.
        settings: Settings of the estimates.
    """
    estimates = {seed: estimate_levels(levels, HELD_OUT, settings) for seed, levels in by_seed.items()}
    variances = measure_training_variance({seed: levels["patient"] for seed, levels in by_seed.items()})
    held_out = ensemble[ensemble["patients"] == HELD_OUT]
    return SeedEvidence(estimates, held_out, variances, settings.confidence)


def show_seeds(evidence: SeedEvidence, title: str, classes: Sequence[str]) -> Table:
    """The patients' ROC-AUC within folds of the seeds, their mean and their ensemble, for a terminal."""
    shown = Table(
        title=f"{escape(title)}: {evidence.label}",
        caption=f"{evidence.confidence:.0%} intervals: Newcombe's of the trained models; of one training "
        "with the variance of training. All other tables and figures are of the ensemble, the mean of the "
        "seeds' probabilities; maps are of the first seed.",
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    shown.add_column("models")
    names = [name for name in classes if name in evidence.variances]
    columns = [evidence.headlines(name) for name in names]
    for name in names:
        shown.add_column(f"ROC-AUC within folds, {escape(name)}", no_wrap=True)
    for models in evidence.names:
        cells = [format_estimate(one[models].value, one[models].low, one[models].high) for one in columns]
        shown.add_row(escape(models), *map(escape, cells))
    return shown


def _list_values(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each seed and measure, without the kinds of intervals."""
    return table[table["interval"] == BCA]


def _mean(values: "pd.Series[float]") -> float:
    """Mean; NaN if a value is undefined."""
    return float(np.mean(values.to_numpy(float)))


def _deviation(values: "pd.Series[float]") -> float:
    """Standard deviation; NaN if a value is undefined."""
    return float(np.std(values.to_numpy(float), ddof=1))
