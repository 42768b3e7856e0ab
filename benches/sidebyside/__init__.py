"""The side-by-side benchmark behind `benches/compare.py`.

`clips` (the sound) and `rivals` (who takes part) make `tasks`, `floor` and `memory`; `timing` checks and
times them; `targets` says what is wanted; `report` prints; `machine` says on what.
"""
