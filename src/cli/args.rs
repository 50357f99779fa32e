//! Arguments that several commands take.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{anyhow, bail};
use clap::builder::{OsStringValueParser, TypedValueParser, ValueParser, ValueParserFactory};

use super::output::remark;
use super::path_text::{from_text, refused, to_text};
use super::picture_data;
use crate::data::{self, DataKind, Dataset, LoadOptions, Loaded, PictureFolder, kind_of, split_of};
use crate::device::Device;
use crate::io::ModelFile;
use crate::io::run::{MODEL_FILE, RunError};
use crate::plan::{MAX_BATCH, Plan};

/// The name of the embedded data set.
const MNIST: &str = "mnist";
/// The name of the embedded model.
const TUTORIAL: &str = "tutorial";

/// How a process runs, whatever its command.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ProcessArgs {
    /// Number of threads that the CPU executor computes with; by default as many as the process may use. Results do
    /// not depend on it
    #[arg(long, global = true, value_name = "N", value_parser = count)]
    pub threads: Option<usize>,
    /// How many seconds processes that train together wait for one another before they give up
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = ProcessArgs::PEER_TIMEOUT, value_parser = count,
          hide = !cfg!(feature = "mpi"))]
    pub peer_timeout: usize,
}

impl ProcessArgs {
    /// Longer than an epoch's validation, a checkpoint of a large model, or reading the data takes.
    pub const PEER_TIMEOUT: usize = 600;
}

/// `--no-fuse`.
#[derive(Debug, clap::Args)]
pub struct FuseArg {
    /// Do not fuse steps of the plan on an adapter: run them one by one, as the CPU executor always does
    #[arg(long)]
    no_fuse: bool,
}

impl FuseArg {
    /// Whether steps stay unfused.
    pub fn no_fuse(&self) -> bool {
        self.no_fuse
    }

    /// The plan as it will run.
    pub fn prepare(&self, device: &Device, plan: Plan) -> Plan {
        if self.no_fuse { plan } else { device.prepare(plan) }
    }
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// The embedded one.
    Tutorial,
    /// A model file; of a run folder that in it.
    File(PathBuf),
}

impl From<OsString> for ModelSource {
    fn from(text: OsString) -> Self {
        if text == TUTORIAL {
            return ModelSource::Tutorial;
        }
        let path = PathBuf::from(text);
        let of_run = path.join(MODEL_FILE);
        ModelSource::File(if of_run.is_file() { of_run } else { path })
    }
}

impl ValueParserFactory for ModelSource {
    type Parser = ValueParser;

    /// A path need not be valid Unicode.
    fn value_parser() -> ValueParser {
        OsStringValueParser::new().map(ModelSource::from).into()
    }
}

impl ModelSource {
    /// Reads and checks the model that was asked for, or else the one for such data. One that does not fit pictures is refused.
    pub fn read_for(asked: Option<&Self>, pictures: Option<&PictureFolder>) -> anyhow::Result<ModelFile> {
        match (asked, pictures) {
            (None, None) => ModelSource::Tutorial.read(),
            (None, Some(folder)) => picture_data::model(folder),
            (Some(asked), None) => asked.read(),
            (Some(asked), Some(folder)) => {
                let file = asked.read()?;
                picture_data::check_model(&file, folder)?;
                Ok(file)
            }
        }
    }

    /// Reads and checks it.
    pub fn read(&self) -> anyhow::Result<ModelFile> {
        match self {
            ModelSource::Tutorial => Ok(ModelFile::tutorial()?),
            ModelSource::File(path) if !path.exists() => bail!(
                "there is no model file `{}`; --model takes `{TUTORIAL}` or a file such as assets/models/tutorial.toml",
                path.display()
            ),
            ModelSource::File(path) if path.is_dir() => bail!(
                "`{}` cannot be read: it is a folder without a {MODEL_FILE}; --model takes `{TUTORIAL}`, a model file, or a run folder",
                path.display()
            ),
            ModelSource::File(path) => Ok(ModelFile::read(path)?),
        }
    }
}

/// Where a data set comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataSource {
    /// The embedded one.
    Mnist,
    /// A folder of files of a form that is read, or such a file.
    Folder(PathBuf),
}

impl FromStr for DataSource {
    type Err = std::convert::Infallible;

    /// From the text that a run recorded.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == MNIST { DataSource::Mnist } else { DataSource::Folder(from_text(text)) })
    }
}

impl ValueParserFactory for DataSource {
    type Parser = ValueParser;

    /// A path need not be valid Unicode.
    fn value_parser() -> ValueParser {
        let parse = |text: OsString| match text == MNIST {
            true => Ok(DataSource::Mnist),
            false => refused(text.as_ref()).map_or_else(|| Ok(DataSource::Folder(text.into())), Err),
        };
        OsStringValueParser::new().try_map(parse).into()
    }
}

impl std::fmt::Display for DataSource {
    /// As it is recorded; a folder by its absolute path, so that it is found from anywhere.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DataSource::Mnist => f.write_str(MNIST),
            DataSource::Folder(dir) => f.write_str(&to_text(&whole_path(dir))),
        }
    }
}

impl DataSource {
    /// Reads and checks the training, the validation and the test set, and prints what is done to them.
    pub fn load(&self, options: &LoadOptions) -> anyhow::Result<Loaded> {
        self.tell(options);
        match self {
            #[cfg(feature = "mnist-data")]
            DataSource::Mnist => Ok(Loaded::pair(data::mnist()?)),
            #[cfg(not(feature = "mnist-data"))]
            DataSource::Mnist => bail!(
                "this build does not carry MNIST; build it with the feature `mnist-data`, or give a folder with --data DIR"
            ),
            DataSource::Folder(dir) if !self.is_there() => bail!(
                "there is no folder or file `{}`; --data takes `{MNIST}`, a folder with the files of a data set or \
                 with a sub-folder of pictures for each class, or a table, NAME.csv",
                dir.display()
            ),
            DataSource::Folder(dir) => {
                if let Some(folder) = self.pictures(options)? {
                    return picture_data::load(folder).map(Loaded::pictures);
                }
                let loaded = data::load(dir, options)?;
                if let Some(said) = &loaded.said {
                    remark(format_args!("Data: {self}: {said}"));
                }
                Ok(loaded)
            }
        }
    }

    /// Whether this is a folder of pictures.
    pub fn is_pictures(&self) -> bool {
        matches!(self, DataSource::Folder(dir) if kind_of(dir).is_ok_and(|kind| kind == DataKind::Pictures))
    }

    /// The folder of pictures that this is, not decoded yet; `None` where it is something else.
    pub fn pictures(&self, options: &LoadOptions) -> anyhow::Result<Option<PictureFolder>> {
        match self {
            DataSource::Folder(dir) if self.is_pictures() => Ok(Some(picture_data::find(dir, options)?)),
            _ => Ok(None),
        }
    }

    /// As it was given on the command line.
    pub fn as_argument(&self) -> PathBuf {
        match self {
            DataSource::Mnist => MNIST.into(),
            DataSource::Folder(dir) => dir.clone(),
        }
    }

    /// Reads and checks only the test set, and prints what is done to it.
    pub fn load_test(&self, options: &LoadOptions) -> anyhow::Result<Dataset> {
        match self {
            DataSource::Folder(dir) if self.is_there() && !self.is_pictures() => {
                self.tell(options);
                Ok(data::load_test(dir, options)?)
            }
            _ => Ok(self.load(options)?.test),
        }
    }

    /// Whether this is a table or a folder of pictures, which may be one set, whole.
    pub fn is_one(&self) -> bool {
        matches!(self, DataSource::Folder(path) if path.is_file()) || self.is_pictures()
    }

    /// Reads one set, whole, of what is no folder of pictures: a table, or the test set.
    pub fn load_one(&self, options: &LoadOptions) -> anyhow::Result<Dataset> {
        match self {
            DataSource::Folder(path) => Ok(data::load_one(path, options)?),
            DataSource::Mnist => Ok(self.load(options)?.test),
        }
    }

    /// Whether there is a folder or file; the embedded data is always there.
    pub fn is_there(&self) -> bool {
        match self {
            DataSource::Mnist => true,
            DataSource::Folder(dir) => dir.exists() || split_of(dir).is_some(),
        }
    }

    fn tell(&self, options: &LoadOptions) {
        if let Some(said) = self.said(options) {
            remark(said);
        }
    }

    /// What is done to the images and labels of the files beyond reading them, in one line; `None` for nothing.
    pub fn said(&self, options: &LoadOptions) -> Option<String> {
        let DataSource::Folder(dir) = self else {
            return None;
        };
        let split = split_of(dir);
        let transposed = options.transpose.unwrap_or(split.is_some());
        let first_label = options.first_label.or(split.map(|split| split.first_label())).unwrap_or(0);
        let name =
            split.map_or_else(|| self.to_string(), |split| format!("{split}, by the names of its files"));
        let done = [
            transposed.then(|| "rows and columns of the images are swapped".to_owned()),
            (first_label > 0).then(|| format!("label {first_label} is the first class")),
        ];
        let done: Vec<_> = done.into_iter().flatten().collect();
        (!done.is_empty()).then(|| format!("Data: {name}: {}", done.join(", ")))
    }

    /// The names of the classes of a data set that is recognised by the names of its files, if their number matches;
    /// else none. Digits have none either: their numbers are their names.
    pub fn class_names(&self, options: &LoadOptions, classes: usize) -> Vec<String> {
        let DataSource::Folder(dir) = self else {
            return Vec::new();
        };
        let known = split_of(dir)
            .filter(|split| options.first_label.is_none_or(|first| first == split.first_label()))
            .map(|split| split.class_names())
            .unwrap_or_default();
        let numbers = known.iter().enumerate().all(|(class, name)| *name == class.to_string());
        if known.len() == classes && !numbers { known } else { Vec::new() }
    }
}

/// The absolute path where the file system knows it, or that of the folder with the split of EMNIST that it names;
/// else as it was given.
pub fn whole_path(path: &Path) -> PathBuf {
    let split = || {
        let prefix = split_of(path)?.prefix();
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(dir.canonicalize().ok()?.join(prefix))
    };
    path.canonicalize().ok().or_else(split).unwrap_or_else(|| path.to_owned())
}

/// Adds the flag that chooses another place than one that cannot be written.
pub fn of_out(error: RunError) -> anyhow::Error {
    match error {
        RunError::Write { .. } => anyhow!("{error} (--out DIR)"),
        other => other.into(),
    }
}

/// A whole number, at least 1.
pub fn count(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&count| count > 0)
        .ok_or_else(|| "it must be a whole number, at least 1".to_owned())
}

/// A seed.
pub fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("it must be a whole number from 0 to {}", u64::MAX))
}

/// A batch size that a plan can have.
pub fn batch_size(text: &str) -> Result<usize, String> {
    count(text)
        .ok()
        .filter(|&size| size <= MAX_BATCH)
        .ok_or_else(|| format!("it must be a whole number from 1 to {MAX_BATCH}"))
}

/// A finite number.
pub fn finite(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "it must be a number, such as 0.05".to_owned())
}

/// A share of a whole, neither nothing nor all.
pub fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&share: &f64| share > 0.0 && share < 1.0)
        .ok_or_else(|| "it must be a number above 0 and below 1, such as 0.2".to_owned())
}

/// A number that is positive in 32 bits as well.
pub fn positive(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&number: &f64| number as f32 > 0.0 && (number as f32).is_finite())
        .ok_or_else(|| "it must be a positive number, such as 0.001".to_owned())
}
