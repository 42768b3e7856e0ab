/* A plugin with a resampler of one quality, "mine", and another, "steady": every frame that "mine" gives is 0.25, and every one
 * of "steady" 0.5, so that the output shows which of them ran. With -DOFFERS_DEFAULT, "mine" is the default quality for rates
 * that are less than 4 times apart.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mapwave_plugin.h"

struct mw_resampler {
    mw_resampler_options options;
    float value;
    uint64_t num_read, num_written;
};

static mw_status open_resampler(const mw_resampler_options *options, mw_resampler **resampler, mw_error *error)
{
    (void)error;
    struct mw_resampler *r = calloc(1, sizeof *r);
    if (r == NULL)
        return MW_NO_MEMORY;
    r->options = *options;
    r->value = strcmp(options->quality, "mine") == 0 ? 0.25f : 0.5f;
    *resampler = r;
    return MW_OK;
}

static mw_status process(mw_resampler *resampler, const mw_buffer *input, uint64_t *num_read, const mw_buffer *output,
                         uint64_t *num_written, mw_error *error)
{
    (void)error;
    uint64_t in = resampler->options.input_rate, out = resampler->options.output_rate;
    *num_read = input == NULL ? 0 : input->num_frames;
    resampler->num_read += *num_read;
    uint64_t due = (2 * resampler->num_read * out + in) / (2 * in) - resampler->num_written;
    *num_written = due < output->num_frames ? due : output->num_frames;
    for (uint64_t frame = 0; frame < *num_written; frame++) {
        for (uint32_t channel = 0; channel < resampler->options.num_channels; channel++) {
            int is_planar = output->layout == MW_PLANAR;
            uint64_t place = is_planar ? frame : frame * resampler->options.num_channels + channel;
            ((float *)output->planes[is_planar ? channel : 0])[place] = resampler->value;
        }
    }
    resampler->num_written += *num_written;
    return input == NULL && *num_written == 0 ? MW_END : MW_OK;
}

static void close_resampler(mw_resampler *resampler)
{
    free(resampler);
}

static const mw_resampler_table RESAMPLER = {
    .size = sizeof(mw_resampler_table),
    .formats = 1 << MW_F32,
    .name = "constant",
    .qualities = "mine,steady",
    .open = open_resampler,
    .process = process,
    .close = close_resampler,
#ifdef OFFERS_DEFAULT
    .default_quality = "mine",
    .ratio_limit = 4,
#endif
};

static const void *get(const char *interface, uint32_t index)
{
    return index == 0 && strcmp(interface, MW_RESAMPLER_INTERFACE) == 0 ? &RESAMPLER : NULL;
}

static const mw_plugin PLUGIN = {
    .size = sizeof(mw_plugin),
    .abi_major = MW_ABI_MAJOR,
    .abi_minor = MW_ABI_MINOR,
    .id = "constant",
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
