//! The folder of a cross-validation: `crossval.json`, and for each model and fold a folder with two files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::files::{CROSSVAL_FILE, FOLD, FOLD_FILE, HISTORY_FILE, remove};
use super::{RunFolder, ours};
use crate::error::RunError;
use crate::io::whole::write_own;
use crate::io::whole::{is_number, oddity, unfinished};

/// The keys by which each file of a cross-validation is recognised.
const CROSSVAL_KEYS: [&str; 3] = ["folds", "seed", "models"];
const FOLD_KEYS: [&str; 4] = ["fold", "loss", "accuracy", "seconds"];
const HISTORY_KEYS: [&str; 4] = ["epoch", "loss", "accuracy", "seconds"];
/// What a file in the way is.
const FOREIGN: &str = "not a file of a cross-validation";

impl RunFolder {
    /// Claims this folder for a cross-validation; creates it if it is missing. With `force` it need not be empty:
    /// [`begin_crossval`](Self::begin_crossval) then removes the files of an earlier one, and everything else stays.
    ///
    /// # Errors
    /// As [`at`](Self::at), and when something is in the way that was not written by a cross-validation.
    pub fn at_crossval(dir: &Path, force: bool) -> Result<Self, RunError> {
        RunFolder::claim(dir, force, |dir| files(dir).map(|_| ()))
    }

    /// Removes the results of an earlier cross-validation; from now on the folder is kept.
    ///
    /// # Errors
    /// When one cannot be removed, or is not what a cross-validation writes; nothing is removed then.
    pub fn begin_crossval(&mut self) -> Result<(), RunError> {
        files(&self.dir)?.iter().try_for_each(|file| remove(file))?;
        for model in folders(&self.dir, is_model)? {
            for fold in folders(&model, is_fold)? {
                // A folder is removed if nothing else is in it.
                let _ = fs::remove_dir(&fold).and_then(|()| fs::remove_dir(&model));
            }
        }
        self.begun = true;
        Ok(())
    }

    /// Writes one value per line into a file of a folder within, which is created if it is missing.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_lines(&self, within: &str, file: &str, values: &[impl Serialize]) -> Result<(), RunError> {
        let dir = self.dir.join(within);
        fs::create_dir_all(&dir).map_err(|cause| RunError::write(&dir, cause))?;
        let path = dir.join(file);
        let lines = values.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
        let text = lines.map(|lines| lines.join("\n") + "\n").map_err(io::Error::from);
        let written = text.and_then(|text| write_own(&path, text.as_bytes()));
        written.map_err(|cause| RunError::write(&path, cause))
    }
}

/// The files of an earlier cross-validation; something with such a name that is not one is an error.
fn files(dir: &Path) -> Result<Vec<PathBuf>, RunError> {
    let mut files = Vec::new();
    let is_ours = |path: &Path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        CROSSVAL_KEYS.iter().all(|key| value.get(key).is_some())
    };
    find(dir, &[CROSSVAL_FILE], is_ours, &mut files)?;
    for model in folders(dir, is_model)? {
        for fold in folders(&model, is_fold)? {
            find(&fold, &[HISTORY_FILE], |path| ours::is_log(path, &HISTORY_KEYS), &mut files)?;
            find(&fold, &[FOLD_FILE], |path| ours::is_log(path, &FOLD_KEYS), &mut files)?;
        }
    }
    Ok(files)
}

/// Adds the files with these names in a folder, and what a killed process left of them.
fn find(
    dir: &Path,
    names: &[&str],
    is_ours: impl Fn(&Path) -> bool,
    files: &mut Vec<PathBuf>,
) -> Result<(), RunError> {
    let fail = |cause| RunError::read(dir, cause);
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (path, half) = (entry.path(), unfinished(&name));
        if !names.contains(&half.unwrap_or(&name)) {
            continue;
        }
        match oddity(&entry.metadata().map_err(fail)?) {
            Some(what) => return Err(RunError::in_the_way(&path, what)),
            None if half.is_none() && !is_ours(&path) => return Err(RunError::in_the_way(&path, FOREIGN)),
            None => files.push(path),
        }
    }
    Ok(())
}

/// Whether this is the name of a model's folder.
fn is_model(name: &str) -> bool {
    name.split_once('-').is_some_and(|(number, _)| is_number(number))
}

/// Whether this is the name of a fold's folder.
fn is_fold(name: &str) -> bool {
    name.strip_prefix(FOLD).is_some_and(is_number)
}

/// The folders in a folder whose names match. A link to one that has folds is an error: files would be written
/// elsewhere.
fn folders(dir: &Path, is_called: fn(&str) -> bool) -> Result<Vec<PathBuf>, RunError> {
    let fail = |cause| RunError::read(dir, cause);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (kind, path) = (entry.file_type().map_err(fail)?, entry.path());
        if !is_called(&name) {
            continue;
        }
        let is_link = || kind.is_symlink() && path.is_dir() && (is_fold(&name) || has_folds(&path));
        if kind.is_dir() {
            found.push(path);
        } else if is_link() {
            return Err(RunError::in_the_way(&path, "a symbolic link"));
        }
    }
    Ok(found)
}

fn has_folds(dir: &Path) -> bool {
    let mut names = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.any(|name| is_fold(&name.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESULTS: &str = "{\"folds\": 2, \"seed\": 0, \"models\": []}";
    const EPOCH: &str = "{\"epoch\":1,\"loss\":2.5,\"accuracy\":0.5,\"seconds\":1.0}\n";
    const HISTORY: &str = "1-small/fold-1/history.jsonl";

    #[test]
    fn only_what_a_cross_validation_wrote_is_removed() {
        // (file, content, what is in the way; empty where it is removed)
        let rows = [
            (CROSSVAL_FILE, RESULTS, ""),
            (".crossval.json.7.tmp", "{", ""),
            (HISTORY, EPOCH, ""),
            ("1-small/fold-1/.fold.json.7.tmp", "", ""),
            (CROSSVAL_FILE, "{\"mine\": 1}", "crossval.json` is not a file of a cross-validation"),
            (HISTORY, "{\"year\":1789}\n", "history.jsonl` is not a file of a cross-validation"),
            ("1-small/fold-1/fold.json", "mine", "fold.json` is not a file of a cross-validation"),
            ("1-small/fold-1/fold.json/mine", "", "fold.json` is a folder"),
        ];
        for (file, content, expected) in rows {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::write(folder.path().join("notes.txt"), "mine").unwrap();
            let claimed = RunFolder::at_crossval(folder.path(), true);
            match claimed.and_then(|mut claimed| claimed.begin_crossval()) {
                Ok(()) => assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{file}"),
                Err(error) => {
                    assert!(!expected.is_empty() && error.to_string().contains(expected), "{file}: {error}");
                    assert!(path.exists(), "{file}");
                }
            }
            assert_eq!(path.exists(), !expected.is_empty(), "{file}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(elsewhere.path().join("fold-1")).unwrap();
        fs::write(elsewhere.path().join("fold-1/history.jsonl"), EPOCH).unwrap();
        fs::create_dir(folder.path().join("2-small")).unwrap();
        let fold = elsewhere.path().join("fold-1");
        for (link, target) in [
            ("1-small", elsewhere.path()),
            ("2-small/fold-1", &fold),
            (CROSSVAL_FILE, &fold.join("history.jsonl")),
        ] {
            let link = folder.path().join(link);
            symlink(target, &link).unwrap();
            let error = RunFolder::at_crossval(folder.path(), true).unwrap_err().to_string();
            assert!(error.contains("is a symbolic link"), "{error}");
            fs::remove_file(link).unwrap();
        }
        assert!(fold.join("history.jsonl").exists());
        // A link to something else does not matter.
        symlink("/", folder.path().join("2024-data")).unwrap();
        RunFolder::at_crossval(folder.path(), true).unwrap();
    }
}
