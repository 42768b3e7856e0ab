"""The words of soundfile: its formats, subtypes and byte orders, and what they are in mapwave."""

from __future__ import annotations

from typing import Any, BinaryIO, NamedTuple

from ._numpy import np


class Format(NamedTuple):
    """A major format that mapwave writes."""

    description: str
    #: As ``format`` of :func:`mapwave.save`.
    written_as: str
    #: The subtypes that it takes, the default first.
    subtypes: tuple[str, ...]
    #: The byte orders that it can be asked for. A file that mapwave writes has the usual one of its format.
    endians: tuple[str, ...] = ("FILE",)


class Subtype(NamedTuple):
    """How samples are stored."""

    description: str
    #: As ``encoding`` and ``bit_depth`` of :func:`mapwave.save`; None where mapwave only reads it.
    encoding: str | None = None
    bit_depth: int | None = None


_WAV = ("PCM_16", "PCM_24", "PCM_32", "PCM_U8", "FLOAT", "DOUBLE", "ULAW", "ALAW")
_AIFF = ("PCM_16", "PCM_S8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
_LITTLE = ("FILE", "LITTLE", "CPU")
_BIG = ("FILE", "BIG")

FORMATS = {
    "AIFF": Format("AIFF (Apple/SGI)", "aiff", _AIFF, _BIG),
    "CAF": Format("CAF (Apple Core Audio File)", "caf", (*_AIFF, "ALAC_16", "ALAC_24")),
    "FLAC": Format("FLAC (Free Lossless Audio Codec)", "flac", ("PCM_16", "PCM_S8", "PCM_24")),
    "MP3": Format("MPEG-1/2 Audio", "mp3", ("MPEG_LAYER_III",)),
    "OGG": Format("OGG (OGG Container format)", "ogg", ("VORBIS", "OPUS")),
    "RF64": Format("RF64 (RIFF 64)", "rf64", _WAV, _LITTLE),
    "W64": Format("W64 (SoundFoundry WAVE 64)", "w64", _WAV, _LITTLE),
    "WAV": Format("WAV (Microsoft)", "wav", _WAV, _LITTLE),
}

SUBTYPES = {
    "PCM_S8": Subtype("Signed 8 bit PCM", "u8"),
    "PCM_16": Subtype("Signed 16 bit PCM", "pcm16"),
    "PCM_24": Subtype("Signed 24 bit PCM", "pcm24"),
    "PCM_32": Subtype("Signed 32 bit PCM", "pcm32"),
    "PCM_U8": Subtype("Unsigned 8 bit PCM", "u8"),
    "FLOAT": Subtype("32 bit float", "float32"),
    "DOUBLE": Subtype("64 bit float", "float64"),
    "ULAW": Subtype("U-Law", "mulaw"),
    "ALAW": Subtype("A-Law", "alaw"),
    "IMA_ADPCM": Subtype("IMA ADPCM"),
    "MS_ADPCM": Subtype("Microsoft ADPCM"),
    "GSM610": Subtype("GSM 6.10"),
    "VORBIS": Subtype("Vorbis", "vorbis"),
    "OPUS": Subtype("Opus", "opus"),
    "ALAC_16": Subtype("16 bit ALAC", "alac", 16),
    "ALAC_20": Subtype("20 bit ALAC"),
    "ALAC_24": Subtype("24 bit ALAC", "alac", 24),
    "ALAC_32": Subtype("32 bit ALAC"),
    "MPEG_LAYER_I": Subtype("MPEG Layer I"),
    "MPEG_LAYER_II": Subtype("MPEG Layer II"),
    "MPEG_LAYER_III": Subtype("MPEG Layer III", "mp3"),
}

#: The formats and subtypes that soundfile has and mapwave does not write: it reads some, the most by FFmpeg.
OTHER_FORMATS = {
    "AU": "AU (Sun/NeXT)",
    "AVR": "AVR (Audio Visual Research)",
    "HTK": "HTK (HMM Tool Kit)",
    "IRCAM": "SF (Berkeley/IRCAM/CARL)",
    "MAT4": "MAT4 (GNU Octave 2.0 / Matlab 4.2)",
    "MAT5": "MAT5 (GNU Octave 2.1 / Matlab 5.0)",
    "MPC2K": "MPC (Akai MPC 2k)",
    "NIST": "WAV (NIST Sphere)",
    "PAF": "PAF (Ensoniq PARIS)",
    "PVF": "PVF (Portable Voice Format)",
    "RAW": "RAW (header-less)",
    "SD2": "SD2 (Sound Designer II)",
    "SDS": "SDS (Midi Sample Dump Standard)",
    "SVX": "IFF (Amiga IFF/SVX8/SV16)",
    "VOC": "VOC (Creative Labs)",
    "WAVEX": "WAVEX (Microsoft)",
    "WVE": "WVE (Psion Series 3)",
    "XI": "XI (FastTracker 2)",
}
OTHER_SUBTYPES = frozenset(
    "VOX_ADPCM NMS_ADPCM_16 NMS_ADPCM_24 NMS_ADPCM_32 G721_32 G723_24 G723_40 "  # noqa: SIM905
    "DWVW_12 DWVW_16 DWVW_24 DWVW_N DPCM_8 DPCM_16".split()
)
OTHER_DEFAULTS = {"MAT4": "DOUBLE", "MAT5": "DOUBLE", "XI": "DPCM_16", "WVE": "ALAW"}
ENDIANS = ("FILE", "LITTLE", "BIG", "CPU")

#: The dtypes of arrays, in the order in which soundfile lists them.
DTYPES = ("float32", "float64", "int16", "int32")

#: The names of text that a file may hold, and what tags mapwave reads and writes it as.
TEXTS = {
    "title": "title",
    "copyright": "copyright",
    "software": "encoder",
    "artist": "artist",
    "comment": "comment",
    "date": "date",
    "album": "album",
    "license": "license",
    "tracknumber": "tracknumber",
    "genre": "genre",
}

#: What libsndfile's header says about its public error numbers.
ERRORS = {
    0: "No Error.",
    1: "Format not recognised.",
    2: "System error.",
    3: "Supported file format but file is malformed.",
    4: "Supported file format but unsupported encoding.",
}

#: The names of RIFF's format tags by subtype (RFC 2361).
WAVE_TAGS = {
    "FLOAT": "WAVE_FORMAT_IEEE_FLOAT",
    "DOUBLE": "WAVE_FORMAT_IEEE_FLOAT",
    "ULAW": "WAVE_FORMAT_MULAW",
    "ALAW": "WAVE_FORMAT_ALAW",
    "IMA_ADPCM": "WAVE_FORMAT_IMA_ADPCM",
    "MS_ADPCM": "WAVE_FORMAT_MS_ADPCM",
}

_PCM = {8: "PCM_S8", 16: "PCM_16", 24: "PCM_24", 32: "PCM_32"}
_CODECS = {
    "pcm_u8": "PCM_U8",
    "pcm_mulaw": "ULAW",
    "pcm_alaw": "ALAW",
    "vorbis": "VORBIS",
    "opus": "OPUS",
    "mp1": "MPEG_LAYER_I",
    "mp2": "MPEG_LAYER_II",
    "mp3": "MPEG_LAYER_III",
    "adpcm_ms": "MS_ADPCM",
    "adpcm_ima_wav": "IMA_ADPCM",
    "adpcm_ima_qt": "IMA_ADPCM",
    "gsm": "GSM610",
    "gsm_ms": "GSM610",
}


def subtype_of(info: Any) -> str:
    """The subtype of a file; for what soundfile does not read, the codec in upper case."""
    codec: str = info.codec
    if codec == "flac":
        return _PCM[min(bits for bits in _PCM if bits >= (info.bit_depth or 16))]
    if codec == "alac":
        return f"ALAC_{info.bit_depth}"
    if codec.startswith("pcm_f"):
        return "DOUBLE" if codec.startswith("pcm_f64") else "FLOAT"
    if codec.startswith("pcm_s"):
        return _PCM.get(int("".join(filter(str.isdigit, codec)) or 0), codec.upper())
    return _CODECS.get(codec, codec.upper())


def format_of(info: Any, head: bytes) -> str:
    """The major format of a file that begins with ``head``; for what soundfile does not read, the container."""
    container: str = info.container
    if container == "wav":
        if info.container_variant in ("rf64", "w64"):
            return str(info.container_variant).upper()
        fmt = head.find(b"fmt ")
        tag = head[fmt + 8 : fmt + 10]
        return "WAVEX" if fmt >= 0 and tag in (b"\xfe\xff", b"\xff\xfe") else "WAV"
    return {"epaf": "PAF", "nistsphere": "NIST"}.get(container, container.upper())


def endian_of(info: Any, format: str) -> str:
    """The byte order of a file: "FILE" where it is the usual one of the format."""
    usual = {"AIFF": "be", "CAF": "be", "AU": "be", "AVR": "be", "PVF": "be", "IRCAM": "", "NIST": "", "PAF": ""}.get(
        format, "le"
    )
    if info.codec[-2:] in ("le", "be") and info.codec[-2:] != usual:
        return {"le": "LITTLE", "be": "BIG"}[info.codec[-2:]]
    return "FILE"


def opus_rate(head: bytes) -> int:
    """The rate at which libsndfile decodes an Opus file: the input's (RFC 7845, 5.1), or the next of the codec's."""
    start = head.find(b"OpusHead")
    rate = int.from_bytes(head[start + 12 : start + 16], "little") if start >= 0 else 0
    return next((known for known in (8000, 12000, 16000, 24000, 48000) if 0 < rate <= known), 48000)


#: The chunks of a RIFF file's list INFO, by what mapwave calls their text (the RIFF specification of 1991, chapter 2).
_INFO = {
    b"INAM": "title",
    b"ICOP": "copyright",
    b"ISFT": "encoder",
    b"IART": "artist",
    b"ICMT": "comment",
    b"ICRD": "date",
    b"IPRD": "album",
    b"ITRK": "tracknumber",
    b"IGNR": "genre",
}

# The longest list that is read.
_MAX_INFO = 1 << 20


def riff_texts(file: BinaryIO) -> dict[str, str]:
    """The texts in the list INFO of a RIFF file, which stands before or after the samples."""
    texts: dict[str, str] = {}
    file.seek(12)
    while len(header := file.read(8)) == 8:
        size = int.from_bytes(header[4:], "little")
        after = file.tell() + size + size % 2
        if header[:4] == b"LIST" and size <= _MAX_INFO and (data := file.read(size))[:4] == b"INFO":
            data = data[4:]
            while len(data) > 8:
                size = int.from_bytes(data[4:8], "little")
                if data[:4] in _INFO:
                    texts[_INFO[data[:4]]] = data[8 : 8 + size].split(b"\0")[0].decode("utf-8", "replace")
                data = data[8 + size + size % 2 :]
        file.seek(after)
    return texts


def unscaled(samples: np.ndarray[Any, Any], dtype: str) -> np.ndarray[Any, Any]:
    """The floats of a float file as integers of the same value, as libsndfile reads them."""
    limits = np.iinfo(dtype)
    whole = np.nan_to_num(np.rint(samples), nan=0.0, posinf=limits.max, neginf=limits.min)
    samples = np.clip(whole, limits.min, limits.max).astype(dtype)
    return samples
