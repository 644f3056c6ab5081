"""`mds-lightning evaluate`: every metric, table and figure of a study."""

from omegaconf import DictConfig

from mds_lightning.commands.estimate_settings import read_estimate_settings
from mds_lightning.commands.location import read_location
from mds_lightning.commands.visible_console import open_console
from mds_lightning.reporting.evaluation import Evaluation, evaluate_study


def evaluate(config: DictConfig) -> Evaluation:
    """Write the `evaluation/` folder of a study, and print its metrics.

    Args:
        config: `conf/evaluate.yaml`.

    Raises:
        ValueError: There is no such study, or a fold is unfinished or does not fit the split.
        UntestedError: It is a search, and trials that have to be reported were not tested.
    """
    evaluation = evaluate_study(
        config.study, read_estimate_settings(config), config.selection, read_location(config), config.output
    )
    console = open_console()
    for item in evaluation.summary:
        if isinstance(item, str):
            console.print(item, soft_wrap=True, highlight=False, markup=False)
        else:
            console.print(item)
    return evaluation
