//! Bytes of a file or of memory, plain or gzip, read only as far as their header announces.
//!
//! No claim of a file is trusted before there are bytes for it: the length of a plain file is compared with the
//! announced one before memory is reserved, and for a compressed one memory grows with the bytes that arrive.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::error::{IdxError, Place};
use super::members::{Counted, GZIP_MAGIC, Members};

/// The most bytes that one byte of a deflate stream can stand for: a match of 258 bytes in 2 bits (RFC 1951, 3.2.5;
/// zlib's technical notes give the same 1032:1).
const DEFLATE_MAX_RATIO: u64 = 258 * 8 / 2;

/// Memory reserved for decompressed data before any arrived.
const FIRST_RESERVATION: usize = 1 << 20;

/// A data file or bytes in memory, decompressed while it is read.
pub(super) struct Source<R> {
    file: PathBuf,
    /// Length in bytes as stored, compressed or not.
    stored: u64,
    body: Body<R>,
}

enum Body<R> {
    Plain(Counted<R>),
    Gzip(Members<R>),
}

impl Source<BufReader<File>> {
    /// Opens a file. Errors: [`IdxError::Io`], [`IdxError::NotAFile`].
    pub(super) fn open(path: &Path) -> Result<Self, IdxError> {
        let io_error = |cause| IdxError::Io { file: path.to_owned(), cause };
        // Checked before opening, since opening a pipe would wait for its writer.
        let kind = fs::metadata(path).map_err(io_error)?.file_type();
        if !kind.is_file() {
            return Err(IdxError::NotAFile {
                file: path.to_owned(),
                found: if kind.is_dir() { "a folder" } else { "a pipe or a device" },
            });
        }
        let file = File::open(path).map_err(io_error)?;
        let stored = file.metadata().map_err(io_error)?.len();
        Self::new(path, stored, BufReader::new(file))
    }
}

impl<R: BufRead> Source<R> {
    /// `stored` is the number of bytes that `reader` gives; `file` is its name in messages.
    pub(super) fn new(file: &Path, stored: u64, reader: R) -> Result<Self, IdxError> {
        let mut whole = Counted::new(reader);
        let first = whole.peek().map_err(|cause| IdxError::Io { file: file.to_owned(), cause })?;
        let gzip = first == GZIP_MAGIC;
        Ok(Self {
            file: file.to_owned(),
            stored,
            body: if gzip { Body::Gzip(Members::new(whole)) } else { Body::Plain(whole) },
        })
    }

    /// The byte at `offset` of the uncompressed data.
    pub(super) fn at(&self, offset: u64) -> Place {
        Place { file: self.file.clone(), offset, unpacked: self.is_gzip() }
    }

    pub(super) fn is_gzip(&self) -> bool {
        matches!(self.body, Body::Gzip(_))
    }

    /// Appends up to `count` bytes to `data` and returns how many there were; fewer means the end.
    pub(super) fn append(&mut self, data: &mut Vec<u8>, count: usize) -> Result<usize, IdxError> {
        let limit = count as u64;
        let outcome = match &mut self.body {
            Body::Plain(reader) => reader.take(limit).read_to_end(data),
            Body::Gzip(members) => members.take(limit).read_to_end(data),
        };
        outcome.map_err(|cause| self.read_error(cause))
    }

    /// Sorts the decoder's kinds of [`io::Error`] into defects of the stream and failures to read.
    fn read_error(&self, cause: io::Error) -> IdxError {
        let file = self.file.clone();
        let Body::Gzip(members) = &self.body else {
            return IdxError::Io { file, cause };
        };
        let at = Place { file, offset: members.consumed(), unpacked: false };
        match cause.kind() {
            io::ErrorKind::UnexpectedEof => IdxError::TruncatedGzip { at },
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => IdxError::CorruptGzip { at, cause },
            _ => IdxError::Io { file: at.file, cause },
        }
    }

    /// Reads exactly `payload` bytes, after a header of `header` bytes, and confirms that nothing follows. The number
    /// must have been checked first with [`check_announced`](Self::check_announced).
    ///
    /// Errors: [`IdxError::Truncated`], [`IdxError::TrailingBytes`], [`IdxError::OutOfMemory`], and those of a gzip stream.
    pub(super) fn payload(&mut self, header: usize, payload: usize) -> Result<Vec<u8>, IdxError> {
        let expected = header as u64 + payload as u64;
        let mut data = Vec::new();
        while data.len() < payload {
            let missing = payload - data.len();
            let step = if self.is_gzip() {
                missing.min(data.len().max(FIRST_RESERVATION))
            } else {
                missing // the length of the file was checked
            };
            data.try_reserve_exact(step)
                .map_err(|_| IdxError::OutOfMemory { file: self.file.clone(), expected: payload as u64 })?;
            if self.append(&mut data, step)? < step {
                return Err(self.truncated(expected, (header + data.len()) as u64));
            }
        }
        self.check_end(expected)?;
        Ok(data)
    }

    /// Reads all there is, of a file without a header.
    ///
    /// Errors: [`IdxError::OutOfMemory`], and those of a gzip stream.
    pub(super) fn rest(&mut self) -> Result<Vec<u8>, IdxError> {
        let mut data = Vec::new();
        let first = if self.is_gzip() { FIRST_RESERVATION as u64 } else { self.stored };
        let mut step = usize::try_from(first).unwrap_or(usize::MAX);
        loop {
            data.try_reserve_exact(step).map_err(|_| IdxError::OutOfMemory {
                file: self.file.clone(),
                expected: (data.len() as u64).saturating_add(step as u64),
            })?;
            if self.append(&mut data, step)? < step || !self.is_gzip() {
                break;
            }
            step = data.len().max(FIRST_RESERVATION);
        }
        self.check_garbage()?;
        Ok(data)
    }

    pub(super) fn truncated(&self, expected: u64, found: u64) -> IdxError {
        IdxError::Truncated { at: self.at(found), expected, found }
    }

    /// Refuses an announced length that the stored one contradicts, before memory is reserved for it.
    ///
    /// `sizes_at` is the offset of the dimensions, which an impossible announcement is blamed on.
    ///
    /// Errors: [`IdxError::Truncated`], [`IdxError::TrailingBytes`], [`IdxError::Implausible`].
    pub(super) fn check_announced(
        &self,
        header: usize,
        payload: usize,
        sizes_at: u64,
    ) -> Result<(), IdxError> {
        let expected = header as u64 + payload as u64;
        match self.most() {
            most if self.is_gzip() && expected > most => {
                Err(IdxError::Implausible { at: self.at(sizes_at), expected: most, found: expected })
            }
            _ if self.is_gzip() => Ok(()),
            stored if stored < expected => Err(self.truncated(expected, stored)),
            stored if stored > expected => Err(self.trailing(expected, stored)),
            _ => Ok(()),
        }
    }

    /// Whether the uncompressed file can have this length; for a plain file, whether it has.
    pub(super) fn can_hold(&self, bytes: u64) -> bool {
        if self.is_gzip() { bytes <= self.most() } else { bytes == self.most() }
    }

    /// The most bytes that there can be, uncompressed.
    fn most(&self) -> u64 {
        if self.is_gzip() { self.stored.saturating_mul(DEFLATE_MAX_RATIO) } else { self.stored }
    }

    fn trailing(&self, expected: u64, found: u64) -> IdxError {
        IdxError::TrailingBytes { at: self.at(expected), expected, found }
    }

    /// Confirms the end of the data and, for gzip, the checksum and the end of the file.
    fn check_end(&mut self, expected: u64) -> Result<(), IdxError> {
        if self.append(&mut Vec::new(), 1)? > 0 {
            return Err(self.trailing(expected, expected + 1));
        }
        self.check_garbage()
    }

    /// Refuses bytes after the last member of a gzip file; call it once the stream was read to its end.
    fn check_garbage(&self) -> Result<(), IdxError> {
        let Body::Gzip(members) = &self.body else {
            return Ok(());
        };
        members.garbage().map_or(Ok(()), |offset| {
            Err(IdxError::GzipTrailingBytes {
                at: Place { file: self.file.clone(), offset, unpacked: false },
                found: self.stored.saturating_sub(offset),
            })
        })
    }
}
