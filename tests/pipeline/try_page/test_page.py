"""The page in a browser: images that are chosen, dropped, pasted and taken, on large and small screens."""

import base64

import pytest

DROP = """(async () => {
  const bytes = Uint8Array.from(atob("%s"), (one) => one.charCodeAt(0));
  const given = new DataTransfer();
  given.items.add(new File([bytes], "%s", { type: "image/png" }));
  const name = "%s";
  const event = name === "paste" ? new ClipboardEvent(name, { clipboardData: given, bubbles: true })
    : new DragEvent(name, { dataTransfer: given, bubbles: true });
  document.getElementById("drop").dispatchEvent(event);
})()"""
CARD = "document.querySelector('.tried')"


@pytest.fixture(params=[(1280, False), (390, True)], ids=["desktop, light", "phone, dark"])
def page(request, server, chromium):
    width, dark = request.param
    opened = chromium.open(server.url, width=width, dark=dark)
    yield opened
    # No message, and no request to anything but the server.
    assert opened.said == []
    assert {address.startswith(server.url) for address in opened.requests} == {True}
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def _choose(page, file) -> None:
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector="#files")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])


def test_a_chosen_image_gets_its_labels_and_the_map_of_the_first(page, image_file):
    _choose(page, image_file)
    page.wait_for(f"{CARD}?.querySelector('.map')?.naturalWidth === 320")
    assert page.evaluate(f"{CARD}.querySelector('figcaption').innerText") == "a <i>.png"
    labels = page.evaluate(f"[...{CARD}.querySelectorAll('li')].map((one) => one.innerText.split('\\n').join(' '))")
    assert [label.replace("\u00a0", " ") for label in labels] == ["große Bären 75.0 %", "bright <b> 25.0 %"]
    assert page.evaluate(f"{CARD}.querySelector('[aria-pressed=true]').dataset.label") == "große Bären"
    widths = page.evaluate(f"[...{CARD}.querySelectorAll('i')].map((one) => one.getBoundingClientRect().width)")
    assert widths[0] == pytest.approx(3 * widths[1], rel=0.01)


def test_another_label_shows_its_map_with_the_keyboard(page, image_file):
    _choose(page, image_file)
    page.wait_for(f"{CARD}?.querySelector('.map')?.naturalWidth === 320")
    first = page.evaluate(f"{CARD}.querySelector('.map').src")
    page.evaluate(f"{CARD}.querySelectorAll('li button')[1].focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r")
    page.wait_for(f"{CARD}.querySelector('.map')?.title === 'Regions important for bright <b>'")
    assert page.evaluate(f"{CARD}.querySelectorAll('.map').length") == 1
    assert page.evaluate(f"{CARD}.querySelector('.map').src") != first


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_dropped_and_pasted_images_are_classified(page, quarter_white, event):
    page.evaluate(DROP % (base64.b64encode(quarter_white).decode(), event, event))
    page.wait_for(f"{CARD}?.querySelectorAll('img').length === 2")
    assert page.evaluate(f"{CARD}.querySelector('figcaption').innerText") == event


@pytest.fixture
def photographs(quarter_white, tmp_path):
    """A folder with two images, one of them deeper, and 120 files that are no images."""
    folder = tmp_path / "photo graphs"
    (folder / "more").mkdir(parents=True)
    for name in ("a.png", "more/b <i>.png"):
        (folder / name).write_bytes(quarter_white)
    for name in (".DS_Store", *(f"{number}.txt" for number in range(119))):
        (folder / name).write_text("no image")
    return folder


def _drop(page, *paths) -> None:
    box = page.evaluate("document.getElementById('drop').getBoundingClientRect().toJSON()")
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.call("Input.dispatchDragEvent", type=kind, x=box["x"] + 10, y=box["y"] + 10, data=data)


def test_the_images_of_a_dropped_folder_are_classified(page, photographs, image_file):
    _drop(page, photographs, image_file)
    page.wait_for("document.querySelectorAll('.tried .map').length === 3")
    names = page.evaluate("[...document.querySelectorAll('.tried figcaption')].map((one) => one.innerText)")
    assert names == ["a <i>.png", "photo graphs/more/b <i>.png", "photo graphs/a.png"]  # the last one first


def test_a_folder_without_images_says_so(page, tmp_path):
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    _drop(page, tmp_path / "empty")
    page.wait_for(f"Boolean({CARD}?.querySelector('.bad'))")
    assert page.evaluate(f"{CARD}.innerText.split('\\n').filter(Boolean)") == ["empty", "The folder has no images."]
    assert not any("classify" in address for address in page.requests)


def test_a_folder_with_many_images_is_read_to_its_end(page, quarter_white, tmp_path):
    """The browser lists at most 100 files in a call."""
    (tmp_path / "many").mkdir()
    for number in range(103):
        (tmp_path / "many" / f"{number}.png").write_bytes(b"" if number else quarter_white)
    _drop(page, tmp_path / "many")
    page.wait_for("document.querySelectorAll('.tried').length === 103")
    assert page.evaluate("document.querySelectorAll('.tried img').length") == 2
    assert page.evaluate(f"{CARD}.querySelector('figcaption').innerText") == "many/102.png"


def test_a_folder_that_cannot_be_listed_has_its_reason_on_the_page(page):
    page.evaluate(
        """addFolder({ isDirectory: true, name: "lost", fullPath: "/lost",
          createReader: () => ({ readEntries: (done, failed) => failed(new DOMException("gone")) }) })"""
    )
    page.wait_for(f"Boolean({CARD}?.querySelector('.bad'))")
    assert page.evaluate(f"{CARD}.querySelector('.bad').innerText") == "The folder cannot be read."


@pytest.mark.parametrize("change", [lambda file: file.unlink(), lambda file: file.write_text("other")])
def test_a_file_that_changed_after_it_was_chosen_cannot_be_read(page, image_file, change):
    """Its first label has a map already. A further one needs the file again."""
    _choose(page, image_file)
    page.wait_for(f"{CARD}?.querySelector('.map')?.naturalWidth === 320")
    change(image_file)
    page.evaluate(f"{CARD}.querySelectorAll('li button')[1].click()")
    page.wait_for(f"Boolean({CARD}.querySelector('.bad'))")
    assert page.evaluate(f"{CARD}.querySelector('.bad').innerText") == "The file cannot be read."


def test_a_photo_of_the_camera_is_classified(page):
    """Chromium's test camera shows a green image with a clock."""
    page.evaluate("document.getElementById('camera').click()")
    page.wait_for("document.getElementById('video').videoWidth > 0")
    page.evaluate("document.getElementById('photo').click()")
    page.wait_for(f"{CARD}?.querySelectorAll('img').length === 2")
    page.evaluate("document.getElementById('stop').click()")
    assert page.evaluate("document.getElementById('live').hidden && !document.getElementById('video').srcObject")


def test_a_file_that_is_no_image_has_its_reason_on_the_page(page, tmp_path):
    (tmp_path / "notes.png").write_text("no image")
    _choose(page, tmp_path / "notes.png")
    page.wait_for(f"Boolean({CARD}?.querySelector('.bad'))")
    assert page.evaluate(f"{CARD}.innerText").startswith("notes.png")


def test_an_image_that_is_too_large_is_not_sent(page, tmp_path):
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(50_000_001)
    _choose(page, tmp_path / "large.png")
    page.wait_for(f"Boolean({CARD}?.querySelector('.bad'))")
    assert page.evaluate(f"{CARD}.querySelector('.bad').innerText") == "The image has more than 50 MB."
    assert not any("classify" in address for address in page.requests)
