"""A user's mistake ends in one message with the fix, and exit code 2."""

from uuid import uuid4

import pytest

#: Stands for the overrides of the small study.
SMALL = "small"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "trian.max_epochs=3"], "'trainer'"),
        (["train", "backbone=resnet19"], "Did you mean 'backbone=resnet18'"),
        (["train", "cohort=manifest"], "cohort.manifest"),
        (["train", "cohort.manifest=absent.csv"], "absent.csv"),
        (["train", SMALL, "fold=7"], "fold=7 does not exist: this study has folds 0 to 1"),
        (["train", SMALL, "augmentation.crop=2"], "augmentation.crop is 2"),
        (["train", SMALL, "backbone=timm", "backbone.name=resnet1"], "resnet1"),
        (["train", SMALL, "backbone.weights=absent.safetensors"], "absent.safetensors"),
        (["train", SMALL, "callbacks.early_stopping.patients=3"], "patients"),
        (["train", SMALL, "trainer.devices=0"], "devices"),
        (["train", SMALL, "cohort.simulation.signal=7"], "cohort.simulation.signal"),
        (["train", SMALL, "classifier.learning_rate=1e30"], "epoch 0"),
        (
            ["train", SMALL, "backbone=resnet18", "data.image_size=[32,32]", "data.batch_size=1"],
            "data.batch_size=8",
        ),
        (["evaluate", "study=runs/absent"], "runs/absent is not a directory"),
        (["evaluate"], "study"),
        (["explain", "run=runs/absent"], "run=runs/absent is no run"),
        (["train", "cohort.manifest=a\x1b[2J\u202eb"], r"a\x1b[2J\u202eb"),
        (["chekc"], "did you mean 'check'"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_one_message_and_exit_code_2(workplace, mds_lightning, small, arguments, said):
    given = [
        word
        for argument in arguments
        for word in ([*small, f"study={uuid4().hex}", "fold=0"] if argument == SMALL else [argument])
    ]
    refused = mds_lightning(*given, cwd=workplace)
    assert refused.returncode == 2, refused.stderr
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "Error executing job" not in refused.stderr


def test_hydra_full_error_gives_the_traceback(workplace, mds_lightning):
    refused = mds_lightning("train", "cohort.manifest=absent.csv", cwd=workplace, HYDRA_FULL_ERROR="1")
    assert refused.returncode == 1
    assert "Traceback" in refused.stderr
