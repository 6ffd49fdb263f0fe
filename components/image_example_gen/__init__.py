"""The ImageExampleGen component: reads images and writes them as sharded records of tf.Examples."""
