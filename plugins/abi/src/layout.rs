//! The layout of every struct in literal numbers: any change breaks the build.

/// Checks a struct against its size, and its fields, all of them, against their offsets.
macro_rules! layout {
    ($($name:ident $size:literal { $($field:ident $offset:literal,)* })*) => {
        $(
            const _: () = {
                use crate::$name;

                assert!(size_of::<$name>() == $size);
                assert!(align_of::<$name>() == 8);
                $(assert!(core::mem::offset_of!($name, $field) == $offset);)*
                /// Does not compile if a field is missing from the list.
                const fn _all_fields($name { $($field: _),* }: &$name) {}
            };
        )*

        /// The name and the size of every struct, and the names and offsets of its fields, for the test of the C header.
        pub const LAYOUT: &[(&str, usize, &[(&str, usize)])] =
            &[$((stringify!($name), $size, &[$((stringify!($field), $offset)),*])),*];
    };
}

layout! {
    mw_error 536 {
        size 0,
        status 4,
        native_code 8,
        offset 16,
        message 24,
    }
    mw_host 56 {
        size 0,
        abi_minor 4,
        name 8,
        version 16,
        context 24,
        log 32,
        get_extension 40,
        is_cancelled 48,
    }
    mw_track 128 {
        size 0,
        tag 4,
        container 8,
        codec 16,
        sample_rate 24,
        num_channels 28,
        channel_mask 32,
        bits_per_sample 40,
        bytes_per_packet 44,
        frames_per_packet 48,
        priming_frames 52,
        padding_frames 56,
        reserved 60,
        num_frames 64,
        data_offset 72,
        data_bytes 80,
        config_offset 88,
        config_bytes 96,
        table_offset 104,
        table_bytes 112,
        num_packets 120,
    }
    mw_input 64 {
        size 0,
        flags 4,
        data 8,
        num_bytes 16,
        context 24,
        read_at 32,
        extension 40,
        track 48,
        release 56,
    }
    mw_stream_info 104 {
        size 0,
        flags 4,
        sample_rate 8,
        num_channels 12,
        channel_mask 16,
        num_frames 24,
        bits_per_sample 32,
        native_format 36,
        formats 40,
        seek_class 44,
        priming_frames 48,
        padding_frames 52,
        seek_cost_frames 56,
        grid_frames 64,
        codec 72,
        container 80,
        container_variant 88,
    }
    mw_option 56 {
        size 0,
        kind 4,
        name 8,
        default_value 16,
        choices 24,
        description 32,
        minimum 40,
        maximum 48,
    }
    mw_decoder_options 56 {
        size 0,
        stream 4,
        max_threads 8,
        reserved 12,
        max_alloc 16,
        settings 24,
        num_settings 32,
        index 40,
        index_bytes 48,
    }
    mw_buffer 32 {
        size 0,
        format 4,
        layout 8,
        num_planes 12,
        planes 16,
        num_frames 24,
    }
    mw_stream_entry 32 {
        size 0,
        flags 4,
        sample_rate 8,
        num_channels 12,
        codec 16,
        language 24,
    }
    mw_picture 48 {
        size 0,
        kind 4,
        mime 8,
        description 16,
        width 24,
        height 28,
        data 32,
        num_bytes 40,
    }
    mw_chapter 32 {
        size 0,
        reserved 4,
        label 8,
        start 16,
        end 24,
    }
    mw_decoder_table 136 {
        size 0,
        probe_bytes 4,
        name 8,
        codecs 16,
        extensions 24,
        probe 32,
        open 40,
        info 48,
        seek 56,
        decode 64,
        fork 72,
        tag 80,
        close 88,
        stream 96,
        option 104,
        save_index 112,
        picture 120,
        chapter 128,
    }
    mw_tag 16 {
        key 0,
        value 8,
    }
    mw_sink 24 {
        size 0,
        flags 4,
        context 8,
        write_at 16,
    }
    mw_encoder_options 104 {
        size 0,
        sample_rate 4,
        num_channels 8,
        bits_per_sample 12,
        channel_mask 16,
        num_frames 24,
        codec 32,
        container 40,
        bitrate 48,
        effort 52,
        quality 56,
        num_tags 60,
        tags 64,
        max_threads 72,
        reserved 76,
        max_alloc 80,
        settings 88,
        num_settings 96,
    }
    mw_encoder_table 96 {
        size 0,
        formats 4,
        name 8,
        codecs 16,
        containers 24,
        open 32,
        push 40,
        finish 48,
        close 56,
        lossless 64,
        default_codecs 72,
        extensions 80,
        option 88,
    }
    mw_resampler_options 40 {
        size 0,
        input_rate 4,
        output_rate 8,
        num_channels 12,
        input_format 16,
        max_threads 20,
        quality 24,
        max_alloc 32,
    }
    mw_resampler_table 72 {
        size 0,
        formats 4,
        name 8,
        qualities 16,
        open 24,
        process 32,
        close 40,
        restart 48,
        default_quality 56,
        ratio_limit 64,
        reserved 68,
    }
    mw_plugin 64 {
        size 0,
        abi_major 4,
        abi_minor 8,
        reserved 12,
        id 16,
        version 24,
        vendor 32,
        license 40,
        dependencies 48,
        get 56,
    }
}
