"""The data path of training: reading, decoding, augmenting and batching images."""
