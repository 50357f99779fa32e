//! Ctrl-C and other requests to end: the first asks training to stop, the second ends the program. A closed terminal
//! (SIGHUP) is not handled: `nohup` shall do what it does for every program.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGQUIT};
use signal_hook::consts::{SIGINT, SIGTERM};
#[cfg(unix)]
use signal_hook::flag::register_usize;
use signal_hook::flag::{register, register_conditional_shutdown};
use signal_hook::{SigId, low_level};

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
        log::warn!(
            "Ctrl-C will end the program at once, without a checkpoint, since signals cannot be handled: {error}"
        );
    }
}

/// Asks training to stop.
pub fn ask() {
    ASKED.store(true, Ordering::Relaxed);
}

/// Ends the program, as a second Ctrl-C does.
pub fn exit() -> ! {
    low_level::exit(i32::from(EXIT_CODE))
}

/// Ends the program as this signal does where nobody handles it.
pub fn end_by(signal: i32) {
    if low_level::emulate_default_handler(signal).is_err() {
        exit();
    }
}

/// Signals while a view has the terminal, which it must give back before the program ends: they are noted, and the view does what they ask
/// for. Once it is dropped they are handled as [`listen`] says.
#[derive(Debug)]
pub struct Signals {
    stop: Arc<AtomicBool>,
    end: Arc<AtomicUsize>,
    handlers: Vec<SigId>,
}

impl Signals {
    /// Notes signals from now on.
    pub fn counted() -> Self {
        let mut signals = Signals { stop: Arc::default(), end: Arc::default(), handlers: Vec::new() };
        if let Err(error) = signals.register() {
            log::warn!(
                "a signal will end the program at once, without a checkpoint, since signals cannot be handled: {error}"
            );
        }
        signals
    }

    fn register(&mut self) -> io::Result<()> {
        for signal in [SIGINT, SIGTERM] {
            self.handlers.push(register(signal, Arc::clone(&self.stop))?);
        }
        #[cfg(unix)]
        for signal in [SIGHUP, SIGQUIT] {
            self.handlers.push(register_usize(signal, Arc::clone(&self.end), signal as usize)?);
        }
        Ok(())
    }

    /// Whether a stop was asked for since the last call.
    pub fn take_stop(&self) -> bool {
        self.stop.swap(false, Ordering::Relaxed)
    }

    /// The signal that ends the program, if one came.
    pub fn end(&self) -> Option<i32> {
        i32::try_from(self.end.load(Ordering::Relaxed)).ok().filter(|&signal| signal != 0)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        listen(true);
        for handler in self.handlers.drain(..) {
            low_level::unregister(handler);
        }
        // One that came last.
        if self.take_stop() {
            ask();
        }
    }
}

/// Whether a stop was asked for.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
