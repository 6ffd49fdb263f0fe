"""SUFFIXES: the suffixes of image files."""

SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".bmp", ".webp", ".tif", ".tiff"),
        *(".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
        *(".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".pcx", ".sgi"),
        *(".npy", ".npz"),
    }
)
