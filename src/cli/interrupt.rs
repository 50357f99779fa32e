//! Ctrl-C and other requests to end: the first asks training to stop, the second ends the program. A closed terminal
//! (SIGHUP) is not handled: `nohup` shall do what it does for every program.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

/// The exit code that a shell expects of an interrupted program.
pub const EXIT_CODE: u8 = 130;

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Handles the signals from now on. Of one of several processes the second one does not end it: launchers may send several for one
/// Ctrl-C, and end the processes themselves when these take too long.
pub fn listen(alone: bool) {
    // In this order: at the first signal the flag is not yet set when it is checked.
    let listen_to = |signal| -> io::Result<()> {
        if alone {
            register_conditional_shutdown(signal, i32::from(EXIT_CODE), ASKED.clone())?;
        }
        register(signal, ASKED.clone()).map(drop)
    };
    if let Err(error) = [SIGINT, SIGTERM].into_iter().try_for_each(listen_to) {
        log::warn!("Ctrl-C ends the program at once: {error}");
    }
}

/// Whether a stop was asked for.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
