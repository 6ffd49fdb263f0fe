"""Every file below the data folder is an image, or is left out with a reason, or is on the list of skipped files."""

import os
import socket
from pathlib import Path

import pytest

from efficientmixnet.components.image_example_gen import walk as module
from efficientmixnet.components.image_example_gen.files import list_files, open_file
from efficientmixnet.components.image_example_gen.sources import LeftOut, find_images
from efficientmixnet.components.image_example_gen.walk import walk
from efficientmixnet.modules.exceptions import BadInput

SPLITS = frozenset({"train", "eval"})


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("image")


def test_linked_folders_are_read_as_those_of_the_class(folder: Path, tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        _write(tmp_path / "elsewhere" / label / "deep" / "3.png")
        (folder / label / "more").symlink_to(tmp_path / "elsewhere" / label)
    (folder / "cow").symlink_to(tmp_path / "elsewhere/cat")
    sources = find_images(str(folder), None, SPLITS)
    assert dict(sources.labels) == {"cat": 3, "dog": 3, "cow": 1}
    assert sources.left_out == ()


def test_a_link_that_leads_into_a_loop_is_left_out(folder: Path) -> None:
    (folder / "cat/all").symlink_to("..")
    (folder / "cat/self").symlink_to("../cat")
    (folder / "dog/parent").symlink_to(folder.parent)
    sources = find_images(str(folder), None, SPLITS)
    assert dict(sources.labels) == {"cat": 2, "dog": 2}
    assert sources.left_out == (
        LeftOut("cat/all", "is a link to a folder above it"),
        LeftOut("cat/self", "is the same folder as cat"),
        LeftOut("dog/parent", "is a link to a folder above it"),
    )


def test_links_that_cross_each_other_are_read_once(tmp_path: Path) -> None:
    for level in range(30):  # two links each: a billion paths
        for name in "xy":
            (tmp_path / f"a/{level}").mkdir(parents=True, exist_ok=True)
            (tmp_path / f"a/{level}/{name}").symlink_to(f"../{level + 1}")
    _write(tmp_path / "a/30/1.png")
    found = list(walk(str(tmp_path)))
    assert len([one for one in found if isinstance(one, str)]) == 1


@pytest.mark.parametrize("name", ["dog", "dog/puppies"])
def test_a_folder_that_cannot_be_listed_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _write(folder / "dog/puppies/3.png")
    _write(folder / "cow/1.png")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path == str(folder / name):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(module.os, "scandir", refuse)
    sources = find_images(str(folder), None, SPLITS)
    assert sources.left_out == (LeftOut(name, "cannot be listed: Permission denied", is_folder=True),)


def test_the_message_about_a_missing_class_names_the_folder_that_cannot_be_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = module._entries

    def refuse(path: str) -> list:
        if path.endswith("dog"):
            raise OSError(5, "Input/output error")
        return entries(path)

    monkeypatch.setattr(module, "_entries", refuse)
    with pytest.raises(BadInput, match=r"only the class 'cat'.* Left out: dog cannot be listed: Input/output error"):
        find_images(str(folder), None, SPLITS)


@pytest.mark.skipif(os.getuid() == 0, reason="root may read every folder")
def test_a_data_folder_without_access_is_refused(folder: Path) -> None:
    folder.chmod(0)
    with pytest.raises(BadInput, match=r"images cannot be listed \(Permission denied\)"):
        find_images(str(folder), None, SPLITS)


@pytest.fixture
def special(folder: Path) -> Path:
    """A pipe, a device and a socket among the images, and links to them."""
    os.mkfifo(folder / "cat/pipe.png")
    (folder / "cat/zero.png").symlink_to("/dev/zero")
    (folder / "cat/link.png").symlink_to("pipe.png")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(folder / "cat/socket.png"))
    return folder


def test_pipes_devices_and_sockets_are_left_out(special: Path) -> None:
    sources = find_images(str(special), None, SPLITS)
    assert len(sources.entries) == 4
    assert {item.name: item.reason for item in sources.left_out} == {
        f"cat/{name}.png": "cannot be read: it is a named pipe, a device or a socket"
        for name in ("pipe", "zero", "link", "socket")
    }
    assert all(item.counts for item in sources.left_out)


def test_opening_a_pipe_or_a_device_does_not_block(special: Path) -> None:
    for name in ("pipe", "zero", "link"):
        with pytest.raises(OSError, match="it is a named pipe, a device or a socket"):
            open_file(str(special / "cat" / f"{name}.png"))


def test_a_pipe_in_place_of_the_data_folder_is_refused(special: Path) -> None:
    with pytest.raises(BadInput, match=r"pipe\.png is not a folder"):
        find_images(str(special / "cat/pipe.png"), None, SPLITS)


def test_a_name_that_is_not_utf_8_does_not_hide_a_folder(folder: Path) -> None:
    _write(Path(os.fsdecode(os.fsencode(folder / "cat") + b"/\xff/1.png")))
    assert [item.row() for item in list_files(str(folder)) if isinstance(item, LeftOut)] == [
        ("cat/?/1.png", "has a name that is not UTF-8")
    ]
