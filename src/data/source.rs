//! Bytes of a file or of memory, plain or gzip, read only as far as their header announces.
//!
//! Nothing a file claims is believed before it is backed by bytes: the length of a plain file is compared with the
//! announced one before memory is reserved, and for a compressed one memory grows with the bytes that arrive.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;

use super::error::{IdxError, Place};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

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

/// The first two bytes, looked at to tell gzip from plain, are chained in front of the rest.
type Rejoined<R> = Counted<io::Chain<Cursor<Vec<u8>>, R>>;

enum Body<R> {
    Plain(Rejoined<R>),
    Gzip(Box<GzDecoder<Rejoined<R>>>),
}

impl Source<BufReader<File>> {
    /// Opens a file. Errors: [`IdxError::Io`], [`IdxError::NotAFile`].
    pub(super) fn open(path: &Path) -> Result<Self, IdxError> {
        let io_error = |cause| IdxError::Io { file: path.to_owned(), cause };
        // Asked before opening, since opening a pipe would wait for its writer.
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
    /// `stored` is the length of what `reader` gives; `file` is its name in messages.
    pub(super) fn new(file: &Path, stored: u64, mut reader: R) -> Result<Self, IdxError> {
        let mut first = Vec::with_capacity(GZIP_MAGIC.len());
        (&mut reader)
            .take(GZIP_MAGIC.len() as u64)
            .read_to_end(&mut first)
            .map_err(|cause| IdxError::Io { file: file.to_owned(), cause })?;
        let gzip = first == GZIP_MAGIC;
        let whole = Counted { inner: Cursor::new(first).chain(reader), consumed: 0 };
        Ok(Self {
            file: file.to_owned(),
            stored,
            body: if gzip { Body::Gzip(Box::new(GzDecoder::new(whole))) } else { Body::Plain(whole) },
        })
    }

    /// The byte at `offset` of the uncompressed data.
    pub(super) fn at(&self, offset: u64) -> Place {
        Place { file: self.file.clone(), offset, unpacked: self.is_gzip() }
    }

    fn is_gzip(&self) -> bool {
        matches!(self.body, Body::Gzip(_))
    }

    /// Appends up to `count` bytes to `data` and returns how many there were; fewer means the end.
    pub(super) fn append(&mut self, data: &mut Vec<u8>, count: usize) -> Result<usize, IdxError> {
        let limit = count as u64;
        let outcome = match &mut self.body {
            Body::Plain(reader) => reader.take(limit).read_to_end(data),
            Body::Gzip(decoder) => decoder.take(limit).read_to_end(data),
        };
        outcome.map_err(|cause| self.read_error(cause))
    }

    /// Sorts what the decoder reports as kinds of [`io::Error`] into defects of the stream and failures to read.
    fn read_error(&self, cause: io::Error) -> IdxError {
        let file = self.file.clone();
        let Body::Gzip(decoder) = &self.body else {
            return IdxError::Io { file, cause };
        };
        let at = Place { file, offset: decoder.get_ref().consumed, unpacked: false };
        match cause.kind() {
            io::ErrorKind::UnexpectedEof => IdxError::TruncatedGzip { at },
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => IdxError::CorruptGzip { at, cause },
            _ => IdxError::Io { file: at.file, cause },
        }
    }

    /// Reads exactly `payload` bytes, after a header of `header` bytes, and confirms that nothing follows.
    ///
    /// `sizes_at` is the offset of the dimensions, blamed for an announcement that cannot be true.
    ///
    /// Errors: [`IdxError::Truncated`], [`IdxError::TrailingBytes`], [`IdxError::Implausible`],
    /// [`IdxError::OutOfMemory`], and those of a gzip stream.
    pub(super) fn payload(
        &mut self,
        header: usize,
        payload: usize,
        sizes_at: u64,
    ) -> Result<Vec<u8>, IdxError> {
        let expected = header as u64 + payload as u64;
        self.check_announced(expected, sizes_at)?;
        let mut data = Vec::new();
        while data.len() < payload {
            let missing = payload - data.len();
            let step = if self.is_gzip() {
                missing.min(data.len().max(FIRST_RESERVATION))
            } else {
                missing // the length of the file has vouched for it
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

    pub(super) fn truncated(&self, expected: u64, found: u64) -> IdxError {
        IdxError::Truncated { at: self.at(found), expected, found }
    }

    /// Refuses an announced length that the stored one contradicts, before memory is reserved for it.
    fn check_announced(&self, expected: u64, sizes_at: u64) -> Result<(), IdxError> {
        if self.is_gzip() {
            let most = self.stored.saturating_mul(DEFLATE_MAX_RATIO);
            if expected > most {
                return Err(IdxError::Implausible { at: self.at(sizes_at), expected: most, found: expected });
            }
        } else if self.stored < expected {
            return Err(self.truncated(expected, self.stored));
        } else if self.stored > expected {
            return Err(self.trailing(expected, self.stored));
        }
        Ok(())
    }

    fn trailing(&self, expected: u64, found: u64) -> IdxError {
        IdxError::TrailingBytes { at: self.at(expected), expected, found }
    }

    /// Confirms the end of the data and, for gzip, the checksum and the end of the file.
    fn check_end(&mut self, expected: u64) -> Result<(), IdxError> {
        // A decoder verifies its checksum when it is asked for a byte after the last one.
        if self.append(&mut Vec::new(), 1)? > 0 {
            return Err(self.trailing(expected, expected + 1));
        }
        let Body::Gzip(decoder) = &mut self.body else {
            return Ok(());
        };
        let reader = decoder.get_mut();
        let ended = reader.consumed;
        let rest_is_empty = match reader.fill_buf() {
            Ok(rest) => rest.is_empty(),
            Err(cause) => return Err(self.read_error(cause)),
        };
        if rest_is_empty {
            return Ok(());
        }
        Err(IdxError::GzipTrailingBytes {
            at: Place { file: self.file.clone(), offset: ended, unpacked: false },
            found: self.stored.saturating_sub(ended),
        })
    }
}

/// A reader that knows how many of its bytes were used, for the offsets in messages.
struct Counted<R> {
    inner: R,
    consumed: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.consumed += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.consumed += count as u64;
    }
}
