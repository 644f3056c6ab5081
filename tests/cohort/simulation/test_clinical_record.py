import numpy as np
import pytest

from mds_lightning.cohort.simulation.clinical_record import draw_clinical


@pytest.mark.parametrize(
    ("label", "blasts"), [("MDS", range(20)), ("AML", range(20, 101)), ("donor", range(3))]
)
def test_blasts_agree_with_the_diagnosis(label, blasts):
    rng = np.random.default_rng(0)
    assert all(draw_clinical(rng, label).blasts in blasts for _ in range(300))


def test_mds_subtypes_have_their_range_of_blasts():
    rng = np.random.default_rng(0)
    patients = [draw_clinical(rng, "MDS") for _ in range(400)]
    assert all(5 <= patient.blasts <= 9 for patient in patients if patient.who_type == "MDS-IB1")
    assert all(10 <= patient.blasts <= 19 for patient in patients if patient.who_type == "MDS-IB2")
    assert all(patient.blasts < 5 for patient in patients if patient.who_type in ("MDS-LB", "MDS-5q"))
    assert len({patient.ipss_r for patient in patients}) == 5


def test_only_mds_has_an_ipss_r_and_donors_have_no_diagnosis():
    rng = np.random.default_rng(0)
    assert all(draw_clinical(rng, "MDS").ipss_r for _ in range(50))
    assert not any(draw_clinical(rng, label).ipss_r for label in ("AML", "donor") for _ in range(50))
    assert all(draw_clinical(rng, "AML").who_type for _ in range(50))
    assert not any(draw_clinical(rng, "donor").who_type for _ in range(50))
