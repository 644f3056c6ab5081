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
        look, _ = make_dysplastic(rng, kind.look, draw_dysplasia(rng), kind.lineage)
        assert look != kind.look
    # Even in a clone that never shows any of them.
    assert make_dysplastic(np.random.default_rng(0), kind.look, NEVER, kind.lineage)[0] != kind.look


@pytest.mark.parametrize("kind", [kind for kind in CLONAL if kind.lineage == "granulocytic"])
def test_hypogranular_granulocytes_have_lost_granules_and_pink(kind):
    look, growth = make_dysplastic(np.random.default_rng(0), kind.look, ALWAYS, "granulocytic")
    assert not look.granules
    assert look.dust.eosin == 0
    assert look.cytoplasm.eosin < kind.look.cytoplasm.eosin
    assert look.nucleus.clumping > kind.look.nucleus.clumping
    assert look.nucleus.shape in ("pelger", "double")
    assert growth > 1


def test_megaloblastoid_erythroblasts_are_large_with_open_chromatin():
    for kind in (kind for kind in CLONAL if kind.lineage == "erythroid"):
        look, growth = make_dysplastic(np.random.default_rng(0), kind.look, ALWAYS, "erythroid")
        assert growth >= 1.3
        assert look.nucleus.density <= kind.look.nucleus.density
        # The cytoplasm matures as if nothing were wrong: that is the dissociation.
        assert look.cytoplasm == kind.look.cytoplasm
