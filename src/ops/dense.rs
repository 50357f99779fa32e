//! A small dense layer, each way, in one kernel.

use super::activation::relu_gradient;
use super::kit::*;
use super::matmul::{MatmulShape, matmul, matmul_a_bt, matmul_at_b};
use super::sum_partials::sum_partials;
use super::sum_partials_bias::sum_partials_bias;

/// A small dense layer: `y = x kernel + bias`, and `max(y, 0)` where ReLU is asked for: [`Matmul`](super::Matmul),
/// [`SumPartialsBias`](super::SumPartialsBias).
///
/// x `[m, k]`, kernel `[k, n]`, bias `[n]`, y `[m, n]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "both are named above")]
pub struct DenseForward {
    pub product: MatmulShape,
    pub relu: bool,
}

impl OpKind for DenseForward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("dense/dense_forward.wgsl"),
        elements: &[Element::F32, Element::Real, Element::Real, Element::Real],
        by_four: Some(|op| op.product.n.is_multiple_of(4)),
        ..Row::ELEMENTWISE
    }];

    fn kind(&self) -> &'static str {
        "dense_forward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let MatmulShape { m, n, k } = self.product;
        vec![read("x", &[m, k]), read("kernel", &[k, n]), read("bias", &[n]), written("y", &[m, n])]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        2 * (self.product.k + 1) * self.product.m * self.product.n
    }

    fn longest_loop(&self) -> usize {
        self.product.k
    }

    fn constants(&self) -> Constants {
        [self.product.constants(), constants! { "RELU" => self.relu }].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(kernel), Arg::In(bias), Arg::Out(y)] = args else {
            return Err(OtherArguments);
        };
        dense_forward(&self.product, self.relu, x, kernel, bias, y);
        Ok(())
    }

    fn title(&self) -> String {
        let relu = if self.relu { ", relu" } else { "" };
        format!("{}{relu}", self.product.title())
    }

    fn cases() -> Vec<Case<Self>> {
        let case = |(product, relu)| Case::of(DenseForward { product, relu });
        cases(case)
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        trial.sum_of_products(trial.case.op.product.k + 1)
    }
}

/// Gradients of a small dense layer of this forward product: `gradient = x^T dy`, with the sums of dy for the bias as its
/// last row, and `dx = dy kernel^T`, where x > 0 if, with `relu`, x came out of ReLU: [`MatmulAtB`](super::MatmulAtB),
/// [`MatmulABt`](super::MatmulABt).
///
/// x and dx `[m, k]`, kernel `[k, n]`, dy `[m, n]`, gradient `[k + 1, n]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "both are named above")]
pub struct DenseBackward {
    pub product: MatmulShape,
    pub relu: bool,
}

impl OpKind for DenseBackward {
    const ROWS: &'static [Row<Self>] = &[Row {
        source: shader!("dense/dense_backward.wgsl"),
        elements: &[Element::F32, Element::F32, Element::F32, Element::F32, Element::F32],
        invocations: |DenseBackward { product: s, .. }, _| (s.k + 1) * s.n + s.m * s.k,
        ..Row::SCALAR
    }];

    fn kind(&self) -> &'static str {
        "dense_backward"
    }

    fn args(&self) -> Vec<ArgSpec> {
        let MatmulShape { m, n, k } = self.product;
        vec![
            read("x", &[m, k]),
            read("kernel", &[k, n]),
            read("dy", &[m, n]),
            written("gradient", &[k + 1, n]),
            written("dx", &[m, k]),
        ]
    }

    fn split(&self) -> Option<Split> {
        None
    }

    fn flops(&self) -> usize {
        (4 * self.product.k + 1) * self.product.m * self.product.n
    }

    fn longest_loop(&self) -> usize {
        self.product.m.max(self.product.n)
    }

    fn constants(&self) -> Constants {
        [self.product.constants(), constants! { "RELU" => self.relu }].concat()
    }

    fn samples(&self) -> Option<usize> {
        None
    }

    fn twin<T: Real>(&self, _: &BatchParams, args: &mut [Arg<'_, T>]) -> Result<(), OtherArguments> {
        let [Arg::In(x), Arg::In(kernel), Arg::In(dy), Arg::Out(gradient), Arg::Out(dx)] = args else {
            return Err(OtherArguments);
        };
        dense_backward(&self.product, self.relu, x, kernel, dy, gradient, dx);
        Ok(())
    }

    fn title(&self) -> String {
        let relu = if self.relu { ", relu" } else { "" };
        format!("{}{relu}", self.product.title())
    }

    fn cases() -> Vec<Case<Self>> {
        let case = |(product, relu)| Case::of(DenseBackward { product, relu });
        cases(case)
    }

    fn input(draw: &mut Draw<'_, Self>) -> Values {
        match draw.spec.name {
            "x" if draw.case.op.relu => draw.with_zeros(),
            _ => draw.plain(),
        }
    }

    fn bounds(trial: &Trial<'_, Self>) -> Bounds {
        let MatmulShape { m, n, .. } = trial.case.op.product;
        let mut bounds = trial.exact();
        if trial.case.numbers != Numbers::Eighths {
            let magnitudes = trial.magnitudes()?;
            bounds[3] = relative(&magnitudes[3], sum_of_products(m), m);
            bounds[4] = relative(&magnitudes[4], sum_of_products(n), n);
        }
        Ok(bounds)
    }
}

/// The tutorial's last layer, sizes where kernels could go wrong, and folded ones.
fn cases<O>(case: impl Fn((MatmulShape, bool)) -> Case<O>) -> Vec<Case<O>> {
    let shapes = [[64, 10, 64], [1, 1, 1], [3, 5, 7], [7, 12, 9], [33, 8, 130], [2, 130, 3]];
    let product = |[m, n, k]: [usize; 3]| MatmulShape { m, n, k };
    let mut table = Vec::new();
    for shape in shapes {
        for relu in [true, false] {
            table.push(case((product(shape), relu)));
        }
    }
    let folds = [[40, 36, 20], [21, 15, 40]];
    for shape in folds {
        table.push(case((product(shape), true)).with(Numbers::Eighths).folded());
    }
    table
}

pub(super) fn dense_forward<T: Real>(
    s: &MatmulShape,
    relu: bool,
    x: &[T],
    kernel: &[T],
    bias: &[T],
    y: &mut [T],
) {
    let mut partial = vec![T::zero(); s.split().parts * s.m * s.n];
    matmul(s, x, kernel, &mut partial);
    sum_partials_bias(relu, &partial, bias, y);
}

pub(super) fn dense_backward<T: Real>(
    s: &MatmulShape,
    relu: bool,
    x: &[T],
    kernel: &[T],
    dy: &[T],
    gradient: &mut [T],
    dx: &mut [T],
) {
    let of_kernel = MatmulShape { m: s.k, n: s.n, k: s.m };
    let mut partial = vec![T::zero(); of_kernel.split().parts * gradient.len()];
    matmul_at_b(&of_kernel, true, x, dy, &mut partial);
    sum_partials(&partial, gradient);
    let of_input = MatmulShape { m: s.m, n: s.k, k: s.n };
    let mut partial = vec![T::zero(); of_input.split().parts * dx.len()];
    matmul_a_bt(&of_input, dy, kernel, &mut partial);
    sum_partials(&partial, dx);
    if relu {
        change_by(x, dx, relu_gradient);
    }
}
