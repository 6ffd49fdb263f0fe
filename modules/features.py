"""The name, type and unit of every feature, from the ingested image to the network's input.

The names are the field's own (TensorFlow's object detection and slim data sets), so that records made elsewhere fit.
"""

# As ingested: one tf.Example an image.
ENCODED = "image/encoded"  # bytes, one JPEG or PNG file
LABEL = "image/class/text"  # bytes, UTF-8
FILENAME = "image/filename"  # bytes, UTF-8, relative to the data folder, with forward slashes
HEIGHT = "image/height"  # int64, pixels
WIDTH = "image/width"  # int64, pixels
FORMAT = "image/format"  # bytes, the file's format as Pillow names it: JPEG, PNG, GIF, BMP
COLORSPACE = "image/colorspace"  # bytes, the file's mode as Pillow names it: RGB, L, RGBA, P, CMYK
SIZE = "image/size"  # bytes, the bucket of the shorter side, in powers of two of pixels: "64 to 127"
CHANNEL_MEAN = "image/channel/mean"  # float32 [3], mean of R, G and B, each in [0, 1]
CHANNEL_MEAN_SQUARE = "image/channel/mean_square"  # float32 [3], mean of their squares

BYTES_FEATURES = (ENCODED, LABEL, FILENAME, FORMAT, COLORSPACE, SIZE)
INT_FEATURES = (HEIGHT, WIDTH)
CHANNEL_FEATURES = (CHANNEL_MEAN, CHANNEL_MEAN_SQUARE)

# Statistics say something about some, and nothing new about a file's bytes, its name or its size in short.
DESCRIBED_FEATURES = (LABEL, HEIGHT, WIDTH, FORMAT, COLORSPACE)
UNDESCRIBED_FEATURES = (ENCODED, FILENAME, SIZE, *CHANNEL_FEATURES)

# As transformed: ENCODED (shrunk) and FILENAME, and these.
LABEL_ID = "image/class/label"  # int64, position of the label in the vocabulary; -1 for one that training never saw
CHANNEL_DEVIATION = "image/channel/deviation"  # float32 [3]; with CHANNEL_MEAN the training split's, in every record

LABEL_COUNTS = "label_counts"  # the file of the training split's images by label: a line "count label" each
LABEL_VOCABULARY = "labels"  # the vocabulary's file: every label of the training split, in reverse alphabetical order

# The exported model's outputs.
PROBABILITIES = "probabilities"  # float32 [classes]
CLASS_IDS = "class_ids"  # int64
LABELS = "labels"  # bytes


def size_bucket(height: int, width: int) -> str:
    """SIZE of an image of so many pixels."""
    bits = min(height, width).bit_length()
    return f"{2 ** (bits - 1)} to {2**bits - 1}"
