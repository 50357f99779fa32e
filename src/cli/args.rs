//! Arguments that several commands take.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::bail;

use crate::data::{TrainTest, load_dir};
use crate::device::{Device, DeviceChoice};
use crate::model::ModelFile;
use crate::plan::{MAX_BATCH, Plan};

/// The word that stands for the embedded data set.
const MNIST: &str = "mnist";
/// The word that stands for the embedded model.
const TUTORIAL: &str = "tutorial";

/// `--device`.
#[derive(Debug, clap::Args)]
pub struct DeviceArg {
    /// Where to compute: `auto` (a hardware GPU, else a software adapter, else the CPU executor), `cpu`, `software`,
    /// or an adapter's number or part of its name as `shadegrad devices` lists them
    #[arg(long, value_name = "auto|cpu|software|NAME|INDEX", default_value = "auto", value_parser = device)]
    pub device: DeviceChoice,
}

/// `--no-fuse`.
#[derive(Debug, clap::Args)]
pub struct FuseArg {
    /// Run each step of the plan by itself on an adapter, as the CPU executor always does
    #[arg(long)]
    no_fuse: bool,
}

impl FuseArg {
    /// Whether steps stay as they are.
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
    /// A model file.
    File(PathBuf),
}

impl FromStr for ModelSource {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == TUTORIAL { ModelSource::Tutorial } else { ModelSource::File(text.into()) })
    }
}

impl ModelSource {
    /// Reads and checks it.
    pub fn read(&self) -> anyhow::Result<ModelFile> {
        match self {
            ModelSource::Tutorial => Ok(ModelFile::tutorial()?),
            ModelSource::File(path) if !path.exists() => bail!(
                "there is no model file `{}`; --model takes `{TUTORIAL}` or a file such as assets/models/tutorial.toml",
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
    /// A folder of four IDX files.
    Folder(PathBuf),
}

impl FromStr for DataSource {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == MNIST { DataSource::Mnist } else { DataSource::Folder(text.into()) })
    }
}

impl std::fmt::Display for DataSource {
    /// As it is written on the command line; a folder with its whole path, so that it is found from anywhere.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DataSource::Mnist => f.write_str(MNIST),
            DataSource::Folder(dir) => write!(f, "{}", whole_path(dir).display()),
        }
    }
}

impl DataSource {
    /// Reads and checks training and test set.
    pub fn load(&self) -> anyhow::Result<TrainTest> {
        match self {
            #[cfg(feature = "mnist-data")]
            DataSource::Mnist => Ok(crate::data::mnist()?),
            #[cfg(not(feature = "mnist-data"))]
            DataSource::Mnist => bail!(
                "this build does not carry MNIST; build it with the feature `mnist-data`, or give a folder with --data DIR"
            ),
            DataSource::Folder(dir) if !dir.is_dir() => bail!(
                "`{}` is not a folder; --data takes `{MNIST}` or a folder with the four IDX files of a data set",
                dir.display()
            ),
            DataSource::Folder(dir) => Ok(load_dir(dir)?),
        }
    }
}

/// The path from the root where the file system knows it, else as it was given.
pub fn whole_path(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn device(text: &str) -> Result<DeviceChoice, String> {
    if text.trim().is_empty() {
        return Err("it is empty; give auto, cpu, software, or an adapter's number or name".to_owned());
    }
    text.parse().map_err(|never: std::convert::Infallible| match never {})
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

/// A number that is not infinite.
pub fn finite(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "it must be a number, such as 0.05".to_owned())
}

/// A part of a whole, neither nothing nor all.
pub fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&share: &f64| share > 0.0 && share < 1.0)
        .ok_or_else(|| "it must be a number above 0 and below 1, such as 0.2".to_owned())
}

/// A positive number that is one in 32 bits as well.
pub fn positive(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|&number: &f64| number as f32 > 0.0 && (number as f32).is_finite())
        .ok_or_else(|| "it must be a positive number, such as 0.001".to_owned())
}
