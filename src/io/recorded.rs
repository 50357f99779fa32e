//! What a run recorded of its data and its kernels, in whichever file.

use std::collections::BTreeMap;
use std::path::Path;

use super::checkpoint::{last_checkpoint, read_settings};
use super::run::{MODEL_FILE, read_result};
use crate::data::{DataDigests, LoadOptions};
use crate::error::Error;
use crate::io::ModelFile;

/// What is needed to evaluate a run as it evaluated itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// `mnist` or a folder.
    pub data: String,
    /// How to read the files of the data set.
    pub load_options: LoadOptions,
    /// Samples of the largest batch that ran.
    pub batch_size: usize,
    /// The kernel variant that ran each step of the plan.
    pub kernels: BTreeMap<String, String>,
    /// [`Dataset::digest`](crate::data::Dataset::digest) of what was trained on; `None` as below.
    pub train_digest: Option<String>,
    /// [`Dataset::digest`](crate::data::Dataset::digest) of the test set; `None` in a run from before it was recorded.
    pub test_digest: Option<String>,
}

/// Reads `result.json`; if a run has none yet, its last checkpoint; in a checkpoint, its own record. `None` where
/// nothing was recorded, as in a folder that `Model::save` or [`Backup`](super::Backup) wrote.
///
/// # Errors
/// When a record is there and cannot be read.
pub fn read_recorded(dir: &Path) -> Result<Option<Recorded>, Error> {
    if let Some(result) = read_result(dir)? {
        let load_options = result.load_options();
        let batch_size = result.largest_batch();
        let (train_digest, test_digest) = digests(result.data_digests);
        let (data, kernels) = (result.data, result.kernels);
        return Ok(Some(Recorded { data, load_options, batch_size, kernels, train_digest, test_digest }));
    }
    let own = read_settings(dir)?.map(|settings| (dir.to_owned(), settings));
    let last = || {
        let path = last_checkpoint(dir)?;
        Some(read_settings(&path).transpose()?.map(|settings| (path, settings)))
    };
    let found = match own {
        Some(own) => Some(own),
        None => last().transpose()?,
    };
    let Some((place, settings)) = found.filter(|(_, settings)| settings.is_of_the_program()) else {
        return Ok(None);
    };
    let file = ModelFile::read(&place.join(MODEL_FILE))?;
    let load_options = settings.load_options();
    let (train_digest, test_digest) = digests(settings.data_digests);
    Ok(Some(Recorded {
        load_options,
        data: settings.data,
        batch_size: settings.capacity.unwrap_or(file.training.batch_size),
        kernels: settings.kernels,
        train_digest,
        test_digest,
    }))
}

/// Those of the training set and of the test set.
fn digests(recorded: Option<DataDigests>) -> (Option<String>, Option<String>) {
    recorded.map_or((None, None), |digests| (Some(digests.train), Some(digests.test)))
}

impl Recorded {
    /// Whether a test set differs from the run's; `None` where the run did not record its own.
    pub fn is_other_test_set(&self, digest: &str) -> Option<bool> {
        self.test_digest.as_ref().map(|recorded| recorded != digest)
    }
}
