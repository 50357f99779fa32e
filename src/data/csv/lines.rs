//! The lines of a CSV file.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use crate::data::form_error::FormError;
use crate::files;

/// A line of cells.
pub(super) struct Row {
    pub(super) cells: ByteRecord,
    /// Counted from 1.
    pub(super) line: u64,
}

/// The lines of a file.
pub(super) struct Lines {
    path: PathBuf,
    reader: Reader<Box<dyn Read>>,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, FormError> {
        let file = files::open(path).map_err(|cause| FormError::Io { file: path.to_owned(), cause })?;
        Ok(Lines::of(path, Box::new(file)))
    }

    /// Those that are read from here; `path` names it in errors.
    pub(super) fn of(path: &Path, reader: Box<dyn Read>) -> Self {
        let mut builder = ReaderBuilder::new();
        let builder = builder.has_headers(false).flexible(true).trim(Trim::All).buffer_capacity(BUFFER);
        let reader: Box<dyn Read> = Box::new(LineFeeds { inner: reader, last: b'\n' });
        Lines { path: path.to_owned(), reader: builder.from_reader(reader) }
    }

    pub(super) fn next(&mut self) -> Result<Option<Row>, FormError> {
        let mut cells = ByteRecord::new();
        let read = self.reader.read_byte_record(&mut cells).map_err(|error| {
            let cause = match error.into_kind() {
                csv::ErrorKind::Io(cause) => cause,
                other => std::io::Error::other(format!("{other:?}")),
            };
            FormError::Io { file: self.path.clone(), cause }
        })?;
        // What the reader calls the line of a row counts no empty lines before it. It stands after the row's last line.
        let within = 1 + cells.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        let line = self.reader.position().line().saturating_sub(within);
        Ok(read.then_some(Row { cells, line }))
    }
}

/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// A text whose lines all end with a line feed, the last one too, however they end in the file.
struct LineFeeds<R> {
    inner: R,
    /// The last byte of the file that was read; at first as if a line had ended.
    last: u8,
}

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.inner.read(buffer)?;
            if count == 0 && !buffer.is_empty() && !b"\r\n".contains(&self.last) {
                (self.last, buffer[0]) = (b'\n', b'\n');
                return Ok(1);
            }
            let mut kept = 0;
            for at in 0..count {
                let byte = buffer[at];
                if !(byte == b'\n' && self.last == b'\r') {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
                self.last = byte;
            }
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives five bytes at a time: what reads tables needs a mark of byte order, and something after it, at once.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(5);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn rows_know_their_lines() {
        // A text, and the first cell and the line of each row.
        type Expected = &'static [(&'static str, u64)];
        let rows: [(&str, Expected); 7] = [
            ("a,1\nb,2\n", &[("a", 1), ("b", 2)]),
            ("a,1\r\nb,2\r\nc,3", &[("a", 1), ("b", 2), ("c", 3)]),
            ("a,1\rb,2\r", &[("a", 1), ("b", 2)]),
            ("\n\na,1\n\r\n\nb,2", &[("a", 3), ("b", 6)]),
            ("\"a\nx\",1\nb,2\n", &[("a\nx", 1), ("b", 3)]),
            ("\u{feff}a,1\n", &[("a", 1)]),
            ("", &[]),
        ];
        for (text, expected) in rows {
            let readers: [Box<dyn Read>; 2] = [Box::new(text.as_bytes()), Box::new(Slow(text.as_bytes()))];
            for reader in readers {
                let mut lines = Lines::of(Path::new("t.csv"), reader);
                let mut found = Vec::new();
                while let Some(Row { cells, line }) = lines.next().unwrap() {
                    found.push((String::from_utf8_lossy(&cells[0]).into_owned(), line));
                }
                let expected: Vec<_> = expected.iter().map(|&(cell, line)| (cell.to_owned(), line)).collect();
                assert_eq!(found, expected, "{text:?}");
            }
        }
    }
}
