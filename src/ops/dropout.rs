//! Dropout, each way.

use super::kit::*;
use crate::random::{Purpose, philox4x32, philox4x32_side_by_side};

/// Dropout of a layer's values: one is kept where its draw, a multiple of 2^-24 in `[0, 1)`, is at least the rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutShape {
    /// Number of values.
    pub len: usize,
    /// The layer's place in the network: layers draw apart from one another.
    pub layer: usize,
    /// Fewest 2^24ths of a draw that keep a value.
    pub threshold: u32,
    /// What kept values are multiplied by: `1 / (1 - rate)`.
    pub scale: f32,
}

impl DropoutShape {
    /// Iterations of the generator of draws.
    const ROUNDS: usize = 10;

    /// Dropout at a rate in `[0, 1)`.
    pub fn new(len: usize, layer: usize, rate: f64) -> Self {
        let threshold = (rate * f64::from(1 << 24)).ceil() as u32;
        DropoutShape { len, layer, threshold, scale: (1.0 / (1.0 - rate)) as f32 }
    }
}

impl DropoutShape {
    fn constants(&self) -> Constants {
        constants! {
            "LAYER" => self.layer,
            "PURPOSE" => Purpose::Dropout as usize,
            "THRESHOLD" => self.threshold as usize,
            "SCALE" => self.scale,
        }
    }
}

/// In training, values dropped at random and the others scaled; else the same values:
/// `y[i] = x[i] / (1 - rate)` where `draw[i] >= rate`, else 0; outside training `y = x`.
///
/// `draw[i]` are the upper 24 bits, as a number in `[0, 1)`, of word `i % 4` of the generator's block
/// `(i / 4, step, layer, Purpose::Dropout)` under the run's seed. x and y `[len]`.
/// Source: `keras/src/layers/regularization/dropout.py`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutForward(pub DropoutShape);

impl OpKind for DropoutForward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("regularization/dropout_forward.wgsl"),
        elements: &[Element::Real, Element::Real],
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast_forward)];

    fn kind(&self) -> &'static str {
        "dropout_forward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &[self.0.len]), written("y", &[self.0.len])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        2 * self.0.len
    }

    fn longest_loop(&self) -> usize {
        DropoutShape::ROUNDS
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        dropout_forward(&self.0, batch, x, y);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements, layer {}, threshold {}", self.0.len, self.0.layer, self.0.threshold)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(DropoutForward)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last_within(ULP))
    }
}

/// Gradient of dropout in place: `dy[i] = dy[i] / (1 - rate)` where [`DropoutForward`] kept the element, else 0; outside
/// training dy stays.
///
/// dy `[len]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutBackward(pub DropoutShape);

impl OpKind for DropoutBackward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("regularization/dropout_backward.wgsl"),
        elements: &[Element::Real],
        reads_batch: true,
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast_backward)];

    fn kind(&self) -> &'static str {
        "dropout_backward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![changed("dy", &[self.0.len])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        2 * self.0.len
    }

    fn longest_loop(&self) -> usize {
        DropoutShape::ROUNDS
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, batch: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::Out(dy)] = args else { return Err(OtherArguments) };
        dropout_backward(&self.0, batch, dy);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} elements, layer {}, threshold {}", self.0.len, self.0.layer, self.0.threshold)
    }

    fn cases() -> Vec<Case<Self>> {
        cases(DropoutBackward)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.last_within(ULP))
    }
}

fn cases<O: OpKind>(op: impl Fn(DropoutShape) -> O) -> Vec<Case<O>> {
    let case = |len, layer, rate| Case::of(op(DropoutShape::new(len, layer, rate)));
    // Every word of a step and of a layer counts; a rate that drops nothing and one that drops nearly all.
    let rows = [
        (1, 0, 0.5, 0),
        (4, 1, 0.5, 1),
        (5, 2, 0.25, u32::MAX),
        (3002, 7, 0.3, 70_000),
        (4096, 300, 0.9, 12),
        (260, 1, 0.0, 3),
        (1000, 1, 0.999_999, 4),
    ];
    let mut table: Vec<Case<O>> =
        rows.into_iter().map(|(len, layer, rate, step)| case(len, layer, rate).training(step)).collect();
    for len in [3004, 3003] {
        table.push(case(len, 2, 0.4).training(5).folded());
    }
    // In evaluation nothing changes.
    for len in [261, 260] {
        table.push(case(len, 2, 0.5));
    }
    table
}

fn dropout_forward<T: Real>(s: &DropoutShape, batch: &BatchParams, x: &[T], y: &mut [T]) {
    let scale = T::of(f64::from(s.scale));
    for (i, (y, &x)) in y.iter_mut().zip(x).enumerate() {
        *y = match (batch.training, is_kept(s, batch, i)) {
            (0, _) => x,
            (_, true) => scale * x,
            (_, false) => T::zero(),
        };
    }
}

/// Whether a training step keeps element `i`.
fn is_kept(s: &DropoutShape, batch: &BatchParams, i: usize) -> bool {
    let counter = [(i / 4) as u32, batch.number, s.layer as u32, Purpose::Dropout as u32];
    let words = philox4x32(counter, [batch.seed_low, batch.seed_high]);
    words[i % 4] >> 8 >= s.threshold
}

fn dropout_backward<T: Real>(s: &DropoutShape, batch: &BatchParams, dy: &mut [T]) {
    let scale = T::of(f64::from(s.scale));
    for (i, dy) in dy.iter_mut().enumerate() {
        *dy = match (batch.training, is_kept(s, batch, i)) {
            (0, _) => *dy,
            (_, true) => scale * *dy,
            (_, false) => T::zero(),
        };
    }
}

fn fast_forward(
    op: &DropoutForward,
    batch: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
    each_piece_by(y, PIECE, x, PIECE, &|number, y, x| {
        y.copy_from_slice(x);
        wide(Drops { shape: &op.0, batch, first: number * PIECE, values: y });
    });
    Ok(())
}

fn fast_backward(
    op: &DropoutBackward,
    batch: &BatchParams,
    args: &mut [Arg<'_, f32>],
    _: &mut Scratch,
) -> Result<(), OtherArguments> {
    let [Arg::Out(dy)] = args else { return Err(OtherArguments) };
    each_piece(dy, PIECE, &|number, dy| {
        wide(Drops { shape: &op.0, batch, first: number * PIECE, values: dy });
    });
    Ok(())
}

/// Blocks of draws at a time: enough to make loops of them.
const BLOCKS: usize = 64;

/// Values from the first one on, a multiple of `4 * BLOCKS`: in training some become 0 and the others are scaled, as by the twins.
struct Drops<'a> {
    shape: &'a DropoutShape,
    batch: &'a BatchParams,
    first: usize,
    values: &'a mut [f32],
}

impl Loops for Drops<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Drops { shape, batch, first, values } = self;
        if batch.training == 0 {
            return;
        }
        let key = [batch.seed_low, batch.seed_high];
        let rest = [batch.number, shape.layer as u32, Purpose::Dropout as u32].map(|word| [word; BLOCKS]);
        for (number, values) in values.chunks_mut(4 * BLOCKS).enumerate() {
            let block = (first / 4 + number * BLOCKS) as u32;
            let blocks = std::array::from_fn(|lane| block.wrapping_add(lane as u32));
            let words = philox4x32_side_by_side([blocks, rest[0], rest[1], rest[2]], key);
            for (at, value) in values.iter_mut().enumerate() {
                let kept = words[at % 4][at / 4] >> 8 >= shape.threshold;
                *value = if kept { shape.scale * *value } else { 0.0 };
            }
        }
    }
}
