"""Rendering of the fields of a cohort to files, in one or several processes, with the same bytes."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import cv2
from PIL import Image
from tqdm import tqdm

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.simulation.simulated_field import draw_field
from mds_lightning.cohort.simulation.simulated_patients import (
    PatientKey,
    draw_patient,
    field_seed,
    list_patients,
)
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters

_JPEG_QUALITY = 92
#: Least number of fields per process; starting a process takes about a second.
_FIELDS_PER_PROCESS = 8


@dataclass(frozen=True)
class FieldKey:
    """One field of view of one patient.

    Attributes:
        patient: The patient.
        field: Number of the field, from 0.
    """

    patient: PatientKey
    field: int

    @property
    def image(self) -> str:
        """Path of the photograph, relative to the manifest."""
        return f"images/{self.patient.patient_id}-{self.field + 1}.jpg"

    @property
    def mask(self) -> str:
        """Path of the mask, relative to the manifest."""
        return f"masks/{self.patient.patient_id}-{self.field + 1}.png"


def list_fields(parameters: SimulationParameters) -> list[FieldKey]:
    """Every field of the cohort, in the order of the manifest."""
    return [
        FieldKey(patient, field)
        for patient in list_patients(parameters)
        for field in range(parameters.fields[patient.label])
    ]


def render_fields(
    directory: Path, parameters: SimulationParameters, pending: list[FieldKey], total: int, workers: int
) -> None:
    """Draw `pending` fields into `directory`, with a progress bar over all `total` on standard error.

    Raises:
        RuntimeError: A drawing process was killed. Finished files remain; the next call continues.
    """
    workers = min(workers, max(1, len(pending) // _FIELDS_PER_PROCESS))
    bar = tqdm(total=total, initial=total - len(pending), desc="simulate", unit="field", file=sys.stderr)
    with bar:
        for _ in _draw(directory, parameters, pending, workers):
            bar.update()


def _draw(
    directory: Path, parameters: SimulationParameters, pending: Iterable[FieldKey], workers: int
) -> Iterator[None]:
    if workers == 1:
        for key in pending:
            _draw_file(directory, parameters, key)
            yield
        return
    # Spawned: a forked child of a parent with threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    try:
        for done in as_completed([pool.submit(_draw_file, directory, parameters, key) for key in pending]):
            done.result()
            yield
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"a process that draws fields into {directory} was killed (out of memory? a script that calls "
            "simulate_cohort outside `if __name__ == '__main__':`?): call again to continue, or use workers=1"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _draw_file(directory: Path, parameters: SimulationParameters, key: FieldKey) -> None:
    patient = draw_patient(parameters, key.patient)
    seed = field_seed(parameters, key.patient, key.field)
    field = draw_field(patient, seed, parameters.width, parameters.height)
    # The image is written last: if it exists, its mask exists too.
    with write_atomically(directory / key.mask) as temporary:
        Image.fromarray(field.mask).save(temporary, compress_level=4)
    with write_atomically(directory / key.image) as temporary:
        Image.fromarray(field.image).save(temporary, quality=_JPEG_QUALITY)


def _start_worker() -> None:
    cv2.setNumThreads(1)  # the processes share the cores already
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which stops its children
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    # A killed parent cannot stop its children: they would wait for work forever.
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
