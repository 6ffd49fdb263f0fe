"""write_digits: scikit-learn's handwritten digits as PNG files, in one folder for each class."""

import os
from pathlib import Path

_BRIGHTEST = 16  # Gray levels go from 0 to 16.


def write_digits(folder: Path) -> int:
    """Writes 1,797 images of 8 x 8 pixels as LABEL/NUMBER.png, and returns their number.

    E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        if path.exists():
            continue  # A new file would change the fingerprint of the images, and cached results would not be used.
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")  # A killed command leaves no image in part.
        Image.fromarray((pixels * (255 / _BRIGHTEST)).astype("uint8")).save(part, "PNG")
        part.replace(path)
    return len(digits.images)
