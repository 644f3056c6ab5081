"""A remote cohort equals the cohort of the same folder on disk, and every error has an explanation."""

import pickle
import sys
import unicodedata
import urllib.request
import uuid

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mds_lightning.cohort.finding import CohortError
from mds_lightning.cohort.image_files import find_files
from mds_lightning.cohort.manifest import inspect_manifest, read_cohort
from mds_lightning.cohort.path_or_url import locate_file, locate_folder
from mds_lightning.cohort.remote_error import RemoteError
from mds_lightning.cohort.remote_folder import RemoteFolder
from mds_lightning.cohort.remote_image_files import find_remote_files

GOOD = "image,patient_id,label\n0.png,p0,MDS\nsub/1.png,p1,donor\n"
NFD = unicodedata.normalize("NFD", "fünf.png")


@pytest.fixture
def smears(tmp_path):
    """A folder of images, which are compared by name and bytes only."""
    folder = tmp_path / "smears"
    (folder / "sub").mkdir(parents=True)
    for number, name in enumerate(("0.png", "sub/1.png", "sub/2 ä#.png", NFD, "sub/same.png")):
        (folder / name).write_bytes(b"image %d" % number)
    (folder / "empty.png").touch()
    return folder


@pytest.fixture
def memory(smears):
    """The same folder in memory, as a URL."""
    url = f"memory://{uuid.uuid4().hex}"
    filesystem = fsspec.filesystem("memory")
    for path in (path for path in smears.rglob("*") if path.is_file()):
        filesystem.pipe_file(f"{url}/{path.relative_to(smears)}", path.read_bytes())
    return url


def write(text, smears, url):
    (smears / "manifest.csv").write_text(text)
    fsspec.filesystem("memory").pipe_file(f"{url}/manifest.csv", text.encode())
    return smears / "manifest.csv", locate_file(f"{url}/manifest.csv", "cohort.manifest")


def test_the_cohort_is_the_same_as_from_a_disk(smears, memory, task):
    local, remote = (read_cohort(manifest, task) for manifest in write(GOOD, smears, memory))
    assert remote.hash == local.hash
    assert remote.table.equals(local.table)
    assert str(remote.root) == memory
    for image in remote.table["image"]:
        assert remote.path(image).read_bytes() == local.path(image).read_bytes()
    assert str(remote.path("sub/1.png")) == f"{memory}/sub/1.png"


def test_manifest_and_images_may_be_in_different_places(smears, memory, task):
    local, remote = write(GOOD, smears, memory)
    for manifest, root in ((local, locate_folder(memory + "/", "cohort.root")), (remote, smears)):
        assert len(read_cohort(manifest, task, root).table) == 2


@pytest.mark.parametrize(
    "image",
    [
        "/etc/passwd", "C:\\smears\\0.png", "../0.png", "sub/../../0.png", "..", "sub", "empty.png", "1.png",
        "sub/l.png", "nowhere/0.png", "sub\\1.png", "./0.png", "sub/../0.png", "sub/2 ä#.png", "fünf.png",
        "Fünf.jpg", "*.png", "sub/?.png", "s3://other/0.png", "a\nb.png",
    ],
)  # fmt: skip
@pytest.mark.parametrize("column", ["image", "mask"])
def test_every_name_gives_the_same_findings_as_on_disk(smears, memory, task, image, column):
    row = f'"{image}",p2,MDS,' if column == "image" else f'sub/same.png,p2,MDS,"{image}"'
    text = f"image,patient_id,label,mask\n0.png,p0,MDS,\nsub/1.png,p1,donor,\n{row}\n"
    local, remote = (inspect_manifest(manifest, task) for manifest in write(text, smears, memory))

    def reported(inspection, root):
        return [
            (finding.code, finding.row, finding.message.replace(str(root), "ROOT"))
            for finding in inspection.findings
        ]

    assert reported(remote, memory) == reported(local, smears)
    assert set(remote.images) == set(local.images)
    assert set(remote.masks) == set(local.masks)


@given(
    parts=st.lists(
        st.sampled_from(["..", ".", "sub", "1.png", "0.png", "secret", "a"]), min_size=1, max_size=5
    )
)
@settings(deadline=None, max_examples=30)
def test_no_name_leads_outside_the_folder(parts, tmp_path_factory):
    import pandas as pd

    base = tmp_path_factory.getbasetemp() / "traversal"
    (base / "root" / "sub").mkdir(parents=True, exist_ok=True)
    filesystem = fsspec.filesystem("memory")
    for name in ("root/0.png", "root/sub/1.png", "0.png", "1.png", "secret"):
        (base / name).write_bytes(name.encode())
        filesystem.pipe_file(f"memory://traversal/{name}", name.encode())
    names = pd.Series(["/".join(parts)], index=[2], name="image")
    files, _ = find_files(names, base / "root", "manifest.csv")
    objects, findings = find_remote_files(names, RemoteFolder("memory://traversal/root"), "manifest.csv")
    # A local path a/../0.png fails if the folder a does not exist; remote paths are normalised.
    assert {named.row for named in files} <= set(objects)
    for file in objects.values():
        assert file.read_bytes().startswith(b"root/")
    assert objects or findings


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://", "does not name"),
        ("s3://bucket/", "does not name a file"),
        ("file:///smears/manifest.csv", "is on this machine"),
        ("simplecache::s3://bucket/manifest.csv", "is a chained URL"),
        ("ftp://me:secret@host/manifest.csv", "contains a password"),
    ],
)
def test_an_invalid_url_is_refused_by_its_key(url, said):
    with pytest.raises(ValueError, match=f"cohort.manifest.*{said}") as refused:
        locate_file(url, "cohort.manifest")
    assert "me:secret" not in str(refused.value)
    if said == "does not name":
        with pytest.raises(ValueError, match=r"cohort\.root=s3:// does not name a bucket"):
            locate_folder(url, "cohort.root")


def test_paths_stay_paths(tmp_path):
    assert locate_file(str(tmp_path / "a.csv"), "k") == tmp_path / "a.csv"
    assert locate_folder("C:\\smears", "k").name == "C:\\smears"


def test_a_folder_is_listed_once_and_pickled_without_its_connection(memory, monkeypatch):
    folder = RemoteFolder(memory)
    assert folder.is_dir()
    copy = pickle.loads(pickle.dumps(folder))
    fsspec.filesystem("memory").pipe_file(f"{memory}/0.png", b"another")
    assert (folder / "0.png").stat() == (copy / "0.png").stat()
    assert (RemoteFolder(memory) / "0.png").stat() != (folder / "0.png").stat()
    fsspec.filesystem("memory").pipe_file(f"{memory}/0.png", b"longer than before")
    with pytest.raises(OSError, match="it had 7 bytes") as changed:
        (copy / "0.png").read_bytes()
    assert not isinstance(changed.value, FileNotFoundError)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("gs://bucket/smears", r"pip install 'mds-lightning\[gcs\]'"),
        ("s3://bucket/smears", r"pip install 'mds-lightning\[s3\]'"),
        ("s4://bucket/smears", "Protocol not known: s4"),
    ],
)
def test_a_missing_package_is_reported_with_the_extra(monkeypatch, smears, task, url, said):
    for package in ("gcsfs", "s3fs"):
        monkeypatch.setitem(sys.modules, package, None)
    manifest, _ = write(GOOD, smears, "memory://unused")
    with pytest.raises(CohortError, match=said):
        read_cohort(manifest, task, locate_folder(url, "cohort.root"))
    [finding] = inspect_manifest(locate_file(f"{url}/m.csv", "k"), task).findings
    assert finding.file == f"{url}/m.csv"


# A real S3 server


def test_an_s3_folder_is_read_with_one_request_a_folder(store, smears, task):
    (smears / "manifest.csv").write_text(GOOD)
    url = store.upload(smears, "smears")
    cohort = read_cohort(locate_file(f"{url}/manifest.csv", "cohort.manifest"), task)
    assert [path.rpartition("/")[2] for path in store.reads] == ["manifest.csv"]
    # Two folders are listed, and the manifest is read.
    assert len(store.requests) == 3
    assert cohort.path("sub/1.png").read_bytes() == b"image 1"
    # A header alone: one block of a large file.
    store.filesystem().pipe_file(f"{url}/large.tif", bytes(200_000) + b"end")
    store.clear()
    with (RemoteFolder(url) / "large.tif").open("rb") as file:
        assert file.read(4) == bytes(4)
        assert len(store.reads) == 1
        assert file.seek(-3, 2) == 200_000
        assert file.read() == b"end"
        file.seek(0)
        assert len(file.read()) == 200_003


def test_a_listing_of_several_pages_is_complete(store, monkeypatch):
    filesystem = store.filesystem()
    filesystem.pipe({f"{store.bucket}/many/{number}.png": b"x" for number in range(7)})
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    store.clear()
    assert len(RemoteFolder(f"{store.bucket}/many").entries("")) == 7
    assert len(store.requests) == 3


def test_missing_folders_and_files_are_reported(store, smears, task):
    manifest, _ = write(GOOD, smears, "memory://unused")
    for url in (f"{store.bucket}/nowhere", "s3://no-such-bucket/smears"):
        with pytest.raises(CohortError, match=f"cohort.root={url} is not a bucket or folder, or it is empty"):
            read_cohort(manifest, task, locate_folder(url, "cohort.root"))
        with pytest.raises(CohortError, match=f"{url}/m.csv: does not exist: correct cohort.manifest"):
            read_cohort(locate_file(f"{url}/m.csv", "cohort.manifest"), task)


def test_missing_and_refused_credentials_are_reported(store, smears, monkeypatch):
    url = store.upload(smears, "smears")
    reset = f"{store.environment['AWS_ENDPOINT_URL']}/moto-api/reset-auth"

    def allow(actions):
        plain = {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(reset, actions, plain, method="POST")).close()

    allow(b"0")
    try:
        with pytest.raises(RemoteError, match=r"credentials are missing or refused .*AWS_ACCESS_KEY_ID"):
            RemoteFolder(url).is_dir()
    finally:
        allow(b"Infinity")
    assert RemoteFolder(url).is_dir()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(RemoteError, match=r"credentials are missing.*FSSPEC_S3_ANON"):
        RemoteFolder(url).is_dir()


def test_an_unreachable_server_is_reported(store, smears, task):
    (smears / "manifest.csv").write_text(GOOD)
    url = store.upload(smears, "smears")
    folder = RemoteFolder(url)
    assert folder.is_dir()
    store.stop()
    with pytest.raises(RemoteError, match=r"server cannot be reached .*AWS_ENDPOINT_URL"):
        (folder / "0.png").read_bytes()
    with pytest.raises(CohortError, match="server cannot be reached"):
        read_cohort(smears / "manifest.csv", task, RemoteFolder(url))
