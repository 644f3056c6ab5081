import pytest
from omegaconf import OmegaConf

from mds_lightning.search.grid import grid_cells
from mds_lightning.search.space import read_space
from mds_lightning.search.swept_seeds import add_seeds

FOLDS = ["fold=choice(0,1)"]


def config(seeds: int, seed: int = 0):
    return OmegaConf.create({"seeds": seeds, "seed": seed})


def test_every_fold_is_trained_with_each_seed_one_seed_after_another():
    space = add_seeds(read_space([*FOLDS, "seed=5", "study=made"]), config(3, 5), is_grid=True)
    cells = grid_cells(
        space, lambda one: range(one.low, one.high + 1) if hasattr(one, "low") else one.choices
    )
    assert cells == [{"seed": seed, "fold": fold} for seed in (5, 6, 7) for fold in (0, 1)]
    assert space.overrides(cells[0]) == ("seed=5", "fold=0", "study=made", "seed_folder='/seed-${seed}'")


def test_one_seed_and_other_programs_are_left_alone():
    space = read_space([*FOLDS, "seed=5"])
    assert add_seeds(space, config(1, 5), is_grid=True) is space
    assert add_seeds(space, OmegaConf.create({}), is_grid=False) is space


@pytest.mark.parametrize(
    ("arguments", "seeds", "is_grid", "message"),
    [
        (["seed=0,1"], 1, True, "seeds=3 seed=0 trains with the seeds 0, 1 and 2"),
        ([], 0, True, "seeds=0: give a number from 1"),
        ([], 3, False, "seeds=3 in a search: a search trains each setting with one seed"),
    ],
)
def test_what_has_no_meaning_is_refused(arguments, seeds, is_grid, message):
    with pytest.raises(ValueError, match=message):
        add_seeds(read_space([*FOLDS, *arguments]), config(seeds), is_grid)
