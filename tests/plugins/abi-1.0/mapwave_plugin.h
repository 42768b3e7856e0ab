/* The interface of version 1.0 as it was, without its comments. Plugins that were built with it must keep working.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef MAPWAVE_PLUGIN_H
#define MAPWAVE_PLUGIN_H

#include <stdint.h>

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

#define MW_ABI_MAJOR 1
#define MW_ABI_MINOR 0

typedef int32_t mw_status;

#define MW_OK 0
#define MW_END 1
#define MW_UNSUPPORTED (-1)
#define MW_BAD_ARGUMENT (-2)
#define MW_BAD_DATA (-3)
#define MW_IO (-4)
#define MW_NO_MEMORY (-5)
#define MW_BAD_STATE (-6)
#define MW_MISSING_DEPENDENCY (-7)
#define MW_CANCELLED (-8)
#define MW_LIMIT (-9)
#define MW_PANIC (-10)
#define MW_INTERNAL (-11)

#define MW_UNKNOWN UINT64_MAX

#define MW_MESSAGE_BYTES 512

typedef struct mw_error {
    uint32_t size;
    mw_status status;
    int64_t native_code;
    uint64_t offset;
    char message[MW_MESSAGE_BYTES];
} mw_error;

#define MW_F32 1
#define MW_I16 2
#define MW_I32 3

#define MW_LOG_DEBUG 0
#define MW_LOG_INFO 1
#define MW_LOG_WARNING 2
#define MW_LOG_ERROR 3

typedef struct mw_host {
    uint32_t size;
    uint32_t abi_minor;
    const char *name;
    const char *version;
    void *context;
    void (*log)(void *context, uint32_t level, const char *message);
    const void *(*get_extension)(void *context, const char *name);
} mw_host;

typedef struct mw_track {
    uint32_t size;
    uint32_t tag;
    const char *container;
    const char *codec;
    uint32_t sample_rate;
    uint32_t num_channels;
    uint64_t channel_mask;
    uint32_t bits_per_sample;
    uint32_t bytes_per_packet;
    uint32_t frames_per_packet;
    uint32_t priming_frames;
    uint32_t padding_frames;
    uint32_t reserved;
    uint64_t num_frames;
    uint64_t data_offset;
    uint64_t data_bytes;
    uint64_t config_offset;
    uint64_t config_bytes;
    uint64_t table_offset;
    uint64_t table_bytes;
    uint64_t num_packets;
} mw_track;

typedef struct mw_input {
    uint32_t size;
    uint32_t reserved;
    const uint8_t *data;
    uint64_t num_bytes;
    void *context;
    int64_t (*read_at)(void *context, uint64_t offset, void *buffer, uint64_t num_bytes);
    const char *extension;
    const mw_track *track;
} mw_input;

#define MW_SEEK_NONE 0
#define MW_SEEK_ANCHORED 1
#define MW_SEEK_EXACT 2

#define MW_STREAM_LOSSLESS 1
#define MW_STREAM_TRUNCATED 2

typedef struct mw_stream_info {
    uint32_t size;
    uint32_t flags;
    uint32_t sample_rate;
    uint32_t num_channels;
    uint64_t channel_mask;
    uint64_t num_frames;
    uint32_t bits_per_sample;
    uint32_t native_format;
    uint32_t formats;
    uint32_t seek_class;
    uint32_t priming_frames;
    uint32_t padding_frames;
    uint64_t seek_cost_frames;
    uint64_t grid_frames;
    const char *codec;
    const char *container;
} mw_stream_info;

typedef struct mw_decoder_options {
    uint32_t size;
    uint32_t stream;
    uint32_t max_threads;
    uint32_t reserved;
    uint64_t max_alloc;
} mw_decoder_options;

#define MW_INTERLEAVED 0
#define MW_PLANAR 1

typedef struct mw_buffer {
    uint32_t size;
    uint32_t format;
    uint32_t layout;
    uint32_t num_planes;
    void *const *planes;
    uint64_t num_frames;
} mw_buffer;

typedef struct mw_decoder mw_decoder;

typedef struct mw_decoder_table {
    uint32_t size;
    uint32_t probe_bytes;
    const char *name;
    const char *codecs;
    const char *extensions;
    int32_t (*probe)(const uint8_t *head,
                     uint64_t num_bytes,
                     uint64_t total_bytes,
                     const char *extension,
                     const mw_track *track);
    mw_status (*open)(const mw_input *input,
                      const mw_decoder_options *options,
                      mw_decoder **decoder,
                      mw_error *error);
    mw_status (*info)(const mw_decoder *decoder, mw_stream_info *info, mw_error *error);
    mw_status (*seek)(mw_decoder *decoder, uint64_t frame, mw_error *error);
    mw_status (*decode)(mw_decoder *decoder,
                        const mw_buffer *buffer,
                        uint64_t *num_frames,
                        mw_error *error);
    mw_status (*fork)(const mw_decoder *decoder, mw_decoder **fork, mw_error *error);
    mw_status (*tag)(const mw_decoder *decoder, uint32_t index, const char **key, const char **value);
    void (*close)(mw_decoder *decoder);
} mw_decoder_table;

typedef struct mw_tag {
    const char *key;
    const char *value;
} mw_tag;

#define MW_SINK_APPEND_ONLY 1

typedef struct mw_sink {
    uint32_t size;
    uint32_t flags;
    void *context;
    mw_status (*write_at)(void *context, uint64_t offset, const void *data, uint64_t num_bytes);
} mw_sink;

typedef struct mw_encoder_options {
    uint32_t size;
    uint32_t sample_rate;
    uint32_t num_channels;
    uint32_t bits_per_sample;
    uint64_t channel_mask;
    uint64_t num_frames;
    const char *codec;
    const char *container;
    uint32_t bitrate;
    uint32_t effort;
    uint32_t quality;
    uint32_t num_tags;
    const mw_tag *tags;
    uint32_t max_threads;
    uint32_t reserved;
    uint64_t max_alloc;
} mw_encoder_options;

typedef struct mw_encoder mw_encoder;

typedef struct mw_encoder_table {
    uint32_t size;
    uint32_t formats;
    const char *name;
    const char *codecs;
    const char *containers;
    mw_status (*open)(const mw_encoder_options *options,
                      const mw_sink *sink,
                      mw_encoder **encoder,
                      mw_error *error);
    mw_status (*push)(mw_encoder *encoder, const mw_buffer *buffer, mw_error *error);
    mw_status (*finish)(mw_encoder *encoder, mw_error *error);
    void (*close)(mw_encoder *encoder);
} mw_encoder_table;

typedef struct mw_resampler_options {
    uint32_t size;
    uint32_t input_rate;
    uint32_t output_rate;
    uint32_t num_channels;
    uint32_t input_format;
    uint32_t max_threads;
    const char *quality;
    uint64_t max_alloc;
} mw_resampler_options;

typedef struct mw_resampler mw_resampler;

typedef struct mw_resampler_table {
    uint32_t size;
    uint32_t formats;
    const char *name;
    const char *qualities;
    mw_status (*open)(const mw_resampler_options *options,
                      mw_resampler **resampler,
                      mw_error *error);
    mw_status (*process)(mw_resampler *resampler,
                         const mw_buffer *input,
                         uint64_t *num_read,
                         const mw_buffer *output,
                         uint64_t *num_written,
                         mw_error *error);
    void (*close)(mw_resampler *resampler);
} mw_resampler_table;

#define MW_DECODER_INTERFACE "mapwave.decoder/1"
#define MW_ENCODER_INTERFACE "mapwave.encoder/1"
#define MW_RESAMPLER_INTERFACE "mapwave.resampler/1"

typedef struct mw_plugin {
    uint32_t size;
    uint32_t abi_major;
    uint32_t abi_minor;
    uint32_t reserved;
    const char *id;
    const char *version;
    const char *vendor;
    const char *license;
    const char *dependencies;
    const void *(*get)(const char *name, uint32_t index);
} mw_plugin;

typedef const mw_plugin *(*mw_plugin_entry)(const mw_host *host, mw_error *error);

#define MW_ENTRY_SYMBOL "mapwave_plugin_entry_v1"

MW_EXPORT const mw_plugin *mapwave_plugin_entry_v1(const mw_host *host, mw_error *error);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // MAPWAVE_PLUGIN_H
