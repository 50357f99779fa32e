//! Writing a file as a whole, and what may stand in its place.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::iter::successors;
use std::path::{Path, PathBuf};

/// What the name of an incomplete file ends with.
const TEMPORARY: &str = ".tmp";
/// The most links in a row that are followed, as in Linux.
const MOST_LINKS: usize = 40;

/// Writes a file under a temporary name beside it, syncs it to the disk, and renames it.
///
/// A symbolic link stays: its target is written, and created if it is missing. A file that is replaced keeps its
/// permissions.
///
/// # Errors
/// When it cannot be written, or something there is not a regular file; what was there before stays.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = followed(path)?;
    let before = match fs::metadata(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
        found => Some(found?),
    };
    if let Some(what) = before.as_ref().and_then(oddity) {
        return Err(io::Error::other(format!("it is {what}, not a file")));
    }
    let temporary = temporary(&target);
    let written = new_file(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            if let Some(before) = &before {
                // Some file systems have no permissions.
                let _ = file.set_permissions(before.permissions());
            }
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, &target));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// [`write_whole`] for a file of a run: the target of a link in its place belongs to somebody else.
///
/// # Errors
/// As [`write_whole`], and when there is a symbolic link.
pub(crate) fn write_own(path: &Path, bytes: &[u8]) -> io::Result<()> {
    refuse_link(path)?;
    write_whole(path, bytes)
}

/// Refuses a symbolic link.
///
/// # Errors
/// When there is one.
pub(crate) fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(io::Error::other(
            "it is a symbolic link, and its target is not written; put the real file or folder in its place",
        )),
        _ => Ok(()),
    }
}

/// The name of a file until it is complete.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}{TEMPORARY}", std::process::id()))
}

/// A new file in place of one that a killed process with the same number left; a link there is not followed.
fn new_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => File::create_new(path),
    }
}

/// The final name of a file that [`write_whole`] has not finished.
pub(super) fn unfinished(name: &str) -> Option<&str> {
    let (whole, process) = name.strip_suffix(TEMPORARY)?.rsplit_once('.')?;
    is_number(process).then(|| whole.strip_prefix('.'))?
}

/// Whether a text is a number as in names: digits only.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A path, and each path that the links there lead to in turn.
pub(crate) fn links(path: &Path) -> impl Iterator<Item = PathBuf> {
    let next = |path: &PathBuf| {
        let target = fs::read_link(path).ok()?;
        Some(path.parent().map_or(target.clone(), |folder| folder.join(target)))
    };
    successors(Some(path.to_owned()), next).take(MOST_LINKS)
}

/// The end of the links at a path; nothing need exist there.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let last = links(path).last().unwrap_or_else(|| path.to_owned());
    match fs::read_link(&last) {
        Ok(_) => Err(io::Error::other("its symbolic links form a loop")),
        Err(_) => Ok(last),
    }
}

/// What something is that is not a regular file; `None` where it is one.
pub(crate) fn oddity(found: &Metadata) -> Option<&'static str> {
    let kind = found.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_symlink() {
        Some("a symbolic link")
    } else {
        Some(special(kind))
    }
}

#[cfg(unix)]
fn special(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match (kind.is_fifo(), kind.is_socket()) {
        (true, _) => "a pipe",
        (_, true) => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn special(_: fs::FileType) -> &'static str {
    "a device"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_unfinished_files_are_known() {
        let rows = [
            (".model.toml.12.tmp", Some("model.toml")),
            (".step-00000001.7.tmp", Some("step-00000001")),
            (".notes.tmp", None),
            (".model.toml.new.tmp", None),
            (".model.toml..tmp", None),
            ("model.toml.12.tmp", None),
            (".model.toml.12", None),
        ];
        for (name, expected) in rows {
            assert_eq!(unfinished(name), expected, "{name}");
        }
        let made = temporary(Path::new("dir/page.html"));
        assert_eq!(unfinished(made.file_name().unwrap().to_str().unwrap()), Some("page.html"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_written_through_and_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("deep")).unwrap();
        fs::write(at("file"), "old").unwrap();
        fs::set_permissions(at("file"), fs::Permissions::from_mode(0o600)).unwrap();
        // (link, what it says, what is written)
        let rows = [
            ("plain", "file", "file"),
            ("twice", "plain", "file"),
            ("dangling", "deep/new", "deep/new"),
            ("deep/up", "../other", "other"),
        ];
        for (link, says, target) in rows {
            symlink(says, at(link)).unwrap();
            write_whole(&at(link), link.as_bytes()).unwrap();
            assert_eq!(fs::read_link(at(link)).unwrap(), Path::new(says), "{link}");
            assert_eq!(fs::read_to_string(at(target)).unwrap(), link);
        }
        assert_eq!(fs::metadata(at("file")).unwrap().permissions().mode() & 0o777, 0o600);
        symlink("circle", at("circle")).unwrap();
        symlink("missing/file", at("nowhere")).unwrap();
        symlink("deep", at("folder")).unwrap();
        for refused in ["circle", "nowhere", "folder", "deep"] {
            assert!(write_whole(&at(refused), b"x").is_err(), "{refused}");
        }
        assert!(fs::read_link(at("circle")).is_ok() && fs::read_link(at("folder")).is_ok());
        assert_eq!(fs::read_dir(at("deep")).unwrap().count(), 2, "something half-written is left");
    }
}
