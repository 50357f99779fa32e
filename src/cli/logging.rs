//! Log messages of the library, on standard error.

use std::collections::HashSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use env_logger::{Builder, Env};
use log::Level;

use super::hints;
use super::output::{is_silent, keep};

/// What is logged unless RUST_LOG says otherwise: messages of wgpu come back as errors where they matter.
const DEFAULT_LOG: &str = "warn,wgpu_core=off,wgpu_hal=off,wgpu_types=off,naga=off";
/// The first part of the names of this library's modules.
const LIBRARY: &str = "shadegrad";

/// Warnings of the library look like those of the program, and each is printed once. With RUST_LOG every message is
/// printed, with the seconds since the program began, its level and its place.
pub fn init() {
    let mut builder = Builder::from_env(Env::default().default_filter_or(DEFAULT_LOG));
    if std::env::var_os("RUST_LOG").is_some() {
        let start = Instant::now();
        builder.format(move |out, record| {
            let (level, place) = (record.level(), record.target());
            let style = out.default_level_style(level);
            let seconds = start.elapsed().as_secs_f64();
            if keep(&format!("[{seconds:8.3} {level:<5} {place}] {}", record.args())) {
                return Ok(());
            }
            writeln!(out, "[{seconds:8.3} {style}{level:<5}{style:#} {place}] {}", record.args())
        });
    } else {
        let said = Mutex::new(HashSet::new());
        builder.format(move |out, record| {
            let kind = if record.level() == Level::Error { "error" } else { "warning" };
            let from = match record.target() {
                own if own.starts_with(LIBRARY) => String::new(),
                other => format!("{other}: "),
            };
            if is_silent() {
                return Ok(());
            }
            let text = record.args().to_string();
            let flags = hints::of_warning(&text).map_or(String::new(), |flag| format!(" ({flag})"));
            let line = format!("{kind}: {from}{text}{flags}");
            let is_new = said.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone());
            if is_new && !keep(&line) { writeln!(out, "{line}") } else { Ok(()) }
        });
    }
    builder.init();
}
