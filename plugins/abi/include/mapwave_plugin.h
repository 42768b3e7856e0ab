/*
 * The C ABI between mapwave and its codec plugins, version 1.
 *
 * A plugin is a shared library that exports one function, `mapwave_plugin_entry_v1`. The C header
 * `mapwave_plugin.h` is generated from the Rust crate `mapwave-plugin-abi`. Names follow C's style, so that both read
 * alike.
 *
 * RULES
 *
 * - R1, sizes. Every struct begins with its size in bytes, as known to the side that fills it. A reader uses a
 *   field only if the size covers it; otherwise the field has its default, zero. Later minor versions only append
 *   fields. The caller sizes and zeroes structs that the callee fills; the callee writes no byte past that size and
 *   does not change the size. A size that does not cover version 1.0 is an error, `MW_BAD_ARGUMENT`; only an
 *   `mw_error` of such a size is filled as far as it goes, or left as it is. No field is a bool, a bitfield or an
 *   enumeration; reserved fields are zero.
 * - R2, memory. Neither side frees the other's memory. A plugin's tables and strings are valid until the process
 *   exits. Only `close` frees a handle. Pointers from the host are valid during the call, unless their comment says
 *   longer.
 * - R3, strings. Strings are UTF-8 and end with a NUL. Paths never cross the interface: a plugin sees bytes.
 * - R4, threads. Functions without a handle may be called from any thread at any time. A handle takes one call at
 *   a time, each from any thread. Different handles work fully in parallel, even over the same bytes: no state is tied
 *   to a thread, and no lock is held across calls. A plugin starts no threads unless `max_threads` allows it. Every call
 *   has a stack of at least `MW_MIN_STACK_BYTES`, 8 MiB.
 * - R5, unwinding. No panic, exception or `longjmp` crosses the interface. A plugin returns `MW_PANIC` instead,
 *   after which the handle is poisoned: every call but `close` returns `MW_PANIC`. A plugin does not call `abort` or
 *   `exit`, install signal handlers, change the locale, the floating-point mode, the working directory, the
 *   environment or a signal mask, or write to standard output or error.
 * - R6, errors. Malformed input gives an error, never undefined behaviour. A handle allocates at most `max_alloc`
 *   bytes. Every function that can fail takes an `mw_error` to fill, which may be null.
 * - R7, life. Libraries are loaded with all symbols bound and by absolute path, and never unloaded. Constructors
 *   do no work.
 * - R8, bytes. Input is read-only. A file may be truncated while it is mapped: the missing bytes read as zeros,
 *   and the host reports it. Output is written directly into the caller's buffer.
 *
 * Little-endian 64-bit machines only.
 *
 * Made of plugins/abi/src; changes belong there.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef MAPWAVE_PLUGIN_H
#define MAPWAVE_PLUGIN_H

#include <stdint.h>

/// Makes the entry function visible if all other symbols of a library are hidden.
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

/// The bytes of stack that a host gives every call at least: a plugin may use as much.
#define MW_MIN_STACK_BYTES (8 << 20)

/// The result of a call: `MW_OK`, `MW_END`, or an error, which is negative.
typedef int32_t mw_status;

/// The call succeeded.
#define MW_OK 0
/// There are no more frames or items.
#define MW_END 1
/// This plugin does not support the format or this variant of it. Another plugin may.
#define MW_UNSUPPORTED (-1)
/// An argument breaks the contract of the call.
#define MW_BAD_ARGUMENT (-2)
/// The bytes violate the format's specification.
#define MW_BAD_DATA (-3)
/// The host's `read_at` or `write_at` failed.
#define MW_IO (-4)
/// Not enough memory.
#define MW_NO_MEMORY (-5)
/// The state of the handle does not allow the call, such as pushing to a finished encoder.
#define MW_BAD_STATE (-6)
/// A library or device that the plugin needs is missing.
#define MW_MISSING_DEPENDENCY (-7)
/// The host asked to stop.
#define MW_CANCELLED (-8)
/// The call needs more than `max_alloc`, or more than the format allows.
#define MW_LIMIT (-9)
/// The plugin panicked; the handle is poisoned.
#define MW_PANIC (-10)
/// An internal error of the plugin.
#define MW_INTERNAL (-11)

/// Stands for an unknown number.
#define MW_UNKNOWN UINT64_MAX

/// The room for a message in `mw_error`, in bytes.
#define MW_MESSAGE_BYTES 512

/// Why a call failed. The caller sets `size` and zeroes the rest; the callee fills it only when it fails.
typedef struct mw_error {
    /// The size of this struct.
    uint32_t size;
    /// What the call returned.
    mw_status status;
    /// The code of a library below the plugin, or 0.
    int64_t native_code;
    /// The offset in the input in bytes, or `MW_UNKNOWN`.
    uint64_t offset;
    /// What was found and what was expected: UTF-8, NUL-terminated, truncated between characters if it is too long.
    char message[MW_MESSAGE_BYTES];
} mw_error;

/// A sample is a 32-bit float, full scale at 1.0.
#define MW_F32 1
/// A sample is a signed 16-bit integer; a shallower one is shifted up to fill it.
#define MW_I16 2
/// A sample is a signed 32-bit integer; a shallower one is shifted up to fill it.
#define MW_I32 3

/// Details for debugging.
#define MW_LOG_DEBUG 0
/// Something worth knowing.
#define MW_LOG_INFO 1
/// Something was corrected or skipped, such as a damaged packet that became silence.
#define MW_LOG_WARNING 2
/// Something failed.
#define MW_LOG_ERROR 3

/// The host's services. Passed once, at entry; valid until the process exits.
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
    /// Logs a message of a level `MW_LOG_*`. Any thread; null if the host does not log.
    void (*log)(void *context, uint32_t level, const char *message);
    /// Returns an extension of this ABI by its name, such as "vendor.name/1", or null if the host does not have it. Any
    /// thread; the result is valid until the process exits. The function itself may be null.
    const void *(*get_extension)(void *context, const char *name);
    /// Returns 1 if the caller of the current call no longer waits for it, or else 0. A call that takes long asks now and
    /// then, on the thread on which it was made, and returns `MW_CANCELLED`; a decoder can then be used after a seek. Null
    /// if the host cannot say; since version 1.2.
    int32_t (*is_cancelled)(void *context);
} mw_host;

/// A stream inside a container that the host has parsed: WAV, AIFF and CAF files with compressed packets. A decoder
/// that uses it need not parse the container, but may. All ranges are within the input.
typedef struct mw_track {
    /// The size of this struct.
    uint32_t size;
    /// The container's tag of the codec: a WAVE format tag, or a four-character code as a big-endian number.
    uint32_t tag;
    /// The container: "wav", "rifx", "rf64", "bw64", "w64", "aiff", "aifc" or "caf".
    const char *container;
    /// The codec in FFmpeg's terms, such as "adpcm_ms" or "alac", or the tag as text.
    const char *codec;
    /// Frames per second.
    uint32_t sample_rate;
    /// Samples per frame.
    uint32_t num_channels;
    /// Speaker positions as a WAVE channel mask; 0 if unknown.
    uint64_t channel_mask;
    /// The depth in bits; 0 if the codec has none.
    uint32_t bits_per_sample;
    /// Bytes per packet; 0 if they vary.
    uint32_t bytes_per_packet;
    /// Frames per packet; 0 if they vary.
    uint32_t frames_per_packet;
    /// The encoder delay at the start in frames, from a packet table; 0 without one.
    uint32_t priming_frames;
    /// The padding of the last packet in frames, from a packet table; 0 without one.
    uint32_t padding_frames;
    /// Reserved.
    uint32_t reserved;
    /// The number of frames that the container states, without priming and padding; `MW_UNKNOWN` if it does not. It
    /// is not reliable: the packets decide.
    uint64_t num_frames;
    /// The offset of the packets in bytes from the start of the input.
    uint64_t data_offset;
    /// The size of the packets in bytes.
    uint64_t data_bytes;
    /// The offset of the codec's setup: the rest of a WAVE `fmt ` chunk after its first 18 bytes, a CAF magic cookie.
    uint64_t config_offset;
    /// The size of the setup; 0 without one.
    uint64_t config_bytes;
    /// The offset of the entries of a CAF packet table: for each packet its size if that varies, then its frames if
    /// those vary. Numbers have 7 bits per byte, most significant first, and bit 7 set in every byte but the last.
    uint64_t table_offset;
    /// The size of the entries; 0 without a table.
    uint64_t table_bytes;
    /// The number of packets that the table describes.
    uint64_t num_packets;
} mw_track;

/// Bytes are fetched when they are touched, as those of a server are: a plugin should look at few of them when it opens a stream.
/// Since version 1.2.
#define MW_INPUT_COSTLY 1

/// The bytes of a file. The struct is valid during the call; its pointers, except `extension` and `track`, are valid
/// until every handle opened with it, and every fork of one, is closed.
typedef struct mw_input {
    /// The size of this struct.
    uint32_t size;
    /// The sum of `MW_INPUT_*`; 0 before version 1.2.
    uint32_t flags;
    /// The bytes, read-only; null if `read_at` provides them.
    const uint8_t *data;
    /// The number of bytes, always known.
    uint64_t num_bytes;
    /// Passed to `read_at` and `release`.
    void *context;
    /// Copies up to `num_bytes` bytes from `offset` on into `buffer` and returns their number: at least one, 0 at the
    /// end, a negative error. Fewer bytes than requested are neither an error nor the end. Any thread, also
    /// concurrently; null if `data` is not.
    int64_t (*read_at)(void *context, uint64_t offset, void *buffer, uint64_t num_bytes);
    /// The extension of the file name in lower case without its dot, or null. It is a hint: the bytes decide. The plugins
    /// that come with a host do not get it, so that a file does not depend on its name.
    const char *extension;
    /// The stream that the host has parsed, or null if the host does not know the container.
    const mw_track *track;
    /// Tells the host that the plugin does not need `num_bytes` bytes of `data` from `offset` on for now, so that their
    /// memory may be released. The bytes do not change and can be read again at any time. Useful for plugins that scan
    /// a long file when it is opened. Any thread; null if it makes no difference; since version 1.1.
    void (*release)(void *context, uint64_t offset, uint64_t num_bytes);
} mw_input;

/// Forward only: `seek` works to frame 0 and to the current position.
#define MW_SEEK_NONE 0
/// Output after `seek(frame)` is a function of the bytes and `frame` alone; it may differ from linear decoding. The
/// host seeks to every multiple of `grid_frames`, so that its own output does not depend on how it is divided.
#define MW_SEEK_ANCHORED 1
/// Output after `seek(frame)` equals linear decoding from frame 0 bit for bit, for every frame.
#define MW_SEEK_EXACT 2

/// The samples are those that the encoder got.
#define MW_STREAM_LOSSLESS 1
/// The file ends before the audio that it promises; `num_frames` counts the frames that it holds.
#define MW_STREAM_TRUNCATED 2

/// The properties of a stream. Constant from `open` to `close`, and the same for every fork.
typedef struct mw_stream_info {
    /// The size of this struct.
    uint32_t size;
    /// The sum of `MW_STREAM_*`.
    uint32_t flags;
    /// Frames per second, at least 1.
    uint32_t sample_rate;
    /// Samples per frame, at least 1.
    uint32_t num_channels;
    /// Speaker positions as a WAVE channel mask, one for each channel, which also gives the order of channels; 0 if
    /// unknown.
    uint64_t channel_mask;
    /// The exact number of frames that `decode` returns, without priming and padding; `MW_UNKNOWN` only if it takes
    /// decoding to know it, which the host then does.
    uint64_t num_frames;
    /// The depth in bits; 0 if the codec has none.
    uint32_t bits_per_sample;
    /// The lossless sample format: `MW_F32`, `MW_I16` or `MW_I32`.
    uint32_t native_format;
    /// The formats that `decode` writes, as the sum of `1 << MW_F32` and so on; the native one is among them.
    uint32_t formats;
    /// `MW_SEEK_*`.
    uint32_t seek_class;
    /// The frames of encoder delay dropped at the start.
    uint32_t priming_frames;
    /// The frames dropped at the end.
    uint32_t padding_frames;
    /// The cost of a seek, in frames that decode in the same time: pre-roll and setup. The host divides work
    /// accordingly.
    uint64_t seek_cost_frames;
    /// For `MW_SEEK_ANCHORED`, the distance between the points that the host seeks to; at least 1.
    uint64_t grid_frames;
    /// The codec in FFmpeg's terms, such as "mp3" or "flac": lower-case letters, digits and "-_.+". Valid until the
    /// process exits.
    const char *codec;
    /// The everyday name of the container, which is its usual extension: "m4a" for MP4 with audio alone, "mp4" for MP4
    /// with video, "mov", "ogg", "mp3"; of the same letters. Valid until the process exits.
    const char *container;
    /// The exact variant of a container that has several, such as an MP4 file's major brand, "M4A ", or a Matroska
    /// file's document type, "webm"; empty if there is none. Printable ASCII, NUL-terminated; since version 1.2.
    char container_variant[16];
} mw_stream_info;

/// An option is "0" or "1"; since version 1.2.
#define MW_OPTION_FLAG 1
/// An option is a whole number in decimal digits; since version 1.2.
#define MW_OPTION_INTEGER 2
/// An option is a number such as "0.5" or "1e-3"; since version 1.2.
#define MW_OPTION_NUMBER 3
/// An option is a text; since version 1.2.
#define MW_OPTION_TEXT 4

/// An option of a decoder's or encoder's own. Its strings are valid until the process exits; since version 1.2.
typedef struct mw_option {
    /// The size of this struct.
    uint32_t size;
    /// `MW_OPTION_*`.
    uint32_t kind;
    /// The name, unique in the table: lower-case letters, digits and '_'.
    const char *name;
    /// The value that the option has if it is not given, as text; null if there is none.
    const char *default_value;
    /// The legal values of a text, separated by commas; null if any is legal.
    const char *choices;
    /// What it does, in a few words; null if there is nothing to say.
    const char *description;
    /// The least legal number; without limits, both are 0.
    double minimum;
    /// The greatest legal number.
    double maximum;
} mw_option;

/// A tag, or an option and its value.
typedef struct mw_tag {
    /// A lower-case Vorbis comment name, such as "title", or the name of an option.
    const char *key;
    /// Its value.
    const char *value;
} mw_tag;

/// The stream is the default one of its file; since version 1.2.
#define MW_ENTRY_DEFAULT 1

/// An audio stream in the list of those that a file has, whether or not the plugin decodes it; since version 1.2.
typedef struct mw_stream_entry {
    /// The size of this struct.
    uint32_t size;
    /// `MW_ENTRY_DEFAULT` or 0.
    uint32_t flags;
    /// Frames per second as the container states them; 0 if it does not.
    uint32_t sample_rate;
    /// Samples per frame as the container states them; 0 if it does not.
    uint32_t num_channels;
    /// The codec in FFmpeg's terms, or the container's name of it. Valid until `close`.
    const char *codec;
    /// The language as the container states it, such as "eng"; null if it does not. Valid until `close`.
    const char *language;
} mw_stream_entry;

/// A picture in a file, such as a cover; since version 1.2.
typedef struct mw_picture {
    /// The size of this struct.
    uint32_t size;
    /// What it shows, as ID3v2 numbers it from 0 to 20: 3 is the front cover, 0 anything else.
    uint32_t kind;
    /// The type of the data, such as "image/jpeg". Valid until `close`.
    const char *mime;
    /// A description; null if there is none. Valid until `close`.
    const char *description;
    /// The width in pixels; 0 if it is not known.
    uint32_t width;
    /// The height in pixels; 0 if it is not known.
    uint32_t height;
    /// The image file. Valid until `close`.
    const uint8_t *data;
    /// The number of its bytes, at least 1.
    uint64_t num_bytes;
} mw_picture;

/// A chapter or a marker of a stream, in frames that `decode` returns; since version 1.2.
typedef struct mw_chapter {
    /// The size of this struct.
    uint32_t size;
    /// Reserved.
    uint32_t reserved;
    /// The name; null if it has none. Valid until `close`.
    const char *label;
    /// The first frame.
    uint64_t start;
    /// The frame behind the last one, at least `start`; `MW_UNKNOWN` if it has no end.
    uint64_t end;
} mw_chapter;

/// The samples of a frame are adjacent: one plane, `num_channels` samples per frame.
#define MW_INTERLEAVED 0
/// The samples of a channel are adjacent: `num_channels` planes.
#define MW_PLANAR 1

/// A buffer for frames that the callee writes, or with frames that it reads.
typedef struct mw_buffer {
    /// The size of this struct.
    uint32_t size;
    /// `MW_F32`, `MW_I16` or `MW_I32`.
    uint32_t format;
    /// `MW_INTERLEAVED` or `MW_PLANAR`.
    uint32_t layout;
    /// 1 if interleaved, or else the number of channels.
    uint32_t num_planes;
    /// The first sample of each plane, aligned to the size of a sample.
    void *const *planes;
    /// The capacity in frames, or the number of frames.
    uint64_t num_frames;
} mw_buffer;

/// The sink takes bytes only at its end.
#define MW_SINK_APPEND_ONLY 1

/// Bytes go on to a listener as they come: an encoder should make short packets, pages and blocks, and write each at once. It may
/// ignore this. Since version 1.2.
#define MW_SINK_LIVE 2

/// The destination of an encoder's bytes, valid until the encoder is closed, or of a decoder's index.
typedef struct mw_sink {
    /// The size of this struct.
    uint32_t size;
    /// `MW_SINK_*`.
    uint32_t flags;
    /// Passed to `write_at`.
    void *context;
    /// Writes all bytes at `offset`, or fails with a negative status. Called only from within the plugin's own calls.
    mw_status (*write_at)(void *context, uint64_t offset, const void *data, uint64_t num_bytes);
} mw_sink;

/// Stands for a file's default stream in `mw_decoder_options`: the one that the file flags as default, or else the first.
/// A host uses it only if the table has the function `stream`; since version 1.2.
#define MW_DEFAULT_STREAM UINT32_MAX

/// Options for opening a stream.
typedef struct mw_decoder_options {
    /// The size of this struct.
    uint32_t size;
    /// The number of the stream among the file's audio streams, counted from 0, or `MW_DEFAULT_STREAM`.
    uint32_t stream;
    /// The number of threads that a handle may use, including the caller's; 0 and 1 mean the caller's alone.
    uint32_t max_threads;
    /// Reserved.
    uint32_t reserved;
    /// The most bytes that a handle may have allocated at any time; 0 leaves the limit to the plugin.
    uint64_t max_alloc;
    /// The values of options that the table's `option` describes, as far as the user gives them: legal ones, each at most
    /// once; since version 1.2.
    const mw_tag *settings;
    /// The number of `settings`; since version 1.2.
    uint64_t num_settings;
    /// What `save_index` of the table wrote about this stream, or null. Valid during the call. The host keeps accidents away:
    /// it seals what it saves with digests of it and of the file, and with the decoder's version. Yet it may be made up: the
    /// decoder compares it with the file as far as that costs little, opens the file as without it if it does not fit,
    /// and never reads outside of the file, loops or allocates more because of it; since version 1.2.
    const uint8_t *index;
    /// The number of its bytes; since version 1.2.
    uint64_t index_bytes;
} mw_decoder_options;

/// A stream being decoded; defined by the plugin.
typedef struct mw_decoder mw_decoder;

/// A kind of decoder: "mapwave.decoder/1". Only `tag` and the functions since version 1.2 may be null.
typedef struct mw_decoder_table {
    /// The size of this struct.
    uint32_t size;
    /// The number of bytes that `probe` needs, at most 65536; since version 1.2 at most 327680, of which a host gives
    /// 8192 at first, and all only if no decoder finds a plausible structure.
    uint32_t probe_bytes;
    /// A short lower-case name, unique in the library, such as "qoa".
    const char *name;
    /// The codecs it reads in FFmpeg's terms, separated by commas.
    const char *codecs;
    /// The usual extensions of file names, separated by commas, in lower case and without dots.
    const char *extensions;
    /// Returns a score for a file that begins with these bytes: 0 if the decoder does not support it; 1 to 49 for a
    /// guess by extension; 50 to 89 for a plausible structure; 90 to 99 for an unmistakable magic number; 100 if, beyond
    /// that, no other decoder is to be asked when `open` answers `MW_BAD_DATA`. `head` has the file's first
    /// `probe_bytes` bytes, or all `total_bytes` of it; `extension` is null unless no decoder supports the file by its
    /// bytes; `track` is not null if the host has parsed the container, and then the score is 0 unless the decoder
    /// supports that codec in it.
    ///
    /// Any thread. The result depends on the arguments alone and takes less than a millisecond; nothing is allocated or
    /// loaded.
    int32_t (*probe)(const uint8_t *head,
                     uint64_t num_bytes,
                     uint64_t total_bytes,
                     const char *extension,
                     const mw_track *track);
    /// Opens a stream at frame 0 and sets `*decoder`. On failure nothing is set. A stream that the file does not have is
    /// `MW_BAD_ARGUMENT`, with a message that says which it has; one that the plugin does not decode is
    /// `MW_UNSUPPORTED`, with a message that names its codec.
    ///
    /// Any thread. Parses as much as `info` needs, and decodes only if it must.
    mw_status (*open)(const mw_input *input,
                      const mw_decoder_options *options,
                      mw_decoder **decoder,
                      mw_error *error);
    /// Fills `info`, whose size the caller sets.
    mw_status (*info)(const mw_decoder *decoder, mw_stream_info *info, mw_error *error);
    /// Moves to frame number `frame` of those that `decode` returns; `num_frames`, the end, is legal. The plugin
    /// decodes and drops frames if it must. The following output does not depend on earlier calls. After an error the
    /// position is undefined, and another seek is legal.
    mw_status (*seek)(mw_decoder *decoder, uint64_t frame, mw_error *error);
    /// Writes the next frames and sets `*num_frames` to their number, at least 1 and at most `buffer->num_frames`; at
    /// the end returns `MW_END` and sets 0. Nothing is written past them. The samples do not depend on how frames are
    /// divided into calls. At a damaged packet, returns `MW_BAD_DATA` and sets 0, or writes silence of its length and
    /// logs a warning, as is usual for the format; frames before it are returned first, by a separate call. `buffer`
    /// has room for at least one frame.
    mw_status (*decode)(mw_decoder *decoder,
                        const mw_buffer *buffer,
                        uint64_t *num_frames,
                        mw_error *error);
    /// Makes another handle over the same input at frame 0, which shares the parsed headers. The handles are
    /// independent: either may be closed first.
    mw_status (*fork)(const mw_decoder *decoder, mw_decoder **fork, mw_error *error);
    /// Sets `*key` and `*value` to the tag number `index`, counted from 0; `MW_END` past the last. Keys are lower-case
    /// Vorbis comment names such as "title"; the strings are valid until `close`. May be null if there are no tags.
    mw_status (*tag)(const mw_decoder *decoder, uint32_t index, const char **key, const char **value);
    /// Frees the handle; null is legal. Cannot fail.
    void (*close)(mw_decoder *decoder);
    /// Fills `entry`, whose size the caller sets, with audio stream number `index` of the file, counted from 0; `MW_END`
    /// past the last, and nothing is written. The list is the same for every handle, whichever stream it has open; `stream`
    /// of `mw_decoder_options` counts as it does. It holds at least the open stream, and exactly one stream has
    /// `MW_ENTRY_DEFAULT`: the one that `MW_DEFAULT_STREAM` opens. Null if the decoder reads the first stream of a file
    /// and no other, in which case a host asks for no other; since version 1.2.
    mw_status (*stream)(const mw_decoder *decoder,
                        uint32_t index,
                        mw_stream_entry *entry,
                        mw_error *error);
    /// Fills `option`, whose size the caller sets, with option number `index` of the decoder's own, counted from 0;
    /// `MW_END` past the last. Any thread; always the same result. Null if there are none; since version 1.2.
    mw_status (*option)(uint32_t index, mw_option *option, mw_error *error);
    /// Writes to `sink`, one behind the other from offset 0 on, the bytes that spare another `open` of the same file the scan
    /// for its packets: a few for each packet at most. `MW_END`, with nothing written, if there was no such scan. Every handle
    /// over the stream writes the same, whether it was opened with an `index` or without. `sink` is valid during the call, and
    /// its `flags` are `MW_SINK_APPEND_ONLY`; the host refuses what is longer than it keeps. Null if the decoder has
    /// no index; since version 1.2.
    mw_status (*save_index)(const mw_decoder *decoder, const mw_sink *sink, mw_error *error);
    /// Fills `picture`, whose size the caller sets, with picture number `index` of the file, counted from 0; `MW_END` past the
    /// last, and nothing is written. Always the same, for every fork. Null if the decoder knows none; since version 1.2.
    mw_status (*picture)(const mw_decoder *decoder,
                         uint32_t index,
                         mw_picture *picture,
                         mw_error *error);
    /// Fills `chapter`, whose size the caller sets, with chapter number `index` of the stream, counted from 0; `MW_END` past
    /// the last, and nothing is written. Always the same, for every fork. Null if the decoder knows none; since version 1.2.
    mw_status (*chapter)(const mw_decoder *decoder,
                         uint32_t index,
                         mw_chapter *chapter,
                         mw_error *error);
} mw_decoder_table;

/// Options for opening an encoder.
typedef struct mw_encoder_options {
    /// The size of this struct.
    uint32_t size;
    /// Frames per second.
    uint32_t sample_rate;
    /// Samples per frame.
    uint32_t num_channels;
    /// The depth to encode in bits, if the codec has a choice; 0 is the encoder's choice.
    uint32_t bits_per_sample;
    /// Speaker positions as a WAVE channel mask; 0 if unknown.
    uint64_t channel_mask;
    /// The number of frames to come, or `MW_UNKNOWN`.
    uint64_t num_frames;
    /// The codec in FFmpeg's terms; null means the table's first.
    const char *codec;
    /// The container; null means the codec's usual one.
    const char *container;
    /// Bits per second; 0 is the encoder's choice.
    uint32_t bitrate;
    /// The effort, from 1 to 100; 0 is the encoder's choice. With a lossless codec it does not change the decoded
    /// samples.
    uint32_t effort;
    /// The quality of a variable bitrate, from 1 to 100; 0 is the encoder's choice.
    uint32_t quality;
    /// The number of `tags`.
    uint32_t num_tags;
    /// The tags to write, as far as the container supports them.
    const mw_tag *tags;
    /// The number of threads that a handle may use, including the caller's; 0 and 1 mean the caller's alone.
    uint32_t max_threads;
    /// Reserved.
    uint32_t reserved;
    /// The most bytes that a handle may have allocated at any time; 0 leaves the limit to the plugin.
    uint64_t max_alloc;
    /// As in `mw_decoder_options`; since version 1.2.
    const mw_tag *settings;
    /// The number of `settings`; since version 1.2.
    uint64_t num_settings;
} mw_encoder_options;

/// A stream being encoded; defined by the plugin.
typedef struct mw_encoder mw_encoder;

/// A kind of encoder: "mapwave.encoder/1". Only `option` may be null.
typedef struct mw_encoder_table {
    /// The size of this struct.
    uint32_t size;
    /// The formats that `push` takes, as in `mw_stream_info`.
    uint32_t formats;
    /// A short lower-case name, unique in the library.
    const char *name;
    /// The codecs it writes in FFmpeg's terms, separated by commas, the preferred one first.
    const char *codecs;
    /// The containers it writes, separated by commas, the preferred one first.
    const char *containers;
    /// Opens an encoder and sets `*encoder`. Unsupported options are rejected here, before a byte is written; `effort` and
    /// `tags` alone may have no effect.
    mw_status (*open)(const mw_encoder_options *options,
                      const mw_sink *sink,
                      mw_encoder **encoder,
                      mw_error *error);
    /// Takes all frames of `buffer`, in any one of `formats` and either layout.
    mw_status (*push)(mw_encoder *encoder, const mw_buffer *buffer, mw_error *error);
    /// Writes the rest and completes the headers. Only `close` is legal afterwards.
    mw_status (*finish)(mw_encoder *encoder, mw_error *error);
    /// Frees the handle; null is legal. Before `finish` it abandons the stream without writing.
    void (*close)(mw_encoder *encoder);
    /// The lossless ones of `codecs`, separated by commas, each with the depths in bits that it supports if not all:
    /// "flac=16/24,wavpack". The host pushes integers of the chosen depth to a lossless codec, and floats, if `formats`
    /// has them, to any other. Null if none is lossless; since version 1.2.
    const char *lossless;
    /// The default codecs of containers, as pairs: "m4a=aac,mp4=aac". The first encoder in the host's order that names
    /// one for a container decides; without any, the default is the first codec that is listed for it. Null for no
    /// defaults; since version 1.2.
    const char *default_codecs;
    /// The extensions of file names, in lower case and without their dot, that mean a container, or a codec in one:
    /// "m4b=m4a,opus=ogg/opus". The name of a container is an extension too and need not be listed. Null for no others;
    /// since version 1.2.
    const char *extensions;
    /// As in `mw_decoder_table`, the encoder's own options; since version 1.2.
    mw_status (*option)(uint32_t index, mw_option *option, mw_error *error);
} mw_encoder_table;

/// Options for opening a resampler.
typedef struct mw_resampler_options {
    /// The size of this struct.
    uint32_t size;
    /// Frames per second of the input.
    uint32_t input_rate;
    /// Frames per second of the output.
    uint32_t output_rate;
    /// Samples per frame.
    uint32_t num_channels;
    /// The format of the input; that of the output is `MW_F32`.
    uint32_t input_format;
    /// The number of threads that a handle may use, including the caller's; 0 and 1 mean the caller's alone.
    uint32_t max_threads;
    /// One of the table's `qualities`.
    const char *quality;
    /// The most bytes that a handle may have allocated at any time; 0 leaves the limit to the plugin.
    uint64_t max_alloc;
} mw_resampler_options;

/// A resampler at work; defined by the plugin.
typedef struct mw_resampler mw_resampler;

/// A kind of resampler: "mapwave.resampler/1". Only `restart` may be null.
typedef struct mw_resampler_table {
    /// The size of this struct.
    uint32_t size;
    /// The formats of the input, as in `mw_stream_info`.
    uint32_t formats;
    /// A short lower-case name, unique in the library.
    const char *name;
    /// The names of its qualities, separated by commas.
    const char *qualities;
    /// Opens a resampler and sets `*resampler`.
    mw_status (*open)(const mw_resampler_options *options,
                      mw_resampler **resampler,
                      mw_error *error);
    /// Takes frames from `input`, which is null after the last, and writes frames to `output`; sets `*num_read` and
    /// `*num_written`. If `input` is null and nothing is left to write, returns `MW_END`. In all, n input frames give
    /// round(n * output_rate / input_rate) output frames, however they are divided. `output` has room for at least one
    /// frame.
    mw_status (*process)(mw_resampler *resampler,
                         const mw_buffer *input,
                         uint64_t *num_read,
                         const mw_buffer *output,
                         uint64_t *num_written,
                         mw_error *error);
    /// Frees the handle; null is legal.
    void (*close)(mw_resampler *resampler);
    /// Sets `*grid_frames` and `*preroll_frames`, which state where in a signal a resampler may start. Let S be a
    /// multiple of `*grid_frames`, so that S * output_rate / input_rate is a whole number. A resampler opened with
    /// these options that gets the frames from S on as if they were the first returns, from its output frame
    /// ceil(preroll_frames * output_rate / input_rate) on, the same bits as one that got all frames from 0 on returns
    /// that many frames after S * output_rate / input_rate, however the input is divided, except near its end. If
    /// `*grid_frames` is 0, a resampler may start at frame 0 only. The first call may take some time. Null means 0;
    /// since version 1.1.
    mw_status (*restart)(const mw_resampler_options *options,
                         uint64_t *grid_frames,
                         uint64_t *preroll_frames,
                         mw_error *error);
    /// The default one of `qualities`. The first resampler in the host's order that names one decides. Null leaves it
    /// to others; since version 1.2.
    const char *default_quality;
    /// `open` rejects rates if one is at least this many times the other; 0 for no limit; since version 1.2.
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

/// The description of a library. Valid until the process exits.
typedef struct mw_plugin {
    /// The size of this struct.
    uint32_t size;
    /// `MW_ABI_MAJOR` of the plugin.
    uint32_t abi_major;
    /// `MW_ABI_MINOR` of the plugin.
    uint32_t abi_minor;
    /// Reserved.
    uint32_t reserved;
    /// The plugin's name, by which users choose it: lower-case letters, digits, '-' and '_'; not empty.
    const char *id;
    /// Its version.
    const char *version;
    /// Who made it.
    const char *vendor;
    /// Its licence as an SPDX expression, including that of linked libraries.
    const char *license;
    /// The libraries that it uses, with their versions, for the user to read; may be empty.
    const char *dependencies;
    /// Returns the table of an interface by its name, such as "mapwave.decoder/1", and its number, counted from 0; null
    /// past the last and for unknown names. Any thread; always the same result, valid until the process exits.
    const void *(*get)(const char *name, uint32_t index);
} mw_plugin;

/// The entry function of a plugin, exported as `mapwave_plugin_entry_v1`: returns the description of the library, or
/// null with `error` filled if it cannot work here (`MW_MISSING_DEPENDENCY`, `MW_UNSUPPORTED`).
///
/// Any thread, any number of times, also concurrently; within 50 milliseconds; always the same result.
typedef const mw_plugin *(*mw_plugin_entry)(const mw_host *host, mw_error *error);

/// The name of the entry function.
#define MW_ENTRY_SYMBOL "mapwave_plugin_entry_v1"

/// What a plugin defines and exports, an `mw_plugin_entry`.
MW_EXPORT const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // MAPWAVE_PLUGIN_H
