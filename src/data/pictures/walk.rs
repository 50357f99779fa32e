//! The files in a folder and in the folders within.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::data::split;

/// The file name extensions of pictures.
pub(crate) const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp"];

/// A file with the name of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub path: PathBuf,
    /// As the file system tells; zeros where it does not.
    pub bytes: u64,
    pub modified: u128,
    /// What tells another file that has the same length and time, as files from an archive may: on Unix the number of the file and the
    /// time of its last change of any kind.
    pub others: [i64; 3],
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Sorted by their paths, byte by byte.
    pub pictures: Vec<Found>,
    /// How many other files there are of each ending.
    pub others: BTreeMap<String, usize>,
    /// Folders that could not be read, and why.
    pub unread: Vec<(PathBuf, String)>,
}

/// The names in a folder: of folders within, and of all else. Hidden ones and litter are left out.
pub(super) struct Names {
    pub folders: Vec<PathBuf>,
    pub files: Vec<PathBuf>,
}

/// Reads one folder; both lists are sorted by name, byte by byte. Links count as what they lead to.
pub(super) fn names(dir: &Path) -> io::Result<Names> {
    let mut names = Names { folders: Vec::new(), files: Vec::new() };
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if is_litter(&entry.file_name()) {
            continue;
        }
        let kind = entry.file_type()?;
        let folder = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
        if folder { &mut names.folders } else { &mut names.files }.push(entry.path());
    }
    let order = |path: &PathBuf| path.as_os_str().as_encoded_bytes().to_vec();
    [&mut names.folders, &mut names.files].into_iter().for_each(|list| list.sort_by_cached_key(order));
    Ok(names)
}

/// All files in a folder and below it. A folder is read once, however many links lead to it, so that circles end.
pub(super) fn walk(dir: &Path) -> Walked {
    let mut walked = Walked::default();
    let mut seen = BTreeSet::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(dir) = todo.pop() {
        // A folder that cannot be named cannot be read either.
        if dir.canonicalize().is_ok_and(|whole| !seen.insert(whole)) {
            continue;
        }
        match names(&dir) {
            Err(cause) => walked.unread.push((dir, cause.to_string())),
            Ok(names) => {
                todo.extend(names.folders);
                names.files.into_iter().for_each(|file| walked.add(file));
            }
        }
    }
    walked.pictures.sort_by(|a, b| key(&a.path).cmp(key(&b.path)));
    walked
}

/// Whether there is a picture in a folder or below it.
pub(super) fn holds_picture(dir: &Path) -> bool {
    let mut seen = BTreeSet::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(dir) = todo.pop() {
        let again = dir.canonicalize().is_ok_and(|whole| !seen.insert(whole));
        let Ok(Names { folders, files }) = names(&dir) else { continue };
        if !again && files.iter().any(|file| is_picture(file)) {
            return true;
        }
        todo.extend(folders.into_iter().filter(|_| !again));
    }
    false
}

impl Walked {
    fn add(&mut self, path: PathBuf) {
        if is_picture(&path) {
            self.pictures.push(Found::at(path));
        } else {
            *self.others.entry(ending(&path)).or_default() += 1;
        }
    }
}

impl Found {
    fn at(path: PathBuf) -> Self {
        let found = fs::metadata(&path).ok();
        let modified =
            |found: &Metadata| Some(found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos());
        Found {
            bytes: found.as_ref().map_or(0, Metadata::len),
            modified: found.as_ref().and_then(modified).unwrap_or_default(),
            others: found.as_ref().map(others).unwrap_or_default(),
            path,
        }
    }
}

#[cfg(unix)]
fn others(found: &Metadata) -> [i64; 3] {
    use std::os::unix::fs::MetadataExt;
    [found.ino() as i64, found.ctime(), found.ctime_nsec()]
}

#[cfg(not(unix))]
fn others(_: &Metadata) -> [i64; 3] {
    [0; 3]
}

/// Whether a file has the name of a picture.
pub(crate) fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// `.heic`, or that there is none.
fn ending(path: &Path) -> String {
    path.extension().map_or("without an ending".to_owned(), |ending| {
        format!(".{}", ending.to_string_lossy().to_lowercase().escape_debug())
    })
}

/// ` (2 .heic, 1 .txt are no pictures)`, or nothing.
pub(super) fn listed(others: &BTreeMap<String, usize>) -> String {
    let kinds: Vec<String> = others.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if kinds.is_empty() { String::new() } else { format!(" (files of other kinds: {})", kinds.join(", ")) }
}

fn key(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

fn is_litter(name: &OsStr) -> bool {
    split::is_litter(&name.to_string_lossy())
}
