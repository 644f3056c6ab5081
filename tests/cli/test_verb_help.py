import subprocess
import sys

import pytest

from mds_lightning.cli import VERBS, conf_directory
from mds_lightning.cli.verb_help import describe_verb
from mds_lightning.commands.key_documentation import list_keys
from mds_lightning.commands.schema import PARAMETERS


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_every_key_of_a_verb(verb):
    lines = describe_verb(verb, VERBS[verb], [], conf_directory()).splitlines()
    for key in list_keys(PARAMETERS[verb]):
        assert any(line.startswith((f"  {key.name}=", f"  {key.name}:")) for line in lines), key


def test_help_shows_type_value_and_documentation():
    text = describe_verb("train", "", ["data.batch_size=7", "trainer=gpu"], conf_directory())
    assert "  data.batch_size=7  (int)\n      Images per step and device.\n" in text
    assert "  data.on_error=raise  (raise|skip)\n" in text
    assert "precision: bf16-mixed" in text
    assert "augmentation=light, none, paper (default), stain" in text


def test_a_required_key_is_marked():
    assert "  study=REQUIRED  (str)\n" in describe_verb("evaluate", "", [], conf_directory())


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["evaluate", "--help"]], ids=" ".join)
def test_help_imports_no_torch(arguments):
    program = (
        "import sys; sys.argv[0] = 'mds-lightning'; from mds_lightning.cli import main; main(); "
        "sys.exit('torch imported' if 'torch' in sys.modules else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: mds-lightning")


def test_a_mistyped_override_is_refused_with_the_nearest_key():
    program = "from mds_lightning.cli import main; main()"
    command = [sys.executable, "-c", program, "train", "data.batch_sise=4", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Did you mean: 'batch_size'?" in done.stderr
