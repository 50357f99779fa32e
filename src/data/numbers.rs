//! Numbers in memory, or in a file that is mapped into it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytemuck::Pod;
use memmap2::Mmap;

use super::error::DataError;

/// Bytes from which on numbers that lie in a plain file as they are used are mapped and not read.
pub(super) const MAPPED_FROM: usize = 64 << 20;
/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;

/// Numbers that are read as a slice: a vector, or a part of a file that is mapped. Of the latter the system keeps in memory
/// what is read, and gives it up again where memory is short, so that a set may be larger than the machine's.
#[derive(Clone)]
pub struct Numbers<V>(Held<V>);

#[derive(Clone)]
enum Held<V> {
    Vector(Vec<V>),
    /// The bytes are whole numbers, at an address where such numbers may be.
    Mapped(Arc<Mmap>, Range<usize>, PhantomData<V>),
}

impl<V: Pod> Numbers<V> {
    /// The numbers in these bytes of a file, in the order of the machine. While they are used nobody may change the file or
    /// make it shorter: a program that reads past a file's end is ended by the system.
    ///
    /// Errors: those of the system; [`io::ErrorKind::InvalidInput`] where the file has no such bytes, or numbers cannot begin
    /// there.
    pub fn mapped(file: &File, bytes: Range<usize>) -> io::Result<Self> {
        // SAFETY: nothing here writes to what is mapped. Others must not, which the docstring asks of the caller: numbers of
        // any value are valid, so what is at stake is what is computed of them, not memory.
        let map = unsafe { Mmap::map(file)? };
        let whole =
            map.get(bytes.clone()).is_some_and(|bytes| bytemuck::try_cast_slice::<u8, V>(bytes).is_ok());
        if !whole {
            let problem = format!("bytes {bytes:?} of {} are no numbers of {}", map.len(), size_of::<V>());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        Ok(Numbers(Held::Mapped(Arc::new(map), bytes, PhantomData)))
    }

    /// These ranges of the numbers, one after another. Of mapped numbers many become mapped ones again: they may be more than the
    /// memory holds.
    ///
    /// Errors: [`DataError::Copy`] where the file for them cannot be written.
    pub(super) fn rows(
        &self,
        rows: impl ExactSizeIterator<Item = Range<usize>> + Clone,
    ) -> Result<Self, DataError> {
        let numbers = rows.clone().map(|row| row.len()).sum::<usize>();
        let bytes = numbers * size_of::<V>();
        if matches!(self.0, Held::Mapped(..)) && bytes >= MAPPED_FROM {
            let dir = scratch_folder();
            let copied = self.copied(rows, &dir);
            return copied.map_err(|cause| DataError::Copy { dir, bytes, cause });
        }
        let mut copy = Vec::with_capacity(numbers);
        rows.for_each(|row| copy.extend_from_slice(&self[row]));
        Ok(copy.into())
    }

    /// These ranges in a file of this folder, which has no name there.
    fn copied(&self, rows: impl Iterator<Item = Range<usize>>, dir: &Path) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(dir)?);
        let mut bytes = 0;
        for row in rows {
            let row: &[u8] = bytemuck::cast_slice(&self[row]);
            file.write_all(row)?;
            bytes += row.len();
        }
        // Nobody else has the file.
        Numbers::mapped(&file.into_inner().map_err(io::IntoInnerError::into_error)?, 0..bytes)
    }
}

/// Where large files may be that nobody needs after the program: in a folder for temporary files, but where it is nowhere said,
/// in the one that is not in memory.
fn scratch_folder() -> PathBuf {
    let on_disk = Path::new("/var/tmp");
    match std::env::var_os("TMPDIR") {
        None if cfg!(unix) && on_disk.is_dir() => on_disk.to_owned(),
        _ => std::env::temp_dir(),
    }
}

impl<V> From<Vec<V>> for Numbers<V> {
    fn from(numbers: Vec<V>) -> Self {
        Numbers(Held::Vector(numbers))
    }
}

impl<V: Pod> Deref for Numbers<V> {
    type Target = [V];

    fn deref(&self) -> &[V] {
        match &self.0 {
            Held::Vector(numbers) => numbers,
            Held::Mapped(map, bytes, _) => bytemuck::cast_slice(&map[bytes.clone()]),
        }
    }
}

impl<V: Pod + PartialEq> PartialEq for Numbers<V> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<V: Pod> std::fmt::Debug for Numbers<V> {
    /// Leaves out the numbers: there are millions of them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let held = match self.0 {
            Held::Vector(_) => "numbers",
            Held::Mapped(..) => "mapped numbers",
        };
        write!(f, "{} {held}", self.len())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_part_of_a_file_is_read_as_numbers() {
        let mut file = tempfile::tempfile().unwrap();
        let numbers = [1.0f32, -2.5, 3.25, f32::MAX];
        file.write_all(bytemuck::cast_slice(&numbers)).unwrap();
        let all = Numbers::<f32>::mapped(&file, 0..16).unwrap();
        assert_eq!((*all).to_vec(), numbers);
        assert_eq!(Numbers::<f32>::mapped(&file, 4..12).unwrap(), Numbers::from(numbers[1..3].to_vec()));
        assert_eq!(Numbers::<u8>::mapped(&file, 3..5).unwrap().len(), 2);
        let rows = all.copied([2..3, 0..2].into_iter(), &std::env::temp_dir()).unwrap();
        assert!(matches!(rows.0, Held::Mapped(..)));
        assert_eq!(*rows, [3.25, 1.0, -2.5]);
        assert_eq!(*all.rows([2..3, 3..4].into_iter()).unwrap(), numbers[2..4]);
        // Past the end, not whole, at a place where no f32 may be.
        for bytes in [8..20, 0..6, 2..6, Range { start: 9, end: 8 }] {
            let error = Numbers::<f32>::mapped(&file, bytes.clone()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{bytes:?}: {error}");
        }
    }
}
