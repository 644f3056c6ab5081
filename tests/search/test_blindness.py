"""Which samplers and pruners leave a search blind."""

import pytest
from omegaconf import OmegaConf

from mds_lightning.search.blindness import complete_identity, is_blind

SOBOL = "mds_lightning.search.sobol_sampler.SobolSampler"
WILCOXON = "optuna.pruners.WilcoxonPruner"


@pytest.mark.parametrize(
    ("sampler", "pruner", "blind"),
    [
        (SOBOL, None, True),
        ("optuna.samplers.RandomSampler", None, True),
        ("optuna.samplers.QMCSampler", "optuna.pruners.NopPruner", True),
        (SOBOL, WILCOXON, False),
        ("optuna.samplers.TPESampler", None, False),
        ("optuna.samplers.GPSampler", None, False),
        ("hydra_plugins.hydra_optuna_sweeper._impl.create_nsgaii_sampler", None, False),
    ],
)
def test_a_search_is_blind_if_neither_sampler_nor_pruner_uses_results(sampler, pruner, blind) -> None:
    configs = [None if name is None else OmegaConf.create({"_target_": name}) for name in (sampler, pruner)]
    assert is_blind(*configs) is blind


def test_a_search_that_did_not_record_it_counts_as_adaptive() -> None:
    assert complete_identity({"kind": "search"})["proposals"] == "adaptive"
    assert complete_identity({"kind": "search", "proposals": "blind"})["proposals"] == "blind"
    assert "proposals" not in complete_identity({"kind": "grid"})
