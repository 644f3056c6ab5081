"""Tables of several seeds for two and three classes."""

import numpy as np
import pytest

from mds_lightning.reporting.tables.estimate_tables import tabulate_performance
from mds_lightning.reporting.tables.seed_evidence import gather_seed_evidence
from mds_lightning.statistics.ensemble import average_seeds
from mds_lightning.statistics.estimates import Settings, estimate_levels
from mds_lightning.statistics.recalibrated_levels import learn_level_recalibrations, recalibrate_levels
from mds_lightning.studies.pooled_rows import HELD_OUT

from ...pooled_rows import pooled_rows

SETTINGS = Settings(n_resamples=100)


def held_out(rows):
    recalibrations = learn_level_recalibrations(rows, SETTINGS.aggregation)
    levels = recalibrate_levels(rows, SETTINGS.aggregation, recalibrations)
    return {level: one.split("test") for level, one in levels.items()}


@pytest.mark.parametrize(
    ("classes", "measured", "headline"),
    [(("donor", "MDS"), ["MDS"], "MDS"), (("donor", "AML", "MDS"), ["donor", "AML", "MDS"], "macro")],
)
def test_the_mean_is_that_of_the_seeds_and_has_the_interval_of_one_training(classes, measured, headline):
    rows = {seed: pooled_rows(classes, seed=seed) for seed in (4, 7)}
    ensemble = estimate_levels(held_out(average_seeds(rows)), HELD_OUT, SETTINGS)
    evidence = gather_seed_evidence({seed: held_out(one) for seed, one in rows.items()}, ensemble, SETTINGS)
    assert [*evidence.variances] == measured
    for class_name in {*measured, headline}:
        found = evidence.headlines(class_name)
        assert [*found] == ["ensemble of 2 seeds", "one training (mean of 2 seeds)", "seed 4", "seed 7"]
        together, mean, one, other = found.values()
        assert mean.value == pytest.approx((one.value + other.value) / 2)
        assert together.value > mean.value
        assert mean.has_interval == (class_name in measured)
        if mean.has_interval:
            assert mean.high - mean.low > min(one.high - one.low, other.high - other.low)
            variance = evidence.variances[class_name]
            assert variance.by_seed == pytest.approx([one.value, other.value])
    summary = evidence.summary
    assert len(summary) == len(summary[["level", "metric", "class"]].drop_duplicates())
    assert summary["interval"].notna().sum() == len(measured)
    np.testing.assert_allclose(summary["mean"], (summary["lowest"] + summary["highest"]) / 2)
    table = tabulate_performance(evidence.models("resnet18"), classes)
    assert table.loc[table["level"] == "patient", "model"].tolist()[1] == (
        "resnet18, one training (mean of 2 seeds)"
    )
