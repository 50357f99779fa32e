//! Times of kernels, kept from one run to the next in a file in the user's cache folder. Only `--tune` uses it.
//!
//! Nothing depends on the file: missing or damaged times are measured again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::io::write_whole;
use crate::tune::Candidate;

/// Its place in the user's cache folder.
const FOLDER: &str = "shadegrad";
const FILE: &str = "kernels.json";
/// Version of its layout.
const FORMAT: u32 = 1;

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    format: u32,
    /// By [`Trial::key`](crate::tune::Trial::key), which covers everything that a time depends on.
    steps: BTreeMap<String, Entry>,
}

/// What is known of a step; everything except the times is for people who read the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub device: String,
    pub step: String,
    pub kind: String,
    pub candidates: Vec<Candidate>,
}

/// The content of the file as it was read, and what was added since.
#[derive(Debug)]
pub struct KernelTimes {
    /// `None` on a system without such a folder.
    path: Option<PathBuf>,
    content: Content,
    changed: bool,
}

impl KernelTimes {
    /// Reads the user's file; the second value says what is wrong with it.
    pub fn open() -> (Self, Option<String>) {
        match etcetera::choose_base_strategy() {
            Ok(base) => KernelTimes::at(&base.cache_dir().join(FOLDER).join(FILE)),
            Err(error) => (
                KernelTimes::empty(None),
                Some(format!("there is no cache folder for kernel times: {error}")),
            ),
        }
    }

    fn at(path: &Path) -> (Self, Option<String>) {
        let mut times = KernelTimes::empty(Some(path.to_owned()));
        let problem = match read(path) {
            Ok(content) => {
                times.content.steps = content.map(|content| content.steps).unwrap_or_default();
                None
            }
            Err(Problem::Damaged(problem)) => {
                let path = path.display();
                Some(format!("`{path}` is not a file of kernel times and will be rewritten: {problem}"))
            }
            Err(Problem::Unreadable(cause)) => {
                // Its content may still be valuable.
                times.path = None;
                Some(format!(
                    "`{}` cannot be read: {cause}; it stays as it is, and kernels are measured each time until it can be \
                     read or is removed",
                    path.display()
                ))
            }
        };
        (times, problem)
    }

    fn empty(path: Option<PathBuf>) -> Self {
        let content = Content { format: FORMAT, steps: BTreeMap::new() };
        KernelTimes { path, content, changed: false }
    }

    /// What is known of the step with this key.
    pub fn get(&self, key: &str) -> Option<&[Candidate]> {
        self.content.steps.get(key).map(|entry| entry.candidates.as_slice())
    }

    /// Records what was measured.
    pub fn insert(&mut self, key: String, entry: Entry) {
        self.content.steps.insert(key, entry);
        self.changed = true;
    }

    /// Writes the file, if there is anything new; no reader ever sees half of it.
    pub fn save(&self) -> Result<(), String> {
        let Some(path) = self.path.as_ref().filter(|_| self.changed) else { return Ok(()) };
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            let text = serde_json::to_string_pretty(&self.content).map_err(io::Error::from)?;
            write_whole(path, format!("{text}\n").as_bytes())
        });
        written.map_err(|cause| format!("`{}` cannot be written: {cause}", path.display()))
    }
}

/// Why nothing can be read from the file.
enum Problem {
    /// The system does not allow reading it.
    Unreadable(io::Error),
    /// Its content is not what it should be.
    Damaged(String),
}

fn read(path: &Path) -> Result<Option<Content>, Problem> {
    let bytes = match files::read(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(Problem::Unreadable)?,
    };
    let content: Content =
        serde_json::from_slice(&bytes).map_err(|error| Problem::Damaged(error.to_string()))?;
    match content.format {
        FORMAT => Ok(Some(content)),
        other => Err(Problem::Damaged(format!("its format is {other}, not {FORMAT}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Outcome;

    fn entry() -> Entry {
        let candidate = |variant: &str, outcome| Candidate { variant: variant.to_owned(), outcome };
        Entry {
            device: "gpu".to_owned(),
            step: "dense/matmul".to_owned(),
            kind: "matmul".to_owned(),
            candidates: vec![
                candidate("tile", Outcome::Milliseconds(0.125)),
                candidate("vec4", Outcome::Refused("no".to_owned())),
                candidate("scalar", Outcome::Differs("y[0]: got 1".to_owned())),
            ],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/inside.json");
        let (mut times, problem) = KernelTimes::at(&path);
        assert!(problem.is_none() && times.get("a").is_none());
        times.save().unwrap();
        assert!(!path.exists(), "nothing new");
        times.insert("a".to_owned(), entry());
        times.save().unwrap();
        let (times, problem) = KernelTimes::at(&path);
        assert_eq!((problem, times.get("a"), times.get("b")), (None, Some(&entry().candidates[..]), None));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file");
    }

    #[test]
    fn what_cannot_be_read_is_said_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(FILE)).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        for path in [dir.path().join(FILE), dir.path().join("file").join(FILE)] {
            let (mut times, problem) = KernelTimes::at(&path);
            let problem = problem.unwrap();
            assert!(
                problem.contains("cannot be read: ") && !problem.contains("is not a file of"),
                "{problem}"
            );
            times.insert("a".to_owned(), entry());
            times.save().unwrap();
            assert!(path.is_dir() == path.exists());
        }
    }

    #[test]
    fn what_is_damaged_or_foreign_is_ignored_and_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let rows =
            ["", "{", "[]", "\u{0}", r#"{"format":1}"#, r#"{"format":2,"steps":{}}"#, r#"{"steps":{"a":1}}"#];
        for text in rows {
            fs::write(&path, text).unwrap();
            let (mut times, problem) = KernelTimes::at(&path);
            assert!(problem.is_some_and(|problem| problem.contains(FILE)), "{text}");
            times.insert("a".to_owned(), entry());
            times.save().unwrap();
            assert!(KernelTimes::at(&path).0.get("a").is_some(), "{text}");
        }
    }
}
