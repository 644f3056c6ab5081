import numpy as np
import pytest

from mds_lightning.statistics.curves.decision import NetBenefit
from mds_lightning.statistics.intervals.bootstrap import bootstrap
from mds_lightning.statistics.sample import Sample


def test_net_benefit_by_hand(make_sample) -> None:
    sample = make_sample([1, 1, 0, 0, 0], [0.9, 0.3, 0.6, 0.2, 0.1])
    found = NetBenefit(sample, (0.0, 0.25, 0.5))(np.ones((1, 5)))
    assert found["model", 0.0] == found["all", 0.0] == pytest.approx(2 / 5)
    assert found["model", 0.25][0] == pytest.approx(2 / 5 - 1 / 5 / 3)
    assert found["model", 0.5][0] == pytest.approx(1 / 5 - 1 / 5)
    assert found["all", 0.5][0] == pytest.approx(2 / 5 - 3 / 5)


def test_weights_are_patients(correlated) -> None:
    sample = Sample.of(correlated(patients=10, images=3))
    benefit = NetBenefit(sample, (0.3,))
    result = bootstrap(benefit, sample.patient_class, 200)
    rows = np.isin(sample.patient, [0, 1, 2, 3])
    weights = (np.arange(10) < 4).astype(float)[None]
    hits = ((sample.probabilities[:, 1] >= 0.3) & (sample.target == 1) & rows).sum()
    alarms = ((sample.probabilities[:, 1] >= 0.3) & (sample.target == 0) & rows).sum()
    expected = (hits - alarms * 0.3 / 0.7) / rows.sum()
    assert benefit(weights)["model", 0.3][0] == pytest.approx(expected)
    interval = result.percentile(("model", 0.3))
    assert interval.low < result.point["model", 0.3] < interval.high


def test_threshold_1_is_refused(make_sample) -> None:
    with pytest.raises(ValueError, match=r"give probabilities in \[0, 1\)"):
        NetBenefit(make_sample([0, 1], [0.1, 0.9]), (0.5, 1.0))
