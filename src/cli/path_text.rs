//! Paths as text that is written into a run and read back: as they are, or as a `file:` URL where they are not
//! Unicode.

use std::path::{Path, PathBuf};

/// The prefix of a path that is written byte by byte.
const URL: &str = "file://";

/// A path as text from which [`from_text`] makes the same path. On Unix a path is any bytes; one that is not UTF-8
/// becomes a URL, in which `%ff` stands for the byte 255.
pub fn to_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.starts_with(URL) => text.to_owned(),
        _ => url(path),
    }
}

#[cfg(unix)]
fn url(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;

    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let bytes = path.as_os_str().as_bytes().iter();
    let text = bytes.map(|&byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02x}"),
    });
    format!("{URL}{}", text.collect::<String>())
}

/// Such paths do not get here: [`refused`] keeps them out.
#[cfg(not(unix))]
fn url(path: &Path) -> String {
    path.display().to_string()
}

/// Why a path cannot be recorded; `None` if it can.
pub fn refused(path: &Path) -> Option<String> {
    (cfg!(not(unix)) && path.to_str().is_none()).then(|| {
        "it is not Unicode, and a run records it as text; give the file or folder another name".to_owned()
    })
}

/// The path that [`to_text`] wrote.
pub fn from_text(text: &str) -> PathBuf {
    text.strip_prefix(URL).and_then(decoded).unwrap_or_else(|| text.into())
}

#[cfg(unix)]
fn decoded(text: &str) -> Option<PathBuf> {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    Some(OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn decoded(_: &str) -> Option<PathBuf> {
    None
}

/// A path as one word of a shell command, in a form that no program mistakes for a flag.
pub fn shell_word(path: &Path) -> String {
    let is_flag = path.as_os_str().as_encoded_bytes().starts_with(b"-");
    if is_flag { quoted(&Path::new(".").join(path)) } else { quoted(path) }
}

/// Any text as one word of a shell.
pub fn quoted(path: &Path) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/-_.,:+@".contains(c) || cfg!(not(unix)) && c == '\\';
    match path.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if cfg!(not(unix)) => format!("\"{text}\""),
        Some(text) if !text.contains(char::is_control) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => escaped(path),
    }
}

/// In the form `$'...'`, which can hold any byte.
fn escaped(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let text = bytes.map(|&byte| match byte {
        b' '..=b'~' if !b"'\\".contains(&byte) => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    });
    format!("$'{}'", text.collect::<String>())
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn any_path_is_read_back() {
        let rows: [(&[u8], &str, &str); 10] = [
            (b"", "", "''"),
            (br"a\b", r"a\b", r"'a\b'"),
            (b"two\nlines", "two\nlines", r"$'two\x0alines'"),
            (b"/a/b", "/a/b", "/a/b"),
            (b"a b%41", "a b%41", "'a b%41'"),
            ("/z\u{fc}rich".as_bytes(), "/z\u{fc}rich", "/z\u{fc}rich"),
            (b"it's", "it's", r"'it'\''s'"),
            (b"/d\xff/e f", "file:///d%ff/e%20f", r"$'/d\xff/e f'"),
            (b"d\xff%", "file://d%ff%25", r"$'d\xff%'"),
            (b"file:///a", "file://file%3a///a", "file:///a"),
        ];
        for (bytes, text, word) in rows {
            let path = Path::new(OsStr::from_bytes(bytes));
            assert_eq!(to_text(path), text, "{path:?}");
            assert_eq!(from_text(text), path, "{text}");
            assert_eq!(shell_word(path), word, "{path:?}");
        }
        // Text that is not such a URL is a path.
        for text in ["file://a%", "file://a%4", "file://a%zz", "file://%\u{fc}"] {
            assert_eq!(from_text(text), Path::new(text), "{text}");
        }
    }
}
