//! Whether the data is still the same.

use std::path::Path;

use anyhow::{Context, bail};

use super::args::{DataSource, ModelSource};
use super::go_on::command_line;
use super::layout::LayoutArgs;
use super::output::{note, remark};
use super::picture_data;
use crate::data::{DataDigests, DataError, Dataset, TargetKind};
use crate::io::{ModelFile, Recorded, read_recorded};
use crate::model::Network;
use crate::train::held_to;

/// Whether a run may be resumed with these sets; `accept` if the user wants it in any case; `go_on` is the command to
/// resume with.
///
/// # Errors
/// When they are not those that it was begun with.
pub fn check_resumed(
    recorded: Option<&DataDigests>,
    found: &DataDigests,
    [data, validation]: [&str; 2],
    batch_size: usize,
    accept: bool,
    go_on: &str,
) -> anyhow::Result<()> {
    let Some(recorded) = recorded else {
        note(
            "warning: this run is of a version that did not record its data: it is not known whether the data is \
             still the same",
        );
        return Ok(());
    };
    let train = recorded.train != found.train;
    let other: Vec<String> = [
        (train, "training set", data),
        // Part of the training set changes with it.
        (!train && recorded.validation != found.validation, "validation set", validation),
    ]
    .into_iter()
    .filter(|(differs, ..)| *differs)
    .map(|(_, set, place)| format!("the {set} in `{place}`"))
    .collect();
    if other.is_empty() {
        if recorded.test != found.test {
            note(format_args!(
                "warning: the test set in `{data}` is not the one that this run had before: the weights will be the \
                 same, but not the test metrics"
            ));
        }
        return Ok(());
    }
    let other = other.join(" and ");
    let [before, now] = [recorded, found].map(|digests| digests.train_samples.div_ceil(batch_size.max(1)));
    if before != now {
        bail!(
            "{other} is not the one that this run was trained on: an epoch of it has {now} steps, not {before}, and the run \
             cannot be resumed. Give the original data (--data DIR), or begin another run from its weights: train --init FILE"
        );
    }
    if accept {
        note(format_args!(
            "warning: {other} is not the one that this run was trained on; the run is resumed anyway, as requested"
        ));
        return Ok(());
    }
    bail!(
        "{other} is not the one that this run was trained on: its images or labels differ, and training would give \
         other results. Give the original data (--data DIR, --validation-data DIR), or resume with the new data: {go_on} --accept-other-data"
    )
}

/// The test set to evaluate a run on.
pub struct TestSet {
    pub source: DataSource,
    pub set: Dataset,
    /// Whether it differs from the one that the run was evaluated on; `None` where that is not known.
    pub is_other: Option<bool>,
}

/// The test set that a command evaluates a run on, held to what its model is: the named one, else the run's own. Prints a note if it differs
/// from the one that the run was evaluated on.
///
/// # Errors
/// When none is named and the run does not record its own, or it cannot be read.
pub fn test_set(
    run: &Path,
    named: Option<&DataSource>,
    layout: &LayoutArgs,
    recorded: Option<&Recorded>,
    file: &ModelFile,
    network: &Network,
) -> anyhow::Result<TestSet> {
    let again = || format!("{} --data", command_line());
    let source = match (named, recorded) {
        (Some(named), _) => named.clone(),
        (None, Some(recorded)) => recorded.data.parse()?,
        (None, None) => bail!(
            "`{}` does not say which data it was trained on; name it: {} DIR, or {1} mnist for the embedded set",
            run.display(),
            again()
        ),
    };
    if named.is_none() && !source.is_there() {
        bail!(
            "the data of this run, `{source}`, no longer exists there; if it has moved, say where it is now: {} DIR",
            again()
        );
    }
    let mut options = layout.options(&source, recorded.map(|recorded| recorded.load_options.clone()))?;
    if let (true, Some([h, w, c])) = (source.is_pictures(), network.input_shape.image()) {
        // Pictures become what the model takes, unless a flag says otherwise.
        options.size.get_or_insert([h, w]);
        options.channels.get_or_insert(c);
    }
    let known = Known::by(file);
    let numbered = |set| known.of(set).with_context(|| source.to_string());
    let is_other = |test: &Dataset| recorded.and_then(|recorded| recorded.is_other_test_set(&test.digest()));
    let part = || numbered(source.load_test(&options)?);
    let of_run = recorded.is_some_and(|recorded| recorded.data == source.to_string());
    let test = if let Some(folder) = source.pictures(&options)? {
        let told = picture_data::Told::of(&folder);
        let sets = picture_data::decode(folder)?;
        picture_data::warn(&sets);
        // As below.
        let part = numbered(sets.test.clone());
        if of_run || part.as_ref().is_ok_and(|part| is_other(part) == Some(false)) {
            remark(told.text(&sets));
            part?
        } else {
            let is_test = sets.has_test();
            let one = numbered(sets.one())?;
            remark(told.text_of_one(&one, is_test));
            one
        }
    } else if source.is_one() && !of_run {
        // It may be that of the run at another place, of which the test set is a part; of another all is evaluated.
        match part().ok().filter(|part| is_other(part) == Some(false)) {
            Some(part) => part,
            None => numbered(source.load_one(&options)?)?,
        }
    } else {
        part()?
    };
    known.tell_others(&test);
    let is_other = is_other(&test);
    // What is one set, was split for the run, or may hold what was.
    let trained_on = if source.is_one() { "; samples that it was trained on may be among these" } else { "" };
    match (is_other, named) {
        (Some(true), Some(_)) => {
            note(format_args!("note: this is not the test set that the run was evaluated on{trained_on}"));
        }
        (Some(true), None) => note(format_args!(
            "warning: the test set in `{source}` is not the one that the run was evaluated on: its images or labels have \
             changed, or how they are read{trained_on}"
        )),
        (None, _) if source.is_one() => {
            note("note: which samples the model was trained on is not recorded; they may be among these");
        }
        _ => {}
    }
    Ok(TestSet { source, set: held_to(network, &test)?, is_other })
}

/// What a model knows by name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// What its classes are called; empty where they are only numbers.
    pub classes: &'a [String],
    /// What the numbers of a sample are called; likewise.
    pub features: &'a [String],
}

impl<'a> Known<'a> {
    /// What the model of a file knows.
    pub fn by(file: &'a ModelFile) -> Self {
        Known { classes: &file.class_names, features: &file.feature_names }
    }

    /// Prints a note where the data set and the model name their classes, and have no name in common.
    pub fn tell_others(&self, data: &Dataset) {
        let own = data.class_names();
        let shared = own.iter().any(|name| self.classes.contains(name));
        if let ([first, ..], [known, ..], TargetKind::Classes, false) =
            (own, self.classes, data.target(), shared)
        {
            note(format_args!(
                "warning: the data and the model have no class name in common: classes are taken in their order, \
                 `{first}` as `{known}`; to use the names of the data, remove `class_names` from the model file"
            ));
        }
    }

    /// A data set whose classes and columns have the numbers that the model gives them. Where no class, or no column, is called like one
    /// of the model's, these names are only what the model calls them, and the numbers stay.
    ///
    /// # Errors
    /// When the model knows some of the classes, but not all, or lacks some of its columns.
    pub fn of(&self, data: Dataset) -> Result<Dataset, DataError> {
        let is_known =
            |own: &[String], known: &[String]| own != known && own.iter().any(|name| known.contains(name));
        let data = match data.target() {
            TargetKind::Classes if is_known(data.class_names(), self.classes) => {
                data.renumbered(self.classes)?
            }
            _ => data,
        };
        match is_known(data.feature_names(), self.features) {
            true => data.arranged(self.features),
            false => Ok(data),
        }
    }
}

/// What the samples of a model are called.
pub fn samples(network: &Network) -> &'static str {
    if network.input_shape.image().is_some() { "images" } else { "samples" }
}

/// Prints a note if a model file is from a run that was trained on other data.
pub fn tell_other_training_set(model: &ModelSource, train: &Dataset) {
    let ModelSource::File(path) = model else { return };
    let run = path.parent().unwrap_or(Path::new("."));
    let recorded = read_recorded(run).ok().flatten().and_then(|recorded| recorded.train_digest);
    let (Some(recorded), Ok(file)) = (recorded, model.read()) else { return };
    // Samples that the run held out for validation are not part of what it was trained on.
    let trained = file.training.split(train).map(|(trained, _)| trained.digest());
    if trained.is_ok_and(|trained| trained != recorded) {
        note(format_args!("note: this is not the training set of the run in `{}`", run.display()));
    }
}
