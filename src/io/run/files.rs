//! The files of a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::error::RunError;

/// The model file of a run.
pub const MODEL_FILE: &str = "model.toml";
/// The weights of a run.
pub const WEIGHTS_FILE: &str = "weights.safetensors";
/// The steps of a run.
pub const STEPS_FILE: &str = "steps.jsonl";
/// The epochs of a run.
pub const HISTORY_FILE: &str = "history.jsonl";
/// The epochs of a run as a table.
pub const HISTORY_CSV_FILE: &str = "history.csv";
/// The result of a run.
pub const RESULT_FILE: &str = "result.json";
/// The time of each kernel, where it was measured.
pub const PROFILE_FILE: &str = "profile.json";
/// The page that shows the run.
pub const REPORT_FILE: &str = "report.html";
/// What the name of a fold's folder begins with; its number follows.
pub const FOLD: &str = "fold-";
/// The result of a fold.
pub const FOLD_FILE: &str = "fold.json";
/// The result of a cross-validation.
pub const CROSSVAL_FILE: &str = "crossval.json";
/// The files of a run.
pub(super) const FILES: [&str; 8] = [
    MODEL_FILE,
    WEIGHTS_FILE,
    STEPS_FILE,
    HISTORY_FILE,
    HISTORY_CSV_FILE,
    RESULT_FILE,
    PROFILE_FILE,
    REPORT_FILE,
];
/// What the name of a file that probes whether a folder is writable begins with; the process number follows.
pub(super) const PROBE: &str = ".probe-";

/// Version of the layout of a run's files.
pub(in crate::io) const FORMAT: u32 = 1;

/// Removes a file, if it is there and is not a link.
pub(super) fn remove(path: &Path) -> Result<(), RunError> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_symlink() => {
            fs::remove_file(path).map_err(|cause| RunError::write(path, cause))
        }
        _ => Ok(()),
    }
}

/// Removes the files of a folder whose names match.
pub(super) fn remove_files(dir: &Path, is_called: impl Fn(&str) -> bool) -> Result<(), RunError> {
    let fail = |cause| RunError::write(dir, cause);
    for entry in fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if is_called(&entry.file_name().to_string_lossy()) && entry.metadata().map_err(fail)?.is_file() {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// The metadata of a run's weight file: nothing that differs between equal runs.
pub fn weights_metadata(model: &str) -> BTreeMap<String, serde_json::Value> {
    [("format", FORMAT.into()), ("model", model.into()), ("shadegrad", env!("CARGO_PKG_VERSION").into())]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
