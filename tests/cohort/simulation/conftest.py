import pytest

from mds_lightning.cohort.simulation.simulated_cohort import simulate_cohort
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters


@pytest.fixture(scope="session")
def parameters():
    return SimulationParameters(
        patients={"MDS": 3, "AML": 2, "donor": 4},
        fields={"MDS": 2, "AML": 1, "donor": 1},
        external_patients={"MDS": 1, "donor": 1},
        width=320,
        height=240,
        sites=2,
        seed=5,
    )


@pytest.fixture(scope="session")
def cohort(parameters, tmp_path_factory):
    """Folder of a finished cohort, drawn by this process alone. Read only."""
    directory = tmp_path_factory.mktemp("simulation") / "cohort"
    simulate_cohort(directory, parameters, workers=1)
    return directory
