"""Two Ray nodes on loopback, and what mapwave.ray does there: ``python raycluster.py DIRECTORY RESULTS``.

A program of its own, because Ray's processes must end with it, and because an environment variable keeps Ray on
loopback only if it is there before Ray is imported. It writes what each step returned as JSON, for test_ray.py.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mapwave.ray
import numpy as np
import ray
from ray.cluster_utils import Cluster

NODE = {"num_cpus": 1, "object_store_memory": 200 * 2**20}


def add_node(cluster: Cluster, **options: Any) -> Any:
    """Adds a node. Ray gives its daemons half a minute to start, which is too little for a busy machine."""
    for attempt in range(5):
        try:
            return cluster.add_node(**NODE, **options)
        except Exception:
            if attempt == 4:
                raise
    return None


def digest(amplitude: Any) -> str:
    """A row's samples with their shape and type."""
    array = np.ascontiguousarray(amplitude)
    return f"{array.shape} {array.dtype} {hashlib.sha256(array).hexdigest()}"


def rows(dataset: Any) -> list[list[Any]]:
    """All rows in order of their paths: the file's name, the rate, and the samples."""
    found = []
    for row in dataset.iter_rows():
        samples = None if row["amplitude"] is None else digest(row["amplitude"])
        found.append([os.path.basename(row["path"]), row["sample_rate"], samples, row.get("error")])
    return sorted(found, key=lambda row: row[0])


def clips(directory: Path) -> list[str]:
    return sorted(str(path) for path in (directory / "clips").iterdir())


def reading(directory: Path, _: Cluster) -> Any:
    return rows(mapwave.ray.read_audio(str(directory / "clips"), rows_per_block=7))


def reading_as_ray_does(directory: Path, _: Cluster) -> Any:
    return rows(ray.data.read_audio(str(directory / "clips"), include_paths=True))


def same_types_as_ray(directory: Path, _: Cluster) -> Any:
    ours = mapwave.ray.read_audio(clips(directory), include_paths=False).materialize().schema()
    theirs = ray.data.read_audio(clips(directory), override_num_blocks=1).materialize().schema()
    return [[ours.names, [str(each) for each in ours.types]], [theirs.names, [str(each) for each in theirs.types]]]


def windows(directory: Path, _: Cluster) -> Any:
    dataset = mapwave.ray.read_audio(clips(directory), sr=4000, mono=True, offset=0.25, duration=0.5, dtype="int16")
    return sorted(
        {(row["sample_rate"], row["amplitude"].shape, str(row["amplitude"].dtype)) for row in dataset.iter_rows()}
    )


def through_a_file_system(directory: Path, _: Cluster) -> Any:
    from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

    below = SubTreeFileSystem(str(directory), LocalFileSystem())
    return rows(mapwave.ray.read_audio("clips", filesystem=below, rows_per_block=5))


def errors_raised(directory: Path, _: Cluster) -> Any:
    try:
        mapwave.ray.read_audio(str(directory / "mixed")).materialize()
    except mapwave.MalformedFile as error:
        return ["MalformedFile", str(error)]
    return None


def unknown_arguments(directory: Path, _: Cluster) -> Any:
    said = []
    for wrong in ({"shuffle": "files"}, {"load": {"bitrate": 3}}, {"on_error": "ignore"}, {"rows_per_block": 0}):
        try:
            mapwave.ray.read_audio(clips(directory), **wrong)
        except (TypeError, ValueError) as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


def errors_skipped(directory: Path, _: Cluster) -> Any:
    return rows(mapwave.ray.read_audio(str(directory / "mixed"), on_error="skip"))


def errors_as_nulls(directory: Path, _: Cluster) -> Any:
    dataset = mapwave.ray.read_audio(str(directory / "mixed"), on_error="null")
    return [rows(dataset), dataset.count(), [len(each) for each in dataset.take_batch(9)["amplitude"]]]


def decoding_in_batches(directory: Path, _: Cluster) -> Any:
    found = {}
    for batch_format in ("pyarrow", "numpy"):
        dataset = ray.data.from_items([{"path": path, "number": at} for at, path in enumerate(clips(directory))])
        decode = mapwave.ray.DecodeAudio("path")
        found[batch_format] = rows(dataset.map_batches(decode, batch_size=8, batch_format=batch_format))
    return found


def decoding_bytes(directory: Path, _: Cluster) -> Any:
    cells = [
        {"audio": {"bytes": Path(path).read_bytes(), "path": os.path.basename(path)}, "path": path}
        for path in clips(directory)
    ]
    dataset = ray.data.from_items(cells)
    return rows(dataset.map_batches(mapwave.ray.DecodeAudio("audio"), batch_format="pyarrow"))


def encoding(directory: Path, _: Cluster) -> Any:
    dataset = mapwave.ray.read_audio(clips(directory), dtype="int16")
    encode = mapwave.ray.EncodeAudio("amplitude", directory / "encoded", "flac")
    written = dataset.map_batches(encode, batch_size=8)
    deep = mapwave.ray.EncodeAudio("amplitude", directory / "deep", "wav", relative_to=directory, encoding="pcm16")
    below = dataset.limit(2).map_batches(deep, batch_format="pyarrow").take_all()
    return [sorted(row["path"] for row in written.take_all()), sorted(row["path"] for row in below)]


def encoding_two_rows_into_one_file(directory: Path, _: Cluster) -> Any:
    found = ray.data.from_items([{"path": f"{above}/a.wav", "samples": [0.0, 0.5]} for above in "xy"])
    encode = mapwave.ray.EncodeAudio("samples", directory / "never", "wav", sample_rate=8_000)
    try:
        found.repartition(1).map_batches(encode, batch_size=2).materialize()
    except ray.exceptions.RayTaskError as error:
        # Ray wraps what a function of map_batches raises.
        return [str(error), (directory / "never").exists()]
    return None


def a_node_killed_while_reading(directory: Path, cluster: Cluster) -> Any:
    node = add_node(cluster)
    dataset = mapwave.ray.read_audio(str(directory / "many"), rows_per_block=4)
    found = []
    for batch in dataset.iter_batches(batch_size=4, prefetch_batches=0):
        found += [
            [os.path.basename(path), digest(each)] for path, each in zip(batch["path"], batch["amplitude"], strict=True)
        ]
        if node is not None and len(found) >= 16:
            cluster.remove_node(node, allow_graceful=False)
            node = None
    return [sorted(found), node is None]


def a_node_killed_while_converting(directory: Path, cluster: Cluster) -> Any:
    nodes = [add_node(cluster)]

    def progress(done: int, total: int) -> None:
        if nodes and done < total:
            cluster.remove_node(nodes.pop(), allow_graceful=False)

    done = mapwave.ray.transcode(
        directory / "many", directory / "converted", "flac", engine="ray", files_per_task=3, progress=progress
    )
    return [done.converted, done.kept, done.errors, len(nodes)]


def work_that_fails(_directory: Path, _: Cluster) -> Any:
    try:
        list(mapwave.ray.run_parts(_fail, [1, 2, 3], engine="ray"))
    except ValueError as error:
        return str(error).splitlines()[-1]
    return None


def work_in_parts(_directory: Path, _: Cluster) -> Any:
    return sorted(mapwave.ray.run_parts(abs, list(range(-50, 0)), engine="ray", num_workers=3))


def _fail(part: int) -> None:
    raise ValueError(f"part {part} fails")


STEPS: list[Callable[[Path, Cluster], Any]] = [
    reading, reading_as_ray_does, same_types_as_ray, windows, through_a_file_system, errors_raised,
    unknown_arguments, errors_skipped, errors_as_nulls, decoding_in_batches, decoding_bytes, encoding,
    encoding_two_rows_into_one_file, work_in_parts, work_that_fails, a_node_killed_while_reading,
    a_node_killed_while_converting,
]  # fmt: skip


def main(directory: Path, results: Path) -> None:
    cluster = Cluster()
    found = {}
    try:
        add_node(cluster, include_dashboard=False)
        add_node(cluster)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        ray.data.DataContext.get_current().enable_progress_bars = False
        for step in STEPS:
            try:
                found[step.__name__] = {"returned": step(directory, cluster)}
            except Exception:
                found[step.__name__] = {"failed": traceback.format_exc()}
            results.write_text(json.dumps(found))
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
