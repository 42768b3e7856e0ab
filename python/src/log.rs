//! What plugins have to say, for the logger "mapwave".

use mapwave_core::host::{self, Level};
use pyo3::prelude::*;

use crate::interned::{import, intern};

/// Passes what plugins have said on to the logger "mapwave".
pub(crate) fn log_messages(py: Python<'_>) -> PyResult<()> {
    for message in host::drain_messages() {
        let logging = import(py, intern!(py, "logging"))?;
        let logger = logging.call_method1(intern!(py, "getLogger"), ("mapwave",))?;
        // A library's logger has a handler, or Python prints to standard error where nobody has set up logging.
        if logger.getattr(intern!(py, "handlers"))?.len()? == 0 {
            let silent = logging.call_method0(intern!(py, "NullHandler"))?;
            logger.call_method1(intern!(py, "addHandler"), (silent,))?;
        }
        let level = match message.level {
            Level::Debug => 10,
            Level::Info => 20,
            Level::Warning => 30,
            Level::Error => 40,
        };
        logger.call_method1(intern!(py, "log"), (level, "%s: %s", &message.source, &message.text))?;
    }
    Ok(())
}
