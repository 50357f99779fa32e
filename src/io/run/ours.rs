//! Which files in a folder were written by a run, and may be removed for the next one.
//!
//! A folder is ours when it has a valid model file and a trace of a training beside it: the result, the manifest of a
//! checkpoint, or the two logs, which are created before the first checkpoint. Something in another folder that only
//! looks like a file of a run belongs to somebody else. A symbolic link is never ours: no run makes one.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::files::{FILES, HISTORY_FILE, MODEL_FILE, PROBE, REPORT_FILE, RESULT_FILE, STEPS_FILE, remove};
use crate::error::RunError;
use crate::io::ModelFile;
use crate::io::checkpoint::{self, CHECKPOINTS};
use crate::io::result::read_result;
use crate::io::whole::{is_number, oddity, unfinished};

/// How a page of `report` names its generator. A version follows.
pub(crate) const GENERATOR: &str = "<meta name=\"generator\" content=\"Shadegrad";
/// How a page began before it named one, and how its title ended.
const OLD_PAGE: [&str; 2] =
    ["<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", " - Shadegrad</title>"];
/// The generator is named within this many bytes.
const HEAD: u64 = 4096;
/// The first line of a log is shorter than this.
const LONGEST_LINE: u64 = 4096;
/// The most names that an error lists.
const NAMED: usize = 6;

/// Refuses a folder in which a run that replaces another would touch something that no run wrote. An empty folder
/// passes, and so does one in which a process was killed before it began.
pub(super) fn check(dir: &Path) -> Result<(), RunError> {
    let found = names(dir)?;
    if found.is_empty() {
        return Ok(());
    }
    if !is_run(dir) {
        return Err(RunError::Foreign { dir: dir.display().to_string(), found: listed(&found) });
    }
    if let Some((path, what)) = odd_file(dir) {
        return Err(RunError::in_the_way(&path, what));
    }
    let found = checkpoint::in_the_way(dir).map_err(|cause| RunError::read(&dir.join(CHECKPOINTS), cause))?;
    found.map_or(Ok(()), |(path, what)| Err(RunError::in_the_way(&path, what)))
}

/// Refuses to resume a run if something else stands in the place of one of its files.
pub(super) fn check_files(dir: &Path) -> Result<(), RunError> {
    odd_file(dir).map_or(Ok(()), |(path, what)| {
        let cause = format!("it is {what}, but a run has a file of its own there; put that back");
        Err(RunError::write(&path, io::Error::other(cause)))
    })
}

/// What stands in the place of a run's file and is not one. The page is not checked: another command writes it.
fn odd_file(dir: &Path) -> Option<(PathBuf, &'static str)> {
    FILES.into_iter().filter(|&file| file != REPORT_FILE).find_map(|file| {
        let path = dir.join(file);
        let what = fs::symlink_metadata(&path).ok().as_ref().and_then(oddity)?;
        Some((path, what))
    })
}

/// Whether a folder holds a run of ours, finished or not.
fn is_run(dir: &Path) -> bool {
    let has = |file: &str| dir.join(file).is_file();
    let has_model = has(MODEL_FILE) && ModelFile::read(&dir.join(MODEL_FILE)).is_ok();
    let has_result = || has(RESULT_FILE) && matches!(read_result(dir), Ok(Some(_)));
    let has_logs = || {
        is_log(&dir.join(STEPS_FILE), &["step", "epoch", "loss", "correct", "n"])
            && is_log(&dir.join(HISTORY_FILE), &["epoch", "loss", "accuracy", "seconds"])
    };
    has_model && (has_result() || checkpoint::any(dir) || has_logs())
}

/// Whether a file is empty, or its first line is a JSON object with these keys, as far as it was written.
pub(super) fn is_log(path: &Path, keys: &[&str]) -> bool {
    let mut line = String::new();
    let read = regular(path)
        .and_then(|file| BufReader::new(file.take(LONGEST_LINE)).read_line(&mut line).map_err(|_| ()));
    if read.is_err() {
        return false;
    }
    match serde_json::from_str::<Value>(&line) {
        Ok(value) => keys.iter().all(|key| value.get(key).is_some()),
        Err(_) => {
            let begun = format!("{{\"{}\":", keys[0]);
            !line.ends_with('\n') && (line.starts_with(&begun) || begun.starts_with(&line))
        }
    }
}

/// Opens a regular file. The target of a link is not ours, and a pipe would not end.
fn regular(path: &Path) -> Result<File, ()> {
    let found = fs::symlink_metadata(path).map_err(|_| ())?;
    if oddity(&found).is_some() { Err(()) } else { File::open(path).map_err(|_| ()) }
}

/// Whether a file is a page that `report` wrote, through links if need be.
pub(crate) fn is_report(path: &Path) -> bool {
    let mut head = Vec::new();
    let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
    let read = is_file && File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head)).is_ok();
    let head = String::from_utf8_lossy(&head);
    let [start, title] = OLD_PAGE;
    read && head.starts_with(start) && (head.contains(GENERATOR) || head.contains(title))
}

/// Removes the page of a run, unless it is somebody else's.
pub(super) fn remove_report(dir: &Path) -> Result<(), RunError> {
    let path = dir.join(REPORT_FILE);
    if regular(&path).is_ok() && is_report(&path) { remove(&path) } else { Ok(()) }
}

/// The names in a folder, without files that a killed process left and that hold no work: incomplete files, and logs
/// without a line.
fn names(dir: &Path) -> Result<Vec<String>, RunError> {
    let fail = |cause| RunError::read(dir, cause);
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let found = entry.metadata().map_err(fail)?;
        let is_empty_log = [STEPS_FILE, HISTORY_FILE].contains(&name.as_str()) && found.len() == 0;
        if !(found.is_file() && (is_empty_log || is_leftover(&name))) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(NAMED) {
        0 => quoted.join(", "),
        more => format!("{} and {more} more", quoted.join(", ")),
    }
}

/// Whether this is the name of an incomplete file of a run, or of a probe of its folder.
pub(in crate::io) fn is_leftover(name: &str) -> bool {
    let is_probe = |name: &str| name.strip_prefix(PROBE).is_some_and(is_number);
    is_probe(name) || unfinished(name).is_some_and(|name| FILES.contains(&name) || is_probe(name))
}

/// Whether a path is that of a file that commands read from a run: no command may write there.
#[cfg(feature = "cli")]
pub(crate) fn is_input(run: &Path, path: &Path) -> bool {
    let (Ok(run), Ok(path)) = (run.canonicalize(), path.canonicalize()) else { return false };
    let Ok(within) = path.strip_prefix(run) else { return false };
    let is = |file: &str| within == Path::new(file);
    within.starts_with(CHECKPOINTS) || FILES.into_iter().any(|file| file != REPORT_FILE && is(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = include_str!("../../../assets/models/tutorial.toml");
    const STEP: &str = "{\"step\":1,\"epoch\":1,\"loss\":2.5,\"correct\":1,\"n\":4}\n";
    const MANIFEST: &str = "checkpoints/step-00000000/manifest.toml";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_ours_by_what_its_files_say() {
        let manifest = "format = 1\n[sha256]\n\"model.toml\" = \"00\"\n";
        // (files, what an error names; empty where the folder may be replaced)
        let rows: [(&[(&str, &str)], &str); 18] = [
            (&[], ""),
            (&[(".probe-12", "shade"), (".model.toml.12.tmp", "na")], ""),
            (&[("steps.jsonl", ""), ("history.jsonl", "")], ""),
            (&[(MODEL_FILE, MODEL), ("steps.jsonl", ""), ("history.jsonl", "")], ""),
            (&[(MODEL_FILE, MODEL), ("steps.jsonl", STEP), ("history.jsonl", "{\"epoch\":1,\"lo")], ""),
            (&[(MODEL_FILE, MODEL), ("steps.jsonl", "{\"st"), ("history.jsonl", ""), ("notes", "")], ""),
            (&[(MODEL_FILE, MODEL), (MANIFEST, manifest)], ""),
            (&[(MODEL_FILE, MODEL), (MANIFEST, manifest), ("checkpoints/notes.txt", "mine")], ""),
            (&[(MODEL_FILE, MODEL), (MANIFEST, manifest), (REPORT_FILE, "mine")], ""),
            (&[("notes.txt", "mine")], "`notes.txt`"),
            (&[(".probe-mine", "mine")], "`.probe-mine`"),
            (&[(MODEL_FILE, MODEL)], "`model.toml`"),
            (&[(MODEL_FILE, MODEL), ("checkpoints/mine", "")], "`checkpoints`, `model.toml`"),
            (&[(MODEL_FILE, MODEL), (MANIFEST, "mine = 1")], "`checkpoints`, `model.toml`"),
            (&[(MODEL_FILE, "mine = 1"), (MANIFEST, manifest)], "`checkpoints`, `model.toml`"),
            (&[(MODEL_FILE, MODEL), (RESULT_FILE, "{\"mine\": 1}")], "`model.toml`, `result.json`"),
            (&[(MODEL_FILE, MODEL), ("steps.jsonl", "{\"a\":1}\n"), ("history.jsonl", "")], "`steps.jsonl`"),
            (&[(MODEL_FILE, MODEL), ("steps.jsonl", STEP)], "`model.toml`, `steps.jsonl`"),
        ];
        for (files, expected) in rows {
            let folder = folder(files);
            let names: Vec<_> = files.iter().map(|(name, _)| name).collect();
            match (check(folder.path()), expected) {
                (Ok(()), "") => {}
                (Err(error @ RunError::Foreign { .. }), said) if !said.is_empty() => {
                    assert!(error.to_string().contains(said), "{names:?}: {error}");
                }
                (found, _) => panic!("{names:?}: {found:?}"),
            }
        }
        let many: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        assert_eq!(listed(&many), "`0`, `1`, `2`, `3`, `4`, `5` and 3 more");
    }

    #[test]
    fn a_page_is_ours_by_its_head() {
        let [start, title] = OLD_PAGE;
        let rows = [
            (format!("{start}{GENERATOR} 1.0\">\n"), true),
            (format!("{start}<title>small{title}"), true),
            (format!("{start}<title>My digits</title>"), false),
            (format!("<html>\n{GENERATOR} 1.0\">\n"), false),
            (format!("{start}{}{GENERATOR}", " ".repeat(HEAD as usize)), false),
            (String::new(), false),
        ];
        for (page, expected) in rows {
            let folder = folder(&[(REPORT_FILE, &page)]);
            assert_eq!(is_report(&folder.path().join(REPORT_FILE)), expected, "{page}");
            remove_report(folder.path()).unwrap();
            assert_eq!(folder.path().join(REPORT_FILE).exists(), !expected, "{page}");
        }
    }
}
