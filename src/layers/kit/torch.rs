//! How PyTorch keeps the weights of a layer.

/// A weight as PyTorch has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OfTorch {
    /// What the layer calls it.
    pub(crate) ours: &'static str,
    /// What PyTorch calls it, behind the name of its module.
    pub(crate) theirs: &'static str,
    /// How its axes lie there.
    pub(crate) axes: Axes,
}

/// A bias, which is the same on both sides.
pub(crate) const TORCH_BIAS: OfTorch = OfTorch { ours: "bias", theirs: "bias", axes: Axes::Same };

/// How axes lie in PyTorch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axes {
    /// As ours.
    Same,
    /// Of a convolution: ours are `[h, w, in, out]`, theirs `[out, in, h, w]`.
    Windows,
    /// Of a transposed convolution: ours are `[h, w, out, in]`, theirs `[in, out, h, w]`.
    Transposed,
    /// Ours are `[h, w, channels, m]`, theirs `[channels * m, 1, h, w]`.
    Depthwise,
    /// Ours are `[in, out]`, theirs `[out, in]`.
    Product,
}

impl Axes {
    /// The dimensions in PyTorch of a weight that has these here; `None` where it has too few for such axes.
    pub(crate) fn theirs(self, ours: &[usize]) -> Option<Vec<usize>> {
        match (self, ours) {
            (Axes::Same, _) => Some(ours.to_vec()),
            (Axes::Windows | Axes::Transposed, &[h, w, a, b]) => Some(vec![b, a, h, w]),
            (Axes::Depthwise, &[h, w, channels, m]) => Some(vec![channels.checked_mul(m)?, 1, h, w]),
            (Axes::Product, &[inputs, outputs]) => Some(vec![outputs, inputs]),
            _ => None,
        }
    }

    /// Their axes and ours, in letters.
    pub(crate) fn letters(self) -> &'static str {
        match self {
            Axes::Same => "as it is",
            Axes::Windows => "OIHW -> HWIO",
            Axes::Transposed => "IOHW -> HWOI",
            Axes::Depthwise => "O1HW -> HWIM",
            Axes::Product => "OI -> IO",
        }
    }

    /// The values in our order, of a weight that has these dimensions here and their number of values.
    pub(crate) fn turned(self, values: Vec<f32>, ours: &[usize]) -> Vec<f32> {
        match (self, ours) {
            (Axes::Windows | Axes::Transposed, &[h, w, a, b]) => windows(&values, [h, w, a, b]),
            (Axes::Depthwise, &[h, w, channels, m]) => windows(&values, [h, w, 1, channels * m]),
            (Axes::Product, &[inputs, outputs]) => windows(&values, [1, 1, inputs, outputs]),
            _ => values,
        }
    }
}

/// `[b, a, h, w]` as `[h, w, a, b]`.
fn windows(theirs: &[f32], [h, w, a, b]: [usize; 4]) -> Vec<f32> {
    let mut ours = Vec::with_capacity(theirs.len());
    for y in 0..h {
        for x in 0..w {
            for i in 0..a {
                ours.extend((0..b).map(|o| theirs[((o * a + i) * h + y) * w + x]));
            }
        }
    }
    ours
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::WeightTensor;
    use crate::layers::kit::{depthwise_oihw, oihw};

    /// What is written for others, whose axes are PyTorch's, is read back as it was.
    #[test]
    fn axes_are_turned_back() {
        let tensor = |shape: &[usize]| {
            let values = (0..shape.iter().product::<usize>()).map(|at| at as f32).collect();
            WeightTensor { name: "k".to_owned(), shape: shape.to_vec(), values }
        };
        for shape in [[1, 1, 1, 1], [2, 3, 4, 5], [3, 1, 2, 7]] {
            let kernel = tensor(&shape);
            let rows = [
                (Axes::Windows, oihw(&kernel)),
                (Axes::Transposed, oihw(&kernel)),
                (Axes::Depthwise, depthwise_oihw(&kernel)),
            ];
            for (axes, (dims, values)) in rows {
                assert_eq!(axes.theirs(&shape), Some(dims), "{axes:?} {shape:?}");
                assert_eq!(axes.turned(values, &shape), kernel.values, "{axes:?} {shape:?}");
            }
        }
        let product = [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]].concat();
        assert_eq!(Axes::Product.theirs(&[3, 2]), Some(vec![2, 3]));
        assert_eq!(Axes::Product.turned(product.clone(), &[3, 2]), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert_eq!(Axes::Same.turned(product.clone(), &[3, 2]), product);
        assert_eq!(Axes::Windows.theirs(&[3, 2]), None);
    }
}
