//! Removing checkpoints: only the files that a checkpoint consists of, by their names, and then folders that are
//! empty. Other files of the user stay, and a symbolic link is neither followed nor removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::{
    BEST_FILE, CHECKPOINTS, MANIFEST_FILE, Manifest, OPTIMIZER_FILE, REPLACED, STATE_FILE, best_epoch, name,
    steps_after, steps_of,
};
use crate::error::RunError;
use crate::io::run::{MODEL_FILE, WEIGHTS_FILE};
use crate::io::whole::{oddity, unfinished};
use crate::train::Checkpoint;

/// The files of a checkpoint.
const FILES: [&str; 6] = [MODEL_FILE, STATE_FILE, WEIGHTS_FILE, BEST_FILE, OPTIMIZER_FILE, MANIFEST_FILE];

/// Whether this is the name of a file of a checkpoint, complete or not.
fn is_file(name: &str) -> bool {
    FILES.contains(&unfinished(name).unwrap_or(name))
}

/// Whether this is the name of a checkpoint that is not complete.
fn is_temporary(name: &str) -> bool {
    unfinished(name).is_some_and(|name| steps_of(name).is_some())
}

/// The name that a checkpoint had before it was set aside; `None` if it was not.
pub(super) fn set_aside(name: &str) -> Option<&str> {
    let whole = name.strip_prefix('.')?.strip_suffix(REPLACED)?;
    steps_of(whole).is_some().then_some(whole)
}

/// Whether this is the name of a checkpoint, or of what is left of one.
fn is_any(name: &str) -> bool {
    steps_of(name).is_some() || is_temporary(name) || set_aside(name).is_some()
}

/// The names in a folder; none where there is no such folder.
fn listed(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// What something is that is not a folder; `None` for a folder, and where there is nothing.
fn no_folder(path: &Path) -> Option<&'static str> {
    let found = fs::symlink_metadata(path).ok()?;
    if found.is_dir() { None } else { Some(oddity(&found).unwrap_or("a file")) }
}

/// The first path in a run's folder of checkpoints that has the name of a checkpoint, or of one of its files, and
/// cannot have been written by a run: a link, or a file where a folder should be. With it, what it is.
pub(in crate::io) fn in_the_way(run: &Path) -> io::Result<Option<(PathBuf, &'static str)>> {
    let parent = run.join(CHECKPOINTS);
    if let Some(what) = no_folder(&parent) {
        return Ok(Some((parent, what)));
    }
    for name in listed(&parent)?.into_iter().filter(|name| is_any(name)) {
        let dir = parent.join(name);
        if let Some(what) = no_folder(&dir) {
            return Ok(Some((dir, what)));
        }
        for path in listed(&dir)?.iter().filter(|name| is_file(name)).map(|name| dir.join(name)) {
            if let Some(what) = oddity(&fs::symlink_metadata(&path)?) {
                return Ok(Some((path, what)));
            }
        }
    }
    Ok(None)
}

/// The manifest of a checkpoint, if it has a valid one.
fn manifest(dir: &Path) -> Option<Manifest> {
    let path = dir.join(MANIFEST_FILE);
    let text = if path.is_file() { fs::read_to_string(path).ok()? } else { return None };
    toml::from_str(&text).ok()
}

/// Whether there is a checkpoint that somebody asked for.
pub(super) fn is_asked_for(dir: &Path) -> bool {
    manifest(dir).is_some_and(|manifest| manifest.asked_for)
}

/// Whether a run has a checkpoint with a valid manifest.
pub(in crate::io) fn any(run: &Path) -> bool {
    let parent = run.join(CHECKPOINTS);
    let is_ours = |name: String| manifest(&parent.join(name)).is_some();
    listed(&parent).unwrap_or_default().into_iter().filter(|name| is_any(name)).any(is_ours)
}

/// Removes all checkpoints of a run.
pub(in crate::io) fn clear(run: &Path) -> Result<(), RunError> {
    let parent = run.join(CHECKPOINTS);
    let cleared = listed(&parent).and_then(|names| {
        names.iter().filter(|name| is_any(name)).try_for_each(|name| remove(&parent.join(name)))?;
        remove_empty(&parent)
    });
    cleared.map_err(|cause| RunError::write(&parent, cause))
}

/// Removes those that are not to be kept, and what a killed process left.
pub(super) fn remove_old(parent: &Path, checkpoint: &Checkpoint, keep: usize) -> io::Result<()> {
    let whole = super::layout::names(parent)?;
    let best = best_epoch(&checkpoint.epochs).and_then(|best| steps_after(checkpoint, best));
    let best = best.map(name);
    let (later, whole): (Vec<_>, Vec<_>) =
        whole.into_iter().partition(|name| steps_of(name) > Some(checkpoint.steps()));
    let old = whole.into_iter().skip(keep).filter(|name| Some(name) != best.as_ref());
    let old = old.filter(|name| !is_asked_for(&parent.join(name)));
    let temporary = listed(parent)?.into_iter().filter(|name| is_temporary(name));
    old.chain(later).chain(temporary).try_for_each(|name| remove(&parent.join(name)))
}

/// Removes a checkpoint, if there is one. What is not a folder stays, except an empty file, which a damaged disk may
/// leave.
pub(super) fn remove(dir: &Path) -> io::Result<()> {
    if no_folder(dir).is_some() {
        let found = fs::symlink_metadata(dir)?;
        return if found.is_file() && found.len() == 0 { fs::remove_file(dir) } else { Ok(()) };
    }
    for name in listed(dir)?.into_iter().filter(|name| is_file(name)) {
        let path = dir.join(name);
        if oddity(&fs::symlink_metadata(&path)?).is_none() {
            fs::remove_file(path)?;
        }
    }
    remove_empty(dir)
}

/// Removes a checkpoint that was set aside. Other files in it are moved to the one in its place, unless the name is
/// taken there.
pub(super) fn settle(aside: &Path, target: &Path) -> io::Result<()> {
    remove(aside)?;
    if no_folder(aside).is_none() {
        for name in listed(aside)? {
            if fs::symlink_metadata(target.join(&name)).is_err() {
                fs::rename(aside.join(&name), target.join(&name))?;
            }
        }
    }
    remove_empty(aside)
}

/// Removes a folder if it exists and is empty.
fn remove_empty(dir: &Path) -> io::Result<()> {
    use io::ErrorKind::{DirectoryNotEmpty, NotADirectory, NotFound};
    match fs::remove_dir(dir) {
        Err(error) if [DirectoryNotEmpty, NotADirectory, NotFound].contains(&error.kind()) => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "content").unwrap();
    }

    #[test]
    fn only_what_a_checkpoint_consists_of_is_removed() {
        // (a path in the folder of checkpoints, whether it stays)
        let rows = [
            ("step-00000001/model.toml", false),
            ("step-00000001/.state.toml.7.tmp", false),
            ("step-00000002/manifest.toml", false),
            ("step-00000002/notes.txt", true),
            ("step-00000003/mine/model.toml", true),
            (".step-00000004.7.tmp/best.safetensors", false),
            (".step-00000005.replaced/optimizer.safetensors", false),
            (".notes.tmp", true),
            (".mine.7.tmp/model.toml", true),
            ("step-1a/model.toml", true),
            ("step-00000006", true),
            ("model.toml", true),
        ];
        let run = tempfile::tempdir().unwrap();
        let parent = run.path().join(CHECKPOINTS);
        rows.iter().for_each(|(file, _)| write(&parent.join(file)));
        fs::write(parent.join("step-00000007"), "").unwrap();
        clear(run.path()).unwrap();
        assert!(!parent.join("step-00000007").exists());
        for (file, stays) in rows {
            let path = parent.join(file);
            assert_eq!(path.exists(), stays, "{file}");
            assert!(stays || file.starts_with("step-00000002") || !path.parent().unwrap().exists(), "{file}");
        }
        fs::remove_dir_all(&parent).unwrap();
        write(&parent.join("step-00000001/model.toml"));
        clear(run.path()).unwrap();
        assert!(!parent.exists());
        clear(run.path()).unwrap();
    }

    #[test]
    fn what_lay_beside_a_replaced_checkpoint_lies_beside_the_new_one() {
        let run = tempfile::tempdir().unwrap();
        let [aside, target] = [".step-00000001.replaced", "step-00000001"].map(|name| run.path().join(name));
        for file in [aside.join("state.toml"), aside.join("notes.txt"), target.join("state.toml")] {
            write(&file);
        }
        settle(&aside, &target).unwrap();
        assert!(!aside.exists() && target.join("notes.txt").exists() && target.join("state.toml").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_and_lead_nowhere() {
        use std::os::unix::fs::symlink;
        let (run, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let parent = run.path().join(CHECKPOINTS);
        let theirs = elsewhere.path().join("step-00000001/model.toml");
        write(&theirs);
        fs::create_dir_all(parent.join("step-00000009")).unwrap();
        // (link, what it leads to)
        let rows = [
            ("checkpoints/step-00000002", theirs.parent().unwrap()),
            ("checkpoints/.step-00000003.7.tmp", theirs.parent().unwrap()),
            ("checkpoints/step-00000009/model.toml", &theirs),
        ];
        for (link, target) in rows {
            let link = run.path().join(link);
            symlink(target, &link).unwrap();
            assert_eq!(in_the_way(run.path()).unwrap(), Some((link.clone(), "a symbolic link")));
            clear(run.path()).unwrap();
            assert!(fs::read_link(&link).is_ok() && theirs.exists(), "{link:?}");
            fs::remove_file(link).unwrap();
            fs::create_dir_all(parent.join("step-00000009")).unwrap();
        }
        fs::remove_dir_all(&parent).unwrap();
        symlink(elsewhere.path(), &parent).unwrap();
        assert_eq!(in_the_way(run.path()).unwrap(), Some((parent.clone(), "a symbolic link")));
    }
}
