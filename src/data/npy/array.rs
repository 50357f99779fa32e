//! The elements of a NumPy array.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use bytemuck::Pod;

use super::header::{self, Header, HeaderError};
use crate::data::error::DataError;
use crate::data::form_error::FormError;
use crate::data::numbers::{MAPPED_FROM, Numbers};
use crate::files;

/// An array whose header is read.
pub(super) struct Array {
    pub(super) path: PathBuf,
    file: File,
    header: Header,
    kind: Element,
    /// How many elements there are, as the length of the file confirms.
    len: usize,
}

/// The types of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
}

impl Element {
    const ALL: [(&'static str, Element); 11] = [
        ("b1", Element::Bool),
        ("u1", Element::U8),
        ("u2", Element::U16),
        ("u4", Element::U32),
        ("u8", Element::U64),
        ("i1", Element::I8),
        ("i2", Element::I16),
        ("i4", Element::I32),
        ("i8", Element::I64),
        ("f4", Element::F32),
        ("f8", Element::F64),
    ];

    fn size(self) -> usize {
        match self {
            Element::Bool | Element::U8 | Element::I8 => 1,
            Element::U16 | Element::I16 => 2,
            Element::U32 | Element::I32 | Element::F32 => 4,
            Element::U64 | Element::I64 | Element::F64 => 8,
        }
    }

    /// Whether numbers of this type may stand between whole ones.
    pub(super) fn is_float(self) -> bool {
        matches!(self, Element::F32 | Element::F64)
    }

    /// The name in NumPy.
    pub(super) fn name(self) -> &'static str {
        match self {
            Element::Bool => "bool",
            Element::U8 => "uint8",
            Element::U16 => "uint16",
            Element::U32 => "uint32",
            Element::U64 => "uint64",
            Element::I8 => "int8",
            Element::I16 => "int16",
            Element::I32 => "int32",
            Element::I64 => "int64",
            Element::F32 => "float32",
            Element::F64 => "float64",
        }
    }
}

/// Elements in memory that are read at once and made f32 or labels.
const CHUNK: usize = 1 << 16;

impl Array {
    /// Opens a file and holds its length to its header, before anything is reserved for it.
    pub(super) fn open(path: PathBuf) -> Result<Self, DataError> {
        let mut file = files::open(&path).map_err(|cause| FormError::Io { file: path.clone(), cause })?;
        let io = |cause| FormError::Io { file: path.clone(), cause };
        let stored = file.metadata().map_err(io)?.len();
        let header = header::read(&mut file).map_err(|error| match error {
            HeaderError::Io(cause) => io(cause),
            HeaderError::Magic(found) => {
                let found: Vec<_> = found.iter().map(|byte| format!("{byte:02x}")).collect();
                let found = if found.is_empty() { "nothing".to_owned() } else { found.join(" ") };
                FormError::NotNumPy { file: path.clone(), found }
            }
            HeaderError::Other(found) => FormError::NumPyHeader { file: path.clone(), found },
        })?;
        let kind = element(&path, &header.descr)?;
        // The order matters only where there are several axes.
        if header.fortran_order && header.shape.iter().filter(|&&size| size > 1).count() > 1 {
            return Err(FormError::FortranOrder { file: path }.into());
        }
        let len = header.shape.iter().try_fold(1u64, |len, &size| len.checked_mul(size));
        let bytes = len.and_then(|len| len.checked_mul(kind.size() as u64)?.checked_add(header.offset));
        match (len.and_then(|len| usize::try_from(len).ok()), bytes) {
            (Some(len), Some(expected)) if expected == stored => Ok(Array { path, file, header, kind, len }),
            (_, expected) => {
                let expected = expected.unwrap_or(u64::MAX);
                Err(FormError::Length { file: path, expected, found: stored }.into())
            }
        }
    }

    pub(super) fn shape(&self) -> &[u64] {
        &self.header.shape
    }

    pub(super) fn kind(&self) -> Element {
        self.kind
    }

    /// The elements as bytes; only of the type `u1`.
    pub(super) fn bytes(&mut self) -> Result<Numbers<u8>, DataError> {
        self.as_they_are()
    }

    /// The elements as f32. Those of the type `f4` may be mapped.
    ///
    /// Errors: [`FormError::Number`] where one is too large for it. Whether those of `f4` are finite the data set itself checks.
    pub(super) fn floats(&mut self) -> Result<Numbers<f32>, DataError> {
        if self.kind == Element::F32 {
            return self.as_they_are();
        }
        let path = self.path.clone();
        let narrow = |index, number: Number| {
            let wide = number.wide();
            let narrow = wide as f32;
            if narrow.is_finite() {
                return Ok(narrow);
            }
            Err(FormError::Number { file: path.clone(), index, found: wide })
        };
        Ok(self.each(narrow)?.into())
    }

    /// The elements as whole numbers; only of the types that are whole.
    pub(super) fn whole(&mut self) -> Result<Vec<i128>, DataError> {
        self.each(|_, number| {
            Ok(match number {
                Number::Whole(whole) => whole,
                Number::Float(float) => float as i128,
            })
        })
    }

    /// Elements whose bytes are those of a `V`.
    fn as_they_are<V: Pod>(&mut self) -> Result<Numbers<V>, DataError> {
        let start = self.header.offset as usize;
        let size = self.len * size_of::<V>();
        if size >= MAPPED_FROM
            && let Ok(numbers) = Numbers::mapped(&self.file, start..start + size)
        {
            return Ok(numbers);
        }
        let mut numbers: Vec<V> = self.room()?;
        numbers.resize(self.len, V::zeroed());
        self.begin()?;
        let io = |cause| FormError::Io { file: self.path.clone(), cause };
        (&self.file).read_exact(bytemuck::cast_slice_mut(&mut numbers)).map_err(io)?;
        Ok(numbers.into())
    }

    /// What `make` makes of each element.
    fn each<V>(
        &mut self,
        mut make: impl FnMut(usize, Number) -> Result<V, FormError>,
    ) -> Result<Vec<V>, DataError> {
        let mut made = self.room()?;
        self.begin()?;
        let (size, kind) = (self.kind.size(), self.kind);
        let mut reader = BufReader::new(&self.file);
        let mut chunk = vec![0; CHUNK * size];
        while made.len() < self.len {
            let count = CHUNK.min(self.len - made.len());
            let bytes = &mut chunk[..count * size];
            reader.read_exact(bytes).map_err(|cause| FormError::Io { file: self.path.clone(), cause })?;
            for element in bytes.chunks_exact(size) {
                made.push(make(made.len(), Number::of(kind, element))?);
            }
        }
        Ok(made)
    }

    fn begin(&mut self) -> Result<(), FormError> {
        let sought = self.file.seek(SeekFrom::Start(self.header.offset));
        sought.map(|_| ()).map_err(|cause| FormError::Io { file: self.path.clone(), cause })
    }

    fn room<V>(&self) -> Result<Vec<V>, FormError> {
        let mut room = Vec::new();
        let expected = (self.len as u64).saturating_mul(size_of::<V>() as u64);
        room.try_reserve_exact(self.len)
            .map_err(|_| FormError::OutOfMemory { file: self.path.clone(), expected })?;
        Ok(room)
    }
}

/// The type that a header names.
fn element(path: &Path, descr: &str) -> Result<Element, FormError> {
    const EXPECTED: &str = "bool, uint8 to uint64, int8 to int64, float32 or float64, little-endian";
    let (order, name) = descr.split_at_checked(1).unwrap_or(("", descr));
    let found = Element::ALL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    let advice = match (order, found) {
        ("<" | "|", Some(kind)) => return Ok(kind),
        (">", Some(kind)) if kind.size() == 1 => return Ok(kind),
        (">", Some(_)) => "save it in the other order: array.astype(array.dtype.newbyteorder('<'))",
        ("|", None) if name == "O" => "objects of Python are not read; make an array of numbers of them",
        _ => "save it as another type, such as array.astype('float32')",
    };
    let found = crate::data::form_error::shortened(descr);
    Err(FormError::ElementType { file: path.to_owned(), expected: EXPECTED, found, advice })
}

/// An element.
#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    /// From little-endian bytes, as many as the type has.
    fn of(kind: Element, bytes: &[u8]) -> Self {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let bits = u64::from_le_bytes(word);
        match kind {
            Element::Bool => Number::Whole(i128::from(bits != 0)),
            Element::U8 | Element::U16 | Element::U32 | Element::U64 => Number::Whole(bits.into()),
            Element::I8 => Number::Whole((bits as i8).into()),
            Element::I16 => Number::Whole((bits as i16).into()),
            Element::I32 => Number::Whole((bits as i32).into()),
            Element::I64 => Number::Whole((bits as i64).into()),
            Element::F32 => Number::Float(f32::from_bits(bits as u32).into()),
            Element::F64 => Number::Float(f64::from_bits(bits)),
        }
    }

    fn wide(self) -> f64 {
        match self {
            Number::Whole(whole) => whole as f64,
            Number::Float(float) => float,
        }
    }
}
