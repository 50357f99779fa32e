//! Panics of libraries that become errors.
//!
//! wgpu panics when the device is lost during a wait, and offers no other way to wait; decoders of pictures have
//! panicked on damaged files. Such a panic is caught, and its message becomes the error's. The program's panic hook
//! asks [`is_quiet`], so that the message is not printed twice.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread will be caught and reported as an error.
#[cfg(feature = "cli")]
pub(crate) fn is_quiet() -> bool {
    QUIET.get()
}

/// Threads whose panics will be caught and reported as errors, by whoever gives them work within [`quietly`].
///
/// # Errors
/// When they cannot be started.
#[cfg(feature = "cli")]
pub(crate) fn quiet_pool(threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).start_handler(|_| QUIET.set(true)).build()
}

/// Runs something; the error is the message of its panic. Whatever it changes must not be used after a panic.
pub(crate) fn quietly<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    let before = QUIET.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(act));
    QUIET.set(before);
    outcome.map_err(|panic| message(panic.as_ref()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say why");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(quietly(|| 3), Ok(3));
        assert!(!QUIET.get());
        let wgpu =
            || -> u8 { panic!("Error in Device::poll: {}", "Validation Error\n\nCaused by:\n  lost\n") };
        assert_eq!(quietly(wgpu), Err("Error in Device::poll: Validation Error Caused by: lost".to_owned()));
        assert_eq!(quietly(|| -> u8 { panic!("plain") }), Err("plain".to_owned()));
        assert!(!QUIET.get());
    }
}
