/* A plugin whose tables state all that a host needs to know of it: a format that no host has heard of, written by a lossless
 * codec of 24 bits, "exact24", and by a codec of which nothing is stated, "rough24".
 *
 * A file: "EXACT24" and a zero byte, then little-endian the sample rate, the channels, the format of the samples that the encoder
 * was given (MW_...) and the depth that it was asked for (32 bits each), then interleaved signed 24-bit samples.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapwave_plugin.h"

#define HEADER_BYTES 24
#define MAX_CHANNELS 64

static const char MAGIC[8] = "EXACT24";

static mw_status fail(mw_error *error, mw_status status, const char *message)
{
    if (error != NULL && error->size >= sizeof *error) {
        error->status = status;
        error->offset = MW_UNKNOWN;
        snprintf(error->message, sizeof error->message, "%s", message);
    }
    return status;
}

/* Decoder: of files in memory */

struct mw_decoder {
    mw_input input;
    mw_stream_info info;
    uint64_t position;
};

static uint32_t little(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static int32_t probe(const uint8_t *head, uint64_t num_bytes, uint64_t total_bytes, const char *extension,
                     const mw_track *track)
{
    (void)total_bytes;
    (void)extension;
    (void)track;
    return num_bytes >= sizeof MAGIC && memcmp(head, MAGIC, sizeof MAGIC) == 0 ? 100 : 0;
}

static mw_status open_decoder(const mw_input *input, const mw_decoder_options *options, mw_decoder **decoder,
                              mw_error *error)
{
    if (input->data == NULL)
        return fail(error, MW_UNSUPPORTED, "the file is not in memory");
    if (options->stream != 0 || input->num_bytes < HEADER_BYTES || memcmp(input->data, MAGIC, sizeof MAGIC) != 0)
        return fail(error, MW_UNSUPPORTED, "there is no such stream");
    uint32_t rate = little(input->data + 8), channels = little(input->data + 12);
    if (rate == 0 || channels == 0 || channels > MAX_CHANNELS)
        return fail(error, MW_BAD_DATA, "no rate, or 0 channels, or more than 64");
    struct mw_decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return fail(error, MW_NO_MEMORY, "no memory for a handle");
    d->input = *input;
    d->info = (mw_stream_info){
        .size = sizeof(mw_stream_info),
        .flags = MW_STREAM_LOSSLESS,
        .sample_rate = rate,
        .num_channels = channels,
        .num_frames = (input->num_bytes - HEADER_BYTES) / (3 * (uint64_t)channels),
        .bits_per_sample = 24,
        .native_format = MW_I32,
        .formats = 1 << MW_I32 | 1 << MW_F32,
        .seek_class = MW_SEEK_EXACT,
        .codec = "exact24",
        .container = "exa24",
    };
    *decoder = d;
    return MW_OK;
}

static mw_status get_info(const mw_decoder *decoder, mw_stream_info *info, mw_error *error)
{
    uint32_t size = info->size;
    if (size < sizeof *info)
        return fail(error, MW_BAD_ARGUMENT, "the struct is too small");
    *info = decoder->info;
    info->size = size;
    return MW_OK;
}

static mw_status seek(mw_decoder *decoder, uint64_t frame, mw_error *error)
{
    if (frame > decoder->info.num_frames)
        return fail(error, MW_BAD_ARGUMENT, "a seek past the end");
    decoder->position = frame;
    return MW_OK;
}

static mw_status decode(mw_decoder *decoder, const mw_buffer *output, uint64_t *num_frames, mw_error *error)
{
    (void)error;
    uint32_t channels = decoder->info.num_channels;
    uint64_t count = decoder->info.num_frames - decoder->position;
    if (count > output->num_frames)
        count = output->num_frames;
    for (uint64_t frame = 0; frame < count; frame++) {
        for (uint32_t channel = 0; channel < channels; channel++) {
            uint64_t index = (decoder->position + frame) * channels + channel;
            const uint8_t *bytes = decoder->input.data + HEADER_BYTES + 3 * index;
            int32_t sample = (int32_t)((uint32_t)bytes[0] << 8 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 24);
            int is_planar = output->layout == MW_PLANAR;
            void *plane = output->planes[is_planar ? channel : 0];
            uint64_t place = is_planar ? frame : frame * channels + channel;
            if (output->format == MW_I32)
                ((int32_t *)plane)[place] = sample;
            else
                ((float *)plane)[place] = (float)sample / 2147483648.0f;
        }
    }
    decoder->position += count;
    *num_frames = count;
    return count > 0 ? MW_OK : MW_END;
}

static mw_status fork_decoder(const mw_decoder *decoder, mw_decoder **fork, mw_error *error)
{
    struct mw_decoder *d = malloc(sizeof *d);
    if (d == NULL)
        return fail(error, MW_NO_MEMORY, "no memory for a handle");
    *d = *decoder;
    d->position = 0;
    *fork = d;
    return MW_OK;
}

static void close_decoder(mw_decoder *decoder)
{
    free(decoder);
}

/* Encoder */

struct mw_encoder {
    mw_sink sink;
    uint32_t sample_rate, num_channels, bits_per_sample;
    uint64_t end;
};

static mw_status put(struct mw_encoder *encoder, const void *bytes, uint64_t count, mw_error *error)
{
    if (encoder->sink.write_at(encoder->sink.context, encoder->end, bytes, count) != MW_OK)
        return fail(error, MW_IO, "the sink cannot be written");
    encoder->end += count;
    return MW_OK;
}

static mw_status put_header(struct mw_encoder *encoder, uint32_t format, mw_error *error)
{
    uint32_t numbers[4] = {encoder->sample_rate, encoder->num_channels, format, encoder->bits_per_sample};
    uint8_t header[HEADER_BYTES];
    memcpy(header, MAGIC, sizeof MAGIC);
    memcpy(header + sizeof MAGIC, numbers, sizeof numbers);
    return put(encoder, header, sizeof header, error);
}

static mw_status open_encoder(const mw_encoder_options *options, const mw_sink *sink, mw_encoder **encoder,
                              mw_error *error)
{
    if (options->num_channels == 0 || options->num_channels > MAX_CHANNELS || options->sample_rate == 0)
        return fail(error, MW_UNSUPPORTED, "no rate, or 0 channels, or more than 64");
    int is_exact = options->codec == NULL || strcmp(options->codec, "exact24") == 0;
    if (options->bits_per_sample != 0 && options->bits_per_sample != 24)
        return fail(error, MW_UNSUPPORTED, "a depth other than 24 bits");
    if (!is_exact && options->bits_per_sample != 0)
        return fail(error, MW_UNSUPPORTED, "a depth for a codec that has none");
    struct mw_encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return fail(error, MW_NO_MEMORY, "no memory for a handle");
    e->sink = *sink;
    e->sample_rate = options->sample_rate;
    e->num_channels = options->num_channels;
    e->bits_per_sample = options->bits_per_sample;
    *encoder = e;
    return MW_OK;
}

static mw_status push(mw_encoder *encoder, const mw_buffer *buffer, mw_error *error)
{
    mw_status status = encoder->end == 0 ? put_header(encoder, buffer->format, error) : MW_OK;
    uint32_t channels = encoder->num_channels;
    for (uint64_t frame = 0; frame < buffer->num_frames && status == MW_OK; frame++) {
        uint8_t bytes[3 * MAX_CHANNELS];
        for (uint32_t channel = 0; channel < channels; channel++) {
            int is_planar = buffer->layout == MW_PLANAR;
            const void *plane = buffer->planes[is_planar ? channel : 0];
            uint64_t place = is_planar ? frame : frame * channels + channel;
            uint32_t sample = buffer->format == MW_I32
                                  ? (uint32_t)((const int32_t *)plane)[place]
                                  : (uint32_t)lrintf(((const float *)plane)[place] * 8388607.0f) << 8;
            for (int byte = 0; byte < 3; byte++)
                bytes[3 * channel + byte] = (uint8_t)(sample >> (8 + 8 * byte));
        }
        status = put(encoder, bytes, 3 * channels, error);
    }
    return status;
}

static mw_status finish(mw_encoder *encoder, mw_error *error)
{
    return encoder->end == 0 ? put_header(encoder, 0, error) : MW_OK;
}

static void close_encoder(mw_encoder *encoder)
{
    free(encoder);
}

/* Library */

static const mw_decoder_table DECODER = {
    .size = sizeof(mw_decoder_table),
    .probe_bytes = sizeof MAGIC,
    .name = "exact24",
    .codecs = "exact24",
    .extensions = "exa",
    .probe = probe,
    .open = open_decoder,
    .info = get_info,
    .seek = seek,
    .decode = decode,
    .fork = fork_decoder,
    .close = close_decoder,
};

static const mw_encoder_table ENCODER = {
    .size = sizeof(mw_encoder_table),
    .formats = 1 << MW_F32 | 1 << MW_I32,
    .name = "exact24",
    .codecs = "rough24,exact24",
    .containers = "exa24",
    .open = open_encoder,
    .push = push,
    .finish = finish,
    .close = close_encoder,
#ifndef STATES_NOTHING
    .lossless = "exact24=24",
    .default_codecs = "exa24=exact24",
    .extensions = "exa=exa24,rough=exa24/rough24",
#endif
};

#ifdef OF_VERSION_1_1
/* As a plugin has it that was built with the header of version 1.1: nothing stands behind `close`. */
#define ENCODER_1_1_BYTES 64
static uint8_t encoder_1_1[ENCODER_1_1_BYTES] __attribute__((aligned(8)));
#endif

static const void *get(const char *interface, uint32_t index)
{
    if (index > 0)
        return NULL;
    if (strcmp(interface, MW_DECODER_INTERFACE) == 0)
        return &DECODER;
    if (strcmp(interface, MW_ENCODER_INTERFACE) != 0)
        return NULL;
#ifdef OF_VERSION_1_1
    uint32_t size = ENCODER_1_1_BYTES;
    memcpy(encoder_1_1, &ENCODER, sizeof encoder_1_1);
    memcpy(encoder_1_1, &size, sizeof size);
    return encoder_1_1;
#else
    return &ENCODER;
#endif
}

static const mw_plugin PLUGIN = {
    .size = sizeof(mw_plugin),
    .abi_major = MW_ABI_MAJOR,
#ifdef OF_VERSION_1_1
    .abi_minor = 1,
#else
    .abi_minor = MW_ABI_MINOR,
#endif
    .id = "exact",
    .version = "1.0",
    .vendor = "mapwave's tests",
    .license = "MIT OR Apache-2.0",
    .dependencies = "",
    .get = get,
};

MW_EXPORT const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error)
{
    (void)host;
    (void)error;
    return &PLUGIN;
}
