//! Cross-validation: how good a model is, and by how much that varies with the samples.

use std::collections::BTreeMap;

use serde::Serialize;

use super::callback::Callback;
use super::callbacks::on_epoch_end;
use super::compile::Compile;
use super::metrics::Judgement;
use super::model::Model;
use super::options::FitOptions;
use super::records::{Evaluation, FoldResult, StopReason, Stopped};
use crate::data::folds::{folds_of, hold_out};
use crate::data::{Dataset, TargetKind};
use crate::device::Device;
use crate::error::Error;
use crate::model::Sequential;

/// A mean, and how far the values spread around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation: the root of `sum (x - mean)^2 / (n - 1)`.
    pub deviation: f64,
}

impl Spread {
    /// Of at least two values; a single one has deviation 0, and the mean of none is NaN.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Spread { mean, deviation: (squares / (n - 1.0).max(1.0)).sqrt() }
    }
}

/// The result of a cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CrossValidation {
    /// The model's name.
    pub model: String,
    /// The number of its weights.
    pub parameters: usize,
    /// Over the folds that did not diverge; `None` where targets are no classes.
    pub accuracy: Option<Spread>,
    /// Where targets are no classes, the metrics by name, over the same folds: those that each of these has.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<&'static str, Spread>,
    /// Over these folds.
    pub loss: Spread,
    /// Training time of one of these folds in seconds.
    pub seconds: Spread,
    /// Each fold.
    pub folds: Vec<FoldResult>,
}

/// Trains a model once per fold, from the same initial weights, on the samples of the other folds, and evaluates it
/// on that fold. The folds are those of [`folds_of`] with the seed of `compile`.
///
/// Without a validation set or split in `options`, the fold is also the validation set of its epochs. Early stopping
/// and the like then choose by the samples that the score is computed on, so the score is too good. With
/// `validation_split` they choose by a part of the other folds.
///
/// A fold whose training diverges has no score; the others are trained all the same.
///
/// `callback` gets the folds one after another; each begins with `on_train_begin` and ends with `on_train_end` and, once it is evaluated,
/// `on_fold_end`. What it [requests](Callback::requests) counts for the fold that is trained: a reason to stop ends that fold, which is
/// evaluated as it is, and the next one begins. If it is [interrupted](Callback::interrupted), no further fold is trained.
///
/// # Errors
/// When the folds cannot be made, or as [`fit`](super::Model::fit) but for [`Error::Diverged`]. [`Error::Interrupted`] where training was
/// interrupted: there is no mean over fewer folds than were asked for, and `on_fold_end` had the scores of those before.
pub fn cross_validate(
    model: &Sequential,
    device: &Device,
    compile: Compile,
    data: &Dataset,
    folds: usize,
    options: &FitOptions,
    callback: &mut dyn Callback,
) -> Result<CrossValidation, Error> {
    cross_validate_on(model, device, compile, data, &folds_of(data, folds, compile.seed)?, options, callback)
}

/// [`cross_validate`] on these folds: the numbers of the samples of each, ascending.
///
/// # Errors
/// As [`cross_validate`].
pub fn cross_validate_on(
    model: &Sequential,
    device: &Device,
    compile: Compile,
    data: &Dataset,
    folds: &[Vec<u32>],
    options: &FitOptions,
    callback: &mut dyn Callback,
) -> Result<CrossValidation, Error> {
    let mut results = Vec::with_capacity(folds.len());
    for fold in 0..folds.len() {
        let (train, held) = hold_out(data, folds, fold)?;
        let mut options = options.clone();
        if options.validation.is_none() && options.validation_split.is_none() {
            options.validation = Some(held.clone());
        }
        // Warnings are the same for every fold.
        let mut compiled = match fold {
            0 => model.compile(device, compile)?,
            _ => model.compile_silently(device, compile)?,
        };
        let result = result_of(fold + 1, &mut compiled, [&train, &held], &options, callback)?;
        let Some(result) = result else {
            return Err(Error::Interrupted { fold: fold + 1, folds: folds.len() });
        };
        callback.on_fold_end(&result)?;
        results.push(result);
    }
    let judged: Vec<&FoldResult> = results.iter().filter(|fold| fold.diverged.is_none()).collect();
    let spread =
        |of: fn(&FoldResult) -> f64| Spread::of(&judged.iter().map(|&fold| of(fold)).collect::<Vec<_>>());
    let accuracy: Option<Vec<f64>> = judged.iter().map(|fold| fold.accuracy).collect();
    let accuracy = accuracy.filter(|_| data.target() == TargetKind::Classes);
    Ok(CrossValidation {
        model: model.name.clone(),
        parameters: model.network()?.parameter_count(),
        accuracy: accuracy.map(|values| Spread::of(&values)),
        metrics: spreads(&judged),
        loss: spread(|fold| fold.loss),
        seconds: spread(|fold| fold.seconds),
        folds: results,
    })
}

/// Trains a model on all folds but the one that is held out, and evaluates it on that one; `None` where training was interrupted.
fn result_of(
    fold: usize,
    model: &mut Model,
    [train, held]: [&Dataset; 2],
    options: &FitOptions,
    callback: &mut dyn Callback,
) -> Result<Option<FoldResult>, Error> {
    // Kept here, since training that diverges returns no history.
    let mut history = Vec::new();
    let keep = on_epoch_end(|record| {
        history.push(*record);
        Ok(())
    });
    let trained = model.fit(train, options, &mut (keep, callback));
    let mut metrics = BTreeMap::new();
    let is_interrupted = |stopped: &Stopped| stopped.reason == StopReason::Interrupted;
    let (judged, stopped, diverged) = match trained {
        Ok(trained) if trained.stopped.as_ref().is_some_and(is_interrupted) => return Ok(None),
        Ok(trained) => {
            let judged = model.evaluate(held)?;
            metrics = figures(model, held)?;
            (judged, trained.stopped, None)
        }
        Err(Error::Diverged(divergence)) => {
            let accuracy = (held.target() == TargetKind::Classes).then_some(f64::NAN);
            (Evaluation { loss: f64::NAN, accuracy }, None, Some(divergence.to_string()))
        }
        Err(error) => return Err(error),
    };
    Ok(Some(FoldResult {
        fold,
        loss: judged.loss,
        accuracy: judged.accuracy,
        metrics,
        seconds: history.iter().map(|epoch| epoch.seconds).sum(),
        stopped,
        diverged,
        history,
    }))
}

/// The metrics of targets that are no classes; of classes the accuracy, which evaluation has already, stands for all.
fn figures(model: &mut Model, held: &Dataset) -> Result<BTreeMap<&'static str, f64>, Error> {
    if held.target() == TargetKind::Classes {
        return Ok(BTreeMap::new());
    }
    let predictions = model.predict_data(held)?;
    Ok(Judgement::new(&predictions, held, 1)?.figures())
}

/// Of each metric that all folds have.
fn spreads(folds: &[&FoldResult]) -> BTreeMap<&'static str, Spread> {
    let names = folds.first().into_iter().flat_map(|fold| fold.metrics.keys());
    let spread = |&name: &&'static str| {
        let values: Option<Vec<f64>> = folds.iter().map(|fold| fold.metrics.get(name).copied()).collect();
        values.map(|values| (name, Spread::of(&values)))
    };
    names.filter_map(spread).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_that_of_a_sample() {
        let found = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(found.mean, 5.0);
        assert!((found.deviation - (32.0f64 / 7.0).sqrt()).abs() < 1e-15);
        assert_eq!(Spread::of(&[3.0]).deviation, 0.0);
        assert!(Spread::of(&[]).mean.is_nan());
    }
}
