/*
 * The C ABI between mapwave and its codec plugins, version 1.
 *
 * A plugin is a shared library that exports one function, `mapwave_plugin_entry_v1`. The C header
 * `mapwave_plugin.h` is generated from the Rust crate `mapwave-plugin-abi`. Names are those of C, so that both read alike.
 *
 * RULES
 *
 * - R1, sizes. Every struct begins with its size in bytes as the side that fills it knows it. A reader uses a field
 *   only if the size covers it and takes its default otherwise, which is zero. Later minor versions append fields and
 *   change nothing else. What the callee fills is sized and zeroed by the caller; the callee writes no byte past that
 *   size and leaves the size as it is. A size that does not cover version 1.0 is a mistake, `MW_BAD_ARGUMENT`. Nothing is
 *   a bool, a bitfield or of an enumeration's type; reserved fields are zero.
 * - R2, memory. Nobody frees the other side's memory. A plugin's tables and strings are valid until the process
 *   exits. A handle dies in its `close` and nowhere else. What the host passes by pointer is valid during the call,
 *   except where its comment says longer.
 * - R3, strings. UTF-8, ending in a zero byte. Paths never cross: a plugin sees bytes.
 * - R4, threads. Functions without a handle may be called from any thread at any time. A handle takes one call at a
 *   time, each from any thread. Different handles work fully in parallel, also over the same bytes: no state is tied to
 *   a thread, no lock is held across calls. A plugin starts no threads unless `max_threads` says so.
 * - R5, unwinding. No panic, exception or `longjmp` crosses. A plugin makes `MW_PANIC` of it, after which the handle
 *   is poisoned: every call but `close` answers `MW_PANIC`. No `abort`, no `exit`, no signal handlers, no change of locale or
 *   floating-point mode, and nothing is written to standard output or error.
 * - R6, errors. Malformed input gives an error, never undefined behaviour. What a handle allocates stays below
 *   `max_alloc`. Every function that can fail takes an `mw_error` to fill, which may be null.
 * - R7, life. Libraries are loaded with all symbols bound and by absolute path, and never unloaded. Constructors do
 *   no work.
 * - R8, bytes. Input is read-only. A file may be cut short while it is mapped: what is gone reads as zeros and the host
 *   reports it. Output is written straight into the caller's buffer.
 *
 * Little-endian 64-bit machines only.
 *
 * Made of plugins/abi/src/lib.rs; changes belong there.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef MAPWAVE_PLUGIN_H
#define MAPWAVE_PLUGIN_H

#include <stdint.h>

/// Makes the entry function visible where all else in a library is hidden.
#if defined(_WIN32)
#define MW_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define MW_EXPORT __attribute__((visibility("default")))
#else
#define MW_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// The major version of this ABI, which is in the name of the entry function.
#define MW_ABI_MAJOR 1
/// The minor version of this ABI, which grows when a field or a function is appended.
#define MW_ABI_MINOR 2

/// What a call came to: `MW_OK`, `MW_END`, or an error, which is negative.
typedef int32_t mw_status;

/// The call did what it was asked for.
#define MW_OK 0
/// There is nothing more: no more frames, no such item.
#define MW_END 1
/// This plugin does not read or write that format, or that kind of it. Another plugin may.
#define MW_UNSUPPORTED (-1)
/// An argument breaks the contract of the call.
#define MW_BAD_ARGUMENT (-2)
/// The bytes are not what the format's specification demands.
#define MW_BAD_DATA (-3)
/// The host's `read_at` or `write_at` failed.
#define MW_IO (-4)
/// There is no memory.
#define MW_NO_MEMORY (-5)
/// The handle cannot do that now, such as pushing to an encoder that is finished.
#define MW_BAD_STATE (-6)
/// A library or device that the plugin needs is not there.
#define MW_MISSING_DEPENDENCY (-7)
/// The host asked to stop.
#define MW_CANCELLED (-8)
/// More than `max_alloc`, or than the format allows, would be needed.
#define MW_LIMIT (-9)
/// The plugin panicked; the handle is poisoned.
#define MW_PANIC (-10)
/// A fault of the plugin's own.
#define MW_INTERNAL (-11)

/// Stands for a number that is not known.
#define MW_UNKNOWN UINT64_MAX

/// The room for a message in `mw_error`, in bytes.
#define MW_MESSAGE_BYTES 512

/// Why a call failed. The caller sets `size` and zeroes the rest; the callee fills it only when it fails.
typedef struct mw_error {
    /// The size of this struct.
    uint32_t size;
    /// What the call returned.
    mw_status status;
    /// The code that a library below the plugin gave, or 0.
    int64_t native_code;
    /// Where in the input, in bytes, or `MW_UNKNOWN`.
    uint64_t offset;
    /// What was found and what was expected: UTF-8, ending in a zero byte, cut off between characters when it is too long.
    char message[MW_MESSAGE_BYTES];
} mw_error;

/// A sample is a 32-bit float, full scale at 1.0.
#define MW_F32 1
/// A sample is a signed 16-bit integer; a shallower one is shifted up to fill it.
#define MW_I16 2
/// A sample is a signed 32-bit integer; a shallower one is shifted up to fill it.
#define MW_I32 3

/// Details that only help to find a fault.
#define MW_LOG_DEBUG 0
/// Something worth knowing.
#define MW_LOG_INFO 1
/// Something was put right or left out, such as a damaged packet that became silence.
#define MW_LOG_WARNING 2
/// Something failed.
#define MW_LOG_ERROR 3

/// What the host offers a plugin. Passed once, at entry; valid until the process exits.
typedef struct mw_host {
    /// The size of this struct.
    uint32_t size;
    /// The host's `MW_ABI_MINOR`.
    uint32_t abi_minor;
    /// The host's name, such as "mapwave".
    const char *name;
    /// The host's version.
    const char *version;
    /// Passed to the functions below.
    void *context;
    /// Takes a message of a level `MW_LOG_*`. Any thread; null when the host does not listen.
    void (*log)(void *context, uint32_t level, const char *message);
    /// An extension of this ABI by its name, such as "vendor.name/1"; null when the host has none of that name. Any thread;
    /// what it returns is valid until the process exits. The function may itself be null.
    const void *(*get_extension)(void *context, const char *name);
} mw_host;

/// A stream inside a container that the host has parsed: WAV, AIFF and CAF files with compressed packets. A decoder that
/// understands it need not parse the container; one that does may as well. All ranges lie inside the input.
typedef struct mw_track {
    /// The size of this struct.
    uint32_t size;
    /// The container's tag of the codec: a WAVE format tag, or a four-character code as a big-endian number.
    uint32_t tag;
    /// The container: "wav", "rifx", "rf64", "bw64", "w64", "aiff", "aifc" or "caf".
    const char *container;
    /// The codec in FFmpeg's terms, such as "adpcm_ms" or "alac", or the tag as text.
    const char *codec;
    /// Frames a second.
    uint32_t sample_rate;
    /// Samples in a frame.
    uint32_t num_channels;
    /// Speaker positions as a WAVE channel mask; 0 when unknown.
    uint64_t channel_mask;
    /// The coded depth in bits; 0 when the codec has none.
    uint32_t bits_per_sample;
    /// Bytes in a packet; 0 when they vary.
    uint32_t bytes_per_packet;
    /// Frames in a packet; 0 when they vary.
    uint32_t frames_per_packet;
    /// Frames at the start that are encoder delay, from a packet table; 0 without one.
    uint32_t priming_frames;
    /// Frames at the end that only fill the last packet, from a packet table; 0 without one.
    uint32_t padding_frames;
    /// Reserved.
    uint32_t reserved;
    /// The number of frames as the container states it, without priming and padding; `MW_UNKNOWN` when it does not. Not
    /// to be believed without looking at the packets.
    uint64_t num_frames;
    /// Where the packets begin, in bytes from the start of the input.
    uint64_t data_offset;
    /// The size of the packets in bytes.
    uint64_t data_bytes;
    /// Where the codec's setup begins: the rest of a WAVE `fmt ` chunk after its first 18 bytes, a CAF magic cookie.
    uint64_t config_offset;
    /// The size of the setup; 0 without one.
    uint64_t config_bytes;
    /// Where the entries of a CAF packet table begin: for each packet its size where that varies, then its frames where
    /// those vary, in 7 bits a byte, most significant first, all bytes but a number's last with bit 7 set.
    uint64_t table_offset;
    /// The size of the entries; 0 without a table.
    uint64_t table_bytes;
    /// The number of packets that the table describes.
    uint64_t num_packets;
} mw_track;

/// The bytes of a file. The struct is valid during the call; what it points to, but for `extension` and `track`, is valid
/// until every handle that was opened with it, and every fork of one, is closed.
typedef struct mw_input {
    /// The size of this struct.
    uint32_t size;
    /// Reserved.
    uint32_t reserved;
    /// The bytes, read-only; null when they come from `read_at`.
    const uint8_t *data;
    /// The number of bytes, always known.
    uint64_t num_bytes;
    /// Passed to `read_at` and `release`.
    void *context;
    /// Copies up to `num_bytes` bytes that begin at `offset` into `buffer` and returns their number: at least one, 0 at the
    /// end, an error below 0. Fewer than asked for is no error and not the end. Any thread, any number at once; null when
    /// `data` is not.
    int64_t (*read_at)(void *context, uint64_t offset, void *buffer, uint64_t num_bytes);
    /// The file name's extension in lower case and without its dot, or null. A hint, never to be trusted over the bytes.
    const char *extension;
    /// The stream as the host found it, or null when the host does not know the container.
    const mw_track *track;
    /// Tells the host that the plugin is done for now with the `num_bytes` bytes of `data` that begin at `offset`, so that the
    /// memory they take up may be given back. They stay what they were, and are there whenever they are looked at again. Of
    /// use to one who goes through a long file when it is opened. Any thread; null when it makes no difference; since version
    /// 1.1.
    void (*release)(void *context, uint64_t offset, uint64_t num_bytes);
} mw_input;

/// Only reading forward: `seek` works to frame 0 and to the present position.
#define MW_SEEK_NONE 0
/// Output after `seek(frame)` is a function of the bytes and `frame` alone; it may differ from linear decoding. The host
/// seeks to every multiple of `grid_frames`, so that its own output is one and the same however it is divided.
#define MW_SEEK_ANCHORED 1
/// Output after `seek(frame)` equals linear decoding from frame 0 bit for bit, for every frame.
#define MW_SEEK_EXACT 2

/// The samples come out as they went into the encoder.
#define MW_STREAM_LOSSLESS 1
/// The file ends before the sound does that it promises; `num_frames` counts what is there.
#define MW_STREAM_TRUNCATED 2

/// What a stream is. Constant from `open` to `close`, and the same for every fork.
typedef struct mw_stream_info {
    /// The size of this struct.
    uint32_t size;
    /// `MW_STREAM_*`, added up.
    uint32_t flags;
    /// Frames a second, at least 1.
    uint32_t sample_rate;
    /// Samples in a frame, at least 1.
    uint32_t num_channels;
    /// Speaker positions as a WAVE channel mask, in whose order the channels come; 0 when unknown.
    uint64_t channel_mask;
    /// Exactly how many frames `decode` gives, priming and padding already gone; `MW_UNKNOWN` only when nothing but decoding
    /// can tell, which the host then does.
    uint64_t num_frames;
    /// The coded depth in bits; 0 when the codec has none.
    uint32_t bits_per_sample;
    /// The format of samples that loses nothing: `MW_F32`, `MW_I16` or `MW_I32`.
    uint32_t native_format;
    /// The formats that `decode` writes, as the sum of `1 << MW_F32` and so on; the native one is among them.
    uint32_t formats;
    /// `MW_SEEK_*`.
    uint32_t seek_class;
    /// Frames of encoder delay that were left out at the start.
    uint32_t priming_frames;
    /// Frames that were left out at the end.
    uint32_t padding_frames;
    /// What a seek costs, in frames that decode in the same time: pre-roll and setting up. The host divides work by it.
    uint64_t seek_cost_frames;
    /// For `MW_SEEK_ANCHORED`, the distance between the points that the host seeks to; at least 1.
    uint64_t grid_frames;
    /// The codec in FFmpeg's terms, such as "mp3" or "flac". Valid until the process exits.
    const char *codec;
    /// The container by the name that people know it by, which is its usual extension: "m4a" for MP4 with sound alone, "mp4" for
    /// MP4 with video, "mov", "ogg", "mp3". Valid until the process exits.
    const char *container;
    /// The exact variant of a container that has several, such as an MP4 file's major brand, "M4A ", or a Matroska file's
    /// document type, "webm"; empty when there is none. Printable ASCII, ended by a zero. Since version 1.2.
    char container_variant[16];
} mw_stream_info;

/// How a stream is to be opened.
typedef struct mw_decoder_options {
    /// The size of this struct.
    uint32_t size;
    /// The number of the stream among the file's audio streams, counted from 0.
    uint32_t stream;
    /// How many threads a handle may use, the caller's included; 0 and 1 are the caller's alone.
    uint32_t max_threads;
    /// Reserved.
    uint32_t reserved;
    /// The most bytes that a handle may have allocated at any time; 0 leaves it to the plugin.
    uint64_t max_alloc;
} mw_decoder_options;

/// The samples of a frame stand side by side: one plane, `num_channels` samples a frame.
#define MW_INTERLEAVED 0
/// The samples of a channel stand side by side: `num_channels` planes.
#define MW_PLANAR 1

/// Room for frames that a callee writes, or frames that it reads.
typedef struct mw_buffer {
    /// The size of this struct.
    uint32_t size;
    /// `MW_F32`, `MW_I16` or `MW_I32`.
    uint32_t format;
    /// `MW_INTERLEAVED` or `MW_PLANAR`.
    uint32_t layout;
    /// 1 when interleaved, else the number of channels.
    uint32_t num_planes;
    /// The first sample of each plane, aligned to the size of a sample and no further.
    void *const *planes;
    /// The number of frames there is room for, or that there are.
    uint64_t num_frames;
} mw_buffer;

/// A stream being decoded; defined by the plugin.
typedef struct mw_decoder mw_decoder;

/// A kind of decoder: "mapwave.decoder/1". Every function but `tag` must be there.
typedef struct mw_decoder_table {
    /// The size of this struct.
    uint32_t size;
    /// How many bytes `probe` wants to see, at most 65536.
    uint32_t probe_bytes;
    /// A short lower-case name, unique in the library, such as "qoa".
    const char *name;
    /// The codecs it reads in FFmpeg's terms, separated by commas.
    const char *codecs;
    /// The usual extensions of file names, separated by commas, in lower case and without dots.
    const char *extensions;
    /// How sure this decoder is that it reads a file that begins with these bytes: 0 no; 1 to 49 a guess by extension; 50 to
    /// 89 a plausible structure; 90 to 100 an unmistakable magic number. `head` has the file's first `probe_bytes` bytes, or
    /// all `total_bytes` of it; `extension` may be null; `track` is not null when the host has parsed the container, and
    /// then 0 unless the decoder reads that codec from it.
    ///
    /// Any thread. A function of its arguments alone, within a millisecond, without allocating or loading anything.
    int32_t (*probe)(const uint8_t *head,
                     uint64_t num_bytes,
                     uint64_t total_bytes,
                     const char *extension,
                     const mw_track *track);
    /// Opens a stream and sets `*decoder`, which stands at frame 0. Nothing is set when it fails.
    ///
    /// Any thread. Parses what is needed to answer `info`; decodes only what it must.
    mw_status (*open)(const mw_input *input,
                      const mw_decoder_options *options,
                      mw_decoder **decoder,
                      mw_error *error);
    /// Fills `info`, whose size the caller has set.
    mw_status (*info)(const mw_decoder *decoder, mw_stream_info *info, mw_error *error);
    /// Moves so that the next frame written is number `frame` of those that `decode` gives; `num_frames` is the end and is
    /// legal. The plugin decodes and drops what it must to get there. What comes next does not depend on what the handle did
    /// before. After an error the position is undefined, and another seek is legal.
    mw_status (*seek)(mw_decoder *decoder, uint64_t frame, mw_error *error);
    /// Writes the next frames and sets `*num_frames` to their number, at least 1 and at most `buffer->num_frames`; at the end
    /// `MW_END` and 0. Nothing is written past them. However a stretch of frames is divided into calls, the same samples
    /// come out. At a packet that cannot be decoded, `MW_BAD_DATA` and 0, or silence of its length and a warning in the log, as
    /// the format's decoders do; frames before it come out first, in a call of their own. `buffer` has room for at least one
    /// frame.
    mw_status (*decode)(mw_decoder *decoder,
                        const mw_buffer *buffer,
                        uint64_t *num_frames,
                        mw_error *error);
    /// Makes another handle over the same input, which stands at frame 0 and shares what is known of the file. It lives on
    /// its own: either may be closed first.
    mw_status (*fork)(const mw_decoder *decoder, mw_decoder **fork, mw_error *error);
    /// Sets `*key` and `*value` to a piece of metadata, counted from 0; `MW_END` past the last. Keys are lower-case Vorbis
    /// comment names such as "title"; the strings are valid until `close`. May be null when there are none.
    mw_status (*tag)(const mw_decoder *decoder, uint32_t index, const char **key, const char **value);
    /// Frees the handle; null is legal. Cannot fail.
    void (*close)(mw_decoder *decoder);
} mw_decoder_table;

/// A piece of metadata.
typedef struct mw_tag {
    /// A lower-case Vorbis comment name, such as "title".
    const char *key;
    /// Its value.
    const char *value;
} mw_tag;

/// The sink takes bytes only where the last ones ended.
#define MW_SINK_APPEND_ONLY 1

/// Where an encoder's bytes go. Valid until the encoder is closed.
typedef struct mw_sink {
    /// The size of this struct.
    uint32_t size;
    /// `MW_SINK_*`.
    uint32_t flags;
    /// Passed to `write_at`.
    void *context;
    /// Writes all bytes at `offset`, or fails with a status below 0. Only called from within the encoder's own calls.
    mw_status (*write_at)(void *context, uint64_t offset, const void *data, uint64_t num_bytes);
} mw_sink;

/// What an encoder is to make.
typedef struct mw_encoder_options {
    /// The size of this struct.
    uint32_t size;
    /// Frames a second.
    uint32_t sample_rate;
    /// Samples in a frame.
    uint32_t num_channels;
    /// The depth to be coded in bits, where the codec has a choice; 0 is the encoder's.
    uint32_t bits_per_sample;
    /// Speaker positions as a WAVE channel mask; 0 when unknown.
    uint64_t channel_mask;
    /// The number of frames to come, or `MW_UNKNOWN`.
    uint64_t num_frames;
    /// The codec in FFmpeg's terms; null is the table's first.
    const char *codec;
    /// The container; null is the codec's usual one.
    const char *container;
    /// Bits a second; 0 is the encoder's choice.
    uint32_t bitrate;
    /// How hard to try, from 1 to 100; 0 is the encoder's choice. What comes out decodes to the same samples where the codec is
    /// lossless.
    uint32_t effort;
    /// The quality of a variable bitrate, from 1 to 100; 0 is the encoder's choice.
    uint32_t quality;
    /// The number of `tags`.
    uint32_t num_tags;
    /// Metadata to be written, as far as the container has room for it.
    const mw_tag *tags;
    /// How many threads a handle may use, the caller's included; 0 and 1 are the caller's alone.
    uint32_t max_threads;
    /// Reserved.
    uint32_t reserved;
    /// The most bytes that a handle may have allocated at any time; 0 leaves it to the plugin.
    uint64_t max_alloc;
} mw_encoder_options;

/// A stream being encoded; defined by the plugin.
typedef struct mw_encoder mw_encoder;

/// A kind of encoder: "mapwave.encoder/1". Every function must be there.
typedef struct mw_encoder_table {
    /// The size of this struct.
    uint32_t size;
    /// The formats that `push` takes, as in `mw_stream_info`.
    uint32_t formats;
    /// A short lower-case name, unique in the library.
    const char *name;
    /// The codecs it writes in FFmpeg's terms, separated by commas, its favourite first.
    const char *codecs;
    /// The containers it writes, separated by commas, its favourite first.
    const char *containers;
    /// Opens an encoder and sets `*encoder`; refuses here what it cannot do, before a byte is written.
    mw_status (*open)(const mw_encoder_options *options,
                      const mw_sink *sink,
                      mw_encoder **encoder,
                      mw_error *error);
    /// Takes all frames of `buffer`, in any one of `formats` and either layout.
    mw_status (*push)(mw_encoder *encoder, const mw_buffer *buffer, mw_error *error);
    /// Writes what is left and completes the headers. Only `close` is legal afterwards.
    mw_status (*finish)(mw_encoder *encoder, mw_error *error);
    /// Frees the handle; null is legal. Before `finish` it abandons the stream and writes nothing.
    void (*close)(mw_encoder *encoder);
    /// The lossless ones of `codecs`, separated by commas, each with the depths in bits that it takes where there are only some:
    /// "flac=16/24,wavpack". The host pushes integers of the chosen depth to a lossless codec, and floats, where `formats` has
    /// them, to any other. Null when none is lossless; since version 1.2.
    const char *lossless;
    /// The codec that goes without saying in a container, as pairs: "m4a=aac,mp4=aac". Of all encoders that name one for a
    /// container, the first in the host's order decides; where none does, the first codec that is listed for it. Null when
    /// there is nothing to say; since version 1.2.
    const char *default_codecs;
    /// The extensions of file names, in lower case and without their dot, that stand for a container, or for a codec in one:
    /// "m4b=m4a,opus=ogg/opus". The name of a container is an extension of its own that need not be listed. Null when there
    /// are no others; since version 1.2.
    const char *extensions;
} mw_encoder_table;

/// What a resampler is to do.
typedef struct mw_resampler_options {
    /// The size of this struct.
    uint32_t size;
    /// Frames a second that come in.
    uint32_t input_rate;
    /// Frames a second that go out.
    uint32_t output_rate;
    /// Samples in a frame.
    uint32_t num_channels;
    /// The format that comes in; what goes out is `MW_F32`.
    uint32_t input_format;
    /// How many threads a handle may use, the caller's included; 0 and 1 are the caller's alone.
    uint32_t max_threads;
    /// One of the table's `qualities`.
    const char *quality;
    /// The most bytes that a handle may have allocated at any time; 0 leaves it to the plugin.
    uint64_t max_alloc;
} mw_resampler_options;

/// A resampler at work; defined by the plugin.
typedef struct mw_resampler mw_resampler;

/// A kind of resampler: "mapwave.resampler/1". Every function but `restart` must be there.
typedef struct mw_resampler_table {
    /// The size of this struct.
    uint32_t size;
    /// The formats that come in, as in `mw_stream_info`.
    uint32_t formats;
    /// A short lower-case name, unique in the library.
    const char *name;
    /// The names of its qualities, separated by commas.
    const char *qualities;
    /// Opens a resampler and sets `*resampler`.
    mw_status (*open)(const mw_resampler_options *options,
                      mw_resampler **resampler,
                      mw_error *error);
    /// Takes frames from `input`, null once there are no more, and writes frames to `output`; sets `*num_read` and
    /// `*num_written`. With `input` null and nothing left to write, `MW_END`. In all, round(n * output_rate / input_rate)
    /// frames go out for n that came in, however they were divided. `output` has room for at least one frame.
    mw_status (*process)(mw_resampler *resampler,
                         const mw_buffer *input,
                         uint64_t *num_read,
                         const mw_buffer *output,
                         uint64_t *num_written,
                         mw_error *error);
    /// Frees the handle; null is legal.
    void (*close)(mw_resampler *resampler);
    /// Says where in a signal one may begin, by setting `*grid_frames` and `*preroll_frames`. A resampler that is opened with
    /// these options and is given frames from S on, a multiple of `grid_frames`, as if nothing came before, gives from its
    /// frame ceil(preroll_frames * output_rate / input_rate) on exactly what one gives that was fed from frame 0, from S *
    /// output_rate / input_rate, a whole number, and as many frames behind it: bit for bit, however it is fed, but for the end
    /// of what it is given. With `*grid_frames` 0, one may begin at frame 0 only. May take some time the first time. Null
    /// stands for 0; since version 1.1.
    mw_status (*restart)(const mw_resampler_options *options,
                         uint64_t *grid_frames,
                         uint64_t *preroll_frames,
                         mw_error *error);
    /// The one of `qualities` that a caller gets who asks for none. Of all resamplers that name one, the first in the host's
    /// order decides. Null leaves it to others; since version 1.2.
    const char *default_quality;
    /// `open` refuses rates of which one is this many times as high as the other, or more; 0 when there is no such limit; since
    /// version 1.2.
    uint32_t ratio_limit;
    /// Reserved.
    uint32_t reserved;
} mw_resampler_table;

/// The name of `mw_decoder_table` in `mw_plugin.get`.
#define MW_DECODER_INTERFACE "mapwave.decoder/1"
/// The name of `mw_encoder_table` in `mw_plugin.get`.
#define MW_ENCODER_INTERFACE "mapwave.encoder/1"
/// The name of `mw_resampler_table` in `mw_plugin.get`.
#define MW_RESAMPLER_INTERFACE "mapwave.resampler/1"

/// What a library is. Valid until the process exits.
typedef struct mw_plugin {
    /// The size of this struct.
    uint32_t size;
    /// `MW_ABI_MAJOR` of the plugin.
    uint32_t abi_major;
    /// `MW_ABI_MINOR` of the plugin.
    uint32_t abi_minor;
    /// Reserved.
    uint32_t reserved;
    /// The plugin's name, by which a user picks it: lower-case letters, digits, '-' and '_'; not empty.
    const char *id;
    /// Its version.
    const char *version;
    /// Who made it.
    const char *vendor;
    /// Its licence as an SPDX expression, what it is linked with included.
    const char *license;
    /// The libraries that it needs and found, with their versions, for the user to read; may be empty.
    const char *dependencies;
    /// The table of an interface by its name, such as "mapwave.decoder/1", and its number, counted from 0; null past the last
    /// and for a name that the plugin does not know. Any thread; always the same answer; valid until the process exits.
    const void *(*get)(const char *name, uint32_t index);
} mw_plugin;

/// The entry function of a plugin, exported as `mapwave_plugin_entry_v1`: returns what the library is, or null with `error`
/// filled when it cannot work here (`MW_MISSING_DEPENDENCY`, `MW_UNSUPPORTED`).
///
/// Any thread, any number of times, also at once; within 50 milliseconds; the same answer each time.
typedef const mw_plugin *(*mw_plugin_entry)(const mw_host *host, mw_error *error);

/// The name of the entry function.
#define MW_ENTRY_SYMBOL "mapwave_plugin_entry_v1"

/// What a plugin defines and exports, an `mw_plugin_entry`.
MW_EXPORT const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // MAPWAVE_PLUGIN_H
