//! The builder of plans.

use std::collections::HashMap;

use super::place::Place;
use super::step::{Buffer, PlanError, Role, Stage, Step, Tensor};
use super::weights::WeightSpec;
use crate::data::Shape;
use crate::ops::{Dtype, MAX_ITERATIONS, Op, SumPartials};

/// Every tensor begins at a multiple of so many elements, the most that a kernel loads at once.
pub(crate) const ALIGNMENT: usize = 8;
/// Name of the buffer that holds the parts of sums.
pub(crate) const PARTIALS: &str = "partials";
/// Most elements of one tensor: byte offsets stay within 32 bits.
const MAX_ELEMENTS: usize = 1 << 30;

/// A plan under construction.
pub(crate) struct Builder {
    /// Most samples of a batch.
    pub(crate) batch: usize,
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) steps: Vec<Step>,
    scratch: usize,
    /// Buffers whose values a backward step reads as they are: nothing may be computed in place there.
    pub(super) read_back: Vec<usize>,
    /// What went into a layer's activation, where its gradient is computed from that.
    pub(super) activated: HashMap<String, Tensor>,
    /// What layers left for their ways back.
    left: HashMap<String, Tensor>,
    /// Steps that wait for the loss: name, op, and arguments before and behind it and the tripwire.
    late: Vec<(String, Op, Vec<Tensor>, Vec<Tensor>)>,
    /// What else of a batch is a sum over its samples, beside the gradients, and read by such steps.
    pub(crate) sums: Vec<Tensor>,
    /// Place of the buffer of zeros.
    zeros: Option<usize>,
    /// All weights.
    pub(crate) parameters: HashMap<String, Tensor>,
    /// Those of trainable weights.
    pub(crate) gradients: HashMap<String, Tensor>,
}

impl Builder {
    /// With room for these weights and their gradients; those that are not trained have a buffer of their own.
    pub(crate) fn new<'a>(weights: impl Iterator<Item = &'a WeightSpec>, batch: usize) -> Self {
        let mut builder = Builder {
            batch,
            buffers: Vec::new(),
            steps: Vec::new(),
            scratch: 0,
            read_back: Vec::new(),
            activated: HashMap::new(),
            left: HashMap::new(),
            late: Vec::new(),
            sums: Vec::new(),
            zeros: None,
            parameters: HashMap::new(),
            gradients: HashMap::new(),
        };
        let (trained, fixed): (Vec<_>, Vec<_>) = weights.partition(|weight| weight.trainable);
        // The update runs over the gaps between tensors too, where all is zero.
        let mut offset = 0;
        for weight in trained {
            let place = |buffer| Tensor { buffer, offset, shape: weight.shape.clone() };
            builder.parameters.insert(weight.name.clone(), place(0));
            builder.gradients.insert(weight.name.clone(), place(1));
            offset += weight.len().next_multiple_of(ALIGNMENT);
        }
        builder.buffer("parameters", Role::Parameters, Dtype::F32, offset);
        builder.buffer("gradients", Role::Gradients, Dtype::F32, offset);
        builder.scratch = builder.buffer(PARTIALS, Role::Scratch, Dtype::F32, ALIGNMENT);
        for weight in fixed {
            let tensor = builder.tensor(&weight.name, Role::Parameters, Dtype::F32, &weight.shape);
            builder.parameters.insert(weight.name.clone(), tensor);
        }
        builder
    }

    /// A buffer of so many elements; its place.
    pub(crate) fn buffer(&mut self, name: &str, role: Role, dtype: Dtype, len: usize) -> usize {
        self.buffers.push(Buffer { name: name.to_owned(), role, dtype, len });
        self.buffers.len() - 1
    }

    /// A tensor with a buffer of its own.
    pub(crate) fn tensor(&mut self, name: &str, role: Role, dtype: Dtype, shape: &[usize]) -> Tensor {
        // What is too large is refused with the step that takes it.
        let len = shape.iter().fold(1usize, |len, &dim| len.saturating_mul(dim)).min(usize::MAX / 2);
        Tensor {
            buffer: self.buffer(name, role, dtype, len.next_multiple_of(ALIGNMENT)),
            offset: 0,
            shape: shape.to_vec(),
        }
    }

    /// A step.
    ///
    /// # Errors
    /// When an argument is too large, or a sum too long for the kernels.
    pub(crate) fn step(
        &mut self,
        stage: Stage,
        name: String,
        op: impl Into<Op>,
        args: Vec<Tensor>,
    ) -> Result<(), PlanError> {
        self.add(stage, name, op.into(), args)
    }

    /// A step among the updates that does nothing where the tripwire forbids it. It reads `sums` over the samples of the batch, the losses
    /// and the tripwire, and changes what lies `behind` them.
    pub(crate) fn after_loss(
        &mut self,
        name: String,
        op: impl Into<Op>,
        sums: Vec<Tensor>,
        behind: Vec<Tensor>,
    ) {
        self.sums.extend(sums.iter().cloned());
        self.late.push((name, op.into(), sums, behind));
    }

    /// Adds the steps that waited for the loss.
    ///
    /// # Errors
    /// When a step is too large.
    pub(crate) fn add_late(&mut self, loss: &Tensor, tripwire: &Tensor) -> Result<(), PlanError> {
        for (name, op, mut args, behind) in std::mem::take(&mut self.late) {
            args.extend([loss.clone(), tripwire.clone()]);
            args.extend(behind);
            self.add(Stage::Update, name, op, args)?;
        }
        Ok(())
    }

    fn add(&mut self, stage: Stage, name: String, op: Op, args: Vec<Tensor>) -> Result<(), PlanError> {
        for arg in op.args() {
            let len = arg.shape.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim));
            if len.is_none_or(|len| len > MAX_ELEMENTS) {
                return Err(PlanError::TensorTooLarge {
                    step: name,
                    tensor: arg.name,
                    shape: arg.shape,
                    limit: MAX_ELEMENTS,
                    samples: self.batch,
                });
            }
        }
        if op.longest_loop() > MAX_ITERATIONS {
            return Err(PlanError::LoopTooLong {
                step: name,
                iterations: op.longest_loop(),
                limit: MAX_ITERATIONS,
            });
        }
        self.steps.push(Step { name, stage, op, args });
        Ok(())
    }

    /// A step whose last argument is a sum in parts; the parts are added by a step of their own where there are several.
    pub(crate) fn step_in_parts(
        &mut self,
        stage: Stage,
        name: String,
        op: impl Into<Op>,
        args: Vec<Tensor>,
        sum: Tensor,
    ) -> Result<(), PlanError> {
        self.add_in_parts(stage, name, op.into(), args, sum)
    }

    fn add_in_parts(
        &mut self,
        stage: Stage,
        name: String,
        op: Op,
        mut args: Vec<Tensor>,
        sum: Tensor,
    ) -> Result<(), PlanError> {
        let parts = op.split().map_or(1, |split| split.parts);
        if parts == 1 {
            args.push(sum);
            return self.add(stage, name, op, args);
        }
        let len = sum.len();
        let scratch = Tensor { buffer: self.scratch, offset: 0, shape: vec![parts, len] };
        let buffer = &mut self.buffers[self.scratch];
        buffer.len = buffer.len.max(parts.saturating_mul(len).next_multiple_of(ALIGNMENT));
        args.push(scratch.clone());
        self.add(stage, name.clone(), op, args)?;
        let op = SumPartials { parts, len };
        self.step(stage, format!("{name}.sum"), op, vec![scratch, sum])
    }

    /// Lets nothing be computed in place of this tensor.
    pub(crate) fn keep(&mut self, tensor: &Tensor) {
        self.read_back.push(tensor.buffer);
    }

    /// A weight of the layer, by the layer's own name for it.
    pub(crate) fn weight(&self, place: &Place<'_>, what: &str) -> Tensor {
        self.parameters[&place.weight(what)].clone()
    }

    /// The gradient of a weight of the layer, if it is trained.
    pub(crate) fn trained(&self, place: &Place<'_>, what: &str) -> Option<Tensor> {
        self.gradients.get(&place.weight(what)).cloned()
    }

    /// So many zeros, which nothing writes.
    pub(crate) fn zeros(&mut self, len: usize) -> Tensor {
        let buffer = match self.zeros {
            Some(buffer) => buffer,
            None => self.buffer("zeros", Role::Zeros, Dtype::F32, 0),
        };
        self.zeros = Some(buffer);
        let room = &mut self.buffers[buffer].len;
        *room = (*room).max(len.next_multiple_of(ALIGNMENT));
        Tensor { buffer, offset: 0, shape: vec![len] }
    }

    /// The output of the layer.
    pub(crate) fn output(&mut self, place: &Place<'_>) -> Tensor {
        let shape = self.batched(place.output);
        self.tensor(place.name, Role::Activation, Dtype::F32, &shape)
    }

    /// The dimensions of a batch of samples of this shape.
    pub(crate) fn batched(&self, shape: Shape) -> Vec<usize> {
        [&[self.batch], &shape.dims()[..]].concat()
    }

    /// The gradient of an input of the layer, x.
    pub(crate) fn input_gradient(&mut self, place: &Place<'_>, number: usize, x: &Tensor) -> Tensor {
        let number = if number == 0 { String::new() } else { format!("_{number}") };
        let name = format!("d_{}.input{number}", place.name);
        self.tensor(&name, Role::ActivationGradient, Dtype::F32, &x.shape)
    }

    /// A tensor in which the layer leaves something of each sample for its way back.
    pub(crate) fn leave(&mut self, place: &Place<'_>, what: &str, dtype: Dtype, shape: &[usize]) -> Tensor {
        self.leave_as(Role::Activation, place, what, dtype, shape)
    }

    /// A tensor in which the layer leaves so many numbers of the whole batch for its way back.
    pub(crate) fn leave_statistics(&mut self, place: &Place<'_>, what: &str, len: usize) -> Tensor {
        self.leave_as(Role::Statistics, place, what, Dtype::F32, &[len])
    }

    fn leave_as(
        &mut self,
        role: Role,
        place: &Place<'_>,
        what: &str,
        dtype: Dtype,
        shape: &[usize],
    ) -> Tensor {
        let name = place.weight(what);
        let tensor = self.tensor(&name, role, dtype, shape);
        self.left.insert(name, tensor.clone());
        tensor
    }

    /// Remembers a tensor by the name of what reads it, for the way back.
    pub(crate) fn hold(&mut self, name: &str, tensor: &Tensor) {
        self.left.insert(name.to_owned(), tensor.clone());
    }

    /// The tensor that is remembered by this name.
    pub(crate) fn held(&self, name: &str) -> Tensor {
        self.left[name].clone()
    }

    /// What the layer left there on its way forward.
    pub(crate) fn left(&self, place: &Place<'_>, what: &str) -> Tensor {
        self.left[&place.weight(what)].clone()
    }
}
