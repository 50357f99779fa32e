//! Which files of a folder are pictures.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::source::Source;
use crate::cli::output::{note, shown};
use crate::data::{is_picture, pictures_below};

/// macOS stores what other file systems cannot hold in files whose names begin like this.
const RESOURCES: &str = "._";

/// The pictures that an argument names.
#[derive(Debug)]
pub struct Folder {
    pub sources: Vec<Source>,
    /// What was skipped, in a line: ``2 files were skipped (1 .heic, 1 .txt)``.
    pub passed_over: Option<String>,
}

impl Folder {
    pub(super) fn of(source: Source) -> Self {
        Folder { sources: vec![source], passed_over: None }
    }

    /// The files in the folder itself, sorted by name. Something with a picture's name that is not a file is kept,
    /// and refused when it is read. Hidden files without such a name are not counted.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let unreadable = || format!("{}: the folder cannot be read", shown(folder));
        let mut files = Vec::new();
        let mut others: BTreeMap<String, usize> = BTreeMap::new();
        for entry in fs::read_dir(folder).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(RESOURCES) {
                continue;
            }
            let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
            match ending {
                _ if is_picture(&path) => files.push(path),
                ending if !name.starts_with('.') && path.is_file() => {
                    let kind = ending.map_or("without an ending".to_owned(), |ending| {
                        format!(".{}", shown(Path::new(&ending)))
                    });
                    *others.entry(kind).or_default() += 1;
                }
                _ => {}
            }
        }
        let passed_over = passed_over(&others);
        if files.is_empty() {
            let others = passed_over.map(|text| format!("; {text}")).unwrap_or_default();
            let below = pictures_below(folder).0.len();
            if below > 0 {
                bail!(
                    "{}: no pictures in this folder itself, but {below} in its sub-folders; give --recursive to take \
                     them",
                    shown(folder)
                );
            }
            bail!(
                "{}: no pictures in this folder; their names must end with .png, .jpg, .jpeg, .webp or .bmp{others}",
                shown(folder)
            );
        }
        files.sort();
        let passed_over = passed_over.map(|text| format!("{}: {text}", shown(folder)));
        Ok(Folder { sources: files.into_iter().map(Source::File).collect(), passed_over })
    }
}

impl Folder {
    /// All files with names of pictures in the folder and in those within, sorted by path.
    pub(super) fn read_all(folder: &Path) -> anyhow::Result<Self> {
        let (pictures, unread) = pictures_below(folder);
        for (path, problem) in unread {
            note(format_args!("warning: {}: the folder cannot be read: {problem}", shown(&path)));
        }
        if pictures.is_empty() {
            bail!("{}: no pictures in this folder or its sub-folders", shown(folder));
        }
        Ok(Folder { sources: pictures.into_iter().map(Source::File).collect(), passed_over: None })
    }
}

fn passed_over(others: &BTreeMap<String, usize>) -> Option<String> {
    let count: usize = others.values().sum();
    let kinds: Vec<String> = others.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let (files, were) = if count == 1 { ("file", "was") } else { ("files", "were") };
    (count > 0).then(|| format!("{count} {files} {were} skipped ({})", kinds.join(", ")))
}
