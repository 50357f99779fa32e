//! `export --web`: a folder that any server of plain files turns into a page with the model.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use serde_json::json;

use crate::io::run::{MODEL_FILE, WEIGHTS_FILE};
use crate::io::{SavedRun, read_recorded};

/// The page, and what it shares with the one that trains.
const PAGE: [(&str, &str); 2] = [
    ("index.html", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/export/index.html"))),
    ("images.js", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/page/images.js"))),
];
/// The files of the engine's package that a page loads, and its licences.
const ENGINE: [&str; 6] = [
    "index.js",
    "worker.js",
    "engine/shadegrad_web.js",
    "engine/shadegrad_web_bg.wasm",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];
/// Where the package is looked for: as `scripts/build-web` makes it, and as npm installs it.
const PLACES: [&str; 2] = ["target/web/site/shadegrad", "node_modules/@shadegrad/web"];

/// Writes the page; the folder must not be there, or be empty, unless its files may be replaced.
///
/// # Errors
/// When the model is not for images, the engine is not found, or a file cannot be read or written.
pub fn write(run: &Path, folder: &Path, engine: Option<&Path>, force: bool) -> anyhow::Result<()> {
    let saved = SavedRun::read(run)?;
    let Some([_, _, channels]) = saved.network.input_shape.image() else {
        bail!(
            "`{}` is a model of rows of numbers, but the page is for pictures and drawings; leave --web out",
            run.display()
        );
    };
    let engine = found(engine)?;
    let is_empty = fs::read_dir(folder).map_or(!folder.exists(), |mut entries| entries.next().is_none());
    ensure!(
        is_empty || force,
        "`{}` already exists and is not empty; give another folder, or --force to replace the files of a page in it",
        folder.display()
    );
    let of_pictures =
        read_recorded(run)?.is_some_and(|recorded| recorded.load_options.size.is_some()) || channels != 1;
    let about = json!({ "name": saved.file.model.name, "isDrawing": !of_pictures });
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for file in ENGINE {
        let bytes = fs::read(engine.join(file));
        let bytes = bytes.with_context(|| format!("`{}` cannot be read", engine.join(file).display()))?;
        files.push((Path::new("shadegrad").join(file), bytes));
    }
    for file in [MODEL_FILE, WEIGHTS_FILE] {
        let bytes = fs::read(run.join(file));
        let bytes = bytes.with_context(|| format!("`{}` cannot be read", run.join(file).display()))?;
        files.push((Path::new("run").join(file), bytes));
    }
    files.push((Path::new("run").join("page.json"), about.to_string().into_bytes()));
    files.extend(PAGE.map(|(file, text)| (file.into(), text.as_bytes().to_vec())));
    for (file, bytes) in files {
        let path = folder.join(file);
        let written =
            fs::create_dir_all(path.parent().unwrap_or(folder)).and_then(|()| fs::write(&path, bytes));
        written.with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    Ok(())
}

/// The folder of the engine's package.
fn found(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let is_engine = |place: &Path| ENGINE[..4].iter().all(|file| place.join(file).is_file());
    match given {
        Some(place) if is_engine(place) => Ok(place.to_owned()),
        Some(place) => bail!(
            "`{}` is not the package @shadegrad/web: it has no `{}`",
            place.display(),
            ENGINE.iter().find(|file| !place.join(file).is_file()).unwrap_or(&ENGINE[0])
        ),
        None => PLACES.iter().map(PathBuf::from).find(|place| is_engine(place)).with_context(|| {
            format!(
                "the engine for pages is not here ({}): make it with scripts/build-web, or say with --engine where the package \
                 @shadegrad/web is",
                PLACES.join(", ")
            )
        }),
    }
}
