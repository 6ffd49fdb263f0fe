"""The tables that ImageExampleGen writes to its artifact, and a run copies to its folder. Imports nothing."""

LEFT_OUT_FILE = "left_out.csv"  # a row for each file: name and reason
DUPLICATES_FILE = "duplicates.csv"  # a row for each image: group, name, label and split
NEAR_DUPLICATES_FILE = "near_duplicates.csv"  # the same, for images that look the same and are in several splits
