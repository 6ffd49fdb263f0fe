"""The command try: serves a page on this machine that classifies images in the browser."""

from pathlib import Path

import click

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.modules.exported_model import newest_version
from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.terminal import echo


@click.command("try")
@click.argument("model")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="The port.  [default: a free one]")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def try_(model: str, port: int, show: bool) -> None:
    """Classify images with MODEL in the browser.

    MODEL is a pushed model, the folder of pushed models, or the output folder of runs. The page shows the most probable
    labels of the images that are dropped, pasted, chosen or taken with the camera, and the regions that each label
    depends on. Only this machine can open the page, and no image leaves it. Ctrl-C stops the command.
    """
    folder = newest_version(Path(model))  # an error comes before TensorFlow is imported
    announce("loading TensorFlow")
    from efficientmixnet.pipeline.scoring.classifier import Classifier
    from efficientmixnet.pipeline.scoring.import_tensorflow import import_tensorflow
    from efficientmixnet.pipeline.try_page.explained import Explained
    from efficientmixnet.pipeline.try_page.page import render
    from efficientmixnet.pipeline.try_page.server import MOST_BYTES, Server

    import_tensorflow()
    classifier = Classifier(str(folder))
    page = render(str(folder), len(classifier.labels), MOST_BYTES)
    try:
        server = Server(port, page, Explained(classifier))
    except OSError as error:
        raise BadInput(f"--port {port}: cannot be used: {error.strerror}; give another one") from None
    with server:
        echo(f"{server.url}  (Ctrl-C stops)")
        if show:
            click.launch(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            echo("stopped", err=True)
