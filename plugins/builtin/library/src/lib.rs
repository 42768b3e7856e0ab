//! mapwave's embedded codecs as a library that any host of the plugin interface can load.

mapwave_plugin::export_plugin!(mapwave_builtin::entry);
