//! Average-pooling, each way.

use super::kit::*;
use super::maxpool::PoolShape;

/// Sizes of an average-pooling: windows over an image that begins `top` rows and `left` columns into what they cover. What lies
/// outside of the image is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct AveragePoolShape {
    pub pool: PoolShape,
    pub top: usize,
    pub left: usize,
}

impl AveragePoolShape {
    /// Without a border.
    pub fn valid(pool: PoolShape) -> Self {
        AveragePoolShape { pool, top: 0, left: 0 }
    }

    /// With as many windows as these, over images that begin so far into what they cover.
    pub fn padded(self, [top, left]: [usize; 2], [out_h, out_w]: [usize; 2]) -> Self {
        AveragePoolShape { pool: PoolShape { out_h, out_w, ..self.pool }, top, left }
    }

    fn constants(&self) -> Constants {
        [self.pool.constants(), constants! { "TOP" => self.top, "LEFT" => self.left }].concat()
    }

    fn title(&self) -> String {
        let border = if [self.top, self.left] == [0, 0] {
            String::new()
        } else {
            format!(" from -{}, -{}", self.top, self.left)
        };
        format!("x {:?}, y {:?}, {}{border}", self.pool.x(), self.pool.y(), self.pool.window_title())
    }

    /// Rows of the image in a row of windows.
    fn rows(&self, i: usize) -> std::ops::Range<usize> {
        inside(i * self.pool.stride_h, self.pool.pool_h, self.top, self.pool.in_h)
    }

    /// Columns of the image in a column of windows.
    fn columns(&self, j: usize) -> std::ops::Range<usize> {
        inside(j * self.pool.stride_w, self.pool.pool_w, self.left, self.pool.in_w)
    }

    /// Most windows that an element of the input is in.
    fn windows_of_element(&self) -> usize {
        let PoolShape { pool_h, pool_w, stride_h, stride_w, .. } = self.pool;
        pool_h.div_ceil(stride_h) * pool_w.div_ceil(stride_w)
    }
}

/// What a window from `begin` covers of `len` places that begin at `border`, counted from there.
fn inside(begin: usize, window: usize, border: usize, len: usize) -> std::ops::Range<usize> {
    begin.saturating_sub(border)..(begin + window).saturating_sub(border).min(len)
}

/// The mean of each window: `y[n, i, j, c] = sum_{p, q} x[n, i*sh + p - top, j*sw + q - left, c] / count(i, j)`, over the
/// elements inside of the image, of which there are `count(i, j)`.
///
/// x `[batch, in_h, in_w, channels]`, y `[batch, out_h, out_w, channels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AvgpoolForward(pub AveragePoolShape);

impl OpKind for AvgpoolForward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("pooling/avgpool_forward.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.0.pool.channels.is_multiple_of(4)),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "avgpool_forward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("x", &self.0.pool.x()), written("y", &self.0.pool.y())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.0.pool.y().iter().product::<usize>() * (self.0.pool.pool_h * self.0.pool.pool_w + 1)
    }

    fn longest_loop(&self) -> usize {
        self.0.pool.pool_h * self.0.pool.pool_w
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::Out(y)] = args else { return Err(OtherArguments) };
        avgpool_forward(&self.0, x, y);
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        let mut table: Vec<_> = shapes().into_iter().map(|shape| Case::of(AvgpoolForward(shape))).collect();
        for shape in folds() {
            table.push(Case::of(AvgpoolForward(shape)).folded());
        }
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        mean_bounds(trial, trial.case.op.longest_loop())
    }
}

/// The gradient of the mean, `dx[n, h, w, c] = sum of dy[n, i, j, c] / count(i, j)` over the windows `(i, j)` that hold the element
/// `(h, w)`.
///
/// dy `[batch, out_h, out_w, channels]`, dx `[batch, in_h, in_w, channels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AvgpoolBackward(pub AveragePoolShape);

impl OpKind for AvgpoolBackward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("pooling/avgpool_backward.wgsl"),
        elements: &[Element::Real, Element::Real],
        by_four: Some(|op| op.0.pool.channels.is_multiple_of(4)),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "avgpool_backward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        vec![read("dy", &self.0.pool.y()), written("dx", &self.0.pool.x())]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        self.0.pool.x().iter().product::<usize>() * 2 * self.0.windows_of_element()
    }

    fn longest_loop(&self) -> usize {
        self.0.windows_of_element()
    }

    fn constants(&self) -> Constants {
        self.0.constants()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(dy), Arg::Out(dx)] = args else { return Err(OtherArguments) };
        avgpool_backward(&self.0, dy, dx);
        Ok(())
    }

    fn title(&self) -> String {
        self.0.title()
    }

    fn cases() -> Vec<Case<Self>> {
        let mut table: Vec<_> = shapes().into_iter().map(|shape| Case::of(AvgpoolBackward(shape))).collect();
        for shape in folds() {
            table.push(Case::of(AvgpoolBackward(shape)).folded());
        }
        table
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        mean_bounds(trial, trial.case.op.longest_loop())
    }
}

/// A sum of so many terms, and a quotient of it or of each.
fn mean_bounds<O: OpKind>(trial: &Trial<'_, O>, terms: usize) -> Bounds {
    let magnitudes = trial.magnitudes()?.pop().ok_or(OtherArguments)?;
    Ok(trial.last(relative(&magnitudes, sum_of_products(terms) + DIVISION, terms + 1)))
}

/// Windows side by side, that overlap, with gaps and with borders, of the whole image, of one element.
fn shapes() -> [AveragePoolShape; 9] {
    let valid = |x, window, strides| AveragePoolShape::valid(PoolShape::valid(x, window, strides));
    [
        valid([64, 26, 26, 32], [2, 2], [2, 2]),
        valid([1, 1, 1, 1], [1, 1], [1, 1]),
        valid([2, 7, 9, 3], [2, 3], [2, 2]),
        valid([2, 9, 9, 5], [3, 3], [1, 2]),
        valid([3, 10, 13, 4], [2, 2], [3, 4]),
        valid([5, 7, 7, 130], [7, 7], [1, 1]),
        // Borders: as `same` makes them, on all sides or after the image only.
        valid([2, 9, 8, 6], [3, 3], [2, 2]).padded([1, 0], [5, 4]),
        valid([2, 5, 6, 8], [4, 3], [1, 1]).padded([1, 1], [5, 6]),
        valid([1, 112, 112, 4], [112, 112], [1, 1]),
    ]
}

/// Sizes whose groups fold.
fn folds() -> [AveragePoolShape; 2] {
    [12, 5].map(|channels| AveragePoolShape::valid(PoolShape::valid([3, 17, 19, channels], [2, 2], [1, 1])))
}

fn avgpool_forward<T: Real>(s: &AveragePoolShape, x: &[T], y: &mut [T]) {
    let pool = &s.pool;
    each_piece(y, pool.out_w * pool.channels, &|row, y| {
        let (n, i) = (row / pool.out_h, row % pool.out_h);
        for (j, y) in y.chunks_mut(pool.channels).enumerate() {
            y.fill(T::zero());
            for h in s.rows(i) {
                for w in s.columns(j) {
                    let pixel = (n * pool.in_h + h) * pool.in_w + w;
                    for (y, &x) in y.iter_mut().zip(&x[pixel * pool.channels..]) {
                        *y += x;
                    }
                }
            }
            let count = T::of((s.rows(i).len() * s.columns(j).len()) as f64);
            y.iter_mut().for_each(|y| *y /= count);
        }
    });
}

fn avgpool_backward<T: Real>(s: &AveragePoolShape, dy: &[T], dx: &mut [T]) {
    let pool = &s.pool;
    each_piece(dx, pool.in_h * pool.in_w * pool.channels, &|n, dx| {
        dx.fill(T::zero());
        for i in 0..pool.out_h {
            for j in 0..pool.out_w {
                let count = T::of((s.rows(i).len() * s.columns(j).len()) as f64);
                let dy = &dy[((n * pool.out_h + i) * pool.out_w + j) * pool.channels..][..pool.channels];
                for h in s.rows(i) {
                    for w in s.columns(j) {
                        let pixel = h * pool.in_w + w;
                        for (dx, &dy) in dx[pixel * pool.channels..].iter_mut().zip(dy) {
                            *dx += dy / count;
                        }
                    }
                }
            }
        }
    });
}
