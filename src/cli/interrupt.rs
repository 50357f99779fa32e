//! Ctrl-C and other requests to end: the first asks training to stop, the second ends the program. A closed terminal
//! (SIGHUP) is handled only while a view has it: `nohup` shall do what it does for every program.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
#[cfg(unix)]
use std::time::{Duration, Instant};

#[cfg(unix)]
use signal_hook::consts::{SIGCONT, SIGHUP, SIGQUIT, SIGTSTP};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};
#[cfg(unix)]
use signal_hook::flag::{register_conditional_default, register_usize};
use signal_hook::{SigId, low_level};

/// The exit code that a shell expects of an interrupted program.
pub const EXIT_CODE: u8 = 130;

/// Within this time a signal to this process is noted, whatever else the machine does.
#[cfg(unix)]
const NOTED_WITHIN: Duration = Duration::from_secs(2);

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Whether there was a view and there is none any more.
#[cfg(unix)]
static VIEW_IS_OVER: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

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

/// From now on SIGHUP, SIGQUIT and SIGTSTP do what they do where nobody handles them.
pub fn end_view() {
    #[cfg(unix)]
    VIEW_IS_OVER.store(true, Ordering::SeqCst);
}

/// Signals while a view has the terminal, which it must give back before the program ends or is suspended: they are noted, and the view does
/// what they ask for. Once this is dropped, SIGINT and SIGTERM are handled as [`listen`] says, and the others as where nobody handles them.
#[derive(Debug)]
pub struct Signals {
    stop: Arc<AtomicBool>,
    end: Arc<AtomicUsize>,
    suspension: Suspension,
    handlers: Vec<SigId>,
}

impl Signals {
    /// Notes signals from now on.
    pub fn counted() -> Self {
        let mut signals = Signals {
            stop: Arc::default(),
            end: Arc::default(),
            suspension: Suspension::default(),
            handlers: Vec::new(),
        };
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
        self.register_others()?;
        Ok(())
    }

    /// What the signals did before does not come back when a handler is unregistered: they would be ignored. So each has a handler that
    /// stays and does the same once the view is over; it is the first, so that no other is run then.
    #[cfg(unix)]
    fn register_others(&mut self) -> io::Result<()> {
        for signal in [SIGHUP, SIGQUIT] {
            register_conditional_default(signal, Arc::clone(&VIEW_IS_OVER))?;
            self.handlers.push(register_usize(signal, Arc::clone(&self.end), signal as usize)?);
        }
        if has_job_control() {
            register_conditional_default(SIGTSTP, Arc::clone(&VIEW_IS_OVER))?;
        }
        let Suspension { asked, continued } = &self.suspension;
        self.handlers.push(register(SIGTSTP, Arc::clone(asked))?);
        self.handlers.push(register(SIGCONT, Arc::clone(continued))?);
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

    /// For the thread that has the terminal.
    pub fn suspension(&self) -> Suspension {
        self.suspension.clone()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        listen(true);
        end_view();
        for handler in self.handlers.drain(..) {
            low_level::unregister(handler);
        }
        // Those that came last.
        if self.take_stop() {
            ask();
        }
        if let Some(signal) = self.end() {
            end_by(signal);
        }
    }
}

/// The signals that suspend the program (SIGTSTP) and let it go on (SIGCONT).
#[derive(Debug, Clone, Default)]
pub struct Suspension {
    asked: Arc<AtomicBool>,
    continued: Arc<AtomicBool>,
}

impl Suspension {
    /// Whether the program was asked to suspend itself since the last call.
    pub fn take_asked(&self) -> bool {
        self.asked.swap(false, Ordering::SeqCst)
    }

    /// Whether the program was continued since the last call.
    pub fn take_continued(&self) -> bool {
        self.continued.swap(false, Ordering::SeqCst)
    }

    /// Stops this process until it is continued; with `group` also the others of its process group, as a terminal does at Ctrl-Z: a script
    /// that has started the program shall not wait for it while the shell waits for the script. The terminal must have been given back.
    #[cfg(unix)]
    pub fn stop(&self, group: bool) {
        use rustix::process::{Signal, kill_current_process_group};
        if group {
            self.take_continued();
        }
        if group && kill_current_process_group(Signal::TSTP).is_ok() {
            // This process notes it, too, maybe in a thread that comes to it only once all are continued: it would then be suspended again.
            let sent = Instant::now();
            while !self.take_asked() && sent.elapsed() < NOTED_WITHIN {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        // Where the shell has let the group go on already, it would not do so again.
        if !self.take_continued() {
            let _ = low_level::raise(signal_hook::consts::SIGSTOP);
            self.take_continued();
        }
        self.take_asked();
    }

    #[cfg(not(unix))]
    pub fn stop(&self, _group: bool) {}
}

/// Whether there is a shell that can let the program go on once it is stopped. Shells with job control give each command a process group of
/// its own. Without them the group is that of the session's first process, and a program in it that stops itself is stopped for ever; so the
/// system does not stop it at Ctrl-Z either.
pub fn has_job_control() -> bool {
    #[cfg(unix)]
    let has = {
        use rustix::process::{getpgrp, getsid};
        getsid(None).is_ok_and(|session| session != getpgrp())
    };
    #[cfg(not(unix))]
    let has = false;
    has
}

/// Whether the terminal belongs to this program, and not to the shell that lets it go on in the background.
pub fn has_terminal() -> bool {
    #[cfg(unix)]
    let has = {
        // Where there is no terminal any more, whoever uses it finds out.
        let owner = rustix::termios::tcgetpgrp(io::stdin());
        owner.map_or(true, |group| group == rustix::process::getpgrp())
    };
    #[cfg(not(unix))]
    let has = true;
    has
}

/// Whether a stop was asked for.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
