"""`mds-lightning VERB [overrides]`: finds the verb and hands over to Hydra."""

import sys
from difflib import get_close_matches
from pathlib import Path

VERBS = {
    "simulate": "draw bone-marrow smears with masks and a manifest",
    "check": "list every fault of a manifest and its files",
    "train": "train and test a fold; -m: every fold, and every backbone given",
    "test": "test what a search has chosen on validation: its one look at the test patients",
    "explain": "maps of images of a finished run or study, by the model that never saw their patients",
    "evaluate": "pool a study's folds: metrics with intervals, ROC figure",
    "report": "one HTML page of a study that opens with the answer, to be handed on",
    "study": "show (study show) or tidy up (study clean) a sweep; put it on W&B (study publish)",
}

_USAGE = """\
usage: mds-lightning VERB [KEY=VALUE ...]

{verbs}

  mds-lightning VERB --help     every key of the verb and its value
  mds-lightning VERB --cfg job  the composed configuration

examples:
  mds-lightning check cohort.manifest=smears/manifest.csv task=mds_vs_donor
  mds-lightning train -m experiment=mds_vs_donor cohort.manifest=smears/manifest.csv
  mds-lightning evaluate study=runs/mds_vs_donor"""


def conf_directory() -> Path:
    """Hydra's configuration: in the package of an installed wheel, at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def main() -> None:
    """Run `sys.argv`; exits 0 on success, 1 on a bug, 2 on a user's mistake."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE.format(verbs="\n".join(f"  {verb:9} {what}" for verb, what in VERBS.items())))
        return
    if arguments[0] == "--version":
        from mds_lightning import __version__

        print(__version__)
        return
    verb, *overrides = arguments
    if verb not in VERBS:
        near = get_close_matches(verb, VERBS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"choose one of {', '.join(VERBS)}"
        print(f"mds-lightning: '{verb}' is not a verb: {hint}", file=sys.stderr)
        raise SystemExit(2)

    if verb == "study" and overrides and overrides[0].isalpha():
        overrides[0] = f"action={overrides[0]}"

    from mds_lightning.cli.verb import run_verb

    run_verb(verb, overrides, conf_directory())
