//! Catches panics at the plugin boundary (R5).

use std::any::Any;
use std::cell::Cell;
use std::mem;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;
use std::thread;

thread_local! {
    /// Whether this thread is inside a call of the plugin.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
    /// The message and place of the last panic inside.
    static MESSAGE: Cell<Option<String>> = const { Cell::new(None) };
}

/// Runs a call of the plugin; a panic becomes its message and writes nothing to standard error.
pub(crate) fn catch<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    install_hook();
    let was_inside = IS_INSIDE.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let message = MESSAGE.try_with(Cell::take).ok().flatten();
        let message = message.unwrap_or_else(|| payload_text(&*payload).to_owned());
        discard(payload);
        message
    });
    IS_INSIDE.set(was_inside);
    result
}

/// Runs a callback of the host from inside a call of the plugin. A panic there is the host's, and the host reports it.
pub(crate) fn outside<R>(call: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            IS_INSIDE.set(self.0);
        }
    }
    let _restore = Restore(IS_INSIDE.replace(false));
    call()
}

/// Silences panics inside the plugin. A plugin in a library has its own hook; if it is linked into another program,
/// other panics are reported as before.
fn install_hook() {
    static HOOK: Once = Once::new();
    if HOOK.is_completed() || thread::panicking() {
        return; // the hook cannot be changed during a panic
    }
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if IS_INSIDE.get() {
                keep_message(info);
            } else {
                previous(info);
            }
        }));
    });
}

fn keep_message(info: &PanicHookInfo<'_>) {
    let text = payload_text(info.payload());
    let message = match info.location() {
        Some(place) => format!("panicked at {}:{}: {text}", place.file(), place.line()),
        None => text.to_owned(),
    };
    // A thread that is about to end cannot store the message any more; it is in the payload.
    let _ = MESSAGE.try_with(|kept| kept.set(Some(message)));
}

fn payload_text(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "panicked with a value that is not a text",
    }
}

/// Drops the payload of a panic, which may panic again with another payload; an endless chain is leaked.
fn discard(mut payload: Box<dyn Any + Send>) {
    for _ in 0..8 {
        match panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    mem::forget(payload);
}
