import re

import pytest

from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("patients", {"MDS": -1}, "patients.MDS"),
        ("patients", {"mds": 1}, "patients"),
        ("patients", {"MDS": 2.5}, "patients.MDS"),
        ("patients", {"MDS": True}, "patients.MDS"),
        ("patients", {}, "patients"),
        ("patients", {"MDS": 0}, "patients"),
        ("patients", 40, "patients"),
        ("fields", {"MDS": 4}, "fields"),
        ("external_patients", {"MDS": "three"}, "external_patients.MDS"),
        ("width", 0, "width"),
        ("height", 480.0, "height"),
        ("height", 10**6, "height"),
        ("signal", 1.01, "signal"),
        ("signal", float("nan"), "signal"),
        ("confound", -0.1, "confound"),
        ("confound", "much", "confound"),
        ("sites", 0, "sites"),
        ("seed", -1, "seed"),
        ("seed", None, "seed"),
    ],
)
def test_an_invalid_value_is_refused_by_its_key(key, value, named):
    with pytest.raises(ValueError, match=rf"^cohort\.simulation\.{re.escape(named)}: "):
        SimulationParameters(**{key: value})


def test_zero_patients_equal_a_missing_label():
    without = SimulationParameters(patients={"MDS": 1})
    assert without == SimulationParameters(patients={"donor": 0, "MDS": 1, "AML": 0})
    assert without.hash == SimulationParameters(patients={"donor": 0, "MDS": 1, "AML": 0}).hash


def test_every_parameter_changes_the_hash():
    changes = {
        "patients": {"MDS": 1},
        "fields": {"MDS": 1, "AML": 1, "donor": 1},
        "external_patients": {"MDS": 1},
        "width": 320,
        "height": 240,
        "signal": 0.5,
        "confound": 0.5,
        "sites": 3,
        "seed": 1,
    }
    hashes = {SimulationParameters(**{key: value}).hash for key, value in changes.items()}
    assert len(hashes | {SimulationParameters().hash}) == len(changes) + 1


def test_parameters_do_not_change_with_the_mapping_given():
    patients = {"MDS": 1}
    parameters = SimulationParameters(patients=patients)
    patients["MDS"] = 7
    assert parameters.patients == {"MDS": 1}
