//! Which folders are classes, and which are sets that have folders of classes within.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::PictureFolderError;
use super::walk::{Found, Walked, is_picture, listed, names, walk};
use crate::data::split::{SETS, set_called};

/// How many folders that hold nothing but the next one are opened, as archives leave them.
const MOST_WRAPPERS: usize = 8;
const TRAIN: usize = 0;
/// What else pictures are called.
const FOREIGN: [&str; 14] = [
    ".heic", ".heif", ".avif", ".gif", ".tif", ".tiff", ".jxl", ".jp2", ".svg", ".raw", ".dng", ".cr2",
    ".nef", ".arw",
];
/// The most names in a message.
const LISTED: usize = 5;

/// A file with the name of a picture, and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub label: u32,
    pub found: Found,
}

/// What a folder of pictures holds.
#[derive(Debug)]
pub(super) struct Listed {
    /// The folder with the folders of classes, or of sets.
    pub root: PathBuf,
    /// What the classes are called, sorted by the names of their folders, byte by byte.
    pub classes: Vec<String>,
    /// Of the training, validation and test set, sorted by class and then by path. Where a set has no folder of its own it has
    /// no files.
    pub files: [Vec<File>; 3],
    /// Whether each set has a folder of its own; if none has, all files are of the first.
    pub given: [bool; 3],
    /// Folders that could not be read, and why.
    pub unread: Vec<(PathBuf, String)>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// The pictures below a folder.
pub(super) fn list(dir: &Path) -> Result<Listed, PictureFolderError> {
    let unreadable = |cause| PictureFolderError::Folder { dir: dir.to_owned(), cause };
    let mut root = dir.to_owned();
    let mut found = names(&root).map_err(unreadable)?;
    for _ in 0..MOST_WRAPPERS {
        let [only] = &found.folders[..] else { break };
        let Ok(inner) = names(only) else { break };
        if set_of(only).is_some()
            || inner.folders.is_empty()
            || found.files.iter().any(|file| is_picture(file))
        {
            break;
        }
        (root, found) = (only.clone(), inner);
    }
    let mut collected = Collected::default();
    let sets = sets(&root, &found.folders)?;
    collected.count_loose(&root, &found.files);
    match &sets {
        None => found.folders.iter().for_each(|folder| collected.add(TRAIN, folder)),
        Some(sets) => collected.add_sets(sets),
    }
    collected.into_listed(root, sets.is_some())
}

/// Why a folder of folders without a picture is no data set; `None` where there are no folders in it.
pub(crate) fn empty_classes(dir: &Path) -> Option<PictureFolderError> {
    let found = names(dir).ok().filter(|found| !found.folders.is_empty())?;
    let mut others: BTreeMap<String, usize> = BTreeMap::new();
    let walked = found.folders.iter().map(|folder| walk(folder));
    walked
        .flat_map(|walked| walked.others)
        .for_each(|(kind, count)| *others.entry(kind).or_default() += count);
    let folders = few(found.folders.iter().map(|folder| name(folder)).collect());
    let kinds: Vec<String> = others.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let others =
        if kinds.is_empty() { String::new() } else { format!("; other files: {}", kinds.join(", ")) };
    Some(PictureFolderError::EmptyClasses { dir: dir.to_owned(), folders, others })
}

/// The set that a folder of this name is for.
fn set_of(folder: &Path) -> Option<usize> {
    set_called(folder.file_name()?.to_str()?)
}

/// The folders of the sets, if that is what these folders are. A class may be called `train`: then others stand beside it.
fn sets(root: &Path, folders: &[PathBuf]) -> Result<Option<[Option<PathBuf>; 3]>, PictureFolderError> {
    let mut sets = [None, None, None];
    let (mut others, mut twice) = (Vec::new(), None);
    for folder in folders {
        match set_of(folder) {
            None => others.push(name(folder)),
            Some(set) => {
                let before = sets[set].replace(folder.clone());
                twice = before.map(|before: PathBuf| [name(&before), name(folder)]).or(twice);
            }
        }
    }
    if let Some(two) = twice.filter(|_| others.is_empty()) {
        return Err(PictureFolderError::TwoOfASet { dir: root.to_owned(), two });
    }
    let found: Vec<String> = sets.iter().flatten().map(|folder| name(folder)).collect();
    match (&sets, others.is_empty()) {
        ([None, None, None], _) => Ok(None),
        ([Some(_), ..], true) => Ok(Some(sets)),
        ([Some(_), None, None] | [None, ..], false) => Ok(None),
        (_, false) => {
            Err(PictureFolderError::Mixed { dir: root.to_owned(), sets: found, others: few(others) })
        }
        (_, true) => Err(PictureFolderError::NoTrain { dir: root.to_owned(), sets: found }),
    }
}

/// The files of classes, by the names of their folders.
#[derive(Default)]
struct Collected {
    classes: BTreeMap<OsString, [Vec<Found>; 3]>,
    given: [bool; 3],
    others: BTreeMap<String, usize>,
    unread: Vec<(PathBuf, String)>,
    notes: Vec<String>,
    /// Pictures in no folder of a class.
    loose: usize,
}

impl Collected {
    fn count_loose(&mut self, folder: &Path, files: &[PathBuf]) {
        let loose = files.iter().filter(|file| is_picture(file)).count();
        if loose > 0 {
            self.loose += loose;
            let folder = folder.display();
            self.notes.push(format!(
                "{loose} picture(s) lie in {folder} itself, in no folder of a class, and are left out"
            ));
        }
    }

    /// The folder of a class.
    fn add(&mut self, set: usize, folder: &Path) {
        let Walked { pictures, others, unread } = walk(folder);
        let class = self.classes.entry(folder.file_name().unwrap_or_default().to_owned()).or_default();
        class[set].extend(pictures);
        others.into_iter().for_each(|(kind, count)| *self.others.entry(kind).or_default() += count);
        self.unread.extend(unread);
    }

    fn add_sets(&mut self, sets: &[Option<PathBuf>; 3]) {
        for (set, folder) in sets.iter().enumerate() {
            let Some(folder) = folder else { continue };
            let found = match names(folder) {
                Ok(found) => found,
                Err(cause) => {
                    self.unread.push((folder.clone(), cause.to_string()));
                    continue;
                }
            };
            self.count_loose(folder, &found.files);
            found.folders.iter().for_each(|class| self.add(set, class));
            self.given[set] = self.classes.values().any(|files| !files[set].is_empty());
            if !self.given[set] {
                let folder = folder.display();
                self.notes.push(format!(
                    "{folder} holds no pictures in folders of classes, and is not used as a set"
                ));
            }
        }
    }

    fn into_listed(mut self, root: PathBuf, in_sets: bool) -> Result<Listed, PictureFolderError> {
        let is_unread =
            |class: &OsString| self.unread.iter().any(|(path, _)| path.file_name() == Some(class));
        let (unread, empty): (Vec<_>, Vec<_>) = self
            .classes
            .iter()
            .filter(|(_, files)| files.iter().all(Vec::is_empty))
            .map(|(folder, _)| (is_unread(folder), folder.display().to_string()))
            .partition(|(is_unread, _)| *is_unread);
        let named = |classes: Vec<(bool, String)>| {
            few(classes.into_iter().map(|(_, name)| name).collect()).join(", ")
        };
        self.classes.retain(|_, files| files.iter().any(|files| !files.is_empty()));
        if !empty.is_empty() {
            self.notes
                .push(format!("folders without pictures, which are not used as classes: {}", named(empty)));
        }
        if let Some((path, problem)) = self.unread.first().filter(|_| !unread.is_empty()) {
            self.notes.push(format!(
                "folders that cannot be read, which are not used as classes: {} ({}: {problem})",
                named(unread),
                path.display()
            ));
        }
        let foreign: Vec<_> =
            self.others.iter().filter(|(kind, _)| FOREIGN.contains(&kind.as_str())).collect();
        if !foreign.is_empty() {
            let kinds: Vec<String> = foreign.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            self.notes.push(format!(
                "pictures of kinds that are not read are left out ({}); convert them to PNG or JPEG first",
                kinds.join(", ")
            ));
        }
        let classes = class_names(self.classes.keys());
        match &classes[..] {
            [] if self.loose > 0 => {
                return Err(PictureFolderError::NoClasses { dir: root, loose: self.loose });
            }
            [] => {
                let unread = self
                    .unread
                    .first()
                    .map(|(path, problem)| format!("; {} cannot be read: {problem}", path.display()));
                let passed_over = listed(&self.others) + &unread.unwrap_or_default();
                return Err(PictureFolderError::NoPictures { dir: root, passed_over });
            }
            [class] => {
                let besides = self.notes.iter().map(|note| format!("; {note}")).collect();
                return Err(PictureFolderError::OneClass { dir: root, class: class.clone(), besides });
            }
            _ => {}
        }
        if in_sets && !self.given[TRAIN] {
            let why = "the folders of its classes hold none".to_owned();
            return Err(PictureFolderError::EmptySet { dir: root, set: SETS[TRAIN].0, why });
        }
        self.tell_missing(&classes);
        let mut files = [Vec::new(), Vec::new(), Vec::new()];
        for (label, found) in (0..).zip(self.classes.into_values()) {
            for (files, found) in files.iter_mut().zip(found) {
                files.extend(found.into_iter().map(|found| File { label, found }));
            }
        }
        Ok(Listed { root, classes, files, given: self.given, unread: self.unread, notes: self.notes })
    }

    /// Notes the classes that a set has no folder of.
    fn tell_missing(&mut self, classes: &[String]) {
        for (set, _) in self.given.iter().enumerate().filter(|(_, given)| **given) {
            let missing =
                classes.iter().zip(self.classes.values()).filter(|(_, files)| files[set].is_empty());
            let missing: Vec<String> = missing.map(|(class, _)| class.clone()).collect();
            if !missing.is_empty() {
                self.notes.push(format!(
                    "the {} set has no pictures of {}",
                    SETS[set].0,
                    few(missing).join(", ")
                ));
            }
        }
    }
}

/// What classes are called: the names of their folders, made to tell them apart and to fit into a line.
fn class_names<'a>(folders: impl Iterator<Item = &'a OsString>) -> Vec<String> {
    let (mut classes, mut taken) = (Vec::new(), BTreeSet::new());
    for folder in folders {
        let text = folder.to_string_lossy();
        let plain = !text.trim().is_empty() && !text.contains(char::is_control);
        let text = if plain { text.into_owned() } else { format!("{text:?}") };
        // Names that are not Unicode may be alike in all that is.
        let again = (2..).map(|number| format!("{text} ({number})"));
        let mut tried = std::iter::once(text.clone()).chain(again);
        classes.extend(tried.find(|name| taken.insert(name.clone())));
    }
    classes
}

/// The first names, and how many more there are.
pub(super) fn few(mut names: Vec<String>) -> Vec<String> {
    let more = names.len().saturating_sub(LISTED);
    if more > 0 {
        names.truncate(LISTED);
        names.push(format!("{more} more"));
    }
    names
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or_default().display().to_string()
}
