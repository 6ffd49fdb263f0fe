"""The embedded data set: scikit-learn's handwritten digits, 1,797 real images, as PNG files in a folder per class."""

from pathlib import Path

_BRIGHTEST = 16  # the images have 17 levels of gray, 0 to 16


def write_digits(folder: Path) -> int:
    """Writes `folder`/LABEL/NUMBER.png, 8 x 8 pixels; returns how many there are.

    E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        if path.exists():
            continue  # written anew it would look changed, and what is cached would no longer fit
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * (255 / _BRIGHTEST)).astype("uint8")).save(path)
    return len(digits.images)
