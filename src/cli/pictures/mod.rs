//! Pictures from files, folders and standard input.
//!
//! The header of a picture bounds time and memory. Its values are checked before anything is reserved: at most 4
//! bytes a pixel and some megabytes beside the 4 that are kept, the file included.

mod folder;
mod format;
mod jpeg;
mod limits;
mod png;
mod source;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, bail};

use crate::panics::quietly;
use format::Format;

pub use folder::Folder;
pub use limits::Found;
use source::STDIN;
pub use source::Source;

const MOST_BYTES: u64 = 256 << 20;
/// The buffer for reading a file, in bytes.
const BUFFER: usize = 64 << 10;

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
