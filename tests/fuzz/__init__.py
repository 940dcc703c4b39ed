"""Coverage-guided fuzzing of what strangers can write to: see `tests/fuzz/__main__.py`."""
