//! Ctrl-C, and what asks a program to end otherwise: the first time it asks training to stop, the second time it ends the
//! program. A terminal that is closed (SIGHUP) is not listened to: `nohup` shall do what it does for every program.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

/// What a shell expects of a program that was interrupted.
pub const EXIT_CODE: u8 = 130;

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Listens from now on.
pub fn listen() {
    // In this order: the first time the flag is not yet set when it is looked at.
    let listen_to = |signal| -> io::Result<()> {
        register_conditional_shutdown(signal, i32::from(EXIT_CODE), ASKED.clone())?;
        register(signal, ASKED.clone()).map(drop)
    };
    if let Err(error) = [SIGINT, SIGTERM].into_iter().try_for_each(listen_to) {
        log::warn!("Ctrl-C ends the program at once: {error}");
    }
}

/// Whether it was pressed.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
