import numpy as np
import pytest

from mds_lightning.cohort.simulation.dysplasia import Dysplasia, draw_dysplasia, make_dysplastic
from mds_lightning.cohort.simulation.marrow import KINDS

CLONAL = [kind for kind in KINDS if kind.lineage != "other"]
NEVER, ALWAYS = Dysplasia(0, 0, 0, 0, 0), Dysplasia(1, 1, 1, 1, 1)


@pytest.mark.parametrize("kind", CLONAL)
def test_every_dysplastic_cell_shows_a_sign(kind):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        appearance, _ = make_dysplastic(rng, kind.appearance, draw_dysplasia(rng), kind.lineage)
        assert appearance != kind.appearance
    # Even if every probability is 0.
    assert (
        make_dysplastic(np.random.default_rng(0), kind.appearance, NEVER, kind.lineage)[0] != kind.appearance
    )


@pytest.mark.parametrize("kind", [kind for kind in CLONAL if kind.lineage == "granulocytic"])
def test_hypogranular_granulocytes_have_no_granules_and_little_eosin(kind):
    appearance, growth = make_dysplastic(np.random.default_rng(0), kind.appearance, ALWAYS, "granulocytic")
    assert not appearance.granules
    assert appearance.dust.eosin == 0
    assert appearance.cytoplasm.eosin < kind.appearance.cytoplasm.eosin
    assert appearance.nucleus.clumping > kind.appearance.nucleus.clumping
    assert appearance.nucleus.shape in ("pelger", "double")
    assert growth > 1


def test_megaloblastoid_erythroblasts_are_large_with_open_chromatin():
    for kind in (kind for kind in CLONAL if kind.lineage == "erythroid"):
        appearance, growth = make_dysplastic(np.random.default_rng(0), kind.appearance, ALWAYS, "erythroid")
        assert growth >= 1.3
        assert appearance.nucleus.density <= kind.appearance.nucleus.density
        # The cytoplasm matures normally: nuclear-cytoplasmic dissociation.
        assert appearance.cytoplasm == kind.appearance.cytoplasm
