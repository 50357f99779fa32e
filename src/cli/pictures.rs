//! Pictures from files, folders and standard input; pictures into files.

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use image::error::ImageError;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::data::Picture;

/// Names in a folder that are taken as pictures.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];
/// Standard input.
const STDIN: &str = "-";
/// What a file may have, so that a few bytes cannot ask for all memory.
const MOST_PIXELS: u64 = 64 << 20;
const MOST_DECODER_BYTES: u64 = 512 << 20;
const MOST_BYTES: u64 = 256 << 20;

/// Where a picture comes from, as it is named in results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Stdin => f.write_str(STDIN),
            Source::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Source {
    /// What an argument names: standard input, a file, or the pictures that lie in a folder, by name.
    pub fn all(argument: &Path) -> anyhow::Result<Vec<Source>> {
        if argument == Path::new(STDIN) {
            return Ok(vec![Source::Stdin]);
        }
        if !argument.is_dir() {
            return Ok(vec![Source::File(argument.to_owned())]);
        }
        let unreadable = || format!("{}: the folder cannot be read", argument.display());
        let mut files = Vec::new();
        for entry in fs::read_dir(argument).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            if ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str())) && path.is_file() {
                files.push(path);
            }
        }
        if files.is_empty() {
            bail!(
                "{}: no pictures in this folder; their names must end with .png, .jpg or .jpeg",
                argument.display()
            );
        }
        files.sort();
        Ok(files.into_iter().map(Source::File).collect())
    }

    /// The picture; every error names this source.
    pub fn read(&self) -> anyhow::Result<Picture> {
        let read = match self {
            Source::Stdin => decode_stdin(),
            Source::File(path) => decode_file(path),
        };
        read.with_context(|| self.to_string())
    }
}

fn decode_stdin() -> anyhow::Result<Picture> {
    read_whole(io::stdin().lock())
}

fn decode_file(path: &Path) -> anyhow::Result<Picture> {
    let file = File::open(path).context("cannot be read")?;
    if !file.metadata().context("cannot be read")?.is_file() {
        bail!("is not a file; give a PNG or JPEG file, a folder of them, or `-` for standard input");
    }
    read_whole(file)
}

fn read_whole(source: impl Read) -> anyhow::Result<Picture> {
    let mut bytes = Vec::new();
    source.take(MOST_BYTES + 1).read_to_end(&mut bytes).context("cannot be read")?;
    if bytes.len() as u64 > MOST_BYTES {
        bail!("more than {} MiB; make the picture smaller", MOST_BYTES >> 20);
    }
    decode(&bytes)
}

/// Whether a JPEG file goes on to the end of its picture; the decoder would fill what is missing with grey. What follows
/// the end does not count: phones put films there.
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    const START: usize = 2;
    const END: u8 = 0xd9;
    // Within a scan 255 is followed by 0, and marks of where a decoder may begin anew; neither have they a length.
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xd0..=0xd8 | 0xff);
    let mut rest = bytes.get(START..).unwrap_or_default();
    while let Some(at) = rest.windows(2).position(is_marker) {
        if rest[at + 1] == END {
            return true;
        }
        // The length counts itself.
        let segment = &rest[at + 2..];
        let length = segment.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)));
        rest = length.and_then(|length| segment.get(length..)).unwrap_or_default();
    }
    false
}

/// By content, not by name, and turned as the camera was held.
fn decode(bytes: &[u8]) -> anyhow::Result<Picture> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_DECODER_BYTES);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().context("cannot be read")?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        bail!("is neither PNG nor JPEG; convert it first");
    }
    if reader.format() == Some(ImageFormat::Jpeg) && !is_whole_jpeg(bytes) {
        bail!("is damaged or incomplete: its picture has no end");
    }
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        bail!("{width} x {height} pixels are more than {MOST_PIXELS}; make the picture smaller");
    }
    let orientation = decoder.orientation().map_err(refused)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(refused)?;
    image.apply_orientation(orientation);
    let image = image.into_rgba8();
    let (width, height) = (image.width() as usize, image.height() as usize);
    Ok(Picture::new(height, width, image.into_raw())?)
}

fn refused(error: ImageError) -> anyhow::Error {
    match error {
        ImageError::Limits(_) => {
            anyhow!("takes more than {} MiB to decode; make the picture smaller", MOST_DECODER_BYTES >> 20)
        }
        ImageError::IoError(cause) if cause.kind() != io::ErrorKind::UnexpectedEof => {
            anyhow!("cannot be read: {cause}")
        }
        error => anyhow!("is damaged or incomplete: {error}"),
    }
}
