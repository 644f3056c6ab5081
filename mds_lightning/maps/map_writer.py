"""From images to `<image>.npz` and `<image>.png`, for the callback and for the command."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.explain.crop_occlusion import Part
from mds_lightning.explain.methods import explain, explain_parts, make_engine
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.maps.fingerprint import Stamp, digest_weights, make_stamp, read_stamp
from mds_lightning.maps.image_selection import file_name
from mds_lightning.maps.map_record import MapRecord, Subject, make_record
from mds_lightning.maps.overlay import draw_overlay

log = logging.getLogger(__name__)

#: Images that are explained side by side.
_TOGETHER = 4
#: Folders of a run's maps for images that the fold did not test; readers of a study look at test images only.
_FOLDERS = {"test": "", "external": "external", "foreign": "not_of_the_cohort"}


class MapWriter:
    """Writes the maps of one model by one method into one folder.

    A map that is there, made in the same way by the same weights of the same pixels, is not made again.

    Args:
        directory: Where the files go; external and foreign images have folders of their own in it.
        model: What is asked; see `OcclusionEngine`.
        classes: Of the task.
        parameters: How.
        mean: The data set's mean colour (3,), for baseline `mean`.
    """

    def __init__(
        self,
        directory: Path,
        model: nn.Module,
        classes: Sequence[str],
        parameters: ExplanationParameters,
        mean: Tensor | None = None,
    ) -> None:
        self.directory = directory
        self.classes = classes
        self.parameters = parameters
        self.engine = make_engine(model, parameters, mean)
        self._weights = digest_weights(model)

    def path(self, subject: Subject) -> Path:
        """The files of an image, without their suffix."""
        return self.directory / _FOLDERS[subject.origin] / file_name(subject.image)

    def write(
        self,
        subjects: Sequence[Subject],
        read: Callable[[Subject], Tensor],
        description: str,
        parts: Callable[[Subject], Iterable[Part]] | None = None,
    ) -> list[Path]:
        """Explain images and return their pictures, in the same order.

        Args:
            subjects: The images.
            read: Gives the network's view of one, uint8 (3, H, W).
            description: Of the progress bar.
            parts: Gives the parts of one, where the verdict is the mean over parts.

        Raises:
            ValueError: The method does not suit the network, or the windows the images.
        """
        waiting: list[tuple[Subject, Tensor, Stamp]] = []
        bar = tqdm(
            total=len(subjects),
            desc=description,
            unit="image",
            leave=False,
            dynamic_ncols=True,
            # A log file gets a line now and then, not one an image.
            mininterval=0.1 if sys.stderr.isatty() else 30,
        )
        with bar:
            for last, subject in enumerate(subjects, start=1):
                field = read(subject)
                stamp = make_stamp(self.parameters, self._weights, field)
                if self._is_there(subject, stamp):
                    bar.update(1)
                else:
                    waiting.append((subject, field, stamp))
                if len(waiting) == (_TOGETHER if parts is None else 1) or last == len(subjects):
                    self._explain(waiting, bar.update, parts)
                    waiting = []
        return [_picture(self.path(subject)) for subject in subjects]

    def _explain(
        self,
        waiting: Sequence[tuple[Subject, Tensor, Stamp]],
        report: Callable[[int], object],
        parts: Callable[[Subject], Iterable[Part]] | None,
    ) -> None:
        if not waiting:
            return
        if parts is None:
            images = torch.stack([field for _, field, _ in waiting])
            explanation = explain(self.engine, images, self.parameters)
        else:
            [(subject, field, _)] = waiting
            explanation = explain_parts(self.engine, field, parts(subject), self.parameters)
        for position, (subject, field, stamp) in enumerate(waiting):
            record = make_record(subject, explanation, position, self.classes, self.parameters, stamp)
            _save(record, field, self.path(subject))
            report(1)

    def _is_there(self, subject: Subject, stamp: Stamp) -> bool:
        path = self.path(subject)
        # The picture is written last.
        return _picture(path).is_file() and _arrays(path).is_file() and read_stamp(_arrays(path)) == stamp

    def refuse_others(self) -> None:
        """Raise where the folder holds maps of another way or model: a reader would mix them up.

        Raises:
            ValueError: It does.
        """
        for file, found in self._others():
            raise ValueError(
                f"{file.parent} holds maps made in another way ({self._kind.explain_difference(found)}): "
                "give output=DIR for these, or delete it"
            )

    def remove_others(self) -> None:
        """Remove maps of another way or model, which an interrupted run left."""
        for file, _ in self._others():
            file.unlink()
            file.with_suffix(".png").unlink(missing_ok=True)

    @property
    def _kind(self) -> Stamp:
        return make_stamp(self.parameters, self._weights, torch.zeros(0, dtype=torch.uint8))

    def _others(self) -> Iterator[tuple[Path, Stamp | None]]:
        kind = self._kind
        for folder in (self.directory / name for name in _FOLDERS.values()):
            for file in sorted(folder.glob("[!.]*.npz")):
                found = read_stamp(file)
                if not kind.is_of_one_kind(found):
                    yield file, found


def _save(record: MapRecord, field: Tensor, path: Path) -> None:
    with write_atomically(_arrays(path)) as temporary:
        np.savez_compressed(temporary, **record.arrays)
    importance = record.arrays["importance"][record.shown]
    drawn = draw_overlay(field.permute(1, 2, 0).numpy(), importance, record.title, record.remark)
    with write_atomically(_picture(path)) as temporary:
        temporary.write_bytes(drawn)


def _arrays(path: Path) -> Path:
    return path.with_name(f"{path.name}.npz")


def _picture(path: Path) -> Path:
    return path.with_name(f"{path.name}.png")
