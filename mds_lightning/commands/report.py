"""`mds-lightning report`: one self-contained HTML page of a study, and a model card beside it."""

from pathlib import Path

from omegaconf import DictConfig

from mds_lightning.commands.estimate_settings import read_estimate_settings
from mds_lightning.commands.location import read_location
from mds_lightning.commands.visible_console import open_console
from mds_lightning.reporting.page.html_report import write_report
from mds_lightning.reporting.page.model_card import write_model_card
from mds_lightning.studies.folder_links import refuse_links_outside
from mds_lightning.studies.study import load_study


def report(config: DictConfig) -> Path:
    """Write `evaluation/report.html` and `evaluation/model_card.md` of a finished study; return the page.

    Args:
        config: `conf/report.yaml`.

    Raises:
        ValueError: There is no such study, or a fold is unfinished or does not fit the split.
        OutsideFolderError: Without `output`, the page would be written through a link out of the study.
    """
    location = read_location(config)
    study = load_study(config.study, location.manifest, location.root)
    folder = study.directory.evaluation if config.output is None else Path(config.output)
    if config.output is None:
        refuse_links_outside(study.directory.path, folder)
    path = folder / "report.html"
    page = write_report(study, read_estimate_settings(config), path)
    card = write_model_card(page, folder / "model_card.md")
    console = open_console()
    console.print(
        f"{page.task}, {page.selection.label}: ROC-AUC within folds {page.headline}, "
        f"{page.flow.studied.patients} held-out patients",
        highlight=False,
        markup=False,
    )
    for written in (path, card):
        console.print(f"wrote {written}", soft_wrap=True, highlight=False, markup=False)
    return path
