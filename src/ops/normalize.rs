use super::kit::*;

/// Sizes of samples `[dims]` that have a mean and a variance for each index of the dimensions that are kept, and one over all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NormalizeShape {
    /// Samples of a batch.
    pub samples: usize,
    /// Height, width and channels of a sample; what has fewer dimensions begins with 1.
    pub dims: [usize; 3],
    /// Which of them are kept.
    pub kept: [bool; 3],
}

impl NormalizeShape {
    /// Number of means.
    pub fn cells(&self) -> usize {
        self.dims.iter().zip(self.kept).filter(|(_, kept)| *kept).map(|(size, _)| size).product()
    }

    /// Values of a sample.
    pub fn sample_len(&self) -> usize {
        self.dims.iter().product()
    }

    /// How far the mean moves from one index of each dimension to the next.
    fn strides(&self) -> [usize; 3] {
        let mut strides = [0; 3];
        let mut stride = 1;
        for axis in (0..3).rev().filter(|&axis| self.kept[axis]) {
            strides[axis] = stride;
            stride *= self.dims[axis];
        }
        strides
    }

    /// Number of the mean of a value, by its place in its sample.
    pub fn cell(&self, at: usize) -> usize {
        let [_, w, c] = self.dims;
        let [rows, columns, channels] = self.strides();
        at / (w * c) * rows + at / c % w * columns + at % c * channels
    }

    fn by_four(&self) -> bool {
        self.kept[2] && self.dims[2].is_multiple_of(4)
    }
}

/// Values in terms of a mean and a variance that are given: `y = (x - mean) / s` with `s = max(sqrt(variance), 1e-7)`; inverted,
/// `y = mean + x * s`.
///
/// x and y `[samples, h, w, c]`, mean and variance `[cells]`: see [`NormalizeShape::cell`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalize {
    /// The sizes.
    pub shape: NormalizeShape,
    /// Whether values go back to what they were.
    pub invert: bool,
}

impl Normalize {
    /// The least deviation that values are divided by: `keras.config.epsilon()`.
    pub const EPSILON: f32 = 1e-7;

    fn x(&self) -> [usize; 4] {
        let [h, w, c] = self.shape.dims;
        [self.shape.samples, h, w, c]
    }
}

impl OpKind for Normalize {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("normalization/normalize.wgsl"),
        elements: &[Element::Real; 4],
        by_four: Some(|op| op.shape.by_four()),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "normalize"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let cells = [self.shape.cells()];
        vec![read("x", &self.x()), read("mean", &cells), read("variance", &cells), written("y", &self.x())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        4 * self.shape.samples * self.shape.sample_len()
    }

    fn longest_loop(&self) -> usize {
        0
    }

    fn constants(&self) -> Constants {
        let [h, w, c] = self.shape.dims;
        let [rows, columns, channels] = self.shape.strides();
        constants! {
            "IMAGE_H" => h,
            "IMAGE_W" => w,
            "CHANNELS" => c,
            "ROW_STRIDE" => rows,
            "COLUMN_STRIDE" => columns,
            "CHANNEL_STRIDE" => channels,
            "EPSILON" => Self::EPSILON,
            "INVERT" => self.invert,
        }
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(mean), Arg::In(variance), Arg::Out(y)] = args else {
            return Err(OtherArguments);
        };
        let len = self.shape.sample_len();
        each_piece_by(y, len, x, len, &|_, y, x| {
            for (at, (y, &x)) in y.iter_mut().zip(x).enumerate() {
                let cell = self.shape.cell(at);
                let deviation = variance[cell].sqrt().max(T::of(f64::from(Self::EPSILON)));
                *y = if self.invert { mean[cell] + x * deviation } else { (x - mean[cell]) / deviation };
            }
        });
        Ok(())
    }

    fn title(&self) -> String {
        let NormalizeShape { samples, dims, kept } = self.shape;
        let kept: Vec<usize> = (0..3).filter(|&axis| kept[axis]).map(|axis| axis + 1).collect();
        format!("{samples} samples {dims:?}, axes {kept:?}, invert {}", self.invert)
    }

    fn cases() -> Vec<Case<Self>> {
        let op = |samples, dims, kept, invert| {
            Case::of(Normalize { shape: NormalizeShape { samples, dims, kept }, invert })
        };
        let (last, all, none) = ([false, false, true], [true; 3], [false; 3]);
        vec![
            op(64, [28, 28, 1], last, false),
            op(32, [7, 5, 8], last, false),
            op(32, [7, 5, 8], last, true),
            op(16, [5, 4, 3], last, false),
            op(8, [5, 6, 4], all, false),
            op(8, [5, 6, 3], all, true),
            op(8, [5, 6, 4], [true, false, true], false),
            op(8, [5, 6, 4], [true, true, false], false),
            op(8, [5, 6, 4], [false, true, false], true),
            op(8, [5, 6, 4], [true, false, false], false),
            op(8, [5, 6, 4], none, false),
            op(64, [1, 1, 20], last, false),
            op(1, [1, 1, 1], none, true),
            op(300, [1, 1, 12], last, false).folded(),
            op(90, [3, 1, 5], last, false).folded(),
        ]
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            // No variance is below 0; some are 0.
            "variance" => match draw.with_zeros() {
                Values::Floats(values) => Values::Floats(values.into_iter().map(f32::abs).collect()),
                other => other,
            },
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let Normalize { shape, invert } = trial.case.op;
        let bound = |i: usize| {
            let cell = shape.cell(i % shape.sample_len());
            let at = |place: usize, element: usize| Rough::exact(trial.floats(place)[element]);
            let (x, mean, root) = (at(0, i), at(1, cell), at(2, cell).sqrt());
            // The larger of two is off by no more than the one that is off.
            let deviation = Rough { value: root.value.max(f64::from(Self::EPSILON)), ..root };
            if invert { (mean + x * deviation).error } else { (x - mean).over(deviation).error }
        };
        Ok(trial.last(Bound::Each((0..trial.floats(0).len()).map(bound).collect())))
    }
}
