//! Values that stand for several, and back.

use super::kit::*;

/// Samples `[dims]` made of samples that have 1 in the place of the dimensions that are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BroadcastShape {
    /// Samples of a batch.
    pub samples: usize,
    /// Height, width and channels of the larger one.
    pub dims: [usize; 3],
    /// Which of them the smaller one has.
    pub kept: [bool; 3],
}

impl BroadcastShape {
    /// Dimensions of the smaller one.
    fn small(&self) -> [usize; 3] {
        let mut small = self.dims;
        small.iter_mut().zip(self.kept).filter(|(_, kept)| !kept).for_each(|(size, _)| *size = 1);
        small
    }

    fn batched(&self, [h, w, c]: [usize; 3]) -> [usize; 4] {
        [self.samples, h, w, c]
    }

    /// How many values of the larger one each of the smaller one stands for, along each dimension.
    fn repeats(&self) -> [usize; 3] {
        let mut repeats = self.dims;
        repeats.iter_mut().zip(self.kept).filter(|(_, kept)| *kept).for_each(|(count, _)| *count = 1);
        repeats
    }

    fn by_four(&self) -> bool {
        self.kept[2] && self.dims[2].is_multiple_of(4)
    }

    /// Place in the smaller one of a place in the larger one, both in one sample.
    fn place(&self, at: usize) -> usize {
        let ([_, w, c], [_, small_w, small_c]) = (self.dims, self.small());
        let [row, column, channel] = [at / (w * c), at / c % w, at % c];
        let [i, j, k] =
            [(row, 0), (column, 1), (channel, 2)].map(|(at, axis)| if self.kept[axis] { at } else { 0 });
        (i * small_w + j) * small_c + k
    }

    fn constants(&self) -> Constants {
        let ([h, w, c], [small_h, small_w, small_c]) = (self.dims, self.small());
        constants! {
            "IMAGE_H" => h, "IMAGE_W" => w, "CHANNELS" => c,
            "SMALL_H" => small_h, "SMALL_W" => small_w, "SMALL_CHANNELS" => small_c,
        }
    }

    fn title(&self) -> String {
        format!("{} samples {:?} of {:?}", self.samples, self.dims, self.small())
    }
}

/// Samples in larger dimensions: `y[n, h, w, c] = x[n, h, w, c]`, where the place of x is 0 along each dimension in which it has 1.
///
/// x `[samples, h or 1, w or 1, c or 1]`, y `[samples, h, w, c]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Broadcast(pub BroadcastShape);

impl OpKind for Broadcast {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("merging/broadcast.wgsl"),
        elements: &[Element::Real; 2],
        by_four: Some(|op| op.0.by_four()),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "broadcast"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let Broadcast(shape) = self;
        vec![read("x", &shape.batched(shape.small())), written("y", &shape.batched(shape.dims))]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        0
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        let [len, small] = [self.0.dims, self.0.small()].map(|dims| dims.iter().product());
        each_piece_by(y, len, x, small, &|_, y, x| {
            for (at, y) in y.iter_mut().enumerate() {
                *y = x[self.0.place(at)];
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(Broadcast)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}

/// The gradient of [`Broadcast`]: `dx` is the sum of the `dy` that it stands for, in row-major order.
///
/// dy `[samples, h, w, c]`, dx `[samples, h or 1, w or 1, c or 1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BroadcastBackward(pub BroadcastShape);

impl OpKind for BroadcastBackward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("merging/broadcast_backward.wgsl"),
        elements: &[Element::Real; 2],
        by_four: Some(|op| op.0.by_four()),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "broadcast_backward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let BroadcastBackward(shape) = self;
        vec![read("dy", &shape.batched(shape.dims)), written("dx", &shape.batched(shape.small()))]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.0.batched(self.0.dims).iter().product()
    }

    fn longest_loop(&self) -> usize {
        self.0.repeats().iter().product()
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(dy), Arg::Out(dx)] = args else { return Err(OtherArguments) };
        let [len, small] = [self.0.dims, self.0.small()].map(|dims| dims.iter().product());
        each_piece_by(dx, small, dy, len, &|_, dx, dy| {
            dx.fill(T::zero());
            for (at, &dy) in dy.iter().enumerate() {
                dx[self.0.place(at)] += dy;
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        cases(BroadcastBackward)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum(trial.case.op.longest_loop())
    }
}

/// One value to a channel, as a gate of channels has it, to a position, to a row, to a sample; sums of any length, groups that fold.
fn cases<O: OpKind>(op: impl Fn(BroadcastShape) -> O) -> Vec<Case<O>> {
    let case = |samples, dims, kept| Case::of(op(BroadcastShape { samples, dims, kept }));
    let (channel, position) = ([false, false, true], [true, true, false]);
    vec![
        case(8, [14, 14, 32], channel),
        case(3, [5, 4, 7], channel),
        case(3, [5, 4, 8], position),
        case(3, [5, 4, 8], [true, false, true]),
        case(3, [5, 4, 6], [false, true, true]),
        case(2, [5, 4, 4], [true, false, false]),
        case(2, [5, 4, 4], [false, true, false]),
        case(9, [3, 2, 4], [false; 3]),
        case(1, [1, 1, 1], [false; 3]),
        case(2, [112, 112, 4], channel),
        case(200, [2, 3, 12], channel).folded(),
        case(200, [2, 3, 5], channel).folded(),
    ]
}
