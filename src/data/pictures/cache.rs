//! Decoded pictures in a file, from which they are mapped.
//!
//! | bytes                 | content                                                       |
//! |-----------------------|---------------------------------------------------------------|
//! | 0 to 31               | a mark with the version                                       |
//! | 32 to 47              | where the description begins, and its bytes, as u64, little-endian |
//! | 48 to 79              | SHA-256 of the description                                    |
//! | from 4096             | the pixels of all pictures, one after another                 |
//! | from behind them      | the description, JSON                                         |
//!
//! A file is written under another name and renamed when it is whole. Nothing depends on it: one that is missing or damaged is
//! made again. Of each folder of pictures the last three are kept.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::folders::File as Listed;
use super::survey::check_asked;
use crate::data::digest::hexadecimal;
use crate::data::numbers::Numbers;

/// What is hashed into names first; another way of reading pictures gets another number.
const READER: &str = "shadegrad pictures, read in way 2\n";
/// The first bytes; another layout gets another number.
const MARK: [u8; 32] = *b"shadegrad decoded pictures 1\n\0\0\0";
const PLACE: Range<usize> = 32..48;
const SUM: Range<usize> = 48..80;
/// Pixels begin at a page.
const PIXELS: u64 = 4096;
/// Bytes that have a checksum of their own, so that several threads can check them.
const BLOCK: usize = 4 << 20;
/// The most bytes of a description.
const MOST_TOLD: u64 = 1 << 30;
const ENDING: &str = "pictures";
/// A file with the shape that follows from pictures whose sizes need not be looked at again.
const SHAPE: &str = "shape";
const TEMPORARY: &str = "tmp";
/// The files that are kept of a folder.
const KEPT: usize = 3;

/// What a file holds beside pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// Of an image, `[h, w, c]`.
    pub shape: [usize; 3],
    /// Pictures of each class in the training, the validation and the test set; they follow one another in this order.
    pub counts: [Vec<usize>; 3],
    /// Files that are left out, as text, and why.
    pub broken: Vec<(String, String)>,
    /// The places of these files in the order in which they were decoded, ascending. In a file of an earlier version there are none,
    /// and it is made again where something is left out.
    #[serde(default)]
    pub left_out: Vec<usize>,
    /// How many pictures of 16 bits were stretched.
    pub stretched: usize,
    /// SHA-256 of each block of pixels.
    #[serde(default)]
    sums: Vec<String>,
}

impl Told {
    pub fn new(shape: [usize; 3], counts: [Vec<usize>; 3]) -> Self {
        Told { shape, counts, broken: Vec::new(), left_out: Vec::new(), stretched: 0, sums: Vec::new() }
    }

    /// Pictures of a set.
    pub fn len(&self, set: usize) -> usize {
        self.counts[set].iter().sum()
    }

    /// The bytes of all pixels; `None` where no file holds so many.
    fn bytes(&self) -> Option<u64> {
        let counts = self.counts.iter().flatten().chain(&[0]).copied();
        let pictures = counts.map(|count| count as u64).try_fold(0u64, u64::checked_add)?;
        self.shape.iter().try_fold(pictures, |bytes, &size| bytes.checked_mul(size as u64))
    }
}

/// What the names of files follow from: the folder, and its files with their names, sizes and times.
pub(super) struct Naming {
    dir: PathBuf,
    folder: Vec<u8>,
    content: Vec<u8>,
}

impl Naming {
    pub fn new(dir: &Path, root: &Path, files: &[Vec<Listed>; 3]) -> Self {
        let folder = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let folder = folder.as_os_str().as_encoded_bytes().to_vec();
        let mut content = [READER.as_bytes(), &folder].concat();
        for (set, files) in files.iter().enumerate() {
            for Listed { label, found } in files {
                let path = found.path.strip_prefix(root).unwrap_or(&found.path);
                let [number, changed, nanoseconds] = found.others;
                let told = [
                    found.bytes.into(),
                    found.modified as i128,
                    number.into(),
                    changed.into(),
                    nanoseconds.into(),
                ];
                content.extend(format!("\n{set} {label} {told:?} ").bytes());
                content.extend_from_slice(path.as_os_str().as_encoded_bytes());
            }
        }
        Naming { dir: dir.to_owned(), folder, content }
    }

    /// The place of these pictures, read in this way.
    pub fn place(&self, how: &str) -> Place {
        Place::new(&self.dir, &self.folder, &[&self.content, how.as_bytes()].concat())
    }
}

/// Where the decoded pictures of a folder are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    dir: PathBuf,
    /// Of the folder.
    of: String,
    /// Of its files and of how they are read.
    key: String,
}

impl Place {
    /// In a cache folder, by the bytes that tell folders of pictures from one another and those that tell their contents.
    fn new(dir: &Path, folder: &[u8], content: &[u8]) -> Self {
        let short = |bytes: &[u8]| hexadecimal(&Sha256::digest(bytes)[..16]);
        Place { dir: dir.to_owned(), of: short(folder), key: short(content) }
    }

    pub fn path(&self) -> PathBuf {
        self.named(ENDING)
    }

    fn named(&self, ending: &str) -> PathBuf {
        self.dir.join(format!("{}-{}.{ending}", self.of, self.key))
    }

    /// The shape that was remembered under this name.
    pub fn shape(&self) -> Option<[usize; 3]> {
        let text = fs::read_to_string(self.named(SHAPE)).ok()?;
        let sizes: Vec<usize> =
            text.split_whitespace().map(|size| size.parse().ok()).collect::<Option<_>>()?;
        sizes.try_into().ok().filter(|&[h, w, c]: &[usize; 3]| check_asked(Some([h, w]), Some(c)).is_ok())
    }

    /// Remembers a shape; a failure to do so costs a look at the pictures, and nothing else.
    pub fn remember(&self, [h, w, c]: [usize; 3]) {
        let written = fs::create_dir_all(&self.dir)
            .and_then(|()| fs::write(self.named(SHAPE), format!("{h} {w} {c}\n")));
        match written {
            Ok(()) => self.keep_last(SHAPE),
            Err(cause) => log::info!("{}: {cause}", self.named(SHAPE).display()),
        }
    }

    /// Removes all but the last files of this folder that end like this.
    fn keep_last(&self, ending: &str) {
        let old = self.others(ending);
        for path in &old[..old.len().saturating_sub(KEPT)] {
            // Whoever has it mapped keeps it.
            let _ = fs::remove_file(path);
        }
    }

    /// The pixels and their description. `None` where there are none; the error says why a file is of no use.
    pub fn read(&self) -> Option<Result<(Numbers<u8>, Told), String>> {
        let mut file = match File::open(self.path()) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return None,
            Err(cause) => return Some(Err(cause.to_string())),
            Ok(file) => file,
        };
        Some(whole(&mut file).map_err(|cause| cause.to_string()))
    }

    /// A new file for pixels; what processes that ended early have left goes.
    pub fn begin(&self) -> io::Result<Begun> {
        fs::create_dir_all(&self.dir)?;
        self.clear();
        // A name that nobody else has: processes in other containers may have the same number, and threads have.
        let (mut file, path) = tempfile::Builder::new()
            .prefix(&format!(".{}-{}.", self.of, self.key))
            .suffix(&format!(".{TEMPORARY}"))
            .tempfile_in(&self.dir)?
            .keep()
            .map_err(|error| error.error)?;
        // While it is held nobody takes it for one that was left behind; some file systems have no locks.
        let _ = file.try_lock();
        file.seek(SeekFrom::Start(PIXELS))?;
        Ok(Begun { place: self.clone(), path, file, written: 0, kept: false })
    }

    /// Files of this folder in the cache that end like this, the oldest first.
    fn others(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let ours = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.trim_start_matches('.').starts_with(&format!("{}-", self.of)) && name.ends_with(ending)
        };
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(ours).collect();
        found.sort_by_cached_key(|path| fs::metadata(path).and_then(|found| found.modified()).ok());
        found
    }

    /// Removes unfinished files that no process writes.
    fn clear(&self) {
        for path in self.others(TEMPORARY) {
            if File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// A file that is being written.
pub(super) struct Begun {
    place: Place,
    path: PathBuf,
    file: File,
    written: u64,
    kept: bool,
}

impl Begun {
    pub fn place(&self) -> &Place {
        &self.place
    }

    pub fn write(&mut self, pixels: &[u8]) -> io::Result<()> {
        self.file.write_all(pixels)?;
        self.written += pixels.len() as u64;
        Ok(())
    }

    /// What was written so far, for somebody who goes on in memory.
    pub fn read_back(&mut self) -> io::Result<Vec<u8>> {
        let mut pixels = Vec::new();
        self.file.seek(SeekFrom::Start(PIXELS))?;
        (&mut self.file).take(self.written).read_to_end(&mut pixels)?;
        Ok(pixels)
    }

    /// The pixels as they lie in the file, which goes without having got its name.
    pub fn mapped(&self) -> io::Result<Numbers<u8>> {
        Numbers::mapped(&self.file, PIXELS as usize..(PIXELS + self.written) as usize)
    }

    /// Adds the description and gives the file its name. Returns the pixels as they lie in it.
    pub fn finish(&mut self, told: &mut Told) -> io::Result<Numbers<u8>> {
        let pixels = self.mapped()?;
        told.sums = sums(&pixels);
        let text = serde_json::to_vec(told).map_err(io::Error::other)?;
        self.file.seek(SeekFrom::Start(PIXELS + self.written))?;
        self.file.write_all(&text)?;
        let mut head = MARK.to_vec();
        head.extend((PIXELS + self.written).to_le_bytes());
        head.extend((text.len() as u64).to_le_bytes());
        head.extend_from_slice(&Sha256::digest(&text));
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&head)?;
        self.file.flush()?;
        fs::rename(&self.path, self.place.path())?;
        self.kept = true;
        self.place.keep_last(ENDING);
        Ok(pixels)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The content of a whole file.
fn whole(file: &mut File) -> io::Result<(Numbers<u8>, Told)> {
    let wrong = |problem: &str| io::Error::new(io::ErrorKind::InvalidData, problem);
    let mut head = [0; SUM.end];
    file.read_exact(&mut head)?;
    if head[..MARK.len()] != MARK {
        return Err(wrong("it is not a file of decoded pictures"));
    }
    let (words, _) = head[PLACE].as_chunks::<8>();
    let [at, length] = [words[0], words[1]].map(u64::from_le_bytes);
    if file.metadata()?.len().checked_sub(at) != Some(length) || length > MOST_TOLD {
        return Err(wrong("it is cut off"));
    }
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(length).read_to_end(&mut text)?;
    if Sha256::digest(&text)[..] != head[SUM] {
        return Err(wrong("its description is damaged"));
    }
    let told: Told = serde_json::from_slice(&text).map_err(io::Error::from)?;
    if told.bytes().and_then(|bytes| bytes.checked_add(PIXELS)) != Some(at) || at == PIXELS {
        return Err(wrong("it does not hold the pictures that it describes"));
    }
    let pixels = Numbers::mapped(file, PIXELS as usize..at as usize)?;
    if sums(&pixels) != told.sums {
        return Err(wrong("its pixels are damaged"));
    }
    Ok((pixels, told))
}

fn sums(pixels: &[u8]) -> Vec<String> {
    pixels.par_chunks(BLOCK).map(|block| hexadecimal(&Sha256::digest(block))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told {
        let broken = vec![("a/b.png".to_owned(), "is empty".to_owned())];
        Told { broken, stretched: 2, ..Told::new([1, 2, 3], [vec![1, 2], vec![0, 0], vec![0, 1]]) }
    }

    #[test]
    fn what_is_written_is_read_until_it_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(&dir.path().join("deep"), b"folder", b"content");
        assert!(place.read().is_none());
        let pixels: Vec<u8> = (0..24).collect();
        let mut begun = place.begin().unwrap();
        begun.write(&pixels[..10]).unwrap();
        assert_eq!(begun.read_back().unwrap(), pixels[..10]);
        begun.write(&pixels[10..]).unwrap();
        let mut expected = told();
        assert_eq!(begun.finish(&mut expected).unwrap().to_vec(), pixels);
        drop(begun);
        let (read, found) = place.read().unwrap().unwrap();
        assert_eq!((read.to_vec(), &found), (pixels, &expected));
        assert!(Place::new(&dir.path().join("deep"), b"folder", b"other").read().is_none());
        // Any byte that is not as it was, any length.
        let bytes = fs::read(place.path()).unwrap();
        let last = bytes.len() - 1;
        for at in [0, 31, 33, 47, 50, 79, PIXELS as usize, PIXELS as usize + 23, last] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(place.path(), damaged).unwrap();
            assert!(place.read().unwrap().is_err(), "byte {at}");
        }
        for length in [0, 40, 100, PIXELS as usize + 5, last] {
            fs::write(place.path(), &bytes[..length]).unwrap();
            assert!(place.read().unwrap().is_err(), "{length} bytes");
        }
        fs::write(place.path(), bytes).unwrap();
        assert!(place.read().unwrap().is_ok());
    }

    #[test]
    fn little_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let count = || fs::read_dir(dir.path()).unwrap().count();
        let place = |content: &[u8]| Place::new(dir.path(), b"folder", content);
        drop(place(b"dropped").begin().unwrap());
        assert_eq!(count(), 0);
        // What a process left that was killed.
        let left = place(b"killed").begin().unwrap();
        fs::copy(&left.path, left.path.with_extension("1.tmp")).unwrap();
        assert_eq!(count(), 2);
        drop(place(b"next").begin().unwrap());
        assert_eq!(count(), 1, "what is being written stays");
        drop(left);
        for content in 0..5u8 {
            let mut begun = place(&[content]).begin().unwrap();
            begun.write(&[0; 24]).unwrap();
            begun.finish(&mut told()).unwrap();
        }
        assert_eq!(count(), KEPT);
        assert!(place(&[4]).read().unwrap().is_ok());
    }
}
