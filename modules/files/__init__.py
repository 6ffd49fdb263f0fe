"""Files: written whole or not at all, and read with care when they come from outside."""
