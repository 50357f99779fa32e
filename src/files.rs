//! Reading files that users name, where anything may be in their place.
//!
//! Opening a pipe could wait forever, and reading a device such as `/dev/zero` would never end: both are refused.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Opens a file to read it.
///
/// # Errors
/// As [`File::open`], and where it is a pipe or a device.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Checked before opening, since opening a pipe would wait for its writer.
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::other("it is a pipe or a device; give a file"));
    }
    File::open(path)
}

/// The contents of a file.
///
/// # Errors
/// As [`open`].
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The contents of a text file.
///
/// # Errors
/// As [`open`], and where it is not UTF-8.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let make_pipe =
            |name| rustix::fs::mkfifoat(rustix::fs::CWD, at(name), rustix::fs::Mode::RWXU).unwrap();
        fs::write(at("file"), "mine").unwrap();
        make_pipe("pipe");
        for (link, to) in
            [("to-file", "file"), ("to-pipe", "pipe"), ("to-nothing", "nothing"), ("itself", "itself")]
        {
            std::os::unix::fs::symlink(at(to), at(link)).unwrap();
        }
        std::os::unix::fs::symlink("/dev/zero", at("zero")).unwrap();
        // (name, whether it is read)
        let rows = [
            ("file", true),
            ("to-file", true),
            ("pipe", false),
            ("to-pipe", false),
            ("zero", false),
            ("to-nothing", false),
            ("itself", false),
            (".", false),
            ("new", false),
        ];
        for (name, is_read) in rows {
            assert_eq!(read(&at(name)).is_ok(), is_read, "{name}");
            assert_eq!(read_text(&at(name)).is_ok(), is_read, "{name}");
        }
    }
}
