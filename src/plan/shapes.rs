//! The sizes of the step kinds that have many, and how long sums are cut into parts.

/// Sizes of a convolution. Input `[batch, in_h, in_w, in_c]`, kernel `[kernel_h, kernel_w, in_c, out_c]`,
/// output `[batch, out_h, out_w, out_c]`; no padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct ConvShape {
    pub batch: usize,
    pub in_h: usize,
    pub in_w: usize,
    pub in_c: usize,
    pub kernel_h: usize,
    pub kernel_w: usize,
    pub stride_h: usize,
    pub stride_w: usize,
    pub out_h: usize,
    pub out_w: usize,
    pub out_c: usize,
}

impl ConvShape {
    /// A convolution without padding over `[batch, h, w, c]`; the window must fit.
    pub fn valid(
        [batch, in_h, in_w, in_c]: [usize; 4],
        [kernel_h, kernel_w]: [usize; 2],
        [stride_h, stride_w]: [usize; 2],
        out_c: usize,
    ) -> Self {
        ConvShape {
            batch,
            in_h,
            in_w,
            in_c,
            kernel_h,
            kernel_w,
            stride_h,
            stride_w,
            out_h: (in_h - kernel_h) / stride_h + 1,
            out_w: (in_w - kernel_w) / stride_w + 1,
            out_c,
        }
    }

    /// Dimensions of the input.
    pub fn x(&self) -> Vec<usize> {
        vec![self.batch, self.in_h, self.in_w, self.in_c]
    }

    /// Dimensions of the kernel.
    pub fn kernel(&self) -> Vec<usize> {
        vec![self.kernel_h, self.kernel_w, self.in_c, self.out_c]
    }

    /// Dimensions of the output.
    pub fn y(&self) -> Vec<usize> {
        vec![self.batch, self.out_h, self.out_w, self.out_c]
    }

    /// Output positions over the whole batch.
    pub fn positions(&self) -> usize {
        self.batch * self.out_h * self.out_w
    }

    /// How the sums of the kernel's gradient are cut: into runs of output rows `(n, i)`.
    pub fn row_split(&self) -> Split {
        Split::of_runs(self.batch * self.out_h, self.out_w)
    }

    /// Products in one output: the terms of each sum of the forward pass.
    pub fn terms(&self) -> usize {
        self.kernel_h * self.kernel_w * self.in_c
    }
}

/// Sizes of a max-pooling. Input `[batch, in_h, in_w, channels]`, output `[batch, out_h, out_w, channels]`; no padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct PoolShape {
    pub batch: usize,
    pub in_h: usize,
    pub in_w: usize,
    pub channels: usize,
    pub pool_h: usize,
    pub pool_w: usize,
    pub stride_h: usize,
    pub stride_w: usize,
    pub out_h: usize,
    pub out_w: usize,
}

impl PoolShape {
    /// A max-pooling without padding over `[batch, h, w, c]`; the window must fit.
    pub fn valid(
        [batch, in_h, in_w, channels]: [usize; 4],
        [pool_h, pool_w]: [usize; 2],
        [stride_h, stride_w]: [usize; 2],
    ) -> Self {
        PoolShape {
            batch,
            in_h,
            in_w,
            channels,
            pool_h,
            pool_w,
            stride_h,
            stride_w,
            out_h: (in_h - pool_h) / stride_h + 1,
            out_w: (in_w - pool_w) / stride_w + 1,
        }
    }

    /// Dimensions of the input.
    pub fn x(&self) -> Vec<usize> {
        vec![self.batch, self.in_h, self.in_w, self.channels]
    }

    /// Dimensions of the output.
    pub fn y(&self) -> Vec<usize> {
        vec![self.batch, self.out_h, self.out_w, self.channels]
    }

    /// Whether the winners of four channels share a word, a byte each: where channels come in fours, and a byte holds every
    /// number of a window's elements and the one past them.
    pub fn packs_winners(&self) -> bool {
        self.channels.is_multiple_of(4) && self.pool_h * self.pool_w <= usize::from(u8::MAX)
    }

    /// Dimensions of the winners, in words.
    pub fn winner(&self) -> Vec<usize> {
        let channels = if self.packs_winners() { self.channels / 4 } else { self.channels };
        vec![self.batch, self.out_h, self.out_w, channels]
    }
}

/// A convolution whose output is pooled at once, in windows that do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvPoolShape {
    /// The convolution.
    pub conv: ConvShape,
    /// The pooling of its output.
    pub pool: PoolShape,
    /// Whether ReLU comes between them.
    pub relu: bool,
}

impl ConvPoolShape {
    /// Elements of a pooling window. As a winner this number says that ReLU cut all of them off.
    pub fn none_won(&self) -> usize {
        self.pool.pool_h * self.pool.pool_w
    }

    /// Dimensions of the gradient of kernel and bias together: the bias is the last row.
    pub fn gradient(&self) -> Vec<usize> {
        vec![self.conv.terms() + 1, self.conv.out_c]
    }

    /// How the sums of the gradient are cut: into runs of rows `(n, i)` of windows.
    pub fn row_split(&self) -> Split {
        let runs = self.conv.batch * self.pool.out_h;
        Split::cut(runs, (runs * self.pool.out_w).div_ceil(POOLED_PART).min(runs), 1)
    }
}

/// Sizes of a batch of images that are augmented, `[batch, height, width, channels]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the sizes are named above")]
pub struct AugmentShape {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// What the sum of a block's halves, less its mean, is multiplied with; 0 for no noise.
    pub noise: f32,
}

impl AugmentShape {
    /// Floats of the transform of an image.
    pub const TRANSFORM: usize = crate::data::TRANSFORM;

    /// With noise of this standard deviation: that of the sum of 8 uniform integers of 16 bits is 53,509.5.
    pub fn new([batch, height, width, channels]: [usize; 4], noise_stddev: f64) -> Self {
        let variance = 8.0 * (65_536f64.powi(2) - 1.0) / 12.0;
        AugmentShape { batch, height, width, channels, noise: (noise_stddev / variance.sqrt()) as f32 }
    }

    /// Dimensions of the images.
    pub fn x(&self) -> Vec<usize> {
        vec![self.batch, self.height, self.width, self.channels]
    }
}

/// Sizes of a matrix product with result `[m, n]` and `k` terms in each sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is named in the formula above")]
pub struct MatmulShape {
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

impl MatmulShape {
    /// Whether the whole product is so little work that one kernel without tiles is enough.
    pub fn is_small(&self) -> bool {
        self.m * self.n * self.k <= SMALL_PRODUCT
    }

    /// How the sums are cut: where outputs are few and sums long, into as many parts as keep a device busy.
    pub fn split(&self) -> Split {
        if self.k <= PART && self.is_small() {
            return Split::of(self.k);
        }
        let busy = BUSY_OUTPUTS / (self.m * self.n).max(1);
        let parts = self.k.div_ceil(BLOCK).min(busy).max(self.k.div_ceil(PART));
        let multiple = if parts == 1 { 4 } else { BLOCK };
        Split::cut(self.k, parts, multiple)
    }
}

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
    pub(super) const ROUNDS: usize = 10;

    /// Dropout at a rate in `[0, 1)`.
    pub fn new(len: usize, layer: usize, rate: f64) -> Self {
        let threshold = (rate * f64::from(1 << 24)).ceil() as u32;
        DropoutShape { len, layer, threshold, scale: (1.0 / (1.0 - rate)) as f32 }
    }
}

/// Least and largest probability that [`Op::CrossEntropy`](super::Op::CrossEntropy) takes the logarithm of, as in Keras.
pub const PROBABILITIES: [f32; 2] = [1e-7, 1.0 - 1e-7];

/// A sum of `terms` terms, taken as `parts` sums of at most `terms_per_part` neighbours, added up in order.
///
/// One invocation never sums more than one part: outputs that are few but long get more of the device, rounding
/// errors grow more slowly, and no loop comes near the length at which a widespread driver silently stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Split {
    /// Length of the whole sum.
    pub terms: usize,
    /// Length of every part but the last, which may be shorter.
    pub terms_per_part: usize,
    /// Number of parts.
    pub parts: usize,
}

/// The length of a part of a sum over pooling windows: short, since there are few such sums and each term is dear.
const POOLED_PART: usize = 256;

/// Most multiply-adds of a product that is small.
const SMALL_PRODUCT: usize = 1 << 17;

/// Outputs, of all parts together, that keep any device busy.
const BUSY_OUTPUTS: usize = 1 << 16;

/// The parts of a product's sums are multiples of this: kernels keep as many terms of a factor in registers.
const BLOCK: usize = 64;

/// The length of a part, unless there would be more parts than this.
const PART: usize = 1024;

/// Most iterations that any invocation may run over all its loops: lavapipe leaves loops at 65,535.
pub const MAX_ITERATIONS: usize = 30_000;

/// Sums that `batch_metrics` takes side by side before it adds them up: a power of two.
pub const METRICS_LANES: usize = 64;

impl Split {
    /// Cuts a sum of `terms` terms into parts of nearly equal length, each a multiple of 4.
    pub fn of(terms: usize) -> Self {
        Split::cut(terms, terms.div_ceil(PART), 4)
    }

    /// Cuts a sum of `runs` runs of `run` terms between runs.
    pub fn of_runs(runs: usize, run: usize) -> Self {
        Split::cut(runs, (runs * run).div_ceil(PART).min(runs), 1)
    }

    pub(super) fn cut(terms: usize, parts: usize, multiple: usize) -> Self {
        let terms_per_part = terms.div_ceil(parts.clamp(1, PART)).next_multiple_of(multiple);
        Split { terms, terms_per_part, parts: terms.div_ceil(terms_per_part) }
    }

    /// The terms of one part.
    pub fn range(&self, part: usize) -> std::ops::Range<usize> {
        let first = part * self.terms_per_part;
        first..(first + self.terms_per_part).min(self.terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_term_once_in_order() {
        for terms in [1, 3, 4, 5, 64, 1024, 1025, 5408, 43_264, 70_001, 1_048_577, 30_000_000] {
            let split = Split::of(terms);
            let mut next = 0;
            for part in 0..split.parts {
                let range = split.range(part);
                assert!(range.start == next && !range.is_empty(), "{terms}: part {part} is {range:?}");
                next = range.end;
            }
            assert_eq!(next, terms);
            assert!(split.parts <= MAX_ITERATIONS && split.terms_per_part <= MAX_ITERATIONS, "{split:?}");
        }
    }
}
