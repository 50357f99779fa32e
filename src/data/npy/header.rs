//! The header of a NumPy array: a dictionary as Python writes it, such as
//! `{'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }`.
//!
//! | offset | bytes  | content                                                     |
//! |-------:|-------:|-------------------------------------------------------------|
//! |      0 |      6 | 93 4e 55 4d 50 59                                           |
//! |      6 |      2 | version: 1, 2 or 3, and 0                                   |
//! |      8 | 2 or 4 | length of the dictionary, little-endian; 2 in version 1     |
//! |        |        | the dictionary, with spaces and a line feed at its end      |
//! |        |        | the elements                                                |
//!
//! Source: `numpy/lib/format.py`.

use std::io::{self, Read};

/// The first bytes of an array.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
/// The longest dictionary that is read; NumPy itself reads no longer one unasked.
const LONGEST: usize = 10_000;

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The type of the elements, such as `<f4`.
    pub(super) descr: String,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<u64>,
    /// Where the elements begin.
    pub(super) offset: u64,
}

/// Why there is no header.
#[derive(Debug)]
pub(super) enum HeaderError {
    Io(io::Error),
    /// The first bytes are others.
    Magic(Vec<u8>),
    /// What was found in place of a header.
    Other(String),
}

/// Reads the header at the beginning of a file.
pub(super) fn read(file: &mut impl Read) -> Result<Header, HeaderError> {
    let start = take(file, MAGIC.len() + 2)?;
    let Some(version) = start.strip_prefix(MAGIC).filter(|version| version.len() == 2) else {
        return Err(HeaderError::Magic(start[..start.len().min(MAGIC.len())].to_vec()));
    };
    let width = match version {
        [1, 0] => 2,
        [2 | 3, 0] => 4,
        other => return Err(HeaderError::Other(format!("version {}.{}", other[0], other[1]))),
    };
    let bytes = take(file, width)?;
    if bytes.len() < width {
        return Err(HeaderError::Other("the end of the file".to_owned()));
    }
    let len = bytes.iter().rev().fold(0, |len, &byte| len << 8 | usize::from(byte));
    if len > LONGEST {
        return Err(HeaderError::Other(format!("{len} bytes announced, more than {LONGEST}")));
    }
    let bytes = take(file, len)?;
    if bytes.len() < len {
        return Err(HeaderError::Other("the end of the file".to_owned()));
    }
    let text =
        String::from_utf8(bytes).map_err(|_| HeaderError::Other("bytes that are no text".to_owned()))?;
    let offset = (MAGIC.len() + 2 + width + len) as u64;
    dictionary(&text, offset)
        .ok_or_else(|| HeaderError::Other(format!("{:?}", crate::data::form_error::shortened(&text))))
}

/// Up to `count` bytes; fewer at the end of the file.
fn take(file: &mut impl Read, count: usize) -> Result<Vec<u8>, HeaderError> {
    let mut bytes = Vec::with_capacity(count);
    file.take(count as u64).read_to_end(&mut bytes).map_err(HeaderError::Io)?;
    Ok(bytes)
}

/// The three entries, in any order; a structured type, which is no text, is given as it stands.
fn dictionary(text: &str, offset: u64) -> Option<Header> {
    let mut rest = Rest(text.trim().strip_prefix('{')?.strip_suffix('}')?);
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let key = rest.quoted()?;
        rest.take(':')?;
        let is_new = match key {
            "descr" => descr.replace(rest.descr()?).is_none(),
            "fortran_order" => fortran_order.replace(rest.truth()?).is_none(),
            "shape" => shape.replace(rest.tuple()?).is_none(),
            _ => false,
        };
        if !is_new || rest.take(',').is_none() && !rest.is_empty() {
            return None;
        }
    }
    Some(Header { descr: descr?, fortran_order: fortran_order?, shape: shape?, offset })
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn is_empty(&self) -> bool {
        self.0.trim_start().is_empty()
    }

    fn take(&mut self, token: char) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|quote| "'\"".contains(*quote))?;
        let (inside, after) = text[1..].split_once(quote)?;
        self.0 = after;
        Some(inside)
    }

    fn descr(&mut self) -> Option<String> {
        if !self.0.trim_start().starts_with('[') {
            return self.quoted().map(str::to_owned);
        }
        let (inside, after) = self.0.trim_start().split_once(']')?;
        self.0 = after;
        Some(format!("{inside}]"))
    }

    fn truth(&mut self) -> Option<bool> {
        let text = self.0.trim_start();
        let (is, after) = match text.strip_prefix("False") {
            Some(after) => (false, after),
            None => (true, text.strip_prefix("True")?),
        };
        self.0 = after;
        Some(is)
    }

    fn tuple(&mut self) -> Option<Vec<u64>> {
        let (inside, after) = self.0.trim_start().strip_prefix('(')?.split_once(')')?;
        self.0 = after;
        let inside = inside.trim();
        let numbers = inside.strip_suffix(',').unwrap_or(inside);
        if numbers.trim().is_empty() {
            return Some(Vec::new());
        }
        // Python 2 wrote an L behind long numbers.
        numbers.split(',').map(|number| number.trim().trim_end_matches('L').parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: [u8; 2], text: &str) -> Vec<u8> {
        let len = text.len() as u32;
        let width = if version[0] == 1 { 2 } else { 4 };
        [MAGIC, &version, &len.to_le_bytes()[..width], text.as_bytes()].concat()
    }

    #[test]
    fn headers_are_read_as_numpy_writes_them() {
        let header = |descr: &str, fortran_order, shape: &[u64], offset| Header {
            descr: descr.to_owned(),
            fortran_order,
            shape: shape.to_vec(),
            offset,
        };
        let rows = [
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n",
                header("<f4", false, &[2, 3], 0),
            ),
            ("{'shape': (7,), 'fortran_order': True, 'descr': '|u1'}", header("|u1", true, &[7], 0)),
            ("{\"descr\":\"<i8\",\"fortran_order\":False,\"shape\":()}", header("<i8", false, &[], 0)),
            (
                "{'descr': '<f8', 'fortran_order': False, 'shape': (60000L, 28L), }",
                header("<f8", false, &[60000, 28], 0),
            ),
            (
                "{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }",
                header("[('a', '<f4'), ('b', '<i4')]", false, &[1], 0),
            ),
        ];
        for (text, expected) in rows {
            for (version, start) in [([1, 0], 10), ([2, 0], 12), ([3, 0], 12)] {
                let bytes = file(version, text);
                let found = read(&mut &bytes[..]).unwrap();
                let offset = start + text.len() as u64;
                assert_eq!(
                    found,
                    Header {
                        offset,
                        descr: expected.descr.clone(),
                        shape: expected.shape.clone(),
                        ..expected
                    }
                );
                // No part of it is a header.
                for end in 0..bytes.len() {
                    assert!(read(&mut &bytes[..end]).is_err(), "{text}: {end} bytes");
                }
            }
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let rows = [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,,2)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
            "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}",
            "{'descr': [('a', '<f4', 'fortran_order': False, 'shape': (1,)}",
        ];
        for text in rows {
            assert!(matches!(read(&mut &file([1, 0], text)[..]), Err(HeaderError::Other(_))), "{text}");
        }
        let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
        assert!(matches!(read(&mut &file([4, 0], good)[..]), Err(HeaderError::Other(_))));
        assert!(matches!(read(&mut &b"PK\x03\x04abcdefgh"[..]), Err(HeaderError::Magic(_))));
        // Nothing is reserved by what a header claims.
        let long = [MAGIC, &[2, 0], &u32::MAX.to_le_bytes()].concat();
        assert!(matches!(read(&mut &long[..]), Err(HeaderError::Other(_))));
    }
}
