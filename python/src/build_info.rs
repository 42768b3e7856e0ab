//! The facts of this build and of the machine that it runs on.

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The instruction sets that kernels exist for and this processor has.
fn cpu_features() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    let known = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("f16c", is_x86_feature_detected!("f16c")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
        ("avx512vbmi", is_x86_feature_detected!("avx512vbmi")),
    ];
    // Every processor of the kind has it.
    #[cfg(target_arch = "aarch64")]
    let known = [("neon", true)];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let known: [(&str, bool); 0] = [];
    known.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
}

/// Returns the facts of the build and the machine, for show_build_info and the doctor.
#[pyfunction]
pub(crate) fn build_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let facts = PyDict::new(py);
    facts.set_item("version", env!("CARGO_PKG_VERSION"))?;
    facts.set_item("target", format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS))?;
    facts.set_item("debug_assertions", cfg!(debug_assertions))?;
    facts.set_item("cpu_features", cpu_features())?;
    facts.set_item("num_processors", mapwave_core::num_processors())?;
    let containers = mapwave_core::container::ALL.map(|container| container.exact_name().to_owned());
    facts.set_item("containers", containers)?;
    facts.set_item("dtypes", mapwave_core::OutputFormat::ALL.map(|format| format.name()))?;
    Ok(facts)
}
