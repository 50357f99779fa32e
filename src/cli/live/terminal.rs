//! The terminal: taken once, and given back on every way out.

use std::io::{self, Stdout, Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;

/// Whether the view has the terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Held while something is drawn.
static DRAWING: Mutex<()> = Mutex::new(());
/// How often, and how far apart, a drawing is waited for before the terminal is given back: the thread that draws may be the one that
/// gives it back, after a panic.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

pub type Screen = Terminal<CrosstermBackend<Stdout>>;

/// Takes the terminal: another screen, no cursor, keys as they are pressed.
///
/// # Errors
/// When it refuses; it is then as it was.
pub fn enter() -> io::Result<Screen> {
    take().and_then(|()| Terminal::new(CrosstermBackend::new(stdout()))).inspect_err(|_| leave())
}

/// Takes the terminal again after [`leave`].
///
/// # Errors
/// As [`enter`].
pub fn enter_again(screen: &mut Screen) -> io::Result<()> {
    take().and_then(|()| draw_anew(screen)).inspect_err(|_| leave())
}

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(stdout(), EnterAlternateScreen, Hide)
}

/// Clears the screen, so that the next drawing draws all of it. (`Terminal::clear` would first ask the terminal where its cursor is, and
/// wait for the answer.)
///
/// # Errors
/// When the terminal fails.
pub fn draw_anew(screen: &mut Screen) -> io::Result<()> {
    let size = screen.size()?;
    screen.resize(Rect::new(0, 0, size.width, size.height))
}

/// Gives the terminal back, if it is taken: what was on it before, the cursor, echo. Errors are ignored: there may be no terminal any more.
pub fn leave() {
    let drawn = (0..TRIES).find_map(|_| {
        let guard = drawing();
        if guard.is_none() {
            std::thread::sleep(PAUSE);
        }
        guard
    });
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(stdout(), Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
        let _ = stdout().flush();
    }
    drop(drawn);
}

/// Draws, unless the terminal was given back.
///
/// # Errors
/// When the terminal fails.
pub fn draw(screen: &mut Screen, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
    let Some(_guard) = drawing() else { return Ok(()) };
    if TAKEN.load(Ordering::SeqCst) { screen.draw(draw).map(drop) } else { Ok(()) }
}

fn drawing() -> Option<MutexGuard<'static, ()>> {
    match DRAWING.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
