//! The interface of every executor of a plan.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use crate::data::{DataForm, Dataset, Shape, TargetKind, Transform};
use crate::message::debug_is_message;
use crate::model::Network;
use crate::ops::OtherArguments;
use crate::plan::{BatchParams, Phase, Plan, Role, Tensor};
use crate::profile::{Profile, ProfileSoFar, Sampling, StepTimes};

/// An error of an executor.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// A pass was run without the data that it reads.
    #[error("no data set was given for this pass; call `set_data` first")]
    NoData,
    /// A data set's samples do not fit the model.
    #[error(
        "the data set's {} {data}{}, but the model's input_shape is {model}; \
         {}",
        if data.image().is_some() { "images are" } else { "samples are" },
        if data.image().is_some() { " (height, width, channels)" } else { " (features)" },
        other_shape(*data, *model)
    )]
    DataShape {
        /// Of the data set.
        data: Shape,
        /// Of the model.
        model: Shape,
    },
    /// A data set's targets are of another kind than the model's.
    #[error(
        "the data set's targets are {data}, but the model's target is {model}; set target = \"{data}\" in the model \
         file (in Rust `.target(..)`), with outputs and a loss that suit it, or use other data"
    )]
    Target {
        /// Of the data set.
        data: TargetKind,
        /// Of the model.
        model: TargetKind,
    },
    /// A data set's targets have more or fewer numbers than the model has outputs.
    #[error(
        "the data set's targets have {data} numbers each, but the outputs of the model are {model}; give its last layer {data} units"
    )]
    TargetWidth {
        /// Of the data set.
        data: usize,
        /// Of the model.
        model: usize,
    },
    /// A data set is of another form than the plan was made for.
    #[error(
        "the plan reads data sets of the form {plan:?}, but this one is of the form {data:?}; make a plan for its form"
    )]
    Form {
        /// Of the data set.
        data: DataForm,
        /// Of the plan.
        plan: DataForm,
    },
    /// There are labels beyond the model's outputs.
    #[error("the data set has {data} classes, but the model's last layer has {model} units; give it {data}")]
    Classes {
        /// Of the data set.
        data: usize,
        /// Of the model.
        model: usize,
    },
    /// There are more than two classes for a single sigmoid unit.
    #[error(
        "the data set has {data} classes, but the model's last layer `{layer}` is a single sigmoid unit, which tells two \
         classes apart, labelled 0 and 1; give it {data} units with activation softmax and the model the loss \
         categorical_crossentropy, or give it data of two classes{}",
        if *.from_one { " (if the first class is labelled 1, load the data with `first_label` 1)" } else { "" }
    )]
    NotBinary {
        /// Of the data set.
        data: usize,
        /// The last layer's name.
        layer: String,
        /// Whether there are three classes of which the first has no sample.
        from_one: bool,
    },
    /// The labels exceed the model's outputs by one, and begin above 0.
    #[error(
        "the labels of the data set run up to {model} and none is 0, which makes {data} classes, but the model's last \
         layer has {model} units; give the layer {data} units, or, if the first class is labelled 1, load the data with \
         `first_label` 1"
    )]
    LabelsFromOne {
        /// Classes of the data set.
        data: usize,
        /// Of the model.
        model: usize,
    },
    /// A pass refers to samples or rows that do not exist.
    #[error("row {row} of the pass: {problem}")]
    Pass {
        /// The row of the batch table.
        row: usize,
        /// What is out of range.
        problem: String,
    },
    /// A tensor was to be overwritten by values of another number.
    #[error("a tensor of {expected} values was given {got}")]
    Length {
        /// Of the tensor.
        expected: usize,
        /// Of the values.
        got: usize,
    },
    /// The tensors of a step are not the arguments of its op.
    #[error("step `{step}`: {error}")]
    Arguments {
        /// The step of the plan.
        step: String,
        /// What is wrong.
        error: OtherArguments,
    },
    /// The device that it runs on failed.
    #[error(transparent)]
    Device(Arc<dyn std::error::Error + Send + Sync>),
}

debug_is_message!(ExecutorError);

impl ExecutorError {
    /// The device's own error, if it is of this type.
    pub fn device<E: std::error::Error + 'static>(&self) -> Option<&E> {
        match self {
            ExecutorError::Device(error) => error.downcast_ref(),
            _ => None,
        }
    }
}

/// Which of an executor's data sets a pass reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSlot {
    /// The set to train on.
    Training,
    /// The set to evaluate on.
    Evaluation,
}

/// A sequence of batches.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// Which steps of the plan run.
    pub phase: Phase,
    /// Where samples come from.
    pub data: DataSlot,
    /// Numbers of samples, in the order in which they are used.
    pub order: &'a [u32],
    /// One row per batch; `slot` counts them from 0. In a pass of micro-batches, one row for each of them that this executor computes, as
    /// many for every batch, with the slot of the batch; one without samples is not run.
    pub batches: &'a [BatchParams],
    /// How each sample of the order is transformed where the plan augments; not needed outside training.
    pub transforms: &'a [Transform],
}

impl Pass<'_> {
    /// Refuses a pass that would exceed the plan's batch or the data: the kernels run unchecked.
    pub(crate) fn check(&self, plan: &Plan, samples: usize) -> Result<(), ExecutorError> {
        if let Some(sample) = self.order.iter().find(|&&sample| sample as usize >= samples) {
            let problem = format!("the order names sample {sample}, but the data set has {samples}");
            return Err(ExecutorError::Pass { row: 0, problem });
        }
        let augments = plan.buffer_with(Role::Transforms).is_some();
        for (row, params) in self.batches.iter().enumerate() {
            let transformed = params.position as usize + params.batch_size as usize;
            let end = params.first as usize + params.batch_size as usize;
            let least = u32::from(!plan.in_parts);
            let problem = if params.batch_size < least || params.batch_size as usize > plan.batch {
                format!("batch size {} is not between {least} and {}", params.batch_size, plan.batch)
            } else if end > self.order.len() {
                format!("it ends at place {end} of an order of {}", self.order.len())
            } else if augments && params.training != 0 && transformed > self.transforms.len() {
                format!("it ends at image {transformed} of {} transforms", self.transforms.len())
            } else if params.slot as usize >= self.batches.len() {
                format!("slot {} is not below {}", params.slot, self.batches.len())
            } else {
                continue;
            };
            return Err(ExecutorError::Pass { row, problem });
        }
        Ok(())
    }
}

/// What to do about a shape that is not the model's.
fn other_shape(data: Shape, model: Shape) -> &'static str {
    match (data.image(), model.image()) {
        (Some(_), None) => {
            "for images change input_shape in the model file, and begin the model with a Flatten; rows of numbers are read from \
             tables and arrays (docs/data.md)"
        }
        _ => "change input_shape in the model file or give it other data",
    }
}

/// Refuses a data set whose samples or targets do not fit the network.
pub(crate) fn check_data(network: &Network, data: &Dataset) -> Result<(), ExecutorError> {
    if data.shape() != network.input_shape {
        return Err(ExecutorError::DataShape { data: data.shape(), model: network.input_shape });
    }
    if data.target() != network.target {
        return Err(ExecutorError::Target { data: data.target(), model: network.target });
    }
    if network.target != TargetKind::Classes {
        let (data, model) = (data.classes(), network.outputs());
        return if data == model { Ok(()) } else { Err(ExecutorError::TargetWidth { data, model }) };
    }
    let (data, model, from_zero) = (data.classes(), network.classes(), data.labels().contains(&0));
    match data {
        _ if data <= model => Ok(()),
        _ if network.is_binary() => {
            let layer = network.layers.last().map_or_else(String::new, |layer| layer.name.clone());
            Err(ExecutorError::NotBinary { data, layer, from_one: data == model + 1 && !from_zero })
        }
        _ if data == model + 1 && !from_zero => Err(ExecutorError::LabelsFromOne { data, model }),
        _ => Err(ExecutorError::Classes { data, model }),
    }
}

/// A data set as a plan reads it: with a weight of 1 for each sample where it reads weights and there are none.
///
/// Errors: [`ExecutorError::Form`] where it is held otherwise than the plan takes it.
pub(crate) fn check_form<'a>(plan: &Plan, data: &'a Dataset) -> Result<Cow<'a, Dataset>, ExecutorError> {
    let weighed = data.weighed(plan.form.weighted);
    match weighed.form() == plan.form {
        true => Ok(weighed),
        false => Err(ExecutorError::Form { data: data.form(), plan: plan.form }),
    }
}

/// Metrics of one batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchMetrics {
    /// Mean loss over the batch, before the update.
    pub loss: f32,
    /// Samples whose largest output is the right one.
    pub correct: u32,
}

/// How far a pass got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ran {
    /// How many batches ran: the first ones of the pass, up to the one that diverged, if one did.
    pub rows: usize,
    /// The row whose loss, or some gradient, was not finite, if its rows are guarded ([`BatchParams::guarded`]). With
    /// a bad loss nothing was updated; with a bad gradient, only weights whose own gradients were finite.
    pub tripped: Option<usize>,
}

/// What a micro-batch adds to its batch.
#[derive(Debug, Clone, Copy)]
pub struct Summands<'a> {
    /// The tensors of [`Plan::summands`], one behind another.
    pub values: &'a [f32],
    /// Its share of the batch's mean loss.
    pub loss: f32,
    /// Its samples whose largest output is the right one.
    pub correct: u32,
    /// The batch of the pass in which the update tripped, if one did before.
    pub tripped: Option<usize>,
}

/// What a step of the plan wrote: the index of the argument, and its floats.
pub type Written = (usize, Vec<f32>);

/// Refuses values for a tensor of another length.
pub(crate) fn check_len(tensor: &Tensor, values: &[f32]) -> Result<(), ExecutorError> {
    check_count(tensor.len(), values.len())
}

/// Refuses so many values where others are expected.
pub(crate) fn check_count(expected: usize, got: usize) -> Result<(), ExecutorError> {
    if got == expected { Ok(()) } else { Err(ExecutorError::Length { expected, got }) }
}

/// Runs a plan on one device, in memory that it allocated when it was created.
pub trait Executor: Send {
    /// The plan.
    fn plan(&self) -> &Plan;

    /// Replaces the data set in this slot. It is uploaded as a whole if it fits the device; otherwise it stays on the
    /// host, and its samples are uploaded batch by batch. Results are the same to the bit.
    ///
    /// # Errors
    /// When its samples or targets do not fit the plan's network, its form is not the plan's, or not even one batch fits the device.
    fn set_data(&mut self, slot: DataSlot, data: &Dataset) -> Result<(), ExecutorError>;

    /// Keeps data sets that are set from now on on the host, even if they fit the device.
    fn keep_on_host(&mut self) {}

    /// Overwrites a tensor of floats.
    ///
    /// # Errors
    /// When there are more or fewer values than it has, or the device fails.
    fn write(&mut self, tensor: &Tensor, values: &[f32]) -> Result<(), ExecutorError>;

    /// Reads a tensor of floats back.
    fn read(&mut self, tensor: &Tensor) -> Result<Vec<f32>, ExecutorError>;

    /// Runs a pass to its end, or until `on_metrics` breaks: then no further batches are started. `on_metrics` gets
    /// the metrics of every batch, in order, some time after it ran; never in [`Phase::Predict`]. After a row that
    /// diverged nothing more is updated, and no further metrics are reported.
    ///
    /// # Errors
    /// When there is no data in the slot, the pass reaches past it, or the device fails.
    fn run(
        &mut self,
        pass: &Pass<'_>,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics) -> ControlFlow<()>,
    ) -> Result<Ran, ExecutorError>;

    /// Readies a training pass of micro-batches, for a plan that is [`in_parts`](Plan::in_parts).
    ///
    /// # Errors
    /// When there is no data in the training slot, the pass reaches past it, or the device fails.
    fn begin(&mut self, pass: &Pass<'_>) -> Result<(), ExecutorError>;

    /// Computes the gradients of some rows of the pass that was readied, one after another, and hands what each adds to its batch to
    /// `take`, in order. With `is_first` the first row is the first micro-batch of its batch, whose loss takes the penalties.
    ///
    /// # Errors
    /// When the device fails.
    fn gradients(
        &mut self,
        pass: &Pass<'_>,
        rows: Range<usize>,
        is_first: bool,
        times: &mut StepTimes,
        take: &mut dyn FnMut(&Summands<'_>),
    ) -> Result<(), ExecutorError>;

    /// Ends a batch of the pass, of which this is a row: writes the sums over its micro-batches, laid out as [`Summands::values`], and its
    /// loss, and runs what follows them in the plan.
    ///
    /// # Errors
    /// When there are more or fewer values than the plan adds up, or the device fails.
    fn update(
        &mut self,
        pass: &Pass<'_>,
        row: usize,
        values: &[f32],
        loss: f32,
        times: &mut StepTimes,
    ) -> Result<(), ExecutorError>;

    /// The batch of the pass of micro-batches in which an update tripped, if one did.
    ///
    /// # Errors
    /// When the device fails.
    fn tripped(&mut self) -> Result<Option<usize>, ExecutorError>;

    /// Runs the first row of a training pass step by step. `on_step` gets the index of each step in the plan and the
    /// floats that it wrote (of the metrics, only this row's), until it breaks.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    fn step_by_step(
        &mut self,
        pass: &Pass<'_>,
        on_step: &mut dyn FnMut(usize, &[Written]) -> ControlFlow<()>,
    ) -> Result<(), ExecutorError>;

    /// Measures training passes from now on, with this sampling; earlier measurements are kept. What is measured can be looked at
    /// meanwhile. The same kernels run in the same order as without measuring: no bit of a result changes.
    ///
    /// # Errors
    /// When the device has no memory for it.
    fn profile(&mut self, sampling: Sampling) -> Result<ProfileSoFar, ExecutorError>;

    /// Ends measuring and returns the measurements; `None` if nothing was measured.
    fn take_profile(&mut self) -> Option<Profile>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_must_be_as_many_as_the_tensor_has() {
        let tensor = Tensor { buffer: 0, offset: 0, shape: vec![1, 2] };
        assert!(check_len(&tensor, &[0.0; 2]).is_ok());
        for len in [0, 1, 3] {
            let error = check_len(&tensor, &vec![0.0; len]).unwrap_err();
            assert_eq!(error.to_string(), format!("a tensor of 2 values was given {len}"));
        }
    }
}
