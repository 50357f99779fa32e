//! Where a command writes one file: a regular file, or standard output.
//!
//! | place | what happens |
//! |---|---|
//! | `-`, `/dev/stdout` and links to it | standard output, unless that is a terminal |
//! | a symbolic link | it stays, and its target is written; created if it is missing |
//! | a folder, a pipe, a socket, a device | refused |
//! | a file that is read-only | refused, and so is one of the run that is read |
//! | a regular file | replaced as a whole where the command may |

use std::fmt;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::run::is_input;
use super::whole::{links, oddity, write_whole};

/// Means standard output.
const STDOUT: &str = "-";
/// What systems call standard output.
const STDOUT_FILES: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

/// A place that can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// Standard output.
    Stdout,
    /// A file under the given name.
    File(PathBuf),
}

/// Why a place is not written to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DestinationError {
    /// It is not the name of a file.
    #[error("{place} is a folder; give the name of a file, such as {example}")]
    Folder { place: String, example: &'static str },
    /// It is something that cannot be replaced by a file.
    #[error(
        "{place} is {what}, not a regular file; give the name of a file, such as {example}, or `{STDOUT}` for standard \
         output"
    )]
    Irregular { place: String, what: &'static str, example: &'static str },
    /// It is write-protected.
    #[error("{place} is read-only; make it writable first, or choose another name")]
    ReadOnly { place: String },
    /// It belongs to the run that is read.
    #[error("{place} is a file of the run itself; give another name, such as {example}")]
    OfRun { place: String, example: &'static str },
    /// There is a file already.
    #[error("{place} already exists; choose another name, or replace it")]
    Occupied { place: String },
    /// There is a file that this command did not write.
    #[error("{place} already exists, but is not {kind}; {remedy}")]
    Foreign { place: String, kind: &'static str, remedy: &'static str },
    /// A terminal would only show the bytes.
    #[error(
        "standard output is a terminal; send it to a file with `>` or to a program with `|`, or name a file"
    )]
    Terminal,
    /// The operating system refuses.
    #[error("{place} cannot be written: {cause}")]
    Write { place: String, cause: io::Error },
}

impl Destination {
    /// Checks a place before there is anything to write. `run` is the folder that is read, `example` a file name for
    /// messages.
    ///
    /// # Errors
    /// When it can never be written to. An existing file is not an error here.
    pub fn new(path: &Path, run: &Path, example: &'static str) -> Result<Self, DestinationError> {
        let is_stdout = |path: PathBuf| STDOUT_FILES.iter().any(|name| path == Path::new(name));
        if path == Path::new(STDOUT) || links(path).any(is_stdout) {
            let terminal = io::stdout().is_terminal();
            return if terminal { Err(DestinationError::Terminal) } else { Ok(Destination::Stdout) };
        }
        let place = place(path);
        let names_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/") || path.file_name().is_none();
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(DestinationError::Folder { place, example }),
            Ok(found) => {
                if let Some(what) = oddity(&found) {
                    return Err(DestinationError::Irregular { place, what, example });
                }
                if is_input(run, path) {
                    return Err(DestinationError::OfRun { place, example });
                }
                if found.permissions().readonly() {
                    return Err(DestinationError::ReadOnly { place });
                }
            }
            Err(_) if names_folder => return Err(DestinationError::Folder { place, example }),
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(DestinationError::Write { place, cause });
            }
            Err(_) => check_folder_of(path).map_err(|cause| DestinationError::Write { place, cause })?,
        }
        Ok(Destination::File(path.to_owned()))
    }

    /// Whether it is standard output: nothing else may be printed there then.
    pub fn is_stdout(&self) -> bool {
        *self == Destination::Stdout
    }

    /// Whether there is a file that would be replaced.
    pub fn is_occupied(&self) -> bool {
        matches!(self, Destination::File(path) if path.exists())
    }

    /// Refuses to replace a file, unless `force` is set.
    ///
    /// # Errors
    /// When there is one.
    pub fn check_free(&self, force: bool) -> Result<(), DestinationError> {
        match self {
            Destination::File(path) if !force && path.exists() => {
                Err(DestinationError::Occupied { place: place(path) })
            }
            _ => Ok(()),
        }
    }

    /// Refuses to replace a file that is not of the kind that is written, even with `force`, since the user did not
    /// name it.
    ///
    /// # Errors
    /// When there is one, with what to do.
    pub fn check_ours(
        &self,
        is_ours: fn(&Path) -> bool,
        kind: &'static str,
        remedy: &'static str,
    ) -> Result<(), DestinationError> {
        match self {
            Destination::File(path) if path.exists() && !is_ours(path) => {
                Err(DestinationError::Foreign { place: place(path), kind, remedy })
            }
            _ => Ok(()),
        }
    }

    /// Writes the whole file or nothing; to standard output as far as it is read.
    ///
    /// # Errors
    /// When it cannot be written, or the reader of standard output leaves before the end.
    pub fn write(&self, bytes: &[u8]) -> Result<(), DestinationError> {
        let written = match self {
            Destination::File(path) => write_whole(path, bytes),
            Destination::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(bytes).and_then(|()| stdout.flush())
            }
        };
        let place = match self {
            Destination::File(path) => place(path),
            Destination::Stdout => self.to_string(),
        };
        written.map_err(|cause| DestinationError::Write { place, cause })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Stdout => f.write_str("standard output"),
            Destination::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A place as errors name it, with the target of its links.
fn place(path: &Path) -> String {
    match links(path).skip(1).last() {
        Some(target) => format!("`{}`, a symbolic link to `{}`,", path.display(), target.display()),
        None => format!("`{}`", path.display()),
    }
}

/// Checks that the folder of a new file exists.
fn check_folder_of(path: &Path) -> io::Result<()> {
    let target = links(path).last().unwrap_or_default();
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => match fs::metadata(folder)?.is_dir() {
            true => Ok(()),
            false => Err(io::ErrorKind::NotADirectory.into()),
        },
        _ => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::io::run::WEIGHTS_FILE;

    #[test]
    fn only_what_can_be_a_file_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("run")).unwrap();
        for file in ["file", "read-only", "run/weights.safetensors", "run/notes.txt"] {
            fs::write(at(file), "mine").unwrap();
        }
        fs::set_permissions(at("read-only"), fs::Permissions::from_mode(0o444)).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        let links = [
            ("to-file", "file"),
            ("to-nothing", "new"),
            ("to-run", "run"),
            ("to-weights", "run/weights.safetensors"),
            ("to-socket", "socket"),
            ("to-null", "/dev/null"),
            ("to-stdout", "/dev/stdout"),
            ("nowhere", "no/such/file"),
            ("circle", "circle"),
        ];
        for (link, target) in links {
            symlink(target, at(link)).unwrap();
        }
        // (place, message; empty where the place is accepted)
        let rows = [
            ("file", ""),
            ("new", ""),
            ("to-file", ""),
            ("to-nothing", ""),
            ("run/notes.txt", ""),
            ("run", "is a folder"),
            ("to-run", "is a folder"),
            ("new/", "is a folder"),
            ("..", "is a folder"),
            ("socket", "is a socket"),
            ("to-socket", "is a socket"),
            ("/dev/null", "is a device"),
            ("to-null", "is a device"),
            ("read-only", "is read-only"),
            ("run/weights.safetensors", "is a file of the run itself"),
            ("run/../run/weights.safetensors", "is a file of the run itself"),
            ("to-weights", "is a file of the run itself"),
            ("nowhere", "cannot be written: No such file"),
            ("circle", "cannot be written: Too many levels"),
            ("file/below", "cannot be written: Not a directory"),
            ("no/such/file", "cannot be written: No such file"),
        ];
        for (name, expected) in rows {
            let found = Destination::new(&at(name), &at("run"), "page.html");
            match (found, expected) {
                (Ok(found), "") => assert_eq!(found, Destination::File(at(name))),
                (Err(error), said) if !said.is_empty() => {
                    assert!(error.to_string().contains(said), "{name}: {error}");
                }
                (found, _) => panic!("{name}: {found:?}"),
            }
        }
        assert!(Destination::new(Path::new(""), &at("run"), "page.html").is_err());
        for name in ["-", "/dev/stdout", "/dev/fd/1"].map(PathBuf::from).into_iter().chain([at("to-stdout")])
        {
            // The tests themselves may be run on a terminal.
            let found = Destination::new(&name, &at("run"), "page.html");
            assert!(matches!(found, Ok(Destination::Stdout) | Err(DestinationError::Terminal)), "{name:?}");
        }
        assert_eq!(fs::read_to_string(at("run").join(WEIGHTS_FILE)).unwrap(), "mine");
    }

    /// `/dev/shm` is one wherever Linux runs.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_link_may_lead_to_another_file_system() {
        let (other, folder) = (tempfile::tempdir_in("/dev/shm").unwrap(), tempfile::tempdir().unwrap());
        let (link, target) = (folder.path().join("link"), other.path().join("file"));
        symlink(&target, &link).unwrap();
        for content in ["made", "replaced"] {
            Destination::new(&link, folder.path(), "f").unwrap().write(content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), content);
        }
        assert_eq!(fs::read_link(&link).unwrap(), target);
        assert_eq!(fs::read_dir(other.path()).unwrap().count(), 1);
    }
}
