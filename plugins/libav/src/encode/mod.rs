//! Encoding: frames become packets in libavcodec's encoders, and files in libavformat's muxers.
//!
//! | module | what |
//! |---|---|
//! | `codec`, `container`, `speakers`, `steering` | what can be written, and the host's options in libav's terms |
//! | `samples` | conversion of the host's samples to an encoder's format |
//! | `context`, `muxer`, `output` | libav's objects, one a module: only these are unsafe |
//! | `vorbis_packets` | the same: libav's parser of Vorbis packets |
//! | `trim`, `packet_table` | what FFmpeg omits or gets wrong about the number of frames |
//! | `stream` | an encoder as a whole |

mod codec;
mod container;
mod context;
mod muxer;
mod output;
mod packet_table;
mod samples;
mod speakers;
mod steering;
mod stream;
mod trim;
mod vorbis_packets;

use stream::Stream;

// One for each set of containers that hold the same codecs: what is listed is what can be written. A default
// codec is one that takes any sample rate, where the container has one.
mapwave_plugin::encoders! {
    over Stream;

    /// FLAC in its own container.
    FlacEncoder: c"flac", codecs: c"flac", containers: c"flac",
        lossless: c"flac=16/24", default_codecs: c"flac=flac", extensions: c"fla=flac";
    /// MP3 by LAME.
    Mp3Encoder: c"mp3", codecs: c"mp3", containers: c"mp3",
        lossless: c"", default_codecs: c"mp3=mp3", extensions: c"";
    /// AAC and ALAC in MPEG-4 files.
    M4aEncoder: c"m4a", codecs: c"aac,alac", containers: c"m4a,mp4",
        lossless: c"alac=16/24", default_codecs: c"m4a=aac,mp4=aac", extensions: c"m4b=m4a,mp4=m4a";
    /// ALAC in Core Audio files.
    CafEncoder: c"caf", codecs: c"alac", containers: c"caf",
        lossless: c"alac=16/24", default_codecs: c"", extensions: c"";
    /// Vorbis, Opus and FLAC in Ogg.
    OggEncoder: c"ogg", codecs: c"vorbis,opus,flac", containers: c"ogg",
        lossless: c"flac=16/24", default_codecs: c"ogg=vorbis", extensions: c"oga=ogg,opus=ogg/opus";
    /// Vorbis and Opus in WebM.
    WebmEncoder: c"webm", codecs: c"vorbis,opus", containers: c"webm",
        lossless: c"", default_codecs: c"webm=vorbis", extensions: c"";
    /// Vorbis, Opus and FLAC in Matroska.
    MatroskaEncoder: c"mka", codecs: c"vorbis,opus,flac", containers: c"mka",
        lossless: c"flac=16/24", default_codecs: c"mka=vorbis", extensions: c"mkv=mka";
    /// WavPack.
    WavPackEncoder: c"wavpack", codecs: c"wavpack", containers: c"wv",
        lossless: c"wavpack=16/24/32", default_codecs: c"wv=wavpack", extensions: c"";
}
