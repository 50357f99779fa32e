//! Pictures from files, folders and standard input.
//!
//! The header of a picture bounds time and memory. Its values are checked before anything is reserved: at most 4
//! bytes a pixel and some megabytes beside the 4 that are kept, the file included.

mod folder;
mod format;
mod jpeg;
mod png;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use super::output::shown;
use super::path_text::to_text;
use crate::data::Picture;
use crate::panics::quietly;
use format::Format;

pub use folder::Folder;

/// Standard input.
const STDIN: &str = "-";
/// The limits of a picture.
const MOST_PIXELS: u64 = 64 << 20;
const LONGEST_SIDE: u64 = 65_535;
const MOST_BYTES: u64 = 256 << 20;
/// What decoding a picture may take beside 8 bytes a pixel.
const SLACK: u64 = 60 << 20;
const BYTES_PER_PIXEL: u64 = 8;
/// The buffer for reading a file, in bytes.
const BUFFER: usize = 64 << 10;

/// Where a picture comes from, as results name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// A picture, and what was done to it that the user may want to know.
pub struct Found {
    pub picture: Picture,
    pub remarks: Vec<String>,
}

impl std::fmt::Display for Source {
    /// In a form that is safe on a terminal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Stdin => f.write_str(STDIN),
            Source::File(path) => shown(path).fmt(f),
        }
    }
}

impl Source {
    /// The pictures that an argument names: standard input, a file, or the pictures in a folder, sorted by name.
    pub fn all(argument: &Path) -> anyhow::Result<Folder> {
        if argument == Path::new(STDIN) {
            return Ok(Folder::of(Source::Stdin));
        }
        if argument.is_dir() {
            Folder::read(argument)
        } else {
            Ok(Folder::of(Source::File(argument.to_owned())))
        }
    }

    /// The name as it was given.
    pub fn name(&self) -> String {
        match self {
            Source::Stdin => STDIN.to_owned(),
            Source::File(path) => path.display().to_string(),
        }
    }

    /// The name as it is written into files: a URL if it is not Unicode.
    pub fn recorded(&self) -> String {
        match self {
            Source::Stdin => STDIN.to_owned(),
            Source::File(path) => to_text(path),
        }
    }

    /// The picture; every error names this source.
    pub fn read(&self) -> anyhow::Result<Found> {
        let read = match self {
            Source::Stdin => decode(io::stdin().lock()),
            Source::File(path) => decode_file(path),
        };
        read.with_context(|| self.to_string())
    }
}

fn decode_file(path: &Path) -> anyhow::Result<Found> {
    // Checked before opening, since opening a pipe would wait for its writer.
    let kind = fs::metadata(path).context("cannot be read")?.file_type();
    if !kind.is_file() {
        let found = if kind.is_dir() { "a folder" } else { "a pipe or a device" };
        bail!("is {found}; give a PNG or JPEG file, a folder of them, or `-` for standard input");
    }
    decode(BufReader::with_capacity(BUFFER, File::open(path).context("cannot be read")?))
}

/// Recognised by content, not by name, and turned upright by its orientation tag.
fn decode(source: impl BufRead) -> anyhow::Result<Found> {
    let mut source = source.take(MOST_BYTES);
    let mut start = Vec::new();
    source.by_ref().take(format::LOOKED_AT as u64).read_to_end(&mut start).context("cannot be read")?;
    let format = format::of(&start)?;
    let source = io::Cursor::new(start).chain(source);
    guarded(|| match format {
        Format::Png => png::decode(source),
        Format::Jpeg => jpeg::decode(source),
    })
}

/// Runs a decoder; if it panics, that is an error of this picture only.
fn guarded(decode: impl FnOnce() -> anyhow::Result<Found>) -> anyhow::Result<Found> {
    quietly(decode).unwrap_or_else(|panic| bail!("is damaged: its decoder gave up: {panic}"))
}

/// Refuses a picture by the size in its header.
fn check_size(height: u64, width: u64) -> anyhow::Result<()> {
    if height.max(width) > LONGEST_SIDE {
        bail!(
            "{width} x {height} pixels: a side of more than {LONGEST_SIDE}; cut out the part that is meant, or make \
             the picture smaller"
        );
    }
    if height * width > MOST_PIXELS {
        bail!("{width} x {height} pixels are more than {MOST_PIXELS}; make the picture smaller");
    }
    Ok(())
}

/// Zeros, or an error if there is no memory for them.
fn zeros(count: u64) -> anyhow::Result<Vec<u8>> {
    let count = usize::try_from(count)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(count).map_err(|_| anyhow!("there is no memory for its {count} bytes"))?;
    bytes.resize(count, 0);
    Ok(bytes)
}

fn damaged(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("is damaged or incomplete: {error}")
}

/// An error of reading, or of what was read.
fn io_error(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => damaged(error),
        _ => anyhow!("cannot be read: {error}"),
    }
}
