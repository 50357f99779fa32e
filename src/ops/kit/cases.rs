//! Cases of an op: their names, and their arguments.

use super::args::{Access, ArgSpec, DATA, Dtype, Extent};
use super::batch::BatchParams;
use super::case::{Case, Numbers, Wire};
use super::inputs::{Argument, Draw, SAMPLES, UNWRITTEN, Values};
use super::kind::OpKind;
use crate::random::{Purpose, Stream};

/// Seed of all inputs.
const SEED: u64 = 1;
/// Most arguments of a step.
const MOST_ARGUMENTS: u32 = 16;
/// Elements of the order and of the metrics that follow those in use.
const SPARE: usize = 3;

#[expect(private_bounds, reason = "ops are written in this crate only")]
impl<O: OpKind> Case<O> {
    /// The step on a full batch of uniform numbers.
    pub(crate) fn of(op: O) -> Self {
        let batch = full_batch(op.samples().unwrap_or_default());
        Case { op, batch, numbers: Numbers::Uniform, folded: false, wire: Wire::Clear }
    }
}

// What no op decides is compiled once, not for each of them.

fn full_batch(samples: usize) -> BatchParams {
    BatchParams { learning_rate: 0.01, guarded: 1, ..BatchParams::of_samples(samples) }
}

impl Case<()> {
    /// A step of this title, on batches of so many samples, and what is unusual about the case.
    pub(crate) fn name(&self, mut name: String, samples: usize) -> String {
        let BatchParams { batch_size, first, slot, .. } = self.batch;
        if batch_size as usize != samples || first != 0 || slot != 0 {
            name += &format!(", batch of {batch_size} from {first} into slot {slot}");
        }
        if self.batch.training == 1 {
            name += &format!(", training step {}", self.batch.number);
        }
        if self.batch.correction != 1.0 {
            name += &format!(", correction {}", self.batch.correction);
        }
        name += match self.numbers {
            Numbers::Uniform => "",
            Numbers::Eighths => ", eighths",
            Numbers::Large => ", large",
            Numbers::Huge => ", huge",
            Numbers::Equal => ", all equal",
        };
        name += match self.wire {
            Wire::Clear => "",
            Wire::Unguarded => ", unguarded",
            Wire::TrippedBefore => ", tripped before",
            Wire::TrippedNow => ", tripped now",
            Wire::BadLoss => ", bad loss",
            Wire::BadGradients => ", bad gradients",
        };
        if self.folded { name + ", folded" } else { name }
    }
}

/// The arguments of the case with this number among those of its kind, in binding order. Other kinds change nothing.
///
/// `input` gives the numbers of an argument that is read.
pub(crate) fn arguments<O>(
    case: &Case<O>,
    kind: &str,
    specs: Vec<ArgSpec>,
    number: u32,
    input: impl Fn(&mut Draw<'_, O>) -> Values,
) -> Vec<Argument> {
    let batch = &case.batch;
    let mut before: Vec<Argument> = Vec::new();
    for (spec, place) in specs.into_iter().zip(0..) {
        let stream = &mut Stream::new(seed(kind), Purpose::Verification, number * MOST_ARGUMENTS + place);
        let len = length(batch, &spec);
        let values = match (spec.access, spec.dtype) {
            (Access::Out, Dtype::F32) => Values::Floats(vec![f32::from_bits(UNWRITTEN); len]),
            (Access::Out, _) => Values::Integers(vec![UNWRITTEN; len]),
            _ => input(&mut Draw { case, spec: &spec, len, before: &before, stream }),
        };
        before.push(Argument { spec, values });
    }
    before
}

/// The seed of a kind: FNV-1a of its name over [`SEED`].
fn seed(kind: &str) -> u64 {
    kind.bytes().fold(SEED ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Elements of an argument; open dimensions are chosen here.
fn length(batch: &BatchParams, spec: &ArgSpec) -> usize {
    let open = match spec.extent {
        Extent::Plan | Extent::Samples => SAMPLES,
        Extent::Order => (batch.first + batch.batch_size) as usize + SPARE,
        Extent::Transforms => (batch.position + batch.batch_size) as usize + SPARE,
        Extent::Batches => batch.slot as usize + 1 + SPARE,
    };
    spec.shape.iter().map(|&dim| if dim == DATA { open } else { dim }).product()
}
