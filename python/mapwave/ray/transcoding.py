"""``transcode``: converts a directory of audio files, here or on a Ray cluster, and may be killed at any time."""

from __future__ import annotations

import io
import os
import posixpath
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import mapwave.numpy
from mapwave._adapters import named
from mapwave.errors import AudioError
from mapwave.types import Dtype

from .clips import fetched, load_options
from .encoding import save_options, target_named
from .engines import Engine, check_engine, run_parts
from .manifest import Manifest, Row
from .reading import EXTENSIONS, extension
from .storage import Entry, Storage, resolve

#: Frames that are in memory at once: a minute at 48 kHz.
_CHUNK_FRAMES = 2_880_000

#: The formats whose encodings of integers take every sample of a lossless source as it is.
_EXACT = {"wav", "rf64", "w64", "aiff", "aif", "aifc", "caf", "flac"}

#: The tags that are carried over; those of other formats are the first of these.
_TAGS = ("title", "artist", "album", "albumartist", "composer", "date", "genre", "comment", "tracknumber", "discnumber")
_TAGS_OF = {
    "w64": (),
    "aiff": ("title", "artist", "comment"),
    "wav": ("title", "artist", "album", "date", "genre", "comment", "tracknumber"),
}
_TAGS_OF |= {"aif": _TAGS_OF["aiff"], "aifc": _TAGS_OF["aiff"], "rf64": _TAGS_OF["wav"]}


@dataclass(frozen=True)
class Transcoded:
    """What `transcode` did.

    Attributes:
        converted: The number of files that this call converted.
        kept: The number of files that an earlier call had converted.
        errors: Why files were not converted, by their paths below the source directory.
        manifest: The path of the manifest, which has a line of JSON for each file.
    """

    converted: int
    kept: int
    errors: dict[str, str] = field(repr=False)
    manifest: str


@dataclass(frozen=True)
class Job:
    """What all parts of a conversion share."""

    source: Storage
    source_directory: str
    target: Storage
    target_directory: str
    format: str
    load: dict[str, Any]
    save: dict[str, Any]

    def __call__(self, part: Part) -> PartDone:
        """Converts the files of a part and records them."""
        return _convert_part(self, part)


@dataclass(frozen=True)
class Part:
    """Files that one task converts."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class PartDone:
    """What a task sends back; the rows are in the manifest."""

    num_files: int
    errors: dict[str, str]


def transcode(
    source: str | os.PathLike[str],
    to_dir: str | os.PathLike[str],
    format: str,
    *,
    engine: Engine = "local",
    address: str | None = None,
    resume: bool = True,
    on_error: Literal["record", "raise"] = "record",
    sr: float | None = None,
    mono: bool = False,
    files_per_task: int = 64,
    num_workers: int | None = None,
    filesystem: Any = None,
    to_filesystem: Any = None,
    progress: Callable[[int, int], object] | None = None,
    load: dict[str, Any] | None = None,
    save: dict[str, Any] | None = None,
) -> Transcoded:
    """Converts all audio files below a directory into another one, each to its own relative path.

    A file appears at its path whole or not at all, however often the work is killed, and the same call goes on where an
    earlier one stopped: files that are recorded in the manifest, unchanged and present are kept. When everything is
    done, the new directory has ``_manifest.jsonl``, with a line for each file, and then ``_SUCCESS``. Lossless sources
    keep their depth in lossless formats, and the common tags are carried over. Two calls must not work on one new
    directory at the same time.

    Args:
        source: A directory, or a URL such as ``s3://bucket/clips``; every machine must be able to read it. Files are
            taken by their extensions, without names that begin with "." or "_".
        to_dir: The new directory, which every machine must be able to write to.
        format: The format, which is the new extension: "flac", "wav", "mp3", "opus", ...
        engine: "local" converts on threads of this process, "ray" by tasks on a Ray cluster.
        address: The Ray cluster; None is the one this process is connected to, or that RAY_ADDRESS names, or a new one
            on this machine.
        resume: Keep what an earlier call with the same settings converted; False converts everything again.
        on_error: "record" goes on after a file that cannot be converted, and records why; "raise" stops at the first.
        sr, mono: As in ``mapwave.load``.
        files_per_task: The number of files that one task converts.
        num_workers: How many tasks run at once; None is one for each processor.
        filesystem, to_filesystem: A ``pyarrow.fs.FileSystem`` or an fsspec file system for either directory.
        progress: A function that is called with the number of files that are done and of all.
        load, save: More arguments of ``mapwave.load`` and ``mapwave.save``, such as ``{"bitrate": "96k"}``.

    Returns:
        Transcoded: the numbers of files, and the errors.

    Raises:
        FileNotFoundError: The source directory has no audio files.
        ValueError: Two files would have one new path, or the new directory has files of other settings.
        mapwave.AudioError: A file cannot be converted, with ``on_error="raise"``.
    """
    if files_per_task < 1:
        raise ValueError(f"files_per_task must be at least 1, and is {files_per_task}")
    if on_error not in ("record", "raise"):
        raise ValueError(f'on_error must be "record" or "raise", and is {on_error!r}')
    check_engine(engine, address)
    job = _job(source, to_dir, format, sr, mono, filesystem, to_filesystem, load or {}, save or {})
    entries = _listing(job)
    manifest = Manifest(job.target, job.target_directory)
    job.target.make_directory(job.target_directory)
    settings = {"format": job.format, "load": job.load, "save": job.save}
    kept = _kept(job, entries, manifest.begin(settings, resume))
    todo = [entry for name, entry in entries.items() if name not in kept]
    done = len(kept)
    errors: dict[str, str] = {}
    for part in run_parts(job, _parts(todo, files_per_task), engine=engine, num_workers=num_workers, address=address):
        errors |= part.errors
        if on_error == "raise":
            for name, error in part.errors.items():
                _raise(job, entries[name], error)
        done += part.num_files
        if progress is not None:
            progress(done, len(entries))
    manifest.finish(entries, {"format": job.format})
    manifest_path = job.target.join(job.target_directory, "_manifest.jsonl")
    return Transcoded(len(todo) - len(errors), len(kept), errors, manifest_path)


def _job(
    source: str | os.PathLike[str],
    to_dir: str | os.PathLike[str],
    format: str,
    sr: float | None,
    mono: bool,
    filesystem: Any,
    to_filesystem: Any,
    load: dict[str, Any],
    save: dict[str, Any],
) -> Job:
    from_storage, from_directory = resolve(source, filesystem)
    to_storage, to_directory = resolve(to_dir, to_filesystem)
    for name in ("layout", "squeeze_mono", "dtype"):
        if name in load:
            raise TypeError(f"load cannot have {name!r} here: it concerns arrays, and there are none")
    options = load_options({"sr": sr, "mono": mono, **load}, mapwave.numpy.stream)
    del options["layout"]
    if from_storage.is_local and to_storage.is_local:
        # Tasks may run in other working directories.
        from_directory, to_directory = os.path.abspath(from_directory), os.path.abspath(to_directory)
        if os.path.commonpath([from_directory, to_directory]) == from_directory:
            raise ValueError(f"{to_dir} is inside {source}, where the next call would find its files: choose another")
    return Job(
        from_storage, from_directory, to_storage, to_directory, format.lower().lstrip("."), options, save_options(save)
    )


def _listing(job: Job) -> dict[str, Entry]:
    """The files to convert, by their paths below the source directory."""
    entries: dict[str, Entry] = {}
    outputs: dict[str, str] = {}
    for entry in job.source.files(job.source_directory):
        if extension(entry.path) not in EXTENSIONS:
            continue
        name = job.source.relative(entry.path, job.source_directory)
        output = _output(name, job.format)
        if output in outputs:
            raise ValueError(f"{outputs[output]} and {name} would both become {output}: rename one of them")
        entries[name] = entry
        outputs[output] = name
    if not entries:
        raise FileNotFoundError(f"{job.source_directory}: no audio files in this directory, by their extensions")
    return entries


def _output(name: str, format: str) -> str:
    return f"{posixpath.splitext(name)[0]}.{format}"


def _kept(job: Job, entries: dict[str, Entry], rows: dict[str, Row]) -> set[str]:
    """The files that were converted before, have not changed since, and whose new files are there."""
    if not rows:
        return set()
    present = {
        job.target.relative(entry.path, job.target_directory): entry.num_bytes
        for entry in job.target.files(job.target_directory)
    }
    kept = set()
    for name, row in rows.items():
        entry = entries.get(name)
        is_same = entry is not None and (entry.num_bytes, entry.mtime_ns) == (row.source_bytes, row.source_mtime_ns)
        if is_same and row.output is not None and present.get(row.output) == row.output_bytes:
            kept.add(name)
    return kept


def _parts(entries: list[Entry], files_per_task: int) -> list[Part]:
    run = uuid.uuid4().hex[:8]
    starts = range(0, len(entries), files_per_task)
    return [
        Part(f"{run}-{number:07}", tuple(entries[start : start + files_per_task]))
        for number, start in enumerate(starts)
    ]


def _convert_part(job: Job, part: Part) -> PartDone:
    manifest = Manifest(job.target, job.target_directory)
    scratch = manifest.scratch()
    paths = [entry.path for entry in part.entries]
    directories: set[str] = set()
    rows = []
    for number, (entry, opened) in enumerate(zip(part.entries, fetched(paths, job.source), strict=True)):
        name = job.source.relative(entry.path, job.source_directory)
        output = _output(name, job.format)
        path = job.target.join(job.target_directory, *output.split("/"))
        above = posixpath.dirname(path)
        if above not in directories:
            job.target.make_directory(above)
            directories.add(above)
        facts = (name, entry.num_bytes, entry.mtime_ns)
        temporary = job.target.join(scratch, f"{number}.{job.format}")
        try:
            rows.append(Row(*facts, output, *_convert(job, entry.path, opened, path, temporary), None))
        except (AudioError, OSError) as error:
            rows.append(Row(*facts, None, None, None, None, None, str(error)))
    manifest.add_part(part.name, rows, scratch)
    manifest.drop(scratch)
    return PartDone(len(rows), {row.source: row.error for row in rows if row.error is not None})


def _convert(job: Job, name: str, opened: Any, path: str, temporary: str) -> tuple[int, int, int, int]:
    """Converts a file and returns its bytes, frames, rate and channels."""
    if isinstance(opened, OSError):
        raise opened
    try:
        choice = {key: job.load[key] for key in ("track", "plugin", "plugin_options") if key in job.load}
        facts = mapwave.numpy.info(opened, **choice)
        dtype, encoding = _depth(facts, job)
        save: dict[str, Any] = {"encoding": encoding, "tags": _tags(facts, job.format), **job.save}
        stream = mapwave.numpy.stream(opened, _CHUNK_FRAMES, dtype=dtype, **job.load)
    except AudioError as error:
        raise named(error, name) from None
    target: Any = temporary if job.target.is_local else io.BytesIO()
    with target_named(target, path):
        writer = mapwave.numpy.open(
            target, "w", sr=stream.sample_rate, channels=stream.channels, format=job.format, dtype=dtype, **save
        )
        with writer:
            for chunk in _chunks(stream, name):
                writer.write(chunk)
    if job.target.is_local:
        num_bytes = os.path.getsize(temporary)
        job.target.put_in_place(temporary, path)
    else:
        num_bytes = target.getbuffer().nbytes
        job.target.write(path, target.getbuffer(), temporary)
    return num_bytes, stream.frames_read, stream.sample_rate, stream.channels


def _chunks(stream: Any, name: str) -> Iterator[Any]:
    try:
        for chunk, _ in stream:
            yield chunk
    except AudioError as error:
        raise named(error, name) from None


def _depth(facts: Any, job: Job) -> tuple[Dtype, str]:
    """The type to read samples in, and the encoding to write, so that a lossless source stays as it is."""
    depth = facts.bit_depth
    if not facts.is_lossless or depth is None or job.format not in _EXACT or "float" in facts.subtype:
        return "float32", "float32"
    if job.format == "flac" and depth > 24:
        return "float32", "float32"
    is_changed = job.load.get("sr") is not None or job.load.get("mono")
    if depth <= 16:
        return "float32" if is_changed else "int16", "pcm16"
    return "float32" if is_changed else "int32", "pcm24" if depth <= 24 else "pcm32"


def _tags(facts: Any, format: str) -> dict[str, str]:
    return {name: facts.tags[name] for name in _TAGS_OF.get(format, _TAGS) if name in facts.tags}


def _raise(job: Job, entry: Entry, message: str) -> None:
    """Converts a file once more that could not be converted, for its error as mapwave raises it."""
    manifest = Manifest(job.target, job.target_directory)
    scratch = manifest.scratch()
    try:
        path = job.target.join(scratch, f"again.{job.format}")
        _convert(job, entry.path, next(iter(fetched([entry.path], job.source))), path, f"{path}.part")
    finally:
        manifest.drop(scratch)
    raise AudioError(message, path=entry.path)
