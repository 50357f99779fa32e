//! The event files of a folder: which are ours, where they are cut, and the name of the next one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use prost::Message;

use super::event::{Event, VERSION, What, first_event, framed};
use crate::io::checkpoint::sync_folder;
use crate::io::run::{RunError, write_own};

/// How the name of an event file begins, by which TensorBoard recognises it, and how ours end. Between them are
/// seconds since 1970, the process, and a number.
const PREFIX: &str = "events.out.tfevents.";
const SUFFIX: &str = ".shadegrad";
/// Digits of the seconds, as TensorFlow writes them: names sort by time until 2286.
const DIGITS: usize = 10;

/// The files in a folder with names like ours, in the order of the names.
pub fn named(dir: &Path) -> Result<Vec<PathBuf>, RunError> {
    let fail = |cause| RunError::write(dir, cause);
    let entries = match fs::read_dir(dir) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(fail)?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Cuts each file of ours before the first event that will be written again, or that is damaged or incomplete.
/// Returns the latest time in what is left. Files of other programs stay, and so does the target of a link.
pub fn cut_back(dir: &Path, comes_again: impl Fn(&Event) -> bool) -> Result<f64, RunError> {
    let mut last = 0f64;
    for path in named(dir)? {
        let fail = |cause| RunError::write(&path, cause);
        let found = fs::symlink_metadata(&path).map_err(fail)?;
        let bytes = if found.is_file() { Some(fs::read(&path).map_err(fail)?) } else { None };
        match bytes.filter(|bytes| is_ours(bytes)) {
            Some(bytes) => last = last.max(cut(&path, &bytes, &comes_again).map_err(fail)?),
            None => {
                log::warn!("`{}` is not an event file of this program and stays as it is", path.display())
            }
        }
    }
    Ok(last)
}

/// Whether a file begins as all of ours do; one from a process killed at once is empty.
fn is_ours(bytes: &[u8]) -> bool {
    let version = What::FileVersion(VERSION.to_owned());
    bytes.is_empty() || first_event(bytes).is_some_and(|(event, _)| event.what == Some(version))
}

fn cut(path: &Path, bytes: &[u8], comes_again: impl Fn(&Event) -> bool) -> io::Result<f64> {
    let (mut rest, mut last) = (bytes, 0f64);
    while let Some((event, following)) = first_event(rest).filter(|(event, _)| !comes_again(event)) {
        last = last.max(event.wall_time);
        rest = following;
    }
    let end = bytes.len() - rest.len();
    if end < bytes.len() {
        // A new file, because the old one may be shared by hard links.
        write_own(path, &bytes[..end])?;
    }
    Ok(last)
}

/// The seconds in the name of a new file: those of the clock, or the first that sort after the last name in the
/// folder.
fn seconds(now: f64, last: Option<&str>) -> String {
    let seconds = format!("{:0DIGITS$}", now as u64);
    let last = last.map(|name| name.trim_start_matches(PREFIX).split('.').next().unwrap_or_default());
    match last {
        Some(last) if *last >= *seconds => {
            let next = last.parse::<u64>().ok().and_then(|last| last.checked_add(1));
            let next = next.map(|next| format!("{next:0width$}", width = last.len()));
            next.filter(|next| next.len() == last.len()).unwrap_or_else(|| format!("{last}0"))
        }
        _ => seconds,
    }
}

/// A file that is being written.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    writer: BufWriter<File>,
    /// The time of the last event, and how far the clock is behind it: 0 unless the clock was set back.
    last: f64,
    behind: f64,
}

impl EventFile {
    /// In this folder, created if it is missing; the name sorts after all files of ours in it. `last` is the time of
    /// their last event.
    pub fn create(dir: &Path, last: f64) -> Result<Self, RunError> {
        fs::create_dir_all(dir).map_err(|cause| RunError::write(dir, cause))?;
        let files = named(dir)?;
        let name = files.last().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
        let (seconds, process) = (seconds(now(), name.as_deref()), std::process::id());
        for n in 0u64.. {
            let path = dir.join(format!("{PREFIX}{seconds}.{process}.{n}{SUFFIX}"));
            match File::create_new(&path) {
                Ok(file) => {
                    let behind = (last - now()).max(0.0);
                    let mut file = EventFile { path, writer: BufWriter::new(file), last, behind };
                    file.push(0, What::FileVersion(VERSION.to_owned()))?;
                    sync_folder(dir).map_err(|cause| RunError::write(dir, cause))?;
                    return Ok(file);
                }
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(RunError::write(&path, cause)),
            }
        }
        Err(RunError::write(dir, io::ErrorKind::AlreadyExists.into()))
    }

    /// Appends an event.
    pub fn push(&mut self, step: usize, what: What) -> Result<(), RunError> {
        self.last = self.last.max(now() + self.behind);
        let event = Event { wall_time: self.last, step: step as i64, what: Some(what) };
        let written = self.writer.write_all(&framed(&event.encode_to_vec()));
        written.map_err(|cause| RunError::write(&self.path, cause))
    }

    /// Writes all events so far to the file.
    pub fn flush(&mut self) -> Result<(), RunError> {
        self.writer.flush().map_err(|cause| RunError::write(&self.path, cause))
    }

    /// Syncs all events so far to the disk.
    pub fn sync(&mut self) -> Result<(), RunError> {
        self.flush()?;
        self.writer.get_ref().sync_data().map_err(|cause| RunError::write(&self.path, cause))
    }
}

/// Seconds since 1970; 0 on a clock that is set to an earlier time.
fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_file_sorts_after_the_last() {
        let rows = [
            (100.5, None, "0000000100"),
            (1_700_000_000.0, Some("1600000000.7.0"), "1700000000"),
            (1_700_000_000.0, Some("1700000000.7.0"), "1700000001"),
            (1_600_000_000.0, Some("1700000000.7.0"), "1700000001"),
            // From before names had all ten digits, on a clock that started in 1970.
            (1_700_000_000.0, Some("35.7.0"), "36"),
            (1_700_000_000.0, Some("99.7.0"), "990"),
            (1_700_000_000.0, Some("later.7.0"), "later0"),
        ];
        for (now, last, expected) in rows {
            let name = last.map(|last| format!("{PREFIX}{last}{SUFFIX}"));
            let found = seconds(now, name.as_deref());
            assert_eq!(found, expected, "{now} after {last:?}");
            assert!(name.is_none_or(|name| format!("{PREFIX}{found}.1.0{SUFFIX}") > name), "{last:?}");
        }
    }

    #[test]
    fn files_are_read_in_the_order_in_which_they_were_made() {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<_> = (0..12).map(|_| EventFile::create(folder.path(), 0.0).unwrap().path).collect();
        assert_eq!(named(folder.path()).unwrap(), made);
    }

    #[test]
    fn what_is_not_ours_is_not_cut() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(format!("{PREFIX}{name}{SUFFIX}"));
        let mine = [&framed(&Event { wall_time: 1.0, step: 9, what: None }.encode_to_vec())[..], b"mine"];
        for (name, content) in [("1", mine[0]), ("2", mine[1])] {
            fs::write(at(name), content).unwrap();
        }
        fs::create_dir(at("3")).unwrap();
        drop(EventFile::create(folder.path(), 0.0).unwrap());
        let ours = named(folder.path()).unwrap().pop().unwrap();
        #[cfg(unix)]
        {
            let elsewhere = folder.path().join("elsewhere");
            fs::copy(&ours, &elsewhere).unwrap();
            std::os::unix::fs::symlink(elsewhere, at("4")).unwrap();
        }
        cut_back(folder.path(), |_| true).unwrap();
        assert_eq!([fs::read(at("1")).unwrap(), fs::read(at("2")).unwrap()], mine.map(<[u8]>::to_vec));
        assert_eq!(fs::metadata(&ours).unwrap().len(), 0);
        #[cfg(unix)]
        assert!(fs::metadata(at("4")).unwrap().len() > 0);
    }
}
