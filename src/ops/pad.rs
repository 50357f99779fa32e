//! Images with a border, each way.

use super::kit::*;

/// Sizes of an image with a border. Input `[batch, in_h, in_w, channels]`, output `[batch, out_h, out_w, channels]`; the input
/// begins `top` rows down and `left` columns to the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct PadShape {
    pub batch: usize,
    pub in_h: usize,
    pub in_w: usize,
    pub channels: usize,
    pub top: usize,
    pub left: usize,
    pub out_h: usize,
    pub out_w: usize,
}

impl PadShape {
    /// Images `[batch, h, w, c]` with so many rows before and after them, and so many columns.
    pub fn new([batch, in_h, in_w, channels]: [usize; 4], rows: [usize; 2], columns: [usize; 2]) -> Self {
        let ([top, bottom], [left, right]) = (rows, columns);
        let (out_h, out_w) = (top + in_h + bottom, left + in_w + right);
        PadShape { batch, in_h, in_w, channels, top, left, out_h, out_w }
    }

    /// Dimensions of the input.
    pub fn x(&self) -> Vec<usize> {
        vec![self.batch, self.in_h, self.in_w, self.channels]
    }

    /// Dimensions of the output.
    pub fn y(&self) -> Vec<usize> {
        vec![self.batch, self.out_h, self.out_w, self.channels]
    }

    fn constants(&self) -> Constants {
        constants! {
            "IN_H" => self.in_h,
            "IN_W" => self.in_w,
            "CHANNELS" => self.channels,
            "TOP" => self.top,
            "LEFT" => self.left,
            "OUT_H" => self.out_h,
            "OUT_W" => self.out_w,
        }
    }

    fn title(&self) -> String {
        format!("x {:?} at {}, {} of {:?}", self.x(), self.top, self.left, self.y())
    }

    fn by_four(&self) -> bool {
        self.channels.is_multiple_of(4)
    }

    /// The first element of a row of the input, in the output.
    fn begin(&self, row: usize) -> usize {
        let (n, h) = (row / self.in_h, row % self.in_h);
        ((n * self.out_h + h + self.top) * self.out_w + self.left) * self.channels
    }
}

/// A border around images: `y[n, top + h, left + w, c] = x[n, h, w, c]`, and [`Pad::value`] elsewhere.
///
/// x `[batch, in_h, in_w, channels]`, y `[batch, out_h, out_w, channels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pad {
    /// The sizes.
    pub shape: PadShape,
    /// What the border holds; it need not be finite.
    pub value: f32,
}

impl OpKind for Pad {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/pad.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.shape.by_four()),
        ..Row::ELEMENTWISE
    }];

    const FAST: &'static [FastRow<Self>] = &[FastRow::new("blocks", fast)];

    fn kind(&self) -> &'static str {
        "pad"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &self.shape.x()), written("y", &self.shape.y())]
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
        [self.shape.constants(), constants! { "VALUE_BITS" => self.value.to_bits() as usize }].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        y.fill(T::of(f64::from(self.value)));
        for (row, x) in x.chunks(self.shape.in_w * self.shape.channels).enumerate() {
            y[self.shape.begin(row)..][..x.len()].copy_from_slice(x);
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{}, {:e}", self.shape.title(), self.value)
    }

    fn cases() -> Vec<Case<Self>> {
        let mut table: Vec<_> =
            shapes().into_iter().map(|shape| Case::of(Pad { shape, value: 0.0 })).collect();
        for shape in &shapes()[..3] {
            table.push(Case::of(Pad { shape: *shape, value: f32::MIN }));
        }
        for shape in folds() {
            table.push(Case::of(Pad { shape, value: 0.0 }).folded());
        }
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}

/// Line by line of the output.
fn fast(op: &Pad, _: &BatchParams, args: &mut [Arg<'_, f32>], _: &mut Scratch) -> Result<(), OtherArguments> {
    let [Arg::In(x), Arg::Out(y)] = args else {
        return Err(OtherArguments);
    };
    let s = &op.shape;
    let (inside, before) = (s.in_w * s.channels, s.left * s.channels);
    each_piece(y, s.out_w * s.channels, &|line, y| {
        let (n, h) = (line / s.out_h, (line % s.out_h).wrapping_sub(s.top));
        if h >= s.in_h {
            return y.fill(op.value);
        }
        y[..before].fill(op.value);
        y[before..before + inside].copy_from_slice(&x[(n * s.in_h + h) * inside..][..inside]);
        y[before + inside..].fill(op.value);
    });
    Ok(())
}

/// Images without their border, which is the gradient of [`Pad`]: `dx[n, h, w, c] = dy[n, top + h, left + w, c]`.
///
/// dy `[batch, out_h, out_w, channels]`, dx `[batch, in_h, in_w, channels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crop(pub PadShape);

impl OpKind for Crop {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("data/crop.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.0.by_four()),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "crop"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("dy", &self.0.y()), written("dx", &self.0.x())]
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
        let [Arg::In(dy), Arg::Out(dx)] = args else { return Err(OtherArguments) };
        let len = self.0.in_w * self.0.channels;
        each_piece(dx, len, &|row, dx| {
            dx.copy_from_slice(&dy[self.0.begin(row)..][..len]);
        });
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        let mut table: Vec<_> = shapes().into_iter().map(|shape| Case::of(Crop(shape))).collect();
        for shape in folds() {
            table.push(Case::of(Crop(shape)).folded());
        }
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        Ok(trial.exact())
    }
}

/// Borders on all sides, on some, and on none, by four channels and not.
fn shapes() -> [PadShape; 7] {
    let new = PadShape::new;
    [
        new([64, 13, 13, 32], [1, 1], [1, 1]),
        new([1, 1, 1, 1], [0, 0], [0, 1]),
        new([2, 5, 7, 3], [0, 1], [2, 3]),
        new([3, 4, 6, 12], [3, 0], [0, 2]),
        new([1, 28, 28, 1], [2, 2], [2, 2]),
        new([2, 3, 3, 4], [0, 0], [0, 0]),
        new([1, 2, 3, 130], [1, 2], [1, 0]),
    ]
}

/// Sizes whose groups fold.
fn folds() -> [PadShape; 2] {
    [12, 5].map(|channels| PadShape::new([3, 17, 19, channels], [1, 2], [2, 1]))
}
