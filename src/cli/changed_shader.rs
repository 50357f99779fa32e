//! `verify --shader`: which of the program's shaders a file is meant for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::output::shown;
use crate::model::nearest;
use crate::verify::cases;

/// Reads a shader; returns what it is called under `shaders/`, and its text.
///
/// # Errors
/// Where it cannot be read, and where no shader has its name.
pub fn read(path: &Path) -> anyhow::Result<(&'static str, String)> {
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", shown(path)))?;
    Ok((file_of(path)?, text))
}

/// The files that are shaders, or parts of some.
fn files() -> BTreeSet<&'static str> {
    let table = cases();
    let sources = table.iter().flat_map(|case| case.op.kernels()).flat_map(|kernel| kernel.files());
    sources.map(|source| source.file).collect()
}

/// The file of which this one is a changed copy: the one whose whole path ends this one, else the one of the same name.
fn file_of(path: &Path) -> anyhow::Result<&'static str> {
    let files = files();
    if let Some(file) = files.iter().find(|file| path.ends_with(file)) {
        return Ok(file);
    }
    let name = path.file_name().unwrap_or_default();
    // Names of shaders are unique.
    if let Some(file) = files.iter().find(|file| Path::new(file).file_name() == Some(name)) {
        return Ok(file);
    }
    let names = files.iter().filter_map(|file| file.rsplit('/').next());
    let near = nearest(&name.to_string_lossy(), names);
    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    bail!("{} has the name of no shader; a changed copy keeps its name, such as relu.wgsl{near}", shown(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_shaders_are_unique() {
        let files = files();
        let names: BTreeSet<_> = files.iter().map(|file| Path::new(file).file_name()).collect();
        assert_eq!(names.len(), files.len());
    }

    #[test]
    fn a_copy_is_known_by_its_name() {
        let rows = [
            ("shaders/activations/relu.wgsl", "activations/relu.wgsl"),
            ("relu.wgsl", "activations/relu.wgsl"),
            ("/tmp/dense/matmul.wgsl", "dense/matmul.wgsl"),
        ];
        for (path, file) in rows {
            assert_eq!(file_of(Path::new(path)).unwrap(), file, "{path}");
        }
        let unknown = file_of(Path::new("rleu.wgsl")).unwrap_err().to_string();
        assert!(
            unknown.contains("rleu.wgsl has the name of no shader;") && unknown.contains("`relu.wgsl`"),
            "{unknown}"
        );
        assert!(file_of(Path::new("/")).is_err());
    }
}
