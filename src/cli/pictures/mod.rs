//! Pictures from files, folders and standard input.

mod folder;
mod source;

use std::io;
use std::path::Path;

use anyhow::Context;

use crate::data::{Decoded, Picture, decode, decode_file};

pub use folder::Folder;
use source::STDIN;
pub use source::Source;

/// A picture, and what was done to it that the user may want to know.
pub struct Found {
    pub picture: Picture,
    pub remarks: Vec<String>,
}

impl Source {
    /// The pictures that an argument names: standard input, a file, or the pictures in a folder, sorted by name, with those in
    /// folders within where `recursive` asks for them.
    pub fn all(argument: &Path, recursive: bool) -> anyhow::Result<Folder> {
        if argument == Path::new(STDIN) {
            return Ok(Folder::of(Source::Stdin));
        }
        if argument.is_dir() {
            if recursive { Folder::read_all(argument) } else { Folder::read(argument) }
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
        let Decoded { pixels, remarks } = read.with_context(|| self.to_string())?;
        let ([height, width], rgba) = pixels.into_rgba();
        Ok(Found { picture: Picture::new(height, width, rgba)?, remarks })
    }
}
