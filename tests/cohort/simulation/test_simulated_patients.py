import numpy as np

from mds_lightning.cohort.simulation.simulated_patients import PatientKey, draw_patient, list_patients
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters


def equal(one, other):
    return (
        (one.site, one.clinical, one.marrow, one.scanner)
        == (other.site, other.clinical, other.marrow, other.scanner)
    ) and np.array_equal(one.stain.density, other.stain.density)


def test_more_patients_and_fields_do_not_change_the_others():
    few = SimulationParameters(patients={"MDS": 2, "donor": 2}, sites=2, seed=9)
    many = SimulationParameters(
        patients={"MDS": 5, "AML": 3, "donor": 9},
        fields={"MDS": 6, "AML": 2, "donor": 3},
        external_patients={"AML": 2},
        sites=2,
        seed=9,
    )
    for key in list_patients(few):
        assert equal(draw_patient(few, key), draw_patient(many, key))


def test_all_patients_differ():
    parameters = SimulationParameters(external_patients={"MDS": 10, "donor": 10})
    marrows = [draw_patient(parameters, key).marrow for key in list_patients(parameters)]
    assert len({marrow.differential for marrow in marrows}) == len(marrows) == 140


def test_the_external_laboratory_has_its_own_stain_and_scanner():
    parameters = SimulationParameters(sites=3)
    inside = {draw_patient(parameters, PatientKey("MDS", n, False)).scanner for n in range(9)}
    outside = {draw_patient(parameters, PatientKey("MDS", n, True)).scanner for n in range(9)}
    assert len(inside) == 3
    assert len(outside) == 1
    assert not inside & outside


def test_patients_of_each_class_are_distributed_evenly_over_sites():
    parameters = SimulationParameters(sites=2)
    for label in ("MDS", "AML", "donor"):
        sites = [draw_patient(parameters, PatientKey(label, n, False)).site for n in range(6)]
        assert sites == ["site-1", "site-2"] * 3


def test_the_differential_and_the_density_do_not_depend_on_the_class():
    parameters = SimulationParameters(signal=1.0)
    density = {
        label: [draw_patient(parameters, PatientKey(label, n, False)).marrow.density for n in range(300)]
        for label in ("MDS", "donor")
    }
    spread = np.std(density["donor"])
    # Five standard errors of the difference of two means of 300.
    assert abs(np.mean(density["MDS"]) - np.mean(density["donor"])) < 5 * spread * np.sqrt(2 / 300)
    assert 0.7 < np.std(density["MDS"]) / spread < 1.4
