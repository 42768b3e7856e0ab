//! The macros refuse `panic = "abort"`.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

/// What the compiler says of a plugin whose macros are those of the SDK, but not the SDK's other parts.
fn compile(name: &str, plugin: &str, strategy: &str) -> Option<String> {
    let macros = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/export/macros.rs");
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{strategy}.rs"));
    let text = format!("#[macro_use]\n#[path = {macros:?}]\nmod macros;\n{plugin}\n");
    fs::write(&source, text).unwrap();
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(compiler);
    command.args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "-o"]);
    command.arg(source.with_extension("rmeta")).args(["-C", &format!("panic={strategy}")]).arg(&source);
    match command.env("CARGO_PKG_VERSION", "1.0.0").output() {
        Ok(output) => Some(String::from_utf8(output.stderr).unwrap()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: there is no rustc to try the macros with");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_plugin_that_would_abort_is_not_built() {
    let plugins = [
        ("plugin", "plugin! { pub fn entry; id: \"x\", vendor: \"\", license: \"MIT\" }"),
        ("export", "export_plugin! { id: \"x\", vendor: \"\", license: \"MIT\" }"),
        ("path", "export_plugin!(elsewhere::entry);"),
    ];
    for (name, plugin) in plugins {
        let Some(refusal) = compile(name, plugin, "abort") else { return };
        assert!(refusal.contains("must be built with panic = \"unwind\""), "{name}: {refusal}");
        let other = compile(name, plugin, "unwind").unwrap();
        assert!(!other.contains("must be built with"), "{name}: {other}");
        assert!(other.contains("error"), "the SDK is not there: {other}");
    }
}
