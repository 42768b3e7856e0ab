/* Sun and NeXT audio files (.au, .snd) for mapwave: the worked example of a plugin in C99.
 *
 *     cc -std=c99 -O2 -shared -fPIC -fvisibility=hidden -Wall -Wextra -pedantic -Werror \
 *        -I plugins/abi/include -o au.so plugins/example-c/au.c
 *
 * The format is described in the Solaris manual page audio_file_format(4): a header of six big-endian words, a text of any
 * length, and interleaved samples. R1 to R8 below are the rules at the head of mapwave_plugin.h.
 *
 * R7: there is no constructor. R4: all variables are in a handle; static data is constant.
 */

#include "mapwave_plugin_util.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 24
#define MAX_CHANNELS 65535u
#define MAX_TEXT_BYTES 65536u
#define SCRATCH_BYTES 65536u
#define CHUNK_SAMPLES 256u
#define ALL_FORMATS (1u << MW_F32 | 1u << MW_I16 | 1u << MW_I32)

enum encoding { MULAW = 1, PCM_8, PCM_16, PCM_24, PCM_32, FLOAT_32, FLOAT_64, ALAW = 27 };

struct encoding_facts {
    uint32_t number, sample_bytes, native_format, flags;
    const char *codec;
};

static const struct encoding_facts ENCODINGS[] = {
    {MULAW, 1, MW_I16, 0, "pcm_mulaw"},
    {PCM_8, 1, MW_I16, MW_STREAM_LOSSLESS, "pcm_s8"},
    {PCM_16, 2, MW_I16, MW_STREAM_LOSSLESS, "pcm_s16be"},
    {PCM_24, 3, MW_I32, MW_STREAM_LOSSLESS, "pcm_s24be"},
    {PCM_32, 4, MW_I32, MW_STREAM_LOSSLESS, "pcm_s32be"},
    {FLOAT_32, 4, MW_F32, MW_STREAM_LOSSLESS, "pcm_f32be"},
    {FLOAT_64, 8, MW_F32, 0, "pcm_f64be"}, /* no format of the interface holds it exactly */
    {ALAW, 1, MW_I16, 0, "pcm_alaw"},
};

/* A handle, in one allocation. R2: only `close_decoder` frees it. */
struct mw_decoder {
    mw_input input;
    const struct encoding_facts *encoding;
    uint32_t sample_rate, num_channels, flags;
    uint64_t data_offset, num_frames, frame_bytes;
    uint64_t position;      /* of the next frame */
    uint64_t total_bytes;   /* of this allocation */
    uint64_t text_bytes;    /* of the annotation at `tail`, its NUL included; 0 without one */
    uint64_t scratch_bytes; /* after it, for frames that must be read; 0 if the file is in memory */
    unsigned char tail[];
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint32_t word(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* ---- conversion of samples ---- */

static int32_t expand_mulaw(unsigned char code) /* ITU-T G.711, table 2, in 16 bits */
{
    int32_t bits = ~code & 0xff;
    int32_t magnitude = (((bits & 15) * 8 + 132) << (bits >> 4 & 7)) - 132;
    return bits & 0x80 ? -magnitude : magnitude;
}

static int32_t expand_alaw(unsigned char code) /* ITU-T G.711, table 1, in 16 bits */
{
    int32_t bits = code ^ 0x55, segment = bits >> 4 & 7, magnitude = (bits & 15) * 16 + 8;
    if (segment > 0)
        magnitude = (magnitude + 256) << (segment - 1);
    return bits & 0x80 ? magnitude : -magnitude;
}

static int32_t integer_of(uint32_t bits)
{
    int32_t value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Loads integers and shifts them up to 32 bits; a sample begins `step` bytes after the one before. */
static void load_integers(int32_t *to, uint32_t count, const unsigned char *from, uint64_t step, uint32_t encoding)
{
    uint32_t i;

    for (i = 0; i < count; i++, from += step) {
        switch (encoding) {
        case MULAW: to[i] = expand_mulaw(from[0]) * 65536; break;
        case ALAW: to[i] = expand_alaw(from[0]) * 65536; break;
        case PCM_8: to[i] = integer_of((uint32_t)from[0] << 24); break;
        case PCM_16: to[i] = integer_of((uint32_t)from[0] << 24 | (uint32_t)from[1] << 16); break;
        case PCM_24: to[i] = integer_of((uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8); break;
        default: to[i] = integer_of(word(from)); break;
        }
    }
}

static void load_floats(double *to, uint32_t count, const unsigned char *from, uint64_t step, uint32_t encoding)
{
    uint32_t i;

    for (i = 0; i < count; i++, from += step) {
        if (encoding == FLOAT_32) {
            uint32_t bits = word(from);
            float value;
            memcpy(&value, &bits, sizeof value);
            to[i] = value;
        } else {
            uint64_t bits = (uint64_t)word(from) << 32 | word(from + 4);
            memcpy(&to[i], &bits, sizeof to[i]);
        }
    }
}

/* Rounds to 16 bits, half to even, and saturates. */
static int16_t narrow(int32_t value)
{
    int32_t whole = value / 65536, rest = value % 65536;

    if (rest > 32768 || (rest == 32768 && whole % 2 != 0))
        whole++;
    if (rest < -32768 || (rest == -32768 && whole % 2 != 0))
        whole--;
    return (int16_t)(whole > INT16_MAX ? INT16_MAX : whole);
}

/* Rounds a float to an integer whose full scale is `scale`, half to even, and saturates; NaN becomes 0. */
static int32_t round_float(double value, double scale)
{
    double scaled = value * scale, rest;
    int64_t whole;

    if (scaled >= scale - 1)
        return (int32_t)(scale - 1);
    if (scaled <= -scale)
        return (int32_t)-scale;
    if (scaled != scaled)
        return 0;
    whole = (int64_t)scaled;
    rest = scaled - (double)whole;
    if (rest > 0.5 || (rest == 0.5 && whole % 2 != 0))
        whole++;
    if (rest < -0.5 || (rest == -0.5 && whole % 2 != 0))
        whole--;
    return (int32_t)whole;
}

/* Converts `count` samples and writes them one after the other to `to`. */
static void convert(const struct encoding_facts *encoding, const unsigned char *from, uint64_t step, uint64_t count,
                    uint32_t format, void *to)
{
    float *floats = to;
    int16_t *shorts = to;
    int32_t *longs = to;
    uint64_t done;
    uint32_t i;

    for (done = 0; done < count; done += CHUNK_SAMPLES) {
        uint32_t some = (uint32_t)smaller(CHUNK_SAMPLES, count - done);
        if (encoding->number == FLOAT_32 || encoding->number == FLOAT_64) {
            double chunk[CHUNK_SAMPLES];
            load_floats(chunk, some, from, step, encoding->number);
            for (i = 0; i < some; i++) {
                switch (format) {
                case MW_F32: floats[done + i] = (float)chunk[i]; break; /* IEC 60559: overflow becomes infinity */
                case MW_I16: shorts[done + i] = (int16_t)round_float(chunk[i], 32768.0); break;
                default: longs[done + i] = round_float(chunk[i], 2147483648.0); break;
                }
            }
        } else {
            int32_t chunk[CHUNK_SAMPLES];
            load_integers(chunk, some, from, step, encoding->number);
            for (i = 0; i < some; i++) {
                switch (format) {
                case MW_F32: floats[done + i] = (float)chunk[i] / 2147483648.0f; break;
                case MW_I16: shorts[done + i] = narrow(chunk[i]); break;
                default: longs[done + i] = chunk[i]; break;
                }
            }
        }
        from += some * step;
    }
}

/* ---- the decoder ---- */

static int32_t probe(const uint8_t *head, uint64_t num_bytes, uint64_t total_bytes, const char *extension,
                     const mw_track *track)
{
    (void)total_bytes;
    (void)extension;
    return track == NULL && num_bytes >= 4 && memcmp(head, ".snd", 4) == 0 ? 100 : 0;
}

/* Parses the header into a handle that is not allocated yet. */
static mw_status parse(struct mw_decoder *au, mw_error *error)
{
    unsigned char header[HEADER_BYTES];
    uint64_t available, promised;
    uint32_t data_bytes, number;
    mw_status status;
    size_t i;

    if (au->input.num_bytes < HEADER_BYTES)
        return mw_fail(error, MW_BAD_DATA, 0, "the file has %llu bytes, too few for a header of 24",
                    (unsigned long long)au->input.num_bytes);
    status = mw_read_all(&au->input, 0, header, HEADER_BYTES, error);
    if (status != MW_OK)
        return status;
    if (memcmp(header, ".snd", 4) != 0)
        return mw_fail(error, MW_UNSUPPORTED, 0, "the file does not begin with \".snd\"");
    au->data_offset = word(header + 4);
    data_bytes = word(header + 8);
    number = word(header + 12);
    au->sample_rate = word(header + 16);
    au->num_channels = word(header + 20);

    for (i = 0; i < sizeof ENCODINGS / sizeof *ENCODINGS; i++)
        if (ENCODINGS[i].number == number)
            au->encoding = &ENCODINGS[i];
    if (au->encoding == NULL)
        return mw_fail(error, MW_UNSUPPORTED, 12, "the encoding is %lu, expected 1 to 7 or 27", (unsigned long)number);
    if (au->sample_rate == 0)
        return mw_fail(error, MW_BAD_DATA, 16, "the sample rate is 0");
    if (au->num_channels == 0 || au->num_channels > MAX_CHANNELS)
        return mw_fail(error, MW_BAD_DATA, 20, "the file has %lu channels, expected 1 to %lu",
                    (unsigned long)au->num_channels, (unsigned long)MAX_CHANNELS);
    if (au->data_offset < HEADER_BYTES || au->data_offset > au->input.num_bytes)
        return mw_fail(error, MW_BAD_DATA, 4, "the samples begin at byte %llu, expected 24 to %llu, the file's size",
                    (unsigned long long)au->data_offset, (unsigned long long)au->input.num_bytes);

    au->frame_bytes = (uint64_t)au->num_channels * au->encoding->sample_bytes; /* below 2^19 */
    au->flags = au->encoding->flags;
    available = au->input.num_bytes - au->data_offset;
    promised = data_bytes == 0xffffffffu ? available : data_bytes; /* all ones: unknown to the writer */
    if (promised > available)
        au->flags |= MW_STREAM_TRUNCATED;
    au->num_frames = smaller(promised, available) / au->frame_bytes;
    return MW_OK;
}

/* R3: whether a NUL-terminated text is UTF-8 (RFC 3629, section 4). */
static int is_utf8(const unsigned char *text)
{
    while (*text != 0) {
        unsigned char lead = *text++, low = 0x80, high = 0xbf;
        int rest = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4)
            return 0;
        if (lead == 0xe0) low = 0xa0;  /* overlong */
        if (lead == 0xed) high = 0x9f; /* surrogates */
        if (lead == 0xf0) low = 0x90;
        if (lead == 0xf4) high = 0x8f; /* beyond U+10FFFF */
        for (; rest > 0; rest--, text++, low = 0x80, high = 0xbf)
            if (*text < low || *text > high)
                return 0;
    }
    return 1;
}

static mw_status open_decoder(const mw_input *input, const mw_decoder_options *options, mw_decoder **decoder,
                              mw_error *error)
{
    struct mw_decoder parsed, *au;
    mw_decoder_options chosen;
    mw_status status;

    memset(&parsed, 0, sizeof parsed);
    if (decoder == NULL || !mw_take_input(&parsed.input, input) ||
        (!mw_take_decoder_options(&chosen, options) && options != NULL))
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "an argument is null or smaller than in version 1.0");
    if (parsed.input.data == NULL && parsed.input.read_at == NULL && parsed.input.num_bytes > 0)
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "the input has neither bytes nor read_at");
    parsed.input.extension = NULL; /* these two are valid only during this call */
    parsed.input.track = NULL;
    if (chosen.stream != 0)
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "the file has only stream 0, not stream %lu",
                    (unsigned long)chosen.stream);
    status = parse(&parsed, error);
    if (status != MW_OK)
        return status;

    /* R6: every size is bounded, so the sum cannot overflow, and max_alloc bounds it again. */
    if (parsed.data_offset > HEADER_BYTES && parsed.data_offset - HEADER_BYTES <= MAX_TEXT_BYTES)
        parsed.text_bytes = parsed.data_offset - HEADER_BYTES + 1;
    if (parsed.input.data == NULL)
        parsed.scratch_bytes = parsed.frame_bytes > SCRATCH_BYTES ? parsed.frame_bytes : SCRATCH_BYTES;
    parsed.total_bytes = sizeof parsed + parsed.text_bytes + parsed.scratch_bytes;
    if (chosen.max_alloc != 0 && parsed.total_bytes > chosen.max_alloc)
        return mw_fail(error, MW_LIMIT, MW_UNKNOWN, "decoding needs %llu bytes, but only %llu may be allocated",
                    (unsigned long long)parsed.total_bytes, (unsigned long long)chosen.max_alloc);
    au = malloc(parsed.total_bytes);
    if (au == NULL)
        return mw_fail(error, MW_NO_MEMORY, MW_UNKNOWN, "not enough memory for %llu bytes", (unsigned long long)parsed.total_bytes);
    memcpy(au, &parsed, sizeof parsed);
    if (au->text_bytes > 0) {
        status = mw_read_all(&au->input, HEADER_BYTES, au->tail, au->text_bytes - 1, error);
        if (status != MW_OK) {
            free(au);
            return status;
        }
        au->tail[au->text_bytes - 1] = 0;
        if (au->tail[0] == 0 || !is_utf8(au->tail))
            au->text_bytes = 0;
    }
    *decoder = au;
    return MW_OK;
}

static mw_status info(const mw_decoder *au, mw_stream_info *info, mw_error *error)
{
    mw_stream_info all;

    if (au == NULL)
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "the decoder is null");
    memset(&all, 0, sizeof all);
    all.flags = au->flags;
    all.sample_rate = au->sample_rate;
    all.num_channels = au->num_channels;
    all.num_frames = au->num_frames;
    all.bits_per_sample = 8 * au->encoding->sample_bytes;
    all.native_format = au->encoding->native_format;
    all.formats = ALL_FORMATS;
    all.seek_class = MW_SEEK_EXACT; /* samples do not depend on each other, so a seek costs nothing */
    all.codec = au->encoding->codec;
    all.container = "au";
    if (!mw_fill_info(info, &all)) /* R1: writes no byte past the host's size, which stays as it is */
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "the info is null or smaller than in version 1.0");
    return MW_OK;
}

static mw_status seek(mw_decoder *au, uint64_t frame, mw_error *error)
{
    if (au == NULL || frame > au->num_frames)
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "there is no frame %llu", (unsigned long long)frame);
    au->position = frame;
    return MW_OK;
}

static mw_status decode(mw_decoder *au, const mw_buffer *buffer, uint64_t *num_frames, mw_error *error)
{
    mw_buffer room;
    const unsigned char *bytes;
    uint64_t count, offset;
    uint32_t plane, num_planes;

    if (num_frames != NULL)
        *num_frames = 0;
    if (au == NULL || num_frames == NULL || !mw_take_buffer(&room, buffer))
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "an argument is null or smaller than in version 1.0");
    num_planes = room.layout == MW_PLANAR ? au->num_channels : 1;
    if (room.format < MW_F32 || room.format > MW_I32 || room.layout > MW_PLANAR || room.num_planes != num_planes ||
        room.planes == NULL || room.num_frames == 0)
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "format %lu, layout %lu, %lu planes, room for %llu frames",
                    (unsigned long)room.format, (unsigned long)room.layout, (unsigned long)room.num_planes,
                    (unsigned long long)room.num_frames);
    count = smaller(room.num_frames, au->num_frames - au->position);
    if (count == 0)
        return MW_END;
    offset = au->data_offset + au->position * au->frame_bytes; /* inside the file, because of `num_frames` */
    if (au->input.data != NULL) {
        bytes = au->input.data + offset;
    } else {
        /* After the annotation as it was allocated, even if that is not a valid text. */
        unsigned char *scratch = au->tail + (au->total_bytes - sizeof *au - au->scratch_bytes);
        mw_status status;
        count = smaller(count, au->scratch_bytes / au->frame_bytes);
        status = mw_read_all(&au->input, offset, scratch, count * au->frame_bytes, error);
        if (status != MW_OK)
            return status;
        bytes = scratch;
    }
    /* R8: directly into the caller's buffer. */
    if (room.layout == MW_INTERLEAVED) {
        convert(au->encoding, bytes, au->encoding->sample_bytes, count * au->num_channels, room.format, room.planes[0]);
    } else {
        for (plane = 0; plane < num_planes; plane++)
            convert(au->encoding, bytes + plane * au->encoding->sample_bytes, au->frame_bytes, count, room.format,
                    room.planes[plane]);
    }
    au->position += count;
    *num_frames = count;
    return MW_OK;
}

/* R4: a fork shares only the host's bytes. */
static mw_status fork_decoder(const mw_decoder *au, mw_decoder **fork, mw_error *error)
{
    struct mw_decoder *copy;

    if (au == NULL || fork == NULL)
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "the decoder or the place for its fork is null");
    copy = malloc(au->total_bytes);
    if (copy == NULL)
        return mw_fail(error, MW_NO_MEMORY, MW_UNKNOWN, "not enough memory for %llu bytes", (unsigned long long)au->total_bytes);
    memcpy(copy, au, sizeof *au + au->text_bytes);
    copy->position = 0;
    *fork = copy;
    return MW_OK;
}

static mw_status tag(const mw_decoder *au, uint32_t index, const char **key, const char **value)
{
    if (au == NULL || key == NULL || value == NULL)
        return MW_BAD_ARGUMENT;
    if (index > 0 || au->text_bytes == 0)
        return MW_END;
    *key = "comment";
    *value = (const char *)au->tail;
    return MW_OK;
}

static void close_decoder(mw_decoder *au)
{
    free(au);
}

/* ---- the encoder ---- */

#define ENCODED_BYTES 8192u
#define UNKNOWN_BYTES 0xffffffffu

struct mw_encoder {
    mw_sink sink; /* valid until `close` */
    const struct encoding_facts *encoding;
    uint32_t sample_rate, num_channels, data_offset;
    uint64_t data_bytes; /* written so far */
    uint32_t promised;   /* in the header, which is written */
    uint64_t max_data_bytes;
};

static void put_word(unsigned char *to, uint32_t value)
{
    to[0] = (unsigned char)(value >> 24);
    to[1] = (unsigned char)(value >> 16);
    to[2] = (unsigned char)(value >> 8);
    to[3] = (unsigned char)value;
}

/* The encoding for a codec, or for a depth where none is named; null if it is not one that is written. */
static const struct encoding_facts *chosen_encoding(const char *codec, uint32_t bits)
{
    size_t i;

    for (i = 0; i < sizeof ENCODINGS / sizeof *ENCODINGS; i++) {
        const struct encoding_facts *encoding = &ENCODINGS[i];
        if (encoding->number < PCM_16 || encoding->number > PCM_32)
            continue;
        if (codec != NULL ? strcmp(codec, encoding->codec) == 0 : 8 * encoding->sample_bytes == (bits ? bits : 16))
            return bits == 0 || bits == 8 * encoding->sample_bytes ? encoding : NULL;
    }
    return NULL;
}

/* The text that stands in the header: the tag "comment". */
static const char *comment_of(const mw_encoder_options *options)
{
    uint32_t i;

    for (i = 0; i < options->num_tags; i++)
        if (strcmp(options->tags[i].key, "comment") == 0 && strlen(options->tags[i].value) < MAX_TEXT_BYTES)
            return options->tags[i].value;
    return "";
}

static mw_status open_encoder(const mw_encoder_options *options, const mw_sink *sink, mw_encoder **encoder,
                              mw_error *error)
{
    static const unsigned char zeros[8] = {0};
    mw_encoder_options chosen;
    struct mw_encoder au, *made;
    unsigned char header[HEADER_BYTES];
    const char *text;
    uint32_t text_bytes;
    mw_status status;

    memset(&au, 0, sizeof au);
    if (encoder == NULL || !mw_take_encoder_options(&chosen, options) || !mw_take_sink(&au.sink, sink))
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "an argument is null or smaller than in version 1.0");
    /* An option without an effect would mislead whoever set it. */
    if (chosen.container != NULL && strcmp(chosen.container, "au") != 0)
        return mw_fail(error, MW_UNSUPPORTED, MW_UNKNOWN, "the container is %s, expected au", chosen.container);
    if (chosen.bitrate != 0 || chosen.quality != 0)
        return mw_fail(error, MW_UNSUPPORTED, MW_UNKNOWN, "AU files hold PCM: leave out bitrate and quality");
    if (chosen.channel_mask != 0)
        return mw_fail(error, MW_UNSUPPORTED, MW_UNKNOWN, "AU files have no place for speaker positions");
    au.encoding = chosen_encoding(chosen.codec, chosen.bits_per_sample);
    if (au.encoding == NULL)
        return mw_fail(error, MW_UNSUPPORTED, MW_UNKNOWN, "the codec is %s of %lu bits, expected PCM of 16, 24 or 32",
                       chosen.codec != NULL ? chosen.codec : "not named", (unsigned long)chosen.bits_per_sample);
    if (chosen.sample_rate == 0 || chosen.num_channels == 0 || chosen.num_channels > MAX_CHANNELS)
        return mw_fail(error, MW_UNSUPPORTED, MW_UNKNOWN, "%lu channels at %lu Hz, expected 1 to %lu at 1 or more",
                       (unsigned long)chosen.num_channels, (unsigned long)chosen.sample_rate,
                       (unsigned long)MAX_CHANNELS);
    au.sample_rate = chosen.sample_rate;
    au.num_channels = chosen.num_channels;

    /* The samples begin at a multiple of 8 bytes, after a text of at least one NUL. */
    text = comment_of(&chosen);
    text_bytes = (uint32_t)strlen(text);
    au.data_offset = HEADER_BYTES + (text_bytes / 8 + 1) * 8;
    au.max_data_bytes = UNKNOWN_BYTES - 1;
    au.promised = UNKNOWN_BYTES;
    if (chosen.num_frames != MW_UNKNOWN) {
        uint64_t frame_bytes = (uint64_t)au.num_channels * au.encoding->sample_bytes;
        if (chosen.num_frames > au.max_data_bytes / frame_bytes)
            return mw_fail(error, MW_LIMIT, MW_UNKNOWN, "%llu frames do not fit an AU file of 4 GiB",
                           (unsigned long long)chosen.num_frames);
        au.promised = (uint32_t)(chosen.num_frames * frame_bytes);
    }
    made = malloc(sizeof au);
    if (made == NULL)
        return mw_fail(error, MW_NO_MEMORY, MW_UNKNOWN, "not enough memory for a handle");
    *made = au;
    memcpy(header, ".snd", 4);
    put_word(header + 4, au.data_offset);
    put_word(header + 8, au.promised); /* all ones: unknown, until `finish` */
    put_word(header + 12, au.encoding->number);
    put_word(header + 16, au.sample_rate);
    put_word(header + 20, au.num_channels);
    status = mw_write(&au.sink, 0, header, sizeof header, error);
    if (status == MW_OK)
        status = mw_write(&au.sink, HEADER_BYTES, text, text_bytes, error);
    if (status == MW_OK)
        status = mw_write(&au.sink, HEADER_BYTES + text_bytes, zeros, au.data_offset - HEADER_BYTES - text_bytes, error);
    if (status != MW_OK) {
        free(made);
        return status;
    }
    *encoder = made;
    return MW_OK;
}

/* A sample of the caller's, in 32 bits. */
static int32_t sample_at(const mw_buffer *frames, uint64_t frame, uint32_t channel, uint32_t num_channels)
{
    int is_planar = frames->layout == MW_PLANAR;
    const void *plane = frames->planes[is_planar ? channel : 0];
    uint64_t place = is_planar ? frame : frame * num_channels + channel;

    switch (frames->format) {
    case MW_I16: return ((const int16_t *)plane)[place] * 65536;
    case MW_I32: return ((const int32_t *)plane)[place];
    default: return round_float(((const float *)plane)[place], 2147483648.0);
    }
}

/* Rounds to a depth, half to even, and saturates; the result is shifted down. */
static int32_t round_to_depth(int32_t value, uint32_t bits)
{
    int64_t step = (int64_t)1 << (32 - bits), scaled, rest;

    if (bits == 32)
        return value;
    rest = ((value % step) + step) % step;
    scaled = (value - rest) / step;
    if (rest > step / 2 || (rest == step / 2 && scaled % 2 != 0))
        scaled++;
    return (int32_t)(scaled > ((int64_t)1 << (bits - 1)) - 1 ? ((int64_t)1 << (bits - 1)) - 1 : scaled);
}

static mw_status push(mw_encoder *au, const mw_buffer *buffer, mw_error *error)
{
    unsigned char bytes[ENCODED_BYTES];
    mw_buffer frames;
    uint32_t sample_bytes, channel, used = 0;
    uint64_t frame;

    if (au == NULL || !mw_take_buffer(&frames, buffer))
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "an argument is null or smaller than in version 1.0");
    if (frames.format < MW_F32 || frames.format > MW_I32 || frames.layout > MW_PLANAR ||
        frames.num_planes != (frames.layout == MW_PLANAR ? au->num_channels : 1))
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "format %lu, layout %lu, %lu planes",
                       (unsigned long)frames.format, (unsigned long)frames.layout, (unsigned long)frames.num_planes);
    sample_bytes = au->encoding->sample_bytes;
    if (frames.num_frames > (au->max_data_bytes - au->data_bytes) / ((uint64_t)au->num_channels * sample_bytes))
        return mw_fail(error, MW_LIMIT, MW_UNKNOWN, "an AU file holds at most 4 GiB");
    for (frame = 0; frame < frames.num_frames; frame++) {
        for (channel = 0; channel < au->num_channels; channel++) {
            int32_t sample = round_to_depth(sample_at(&frames, frame, channel, au->num_channels), 8 * sample_bytes);
            uint32_t i;
            for (i = 0; i < sample_bytes; i++)
                bytes[used + i] = (unsigned char)((uint32_t)sample >> (8 * (sample_bytes - 1 - i)));
            used += sample_bytes;
            if (used > ENCODED_BYTES - 4) {
                mw_status status = mw_write(&au->sink, au->data_offset + au->data_bytes, bytes, used, error);
                if (status != MW_OK)
                    return status;
                au->data_bytes += used;
                used = 0;
            }
        }
    }
    if (used > 0) {
        mw_status status = mw_write(&au->sink, au->data_offset + au->data_bytes, bytes, used, error);
        if (status != MW_OK)
            return status;
        au->data_bytes += used;
    }
    return MW_OK;
}

/* Completes the header, where it does not say yet how many samples there are. */
static mw_status finish(mw_encoder *au, mw_error *error)
{
    unsigned char word_bytes[4];

    if (au == NULL)
        return mw_fail(error, MW_BAD_ARGUMENT, MW_UNKNOWN, "the encoder is null");
    if (au->promised == au->data_bytes)
        return MW_OK;
    if ((au->sink.flags & MW_SINK_APPEND_ONLY) != 0) {
        if (au->promised == UNKNOWN_BYTES)
            return MW_OK; /* which a reader takes for "up to the end of the file" */
        return mw_fail(error, MW_BAD_STATE, MW_UNKNOWN, "%llu bytes of samples came, and %lu were announced",
                       (unsigned long long)au->data_bytes, (unsigned long)au->promised);
    }
    put_word(word_bytes, (uint32_t)au->data_bytes);
    return mw_write(&au->sink, 8, word_bytes, sizeof word_bytes, error);
}

static void close_encoder(mw_encoder *au)
{
    free(au);
}

/* ---- the tables ---- */

static const mw_decoder_table DECODER = {
    .size = sizeof(mw_decoder_table),
    .probe_bytes = 4,
    .name = "au",
    .codecs = "pcm_mulaw,pcm_alaw,pcm_s8,pcm_s16be,pcm_s24be,pcm_s32be,pcm_f32be,pcm_f64be",
    .extensions = "au,snd",
    .probe = probe,
    .open = open_decoder,
    .info = info,
    .seek = seek,
    .decode = decode,
    .fork = fork_decoder,
    .tag = tag,
    .close = close_decoder,
};

static const mw_encoder_table ENCODER = {
    .size = sizeof(mw_encoder_table),
    .formats = ALL_FORMATS,
    .name = "au",
    .codecs = "pcm_s16be,pcm_s24be,pcm_s32be",
    .containers = "au",
    .open = open_encoder,
    .push = push,
    .finish = finish,
    .close = close_encoder,
    .lossless = "pcm_s16be=16,pcm_s24be=24,pcm_s32be=32",
    .extensions = "snd=au",
};

static const void *get(const char *name, uint32_t index)
{
    if (index > 0)
        return NULL;
    if (strcmp(name, MW_DECODER_INTERFACE) == 0)
        return &DECODER;
    return strcmp(name, MW_ENCODER_INTERFACE) == 0 ? &ENCODER : NULL;
}

static const mw_plugin PLUGIN = {
    .size = sizeof(mw_plugin),
    .abi_major = MW_ABI_MAJOR,
    .abi_minor = MW_ABI_MINOR,
    .id = "example-au",
    .version = "1.0.0",
    .vendor = "mapwave",
    .license = "MIT OR Apache-2.0",
    .dependencies = "",
    .get = get,
};

const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error)
{
    (void)host; /* its log is not needed: every problem is returned as an error */
    (void)error;
    return &PLUGIN;
}
