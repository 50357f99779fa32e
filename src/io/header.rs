//! The header of a safetensors file, checked before the reader reads it: the reader takes the last of two tensors of
//! the same name, and does not say where tensors overlap.
//!
//! Source: the format's description, <https://github.com/huggingface/safetensors#format>.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// Bytes that hold the length of the header, little-endian.
pub(super) const LENGTH: usize = 8;
/// The entry that is not a tensor.
const METADATA: &str = "__metadata__";

/// What is wrong with the header, and where.
///
/// # Errors
/// The first defect: the header's length, its JSON, a name that is there twice, offsets that are reversed, end after the
/// file, overlap, or leave bytes between them.
pub(super) fn check(file: &[u8]) -> Result<(), String> {
    let Some((length, rest)) = file.split_first_chunk::<LENGTH>() else {
        return Err(format!(
            "it has {} bytes, but the length of its header alone takes {LENGTH}",
            file.len()
        ));
    };
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length)).ok_or_else(|| {
        format!(
            "its first {LENGTH} bytes announce a header of {length} bytes, but only {} follow",
            rest.len()
        )
    })?;
    parse(header, (rest.len() - header.len()) as u64).map(|_| ())
}

/// What a header says of a file that has this many bytes behind it; the tensors in the order of their bytes.
///
/// # Errors
/// As [`check`].
pub(super) fn parse(header: &[u8], data: u64) -> Result<Header, String> {
    let text = std::str::from_utf8(header).map_err(|error| format!("its header is not text: {error}"))?;
    let mut header: Header =
        serde_json::from_str(text).map_err(|error| format!("its header is not that of tensors: {error}"))?;
    header.tensors.sort_by_key(|tensor| (tensor.offsets.start, tensor.offsets.end));
    let mut end = 0;
    let mut before = "the beginning";
    for Tensor { name, offsets, .. } in &header.tensors {
        if offsets.start > offsets.end || offsets.end > data {
            return Err(format!("tensor `{name}` lies at {offsets:?} of {data} bytes"));
        }
        if offsets.start < end {
            return Err(format!("tensor `{name}` at {offsets:?} overlaps `{before}`, which ends at {end}"));
        }
        if offsets.start > end {
            return Err(format!("no tensor has the bytes {end}..{} after {before}", offsets.start));
        }
        end = offsets.end;
        before = name;
    }
    if end < data {
        return Err(format!("no tensor has the bytes {end}..{data} after {before}"));
    }
    Ok(header)
}

/// What a header says.
pub(super) struct Header {
    pub(super) tensors: Vec<Tensor>,
    /// Keys of what whoever wrote the file says of it.
    pub(super) metadata: Vec<String>,
}

/// What a header says of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) name: String,
    /// Such as `F32`.
    pub(super) dtype: String,
    pub(super) shape: Vec<usize>,
    /// Its bytes, counted from the end of the header.
    pub(super) offsets: Range<u64>,
}

#[derive(serde::Deserialize)]
struct Entry {
    data_offsets: (u64, u64),
    dtype: String,
    shape: Vec<usize>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a tensor's name for each key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut names = HashSet::new();
        let mut header = Header { tensors: Vec::new(), metadata: Vec::new() };
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("`{name}` is there twice")));
            }
            if name == METADATA {
                let metadata: Option<HashMap<String, IgnoredAny>> = map.next_value()?;
                header.metadata = metadata.into_iter().flat_map(HashMap::into_keys).collect();
            } else {
                let Entry { data_offsets: (start, end), dtype, shape } = map.next_value()?;
                header.tensors.push(Tensor { name, dtype, shape, offsets: start..end });
            }
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend(vec![0; data]);
        file
    }

    #[test]
    fn every_defect_is_named() {
        let entry = |name: &str, from: u64, to: u64| {
            format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[{from},{to}]}}")
        };
        let rows: Vec<(Vec<u8>, &str)> = vec![
            (Vec::new(), "it has 0 bytes"),
            (vec![1, 2, 3], "it has 3 bytes"),
            (
                u64::MAX.to_le_bytes().to_vec(),
                "announce a header of 18446744073709551615 bytes, but only 0 follow",
            ),
            (file("[]", 0), "its header is not that of tensors: invalid type"),
            (file("{\"a\":", 0), "its header is not that of tensors: EOF"),
            (file("{\"a\":{}}", 0), "missing field `data_offsets`"),
            (file(&format!("{{{}}}", entry("a", 4, 0)), 4), "tensor `a` lies at 4..0 of 4 bytes"),
            (file(&format!("{{{}}}", entry("a", 0, 8)), 4), "tensor `a` lies at 0..8 of 4 bytes"),
            (file(&format!("{{{}}}", entry("a", 0, 4)), 8), "no tensor has the bytes 4..8 after a"),
            (
                file(&format!("{{{}}}", entry("a", 4, 8)), 8),
                "no tensor has the bytes 0..4 after the beginning",
            ),
            (file(&format!("{{{},{}}}", entry("a", 0, 4), entry("a", 4, 8)), 8), "`a` is there twice"),
            (
                file(&format!("{{{},{}}}", entry("b", 2, 6), entry("a", 0, 4)), 6),
                "tensor `b` at 2..6 overlaps `a`",
            ),
            (file("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "`__metadata__` is there twice"),
        ];
        for (bytes, expected) in rows {
            let problem = check(&bytes).unwrap_err();
            assert!(problem.contains(expected), "{problem:?} lacks {expected:?}");
        }
        let good =
            format!("{{\"__metadata__\":{{\"k\":\"v\"}},{},{}}}  ", entry("b", 4, 8), entry("a", 0, 4));
        assert_eq!(check(&file(&good, 8)), Ok(()));
    }
}
