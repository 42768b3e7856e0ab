/* The resampler of misbehaving.c: each frame of the output is the last frame that was read when it was due. */

struct mw_resampler {
    mw_resampler_options options;
    uint64_t num_read, num_written;
    float last[MAX_CHANNELS];
};

static mw_status open_resampler(const mw_resampler_options *options, mw_resampler **resampler, mw_error *error)
{
    if (options->num_channels == 0 || options->num_channels > MAX_CHANNELS || options->input_rate == 0)
        return fail(error, MW_BAD_ARGUMENT, "no rate, or 0 channels, or more than 64");
#ifndef BREAK_ANY_QUALITY
    if (options->quality == NULL || strcmp(options->quality, "last") != 0)
        return fail(error, MW_UNSUPPORTED, "another quality than last");
#endif
#ifdef BREAK_RESAMPLER_LEAK
    *(volatile char *)malloc(100) = 1;
#endif
    struct mw_resampler *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fail(error, MW_NO_MEMORY, "no memory for a handle");
    r->options = *options;
    *resampler = r;
    return MW_OK;
}

#ifdef BREAK_RESAMPLER_SHARED
static float shared_last[MAX_CHANNELS];
#endif

static mw_status process(mw_resampler *resampler, const mw_buffer *input, uint64_t *num_read, const mw_buffer *output,
                         uint64_t *num_written, mw_error *error)
{
    uint64_t in = resampler->options.input_rate, out = resampler->options.output_rate;
    uint32_t channels = resampler->options.num_channels;
    (void)error;
    *num_read = *num_written = 0;
    for (;;) {
        uint64_t due = (2 * resampler->num_read * out + in) / (2 * in);
#ifdef BREAK_OUTPUT_COUNT
        due = resampler->num_read * out / in;
#endif
        while (resampler->num_written < due && *num_written < output->num_frames) {
            for (uint32_t channel = 0; channel < channels; channel++) {
                bool planar = output->layout == MW_PLANAR;
                uint64_t place = planar ? *num_written : *num_written * channels + channel;
                float *sample = &((float *)output->planes[planar ? channel : 0])[place];
                *sample = resampler->last[channel];
#ifdef BREAK_RESAMPLER_NAN
                *sample = resampler->num_written % 97 == 3 ? NAN : *sample;
#endif
#ifdef BREAK_RESAMPLER_SHARED
                *sample = shared_last[channel];
#endif
            }
            ++*num_written;
            resampler->num_written++;
        }
        if (resampler->num_written < due)
            return MW_OK;
        if (input == NULL)
            return *num_written > 0 ? MW_OK : MW_END;
        if (*num_read == input->num_frames)
            return MW_OK;
#ifdef BREAK_RESAMPLER_SHARED
        if (resampler->num_read == 0)
            memset(resampler->last, 0, sizeof resampler->last);
        memcpy(shared_last, resampler->num_read == 0 || *num_read > 0 ? resampler->last : shared_last, sizeof shared_last);
#endif
        for (uint32_t channel = 0; channel < channels; channel++) {
            bool planar = input->layout == MW_PLANAR;
            uint64_t place = planar ? *num_read : *num_read * channels + channel;
            resampler->last[channel] = ((const float *)input->planes[planar ? channel : 0])[place];
#ifdef BREAK_PROCESS_SPLITS
            resampler->last[channel] *= *num_read == 0 ? 0.5f : 1.0f;
#endif
        }
        ++*num_read;
        resampler->num_read++;
    }
}

static void close_resampler(mw_resampler *resampler)
{
    free(resampler);
}
