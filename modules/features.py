"""The name, type and unit of every feature, from the ingested image to the exported model's outputs.

The names are those of TensorFlow's object detection and slim datasets, so that the pipeline can read their records.
"""

# As ingested. Each image is one tf.Example.
ENCODED = "image/encoded"  # bytes, one JPEG or PNG file, or an array as an .npy file (data/arrays.py)
LABEL = "image/class/text"  # bytes, UTF-8
FILENAME = "image/filename"  # bytes, UTF-8, relative to the data folder, with forward slashes
HEIGHT = "image/height"  # int64, pixels of the upright image
WIDTH = "image/width"  # int64, pixels of the upright image
FORMAT = "image/format"  # bytes, Pillow's name of the file's format: JPEG, PNG, GIF, BMP, ..., or NPY, NPZ
COLORSPACE = "image/colorspace"  # bytes, Pillow's name of the file's mode: RGB, L, RGBA, P, CMYK; of an array 5;uint16
DEPTH = "image/depth"  # int64, bits of each channel's values in the encoded image: 8, 16 or 32
SIZE = "image/size"  # bytes, the range of the shorter side in pixels, between powers of two: "64 to 127"
CHANNEL_MEAN = "image/channel/mean"  # float32 [channels], mean of each channel, where white is 1
CHANNEL_MEAN_SQUARE = "image/channel/mean_square"  # float32 [channels], mean of the squares

ORIGINAL = "image/original"  # bytes, the file as it was found; only in the few records of originals.py

BYTES_FEATURES = (ENCODED, LABEL, FILENAME, FORMAT, COLORSPACE, SIZE)
CHANNELS = "channels"  # the property of artifacts with the number of channels; without it, images have three

INT_FEATURES = (HEIGHT, WIDTH, DEPTH)
CHANNEL_FEATURES = (CHANNEL_MEAN, CHANNEL_MEAN_SQUARE)

# The features that StatisticsGen describes. Statistics of bytes, names and size ranges would be of no use.
DESCRIBED_FEATURES = (LABEL, HEIGHT, WIDTH, FORMAT, COLORSPACE)
UNDESCRIBED_FEATURES = (ENCODED, FILENAME, DEPTH, SIZE, *CHANNEL_FEATURES)

# As transformed: ENCODED (upright and resized), FILENAME, DEPTH (the largest of the training split) and these.
LABEL_ID = "image/class/label"  # int64, index of the label in alphabetical order; -1: not in the training split
CHANNEL_DEVIATION = "image/channel/deviation"  # float32 [channels], of the training split, as is CHANNEL_MEAN here

LABEL_COUNTS = "label_counts"  # file with one line "count label" for each label of the training split
LABEL_VOCABULARY = "labels"  # file of the vocabulary: the labels of the training split, in reverse alphabetical order

# The exported model's outputs.
PROBABILITIES = "probabilities"  # float32 [classes]
CLASS_IDS = "class_ids"  # int64
LABELS = "labels"  # bytes


def size_bucket(height: int, width: int) -> str:
    """Returns the SIZE feature of an image with this height and width in pixels."""
    bits = min(height, width).bit_length()
    return f"{2 ** (bits - 1)} to {2**bits - 1}"
