//! What Mesa's drivers want to find in the environment.

use std::ffi::OsString;
use std::path::PathBuf;

/// The folder that the environment variable `XDG_RUNTIME_DIR` should name before the first adapter is looked for; `None` where
/// nothing needs to be set.
///
/// Vulkan drivers of Mesa, on Linux and the BSDs, look for a Wayland display in the folder that `XDG_RUNTIME_DIR` names. Where the variable
/// is not set, as in containers and services, they print lines that begin with `error:` to standard error, though nothing is wrong. Any
/// folder without a display in it stops that; this is the one for temporary files.
///
/// A library does not change the environment of its program: while other threads read it, that is undefined behaviour. The program
/// can, as the first thing in `main`:
///
/// ```no_run
/// if let Some(folder) = shadegrad::device::mesa_runtime_dir() {
///     // SAFETY: no other thread runs yet.
///     unsafe { std::env::set_var("XDG_RUNTIME_DIR", folder) };
/// }
/// ```
///
/// or, without `unsafe`, run itself again with it:
///
/// ```no_run
/// use std::process::{Command, exit};
///
/// # fn main() -> std::io::Result<()> {
/// if let Some(folder) = shadegrad::device::mesa_runtime_dir() {
///     let mut again = Command::new(std::env::current_exe()?);
///     again.args(std::env::args_os().skip(1)).env("XDG_RUNTIME_DIR", folder);
///     exit(again.status()?.code().unwrap_or(1));
/// }
/// # Ok(())
/// # }
/// ```
pub fn mesa_runtime_dir() -> Option<PathBuf> {
    let has_mesa = cfg!(any(
        target_os = "linux",
        target_os = "freebsd",
        target_os = "dragonfly",
        target_os = "netbsd",
        target_os = "openbsd"
    ));
    runtime_dir(has_mesa, std::env::var_os("XDG_RUNTIME_DIR"))
}

fn runtime_dir(has_mesa: bool, set: Option<OsString>) -> Option<PathBuf> {
    (has_mesa && set.is_none()).then(std::env::temp_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_where_mesa_may_be_and_none_is_set() {
        let temporary = std::env::temp_dir();
        let rows = [
            (true, None, Some(temporary)),
            (true, Some("/run/user/1000"), None),
            (false, None, None),
            (false, Some("/run/user/1000"), None),
        ];
        for (has_mesa, set, expected) in rows {
            assert_eq!(runtime_dir(has_mesa, set.map(OsString::from)), expected, "{has_mesa} {set:?}");
        }
    }
}
