//! Whole-system tests of mapwave; everything is under `tests/`.
