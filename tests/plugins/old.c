/* A plugin that is built with the interface of version 1.0 or 1.1: a lossless codec of mono signed 16-bit samples at any rate, and
 * a resampler whose every sample is a quarter.
 *
 * A file: "OLD1" and the sample rate (32 bits, of this machine's byte order), then samples.
 */

#include <stdlib.h>
#include <string.h>

#include "mapwave_plugin.h"

#define HEADER_BYTES 8

static mw_status fail(mw_error *error, mw_status status)
{
    if (error != NULL && error->size >= sizeof *error) {
        error->status = status;
        error->offset = MW_UNKNOWN;
        strcpy(error->message, "not such a file");
    }
    return status;
}

/* Decoder: of files in memory */

struct mw_decoder {
    const uint8_t *data;
    uint64_t position, num_frames;
    uint32_t sample_rate;
};

static int32_t probe(const uint8_t *head, uint64_t num_bytes, uint64_t total_bytes, const char *extension,
                     const mw_track *track)
{
    (void)total_bytes;
    (void)extension;
    (void)track;
    return num_bytes >= HEADER_BYTES && memcmp(head, "OLD1", 4) == 0 ? 95 : 0;
}

static mw_status open_decoder(const mw_input *input, const mw_decoder_options *options, mw_decoder **decoder,
                              mw_error *error)
{
    if (options->stream != 0 || input->data == NULL || input->num_bytes < HEADER_BYTES ||
        memcmp(input->data, "OLD1", 4) != 0)
        return fail(error, MW_UNSUPPORTED);
    struct mw_decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return fail(error, MW_NO_MEMORY);
    d->data = input->data;
    d->num_frames = (input->num_bytes - HEADER_BYTES) / 2;
    memcpy(&d->sample_rate, input->data + 4, 4);
    *decoder = d;
    return MW_OK;
}

static mw_status get_info(const mw_decoder *decoder, mw_stream_info *info, mw_error *error)
{
    mw_stream_info all = {
        .size = info->size, .flags = MW_STREAM_LOSSLESS, .sample_rate = decoder->sample_rate, .num_channels = 1,
        .num_frames = decoder->num_frames, .bits_per_sample = 16, .native_format = MW_I16, .formats = 1u << MW_I16,
        .seek_class = MW_SEEK_EXACT, .codec = "old", .container = "old",
    };
    (void)error;
    memcpy(info, &all, info->size < sizeof all ? info->size : sizeof all);
    return MW_OK;
}

static mw_status seek(mw_decoder *decoder, uint64_t frame, mw_error *error)
{
    (void)error;
    decoder->position = frame;
    return MW_OK;
}

static mw_status decode(mw_decoder *decoder, const mw_buffer *buffer, uint64_t *num_frames, mw_error *error)
{
    uint64_t left = decoder->num_frames - decoder->position;
    (void)error;
    *num_frames = left < buffer->num_frames ? left : buffer->num_frames;
    if (*num_frames == 0)
        return MW_END;
    memcpy(buffer->planes[0], decoder->data + HEADER_BYTES + 2 * decoder->position, 2 * *num_frames);
    decoder->position += *num_frames;
    return MW_OK;
}

static mw_status fork_decoder(const mw_decoder *decoder, mw_decoder **other, mw_error *error)
{
    struct mw_decoder *d = malloc(sizeof *d);
    if (d == NULL)
        return fail(error, MW_NO_MEMORY);
    *d = *decoder;
    d->position = 0;
    *other = d;
    return MW_OK;
}

static void close_decoder(mw_decoder *decoder)
{
    free(decoder);
}

static const mw_decoder_table DECODER = {
    .size = sizeof DECODER, .probe_bytes = HEADER_BYTES, .name = "old", .codecs = "old", .extensions = "old",
    .probe = probe, .open = open_decoder, .info = get_info, .seek = seek, .decode = decode, .fork = fork_decoder,
    .close = close_decoder,
};

/* Encoder */

struct mw_encoder {
    mw_sink sink;
    uint64_t end;
};

static mw_status put(mw_encoder *encoder, const void *bytes, uint64_t num_bytes, mw_error *error)
{
    if (encoder->sink.write_at(encoder->sink.context, encoder->end, bytes, num_bytes) != MW_OK)
        return fail(error, MW_IO);
    encoder->end += num_bytes;
    return MW_OK;
}

static mw_status open_encoder(const mw_encoder_options *options, const mw_sink *sink, mw_encoder **encoder, mw_error *error)
{
    if (options->num_channels != 1)
        return fail(error, MW_UNSUPPORTED);
    struct mw_encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return fail(error, MW_NO_MEMORY);
    e->sink = *sink;
    mw_status status = put(e, "OLD1", 4, error);
    if (status == MW_OK)
        status = put(e, &options->sample_rate, 4, error);
    if (status != MW_OK) {
        free(e);
        return status;
    }
    *encoder = e;
    return MW_OK;
}

static mw_status push(mw_encoder *encoder, const mw_buffer *buffer, mw_error *error)
{
    return put(encoder, buffer->planes[0], 2 * buffer->num_frames, error);
}

static mw_status finish(mw_encoder *encoder, mw_error *error)
{
    (void)encoder;
    (void)error;
    return MW_OK;
}

static void close_encoder(mw_encoder *encoder)
{
    free(encoder);
}

static const mw_encoder_table ENCODER = {
    .size = sizeof ENCODER, .formats = 1u << MW_I16, .name = "old", .codecs = "old", .containers = "old",
    .open = open_encoder, .push = push, .finish = finish, .close = close_encoder,
};

/* Resampler */

struct mw_resampler {
    mw_resampler_options options;
    uint64_t num_read, num_written;
};

static mw_status open_resampler(const mw_resampler_options *options, mw_resampler **resampler, mw_error *error)
{
    struct mw_resampler *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fail(error, MW_NO_MEMORY);
    r->options = *options;
    *resampler = r;
    return MW_OK;
}

static mw_status process(mw_resampler *resampler, const mw_buffer *input, uint64_t *num_read, const mw_buffer *output,
                         uint64_t *num_written, mw_error *error)
{
    uint64_t in = resampler->options.input_rate, out = resampler->options.output_rate;
    uint32_t channels = resampler->options.num_channels;
    (void)error;
    *num_read = input == NULL ? 0 : input->num_frames;
    resampler->num_read += *num_read;
    uint64_t due = (2 * resampler->num_read * out + in) / (2 * in) - resampler->num_written;
    *num_written = due < output->num_frames ? due : output->num_frames;
    resampler->num_written += *num_written;
    for (uint32_t plane = 0; plane < output->num_planes; plane++) {
        uint64_t num_samples = *num_written * (output->layout == MW_PLANAR ? 1 : channels);
        for (uint64_t i = 0; i < num_samples; i++)
            ((float *)output->planes[plane])[i] = 0.25f;
    }
    return input == NULL && *num_written == 0 ? MW_END : MW_OK;
}

static void close_resampler(mw_resampler *resampler)
{
    free(resampler);
}

static const mw_resampler_table RESAMPLER = {
    .size = sizeof RESAMPLER, .formats = 1u << MW_F32, .name = "quarter", .qualities = "quarter",
    .open = open_resampler, .process = process, .close = close_resampler,
};

/* The library */

static const void *get(const char *interface, uint32_t index)
{
    if (index > 0)
        return NULL;
    if (strcmp(interface, MW_DECODER_INTERFACE) == 0)
        return &DECODER;
    if (strcmp(interface, MW_ENCODER_INTERFACE) == 0)
        return &ENCODER;
    return strcmp(interface, MW_RESAMPLER_INTERFACE) == 0 ? &RESAMPLER : NULL;
}

MW_EXPORT const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error)
{
    static const mw_plugin plugin = {
        .size = sizeof plugin, .abi_major = MW_ABI_MAJOR, .abi_minor = MW_ABI_MINOR, .id = "old", .version = "1",
        .vendor = "tests", .license = "MIT", .dependencies = "", .get = get,
    };
    (void)host;
    (void)error;
    return &plugin;
}
