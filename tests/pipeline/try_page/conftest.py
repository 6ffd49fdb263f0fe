"""Fixtures: a server of the page with a model whose predictions can be computed by hand, and images for it."""

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from efficientmixnet.pipeline.scoring.classifier import Classifier
from efficientmixnet.pipeline.try_page.explained import Explained
from efficientmixnet.pipeline.try_page.page import render
from efficientmixnet.pipeline.try_page.server import MOST_BYTES, Server

LABELS = ("bright <b>", "große Bären")


@pytest.fixture(scope="session")
def explained(tmp_path_factory: pytest.TempPathFactory, push_brightness: Callable[..., None]) -> Explained:
    folder = tmp_path_factory.mktemp("pushed") / "7"
    push_brightness(folder, *LABELS)
    return Explained(Classifier(str(folder)))


@pytest.fixture(scope="session")
def server(explained: Explained) -> Iterator[Server]:
    with Server(0, render("</title><b>runs", len(LABELS), MOST_BYTES), explained) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def quarter_white() -> bytes:
    """An image whose right fourth is white: the first class has a probability of 0.25."""
    pixels = np.zeros([64, 64, 3], np.uint8)
    pixels[:, 48:] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def image_file(quarter_white: bytes, tmp_path: Path) -> Path:
    file = tmp_path / "a <i>.png"
    file.write_bytes(quarter_white)
    return file
