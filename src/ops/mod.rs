//! Ops: what one step of a plan computes, and all that is said of it.
//!
//! An op has one room: a file, or a folder of its name. There stand its formula, its sizes, its arguments in binding order,
//! how its long sums are cut, its cost, the constants and rows of its kernels, its twin in plain Rust, the cases that
//! `verify` tries, and the bound of its errors. `kit` is what all of that is written with; it knows no op. The executors and
//! `verify` run what stands here and know no op either.
//!
//! A new op is a file here, and its name in this one: as a module, for others to use, and in the list. Else
//! ops are named only by what makes steps of them, layers and [`plan`](crate::plan), and by its fusion. Nothing else matches
//! over them.

mod activation;
mod adadelta;
mod adam;
mod add;
mod augment_images;
mod avgpool;
mod batch_metrics;
mod batch_norm;
mod bias_add;
mod binary_cross_entropy;
mod broadcast;
mod clip_by_norm;
mod clip_by_value;
mod column_sum;
mod concatenate;
mod conv2d;
mod conv2d_maxpool;
mod copy;
mod cross_entropy;
mod dense;
mod dense_rmsprop_update;
mod dense_softmax_cross_entropy;
mod dropout;
mod gather_batch;
mod gather_images;
mod gather_values;
mod huber;
pub(crate) mod kit;
mod layer_norm;
mod lion;
mod matmul;
mod maxpool;
mod mean_absolute_error;
mod mean_squared_error;
mod moving_average;
mod multiply;
mod normalize;
mod one_hot;
mod outputs_loss;
mod pad;
mod random_flip;
mod random_shift;
mod rescale;
mod rmsprop;
mod sgd;
mod sigmoid_cross_entropy;
mod softmax;
mod softmax_cross_entropy;
mod sum_partials;
mod sum_partials_bias;
mod weigh_rows;
mod weight_penalty;

pub use activation::*;
pub(crate) use activation::{By, OnnxForm, OnnxInput};
pub use adadelta::AdadeltaUpdate;
pub use adam::AdamUpdate;
pub use add::{Add, AddTo};
pub use augment_images::{AugmentImages, AugmentShape};
pub use avgpool::{AveragePoolShape, AvgpoolBackward, AvgpoolForward};
pub use batch_metrics::BatchMetrics;
pub use batch_norm::{
    BatchNormBackwardInput, BatchNormBackwardScale, BatchNormForward, BatchNormSquares, BatchNormStatistics,
    BatchNormSums, BatchNormUpdate, NormShape,
};
pub use bias_add::BiasAdd;
pub use binary_cross_entropy::BinaryCrossEntropy;
pub use broadcast::{Broadcast, BroadcastBackward, BroadcastShape};
pub use clip_by_norm::{ClipByNorm, SumOfSquares};
pub use clip_by_value::ClipByValue;
pub use column_sum::ColumnSum;
pub use concatenate::{Concatenate, Slice};
pub use conv2d::{Conv2dBackwardInput, Conv2dBackwardKernel, Conv2dForward, ConvShape};
pub use conv2d_maxpool::{Conv2dMaxpoolBackwardKernel, Conv2dMaxpoolForward, ConvPoolShape};
pub use copy::Copy;
pub use cross_entropy::{CrossEntropy, PROBABILITIES};
pub use dense::{DenseBackward, DenseForward};
pub use dense_rmsprop_update::DenseRmspropUpdate;
pub use dense_softmax_cross_entropy::DenseSoftmaxCrossEntropy;
pub use dropout::{DropoutBackward, DropoutForward, DropoutShape};
pub use gather_batch::GatherBatch;
pub use gather_images::{GatherImages, byte_scale, byte_values};
pub use gather_values::GatherValues;
pub use huber::Huber;
pub use kit::{
    Access, Arg, ArgSpec, BatchParams, Case, DATA, Dtype, Element, Extent, FUNCTION, Kernel, Kinks,
    MAX_ITERATIONS, METRICS_LANES, Numbers, OtherArguments, Real, Room, SHARED, Scratch, Source, Split, Wire, image_stride,
};
pub use layer_norm::{
    LayerNormBackwardInput, LayerNormBackwardScale, LayerNormBackwardSums, LayerNormForward, LayerNormShape,
    LayerNormStatistics,
};
pub use lion::LionUpdate;
pub use matmul::{Matmul, MatmulABt, MatmulAtB, MatmulShape};
pub use maxpool::{MaxpoolBackward, MaxpoolForward, PoolShape};
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use moving_average::MovingAverage;
pub use multiply::Multiply;
pub use normalize::{Normalize, NormalizeShape};
pub use one_hot::{OneHot, TargetColumns};
pub use pad::{Crop, Pad, PadShape};
pub use random_flip::RandomFlip;
pub use random_shift::{FillMode, RandomShiftBackward, RandomShiftForward, ShiftShape};
pub use rescale::Rescale;
pub use rmsprop::{Hole, RmspropUpdate};
pub use sgd::{SgdMomentumUpdate, SgdUpdate};
pub use sigmoid_cross_entropy::SigmoidCrossEntropy;
pub use softmax::{Softmax, SoftmaxBackward};
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyMetrics};
pub use sum_partials::SumPartials;
pub use sum_partials_bias::SumPartialsBias;
pub use weigh_rows::WeighRows;
pub use weight_penalty::{AddPenalty, WeightPenalty, WeightPenaltyGradient};

use kit::{Argument, Expected, FastRow, OpKind, Row, Trial, arguments, run_twin, take};

/// The fast row of an op: the first that fits.
fn fast<O: OpKind>(op: &O) -> Option<&'static FastRow<O>> {
    O::FAST.iter().find(|row| (row.fits)(op))
}

/// The enum of all ops, and what each says of itself.
macro_rules! ops {
    ($($op:ident),* $(,)?) => {
        /// What one step computes.
        #[derive(Debug, Clone, std::marker::Copy, PartialEq)]
        pub enum Op {
            $(#[doc = concat!("See [`struct@", stringify!($op), "`].")] $op($op),)*
        }

        $(impl From<$op> for Op {
            fn from(op: $op) -> Op {
                Op::$op(op)
            }
        })*

        impl Op {
            /// The name of the kind, shared with the WGSL file.
            pub fn kind(&self) -> &'static str {
                match self { $(Op::$op(op) => op.kind(),)* }
            }

            /// The arguments, in the order of the shader's bindings.
            pub fn args(&self) -> Vec<ArgSpec> {
                match self { $(Op::$op(op) => op.args(),)* }
            }

            /// How the long sums are cut; `None` where there are none.
            pub fn split(&self) -> Option<Split> {
                match self { $(Op::$op(op) => op.split(),)* }
            }

            /// Floating-point operations of one execution; a multiply-add counts as two, a comparison as one.
            pub fn flops(&self) -> u64 {
                match self { $(Op::$op(op) => op.flops() as u64,)* }
            }

            /// Most iterations, over all its loops, of one invocation of the plainest kernel.
            pub fn longest_loop(&self) -> usize {
                match self { $(Op::$op(op) => op.longest_loop(),)* }
            }

            /// How many of the weights of an arena a step touches, and how many there are, where it is not all of them.
            pub(crate) fn touched(&self) -> Option<[usize; 2]> {
                match self { $(Op::$op(op) => op.touched(),)* }
            }

            /// Where the function bends at these arguments, in f64.
            pub fn kinks(&self, args: &[&[f64]]) -> Kinks {
                match self { $(Op::$op(op) => op.kinks(args),)* }
            }

            /// Computes it with its twin.
            ///
            /// # Errors
            /// When the arguments are not those of [`Op::args`].
            pub fn twin<T: Real>(
                &self,
                batch: &BatchParams,
                args: &mut [Arg<'_, T>],
            ) -> Result<(), OtherArguments> {
                if !take(&self.args(), args) {
                    return Err(OtherArguments);
                }
                match self { $(Op::$op(op) => op.twin(batch, args),)* }
            }

            /// The name of its fast row, and the room that this needs; `None` where the CPU executor has nothing but the twin.
            pub fn fast(&self) -> Option<(&'static str, Room)> {
                match self { $(Op::$op(op) => fast(op).map(|row| (row.variant, (row.room)(op))),)* }
            }

            /// Computes it with its fast row, or where it has none, with its twin.
            ///
            /// # Errors
            /// When the arguments are not those of [`Op::args`].
            pub(crate) fn run_fast(
                &self,
                batch: &BatchParams,
                args: &mut [Arg<'_, f32>],
                scratch: &mut Scratch,
            ) -> Result<(), OtherArguments> {
                if !take(&self.args(), args) {
                    return Err(OtherArguments);
                }
                match self {
                    $(Op::$op(op) => match fast(op) {
                        Some(row) => (row.run)(op, batch, args, scratch),
                        None => op.twin(batch, args),
                    },)*
                }
            }

            /// The kernels for it, on any adapter.
            pub fn kernels(&self) -> Vec<Kernel> {
                match self { $(Op::$op(op) => Row::kernels(op),)* }
            }

            /// A full batch of uniform numbers.
            pub(crate) fn case(self) -> Case<Op> {
                match self { $(Op::$op(op) => Case::of(op).map(Op::from),)* }
            }
        }

        impl Case<Op> {
            /// What sets the case apart from the others of its kind.
            pub fn name(&self) -> String {
                let (title, samples) = match self.op { $(Op::$op(op) => (op.title(), op.samples()),)* };
                self.map(|_| ()).name(title, samples.unwrap_or_default())
            }

            /// The arguments of the case with this number among those of its kind.
            pub(crate) fn arguments(&self, number: u32) -> Vec<Argument> {
                arguments(self, self.op.kind(), self.op.args(), number, |draw| match self.op {
                    $(Op::$op(op) => $op::input(&mut draw.of(&self.map(|_| op))),)*
                })
            }

            /// What each argument must be after the case ran.
            ///
            /// # Errors
            /// When the twin does not take these arguments.
            pub(crate) fn expect(&self, arguments: &[Argument]) -> Result<Vec<Expected>, OtherArguments> {
                let twin = |args: &mut [Arg<'_, f64>]| self.op.twin(&self.batch, args);
                let outputs = run_twin(arguments, |x| x, &twin)?;
                let bounds = match self.op {
                    $(Op::$op(op) => {
                        $op::bounds(&Trial { case: &self.map(|_| op), arguments, outputs: &outputs })
                    })*
                }?;
                Ok(outputs.into_iter().zip(bounds).map(|(output, bound)| Expected { output, bound }).collect())
            }
        }

        /// The cases of `verify`: every op on the shapes where its kernels go wrong.
        pub fn cases() -> Vec<Case<Op>> {
            let mut table = Vec::new();
            $(for case in &$op::cases() {
                table.push(case.map(Op::$op));
            })*
            table
        }

        #[cfg(test)]
        mod tests {
            use std::collections::HashSet;

            use super::*;

            /// The variants of an op's rows, and, of each kind that its cases have, those that they run.
            fn check<O: OpKind>(name: &str) {
                let mut rows = HashSet::new();
                for row in O::ROWS {
                    rows.extend(row.by_four.map(|_| "vec4"));
                    rows.insert(row.variant);
                }
                let of_rows = O::ROWS.iter().map(|row| 1 + usize::from(row.by_four.is_some())).sum::<usize>();
                assert_eq!(rows.len(), of_rows, "{name}: two rows have one variant");
                let cases = O::cases();
                assert!(!cases.is_empty(), "{name} has no case");
                let kinds: HashSet<_> = cases.iter().map(|case| case.op.kind()).collect();
                for kind in kinds {
                    let of_kind = cases.iter().filter(|case| case.op.kind() == kind);
                    let run: HashSet<_> = of_kind
                        .flat_map(|case| Row::kernels(&case.op))
                        .map(|kernel| kernel.variant)
                        .collect();
                    assert_eq!(run, rows, "{kind}: what its cases run, and what its rows are");
                }
            }

            #[test]
            fn twins_refuse_arguments_of_other_numbers_lengths_and_uses() {
                let (op, batch) = (Op::from(BiasAdd { rows: 2, columns: 3 }), BatchParams::default());
                let (bias, mut y) = ([1.0_f32; 4], [0.0_f32; 6]);
                for len in [2, 3, 4] {
                    let ran = op.twin(&batch, &mut [Arg::In(&bias[..len]), Arg::Out(&mut y)]);
                    assert_eq!(ran.is_ok(), len == 3, "a bias of {len}");
                }
                assert_eq!(op.twin(&batch, &mut [Arg::In(&bias[..3]), Arg::Out(&mut y[..5])]), Err(OtherArguments));
                assert_eq!(op.twin(&batch, &mut [Arg::In(&bias[..3])]), Err(OtherArguments));
                assert_eq!(op.twin(&batch, &mut [Arg::In(&bias[..3]), Arg::In(&y)]), Err(OtherArguments));
                assert_eq!(y, [1.0; 6], "nothing else was written");
            }

            #[test]
            fn every_row_is_run_by_some_case() {
                $(check::<$op>(stringify!($op));)*
            }
        }
    };
}

// In the order in which a training step meets them.
ops! {
    GatherImages,
    GatherValues,
    OneHot,
    GatherBatch,
    AugmentImages,
    Conv2dForward,
    Conv2dBackwardInput,
    Conv2dBackwardKernel,
    MaxpoolForward,
    MaxpoolBackward,
    AvgpoolForward,
    AvgpoolBackward,
    Pad,
    Crop,
    Conv2dMaxpoolForward,
    Conv2dMaxpoolBackwardKernel,
    Matmul,
    MatmulAtB,
    MatmulABt,
    SumPartials,
    SumPartialsBias,
    DenseForward,
    DenseBackward,
    ColumnSum,
    BiasAdd,
    ActivationForward,
    ActivationBackward,
    Copy,
    DropoutForward,
    DropoutBackward,
    Add,
    AddTo,
    Multiply,
    Normalize,
    Broadcast,
    BroadcastBackward,
    Concatenate,
    Slice,
    BatchNormSums,
    BatchNormSquares,
    BatchNormStatistics,
    BatchNormForward,
    BatchNormBackwardScale,
    BatchNormBackwardInput,
    BatchNormUpdate,
    Softmax,
    SoftmaxBackward,
    MeanSquaredError,
    MeanAbsoluteError,
    Huber,
    CrossEntropy,
    BinaryCrossEntropy,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    SoftmaxCrossEntropyMetrics,
    WeighRows,
    BatchMetrics,
    DenseSoftmaxCrossEntropy,
    SumOfSquares,
    ClipByValue,
    ClipByNorm,
    WeightPenalty,
    WeightPenaltyGradient,
    AddPenalty,
    SgdUpdate,
    SgdMomentumUpdate,
    AdadeltaUpdate,
    AdamUpdate,
    RmspropUpdate,
    DenseRmspropUpdate,
    LionUpdate,
    LayerNormStatistics,
    LayerNormForward,
    LayerNormBackwardScale,
    LayerNormBackwardSums,
    LayerNormBackwardInput,
    RandomFlip,
    RandomShiftForward,
    RandomShiftBackward,
    MovingAverage,
    Rescale,
}
