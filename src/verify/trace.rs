//! Where do they part? Real training steps, each plan step of each on a device and as its twin, from the same numbers.
//!
//! The device's own results go on to the next step, so that it walks the way that it walks in training; every plan step
//! on this way starts both from the same arguments. So errors do not pile up, and the bounds are those of
//! [`verify`](super::verify): the first step that leaves its bound is the one that computes wrongly.

use serde::Serialize;

use super::band::Band;
use super::bench::Bench;
use super::case::Case;
use super::compare;
use crate::data::{DataPart, Dataset, Transform};
use crate::executor::{ExecutorError, check_data, check_form};
use crate::gpu::{Checks, Gpu, GpuError};
use crate::model::Weights;
use crate::ops::OtherArguments;
use crate::ops::kit::{Argument, Expected, UNWRITTEN, Values};
use crate::plan::{Access, ArgSpec, BatchParams, Dtype, Phase, Plan, Role, Step, Tensor};

/// What is trained on.
#[derive(Debug, Clone, Copy)]
pub struct TraceInput<'a> {
    /// The first weights.
    pub weights: &'a Weights,
    /// The data set.
    pub data: &'a Dataset,
    /// Numbers of samples, in the order in which they are taken.
    pub order: &'a [u32],
    /// One row per training step.
    pub rows: &'a [BatchParams],
    /// How each sample of the order is changed, where the plan augments.
    pub transforms: &'a [Transform],
}

/// One plan step of one training step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TracedStep {
    /// Training step, counted from 1.
    pub training_step: usize,
    /// The plan step.
    pub step: String,
    /// Its kind.
    pub kind: &'static str,
    /// The kernel that ran it.
    pub variant: &'static str,
    /// The argument with the worst element: the one whose error takes the largest share of its bound.
    pub output: String,
    /// Error of that element; infinite (`null` in JSON) where no finite number came back.
    pub largest_error: f64,
    /// What is allowed there; 0 where the result must be exact.
    pub bound: f64,
    /// What is wrong, if anything is.
    pub problem: Option<String>,
}

/// Walks through training steps until a plan step leaves its bound; returns what it saw, that step last.
///
/// # Errors
/// When the data does not fit the plan, the device fails, or a step has no kernel.
pub fn trace(
    gpu: &Gpu,
    plan: &Plan,
    input: &TraceInput<'_>,
    on_step: &mut dyn FnMut(&TracedStep),
) -> Result<Vec<TracedStep>, GpuError> {
    let mut memory = Memory::new(gpu, plan, input)?;
    let mut seen = Vec::new();
    for (training_step, row) in (1..).zip(input.rows) {
        for (_, step) in plan.steps_of(Phase::Train) {
            let Ran { variant, bands, expected, got, .. } = memory.run(gpu, step, row)?;
            let mut traced = TracedStep {
                training_step,
                step: step.name.clone(),
                kind: step.op.kind(),
                variant,
                output: String::new(),
                largest_error: f64::INFINITY,
                bound: 0.0,
                problem: None,
            };
            match expected {
                Ok(expected) => {
                    let finding = compare::judge(&bands, &expected, &got);
                    traced.output = finding.name.to_owned();
                    (traced.largest_error, traced.bound) = (finding.error, finding.bound);
                    traced.problem = finding.problem;
                }
                Err(error) => traced.problem = Some(error.to_string()),
            }
            on_step(&traced);
            let parted = traced.problem.is_some();
            seen.push(traced);
            if parted {
                return Ok(seen);
            }
            memory.keep_all(step, &bands, &got);
        }
    }
    Ok(seen)
}

/// A plan step that ran on a device and as its twin, from the same arguments.
pub(super) struct Ran {
    pub(super) variant: &'static str,
    /// The arguments before the step.
    pub(super) arguments: Vec<Argument>,
    pub(super) bands: Vec<Band>,
    pub(super) expected: Result<Vec<Expected>, OtherArguments>,
    /// The words of each band after it.
    pub(super) got: Vec<Vec<u32>>,
}

/// The buffers of a plan, on the host.
pub(super) struct Memory {
    buffers: Vec<Values>,
}

impl Memory {
    /// As they are before the first step.
    ///
    /// # Errors
    /// When the data does not fit the plan.
    pub(super) fn new(gpu: &Gpu, plan: &Plan, input: &TraceInput<'_>) -> Result<Self, GpuError> {
        let unfit = |error: ExecutorError| GpuError::Unsupported {
            adapter: gpu.name().to_owned(),
            problem: error.to_string(),
        };
        check_data(&plan.network, input.data).map_err(unfit)?;
        let data = check_form(plan, input.data).map_err(unfit)?;
        Ok(Memory::of(plan, &TraceInput { data: &data, ..*input }))
    }

    fn of(plan: &Plan, input: &TraceInput<'_>) -> Self {
        let buffer = |(place, buffer): (usize, &crate::plan::Buffer)| match (buffer.role, buffer.dtype) {
            (Role::Table, _) => Values::Floats(plan.network.byte_table().to_vec()),
            (Role::Order, _) => Values::Integers(input.order.to_vec()),
            (Role::Transforms, _) => Values::Floats(input.transforms.as_flattened().to_vec()),
            (Role::Metrics, Dtype::F32) => Values::Floats(vec![0.0; input.rows.len()]),
            (Role::Metrics, _) => Values::Integers(vec![0; input.rows.len()]),
            (Role::Data(part), Dtype::F32) => Values::Floats(words(input.data, part)),
            (Role::Data(part), Dtype::U32) => Values::Integers(words(input.data, part)),
            (Role::Data(part), Dtype::Bytes) => Values::Bytes(input.data.records(part).padded().into_owned()),
            (_, Dtype::F32) => Values::Floats(floats(plan, place, input.weights)),
            (_, _) => Values::Integers(vec![0; buffer.len]),
        };
        Memory { buffers: plan.buffers.iter().enumerate().map(buffer).collect() }
    }

    /// Runs a step for a row of the batch table.
    ///
    /// # Errors
    /// When it has no kernel, or the device fails.
    pub(super) fn run(&self, gpu: &Gpu, step: &Step, row: &BatchParams) -> Result<Ran, GpuError> {
        let case = Case { batch: *row, ..step.op.case() };
        let Some(kernel) = gpu.kernel(&step.op) else {
            let problem = format!("no kernel for step `{}`", step.name);
            return Err(GpuError::Unsupported { adapter: gpu.name().to_owned(), problem });
        };
        let specs = step.op.args();
        let arguments: Vec<Argument> =
            specs.iter().zip(&step.args).map(|(spec, tensor)| self.argument(spec, tensor)).collect();
        let in_place = specs.iter().any(|spec| spec.access == Access::InOut);
        let bands: Vec<Band> =
            arguments.iter().zip(0..).map(|(argument, at)| Band::new(argument, at, in_place)).collect();
        let expected = case.expect(&arguments);
        let bench = Bench::new(gpu, &case, &bands)?;
        let got = bench.run(&bench.ready(&kernel, Checks::Off)?)?;
        Ok(Ran { variant: kernel.variant, arguments, bands, expected, got })
    }

    /// Takes what a step left in all that it writes.
    pub(super) fn keep_all(&mut self, step: &Step, bands: &[Band], got: &[Vec<u32>]) {
        for ((tensor, band), words) in step.args.iter().zip(bands).zip(got) {
            if band.spec.access != Access::In {
                self.keep(tensor, &words[band.range()]);
            }
        }
    }

    /// A tensor as an argument; what a step only writes holds nothing that could be taken for its result.
    fn argument(&self, spec: &ArgSpec, tensor: &Tensor) -> Argument {
        let values = match &self.buffers[tensor.buffer] {
            Values::Floats(all) => {
                let range = range(tensor, all.len());
                Values::Floats(match spec.access {
                    Access::Out => vec![f32::from_bits(UNWRITTEN); range.len()],
                    _ => all[range].to_vec(),
                })
            }
            Values::Integers(all) => {
                let range = range(tensor, all.len());
                Values::Integers(match spec.access {
                    Access::Out => vec![UNWRITTEN; range.len()],
                    _ => all[range].to_vec(),
                })
            }
            Values::Bytes(all) => Values::Bytes(all.clone()),
        };
        Argument { spec: spec.clone(), values }
    }

    /// Takes what a step left in a tensor.
    fn keep(&mut self, tensor: &Tensor, words: &[u32]) {
        match &mut self.buffers[tensor.buffer] {
            Values::Floats(all) => {
                let range = range(tensor, all.len());
                all[range].copy_from_slice(bytemuck::cast_slice(words));
            }
            Values::Integers(all) => {
                let range = range(tensor, all.len());
                all[range].copy_from_slice(words);
            }
            Values::Bytes(_) => {}
        }
    }
}

/// A part of a data set that has whole words.
fn words<W: bytemuck::Pod>(data: &Dataset, part: DataPart) -> Vec<W> {
    bytemuck::pod_collect_to_vec(data.records(part).bytes)
}

/// The tensor's place in its buffer; all of it where the data set decides its length.
fn range(tensor: &Tensor, len: usize) -> std::ops::Range<usize> {
    if tensor.is_empty() { 0..len } else { tensor.offset..tensor.offset + tensor.len() }
}

/// A buffer of floats: zeros, and the weights where they belong.
fn floats(plan: &Plan, place: usize, weights: &Weights) -> Vec<f32> {
    let mut values = vec![0.0; plan.buffers[place].len];
    for (tensor, weight) in plan.parameters.iter().zip(weights.tensors()) {
        if tensor.buffer == place {
            values[tensor.offset..tensor.offset + tensor.len()].copy_from_slice(&weight.values);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::batches::epoch_order;
    use crate::device::{Device, DeviceChoice};
    use crate::model::{Activation, Conv2D, Dense, Flatten, Loss, MaxPooling2D, Optimizer, Sequential};

    fn data() -> Dataset {
        let images = (0..12 * 64).map(|at| (at * 37 % 251) as u8).collect();
        Dataset::new(images, (0..12).map(|at| at % 3).collect(), [8, 8, 1], 3).unwrap()
    }

    fn plan() -> Plan {
        let network = Sequential::new([8, 8, 1])
            .add(Conv2D::new(4, 3).activation(Activation::Relu))
            .add(MaxPooling2D::new(2))
            .add(Flatten::new())
            .add(Dense::new(3).activation(Activation::Softmax))
            .network()
            .unwrap();
        Plan::build(&network, Loss::default(), Optimizer::default(), 4).unwrap()
    }

    fn traced(plan: &Plan, weights: &Weights) -> Vec<TracedStep> {
        let Device::Gpu(gpu) = Device::open(&DeviceChoice::Software).unwrap().0 else { unreachable!() };
        let (data, order) = (data(), epoch_order(12, 0, Some(1)));
        let mut rows = BatchParams::of_pass(12, 4, 1e-2);
        rows.iter_mut().for_each(|row| row.training = 1);
        let input = TraceInput { weights, data: &data, order: &order, rows: &rows[..2], transforms: &[] };
        trace(&gpu, plan, &input, &mut |_| {}).unwrap()
    }

    #[test]
    fn every_step_of_sound_training_is_within_its_bound() {
        for plan in [plan(), plan().fuse()] {
            let seen = traced(&plan, &plan.network.initial_weights(3));
            assert_eq!(seen.len(), 2 * plan.steps_of(Phase::Train).count());
            assert!(seen.iter().all(|step| step.problem.is_none()), "{seen:?}");
        }
    }

    /// The largest weights there are make an infinite sum: of it, and of no step before, it can be told.
    #[test]
    fn the_first_bad_step_is_told() {
        let mut tensors = plan().network.initial_weights(3).tensors().to_vec();
        let dense = tensors.iter_mut().find(|tensor| tensor.name == "dense.kernel").unwrap();
        dense.values.fill(f32::MAX);
        let weights = Weights::new(&plan().network, tensors).unwrap();
        let seen = traced(&plan(), &weights);
        let (last, before) = seen.split_last().unwrap();
        assert_eq!((last.training_step, last.step.as_str()), (1, "dense/matmul"), "{last:?}");
        assert!(last.problem.is_some() && before.iter().all(|step| step.problem.is_none()), "{seen:?}");
    }
}
