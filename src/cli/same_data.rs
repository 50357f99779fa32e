//! Whether data is what it was.

use std::path::Path;

use anyhow::bail;

use super::args::{DataSource, ModelSource};
use super::go_on::command_line;
use super::layout::LayoutArgs;
use super::output::note;
use crate::data::{DataDigests, Dataset};
use crate::io::{Recorded, read_recorded};

/// Whether a run that goes on may do so with these sets; `accept` where its user wants it whatever they are, and `go_on` is the
/// command to go on with.
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
            "warning: this run was begun before checkpoints knew their data: whether it is still the same cannot be told",
        );
        return Ok(());
    };
    let train = recorded.train != found.train;
    let other: Vec<String> = [
        (train, "training set", data),
        // A part of the training set changes with it.
        (!train && recorded.validation != found.validation, "validation set", validation),
    ]
    .into_iter()
    .filter(|(differs, ..)| *differs)
    .map(|(_, set, place)| format!("the {set} in `{place}`"))
    .collect();
    if other.is_empty() {
        if recorded.test != found.test {
            note(format_args!(
                "warning: the test set in `{data}` is not the one that this run had before; training is not changed by it, its \
                 result is"
            ));
        }
        return Ok(());
    }
    let other = other.join(" and ");
    let [before, now] = [recorded, found].map(|digests| digests.train_samples.div_ceil(batch_size.max(1)));
    if before != now {
        bail!(
            "{other} is not the one that this run was trained on: an epoch of it has {now} steps, not {before}, and no run can go on \
             so. Give it the data of then (--data DIR), or begin a run of its own from the weights that are there: train --init FILE"
        );
    }
    if accept {
        note(format_args!(
            "warning: {other} is not the one that this run was trained on; it goes on as you said"
        ));
        return Ok(());
    }
    bail!(
        "{other} is not the one that this run was trained on: its images or labels differ, and training would end elsewhere. \
         Give it the data of then (--data DIR, --validation-data DIR), or go on with the new data: {go_on} --accept-other-data"
    )
}

/// What a run is judged on.
pub struct TestSet {
    pub source: DataSource,
    pub set: Dataset,
    /// Whether it is another than the run was judged on; `None` where that is not known.
    pub is_other: Option<bool>,
}

/// The test set that a command judges a run on: the one that is named, else the run's own. Says so where it is another than
/// the run was judged on.
///
/// # Errors
/// When none is named and the run does not say which it had, or it cannot be read.
pub fn test_set(
    run: &Path,
    named: Option<&DataSource>,
    layout: LayoutArgs,
    recorded: Option<&Recorded>,
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
            "the data of this run, `{source}`, is not there any more; if it has moved, name the folder where it is now: {} DIR",
            again()
        );
    }
    let options = layout.options(&source, recorded.map(|recorded| recorded.load_options))?;
    let test = source.load_test(&options)?;
    let is_other = recorded.and_then(|recorded| recorded.is_other_test_set(&test.digest()));
    match (is_other, named) {
        (Some(true), Some(_)) => note("note: this is not the test set that the run was judged on"),
        (Some(true), None) => note(format_args!(
            "warning: the test set in `{source}` is not the one that the run was judged on: its images or labels have changed, \
             or how they are read"
        )),
        _ => {}
    }
    Ok(TestSet { source, set: test, is_other })
}

/// Says so where a model file is that of a run which was trained on other data.
pub fn tell_other_training_set(model: &ModelSource, train: &Dataset) {
    let ModelSource::File(path) = model else { return };
    let run = path.parent().unwrap_or(Path::new("."));
    let recorded = read_recorded(run).ok().flatten().and_then(|recorded| recorded.train_digest);
    let (Some(recorded), Ok(file)) = (recorded, model.read()) else { return };
    // What the run kept for validation is no part of what it was trained on.
    let trained = file.training.split(train).map(|(trained, _)| trained.digest());
    if trained.is_ok_and(|trained| trained != recorded) {
        note(format_args!("note: this is not the training set of the run in `{}`", run.display()));
    }
}
