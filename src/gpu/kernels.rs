//! THE table: every kernel, and which one a step gets.

use super::kernel::{Element, Kernel, Source};
use crate::plan::{ConvShape, METRICS_LANES, Op, image_stride};

/// Invocations of a workgroup, where nothing speaks for another number: a multiple of every subgroup size.
const WORKGROUP: u32 = 64;

macro_rules! shader {
    ($file:literal) => {
        Source { file: $file, text: include_str!(concat!("../../shaders/", $file)) }
    };
}

const LINEAR: Source = shader!("shared/linear_index.wgsl");
const STEP: Source = shader!("shared/step.wgsl");
const WINDOW: Source = shader!("shared/window_maximum.wgsl");
const FIRST_MAXIMUM: Source = shader!("shared/first_maximum.wgsl");
const SUM_SCALAR: Source = shader!("shared/horizontal_scalar.wgsl");
const SUM_VEC4: Source = shader!("shared/horizontal_vec4.wgsl");

use Element::{F32, U32, Vec4F32, Vec4U32};

/// A plain kernel with one float or integer at a time, one invocation per output.
const SCALAR: Kernel = Kernel {
    kind: "",
    variant: "scalar",
    source: Source { file: "", text: "" },
    shared: &[LINEAR],
    elements: &[],
    width: 1,
    workgroup: WORKGROUP,
    lanes: None,
    reads_step: false,
    tile: |_| Vec::new(),
    fits: |_| true,
    invocations: |_| 0,
};

/// The same file with four floats or integers at a time.
const VEC4: Kernel = Kernel { variant: "vec4", width: 4, ..SCALAR };

/// A kernel whose invocations each compute a tile of outputs in registers, four floats at a time.
const TILE: Kernel = Kernel { variant: "tile", ..VEC4 };

/// Lanes of a subgroup that the `subgroup8` kernels are written for: that of drivers that compute with the processor's
/// 256-bit vectors. Each is its own workgroup.
const LANES: u32 = 8;

/// A kernel whose subgroup computes a tile of outputs together, four floats at a time.
const SUBGROUP8: Kernel = Kernel { variant: "subgroup8", lanes: Some(LANES), workgroup: LANES, ..VEC4 };

/// Rows of one subgroup of a product.
const SUBGROUP_TILE_M: usize = 32;
/// Invocations of a workgroup of a kernel that has few invocations, each with much work.
const SMALL_WORKGROUP: u32 = 8;
/// Rows, and vec4s of columns, of one invocation of `matmul`.
const MATMUL_TILE: [usize; 2] = [8, 2];
/// Vec4s of rows, and of columns, of one invocation of `matmul_at_b`.
const AT_B_TILE: [usize; 2] = [4, 4];
/// Rows, and vec4s of columns, of one invocation of `matmul_a_bt`.
const A_BT_TILE: [usize; 2] = [16, 2];
/// Most positions along a row of one invocation of `conv2d_forward`.
const CONV_TILE_W: usize = 13;
/// Vec4s of channels of one invocation of a convolution.
const CONV_TILE_C: usize = 2;
/// Most weights of a window that one invocation holds in registers.
const MOST_TAPS: usize = 25;

/// Most elements of a pooling window that one invocation holds in registers.
const MOST_ELEMENTS: usize = 9;
/// Most rows of windows of one subgroup of a pooled convolution.
const WINDOW_ROWS: usize = 8;

/// Every kernel; of those of one kind that fit a step, the first is taken.
pub const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "gather_images",
        source: shader!("gather_images.wgsl"),
        shared: &[LINEAR, STEP],
        elements: &[U32, U32, F32, F32],
        reads_step: true,
        invocations: |op| match *op {
            Op::GatherImages { batch, pixels } => batch * image_stride(pixels) / size_of::<u32>(),
            _ => 0,
        },
        ..SCALAR
    },
    Kernel {
        kind: "one_hot",
        source: shader!("one_hot.wgsl"),
        shared: &[LINEAR, STEP],
        elements: &[U32, U32, F32],
        reads_step: true,
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "gather_batch",
        source: shader!("gather_batch.wgsl"),
        shared: &[LINEAR, STEP],
        elements: &[U32, U32, U32, F32, F32, F32],
        reads_step: true,
        invocations: |op| match *op {
            Op::GatherBatch { batch, pixels, classes } => {
                batch * (image_stride(pixels) / size_of::<u32>() + classes)
            }
            _ => 0,
        },
        ..SCALAR
    },
    Kernel {
        kind: "conv2d_forward",
        source: shader!("conv2d_forward_tile.wgsl"),
        elements: &[F32, Vec4F32, Vec4F32, Vec4F32],
        tile: |op| conv_tile(op).map_or(Vec::new(), |[w, c]| vec![("TILE_W", w), ("TILE_C", c)]),
        fits: channels_by_4,
        invocations: |op| match (op, conv_tile(op)) {
            (Op::Conv2dForward(s), Some(tile)) => s.batch * s.out_h * tiles([s.out_w, s.out_c / 4], tile),
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "conv2d_forward",
        source: shader!("conv2d_forward.wgsl"),
        elements: &[F32, Vec4F32, Vec4F32, Vec4F32],
        fits: channels_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "conv2d_forward",
        source: shader!("conv2d_forward.wgsl"),
        elements: &[F32, F32, F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "conv2d_backward_input",
        source: shader!("conv2d_backward_input.wgsl"),
        shared: &[LINEAR, SUM_VEC4],
        elements: &[Vec4F32, Vec4F32, F32],
        fits: channels_by_4,
        invocations: outputs,
        ..VEC4
    },
    Kernel {
        kind: "conv2d_backward_input",
        source: shader!("conv2d_backward_input.wgsl"),
        shared: &[LINEAR, SUM_SCALAR],
        elements: &[F32, F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "conv2d_backward_kernel",
        source: shader!("conv2d_backward_kernel_tile.wgsl"),
        elements: &[F32, Vec4F32, Vec4F32],
        workgroup: SMALL_WORKGROUP,
        tile: |_| vec![("TILE_C", CONV_TILE_C)],
        fits: |op| {
            let small = |s: &ConvShape| s.kernel_h * s.kernel_w <= MOST_TAPS;
            channels_by_4(op) && matches!(op, Op::Conv2dBackwardKernel(s) if small(s))
        },
        invocations: |op| match op {
            Op::Conv2dBackwardKernel(s) => s.in_c * (s.out_c / 4).div_ceil(CONV_TILE_C) * parts(op),
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "conv2d_backward_kernel",
        source: shader!("conv2d_backward_kernel.wgsl"),
        elements: &[F32, Vec4F32, Vec4F32],
        fits: channels_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "conv2d_backward_kernel",
        source: shader!("conv2d_backward_kernel.wgsl"),
        elements: &[F32, F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "maxpool_forward",
        source: shader!("maxpool_forward.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4U32],
        fits: channels_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "maxpool_forward",
        source: shader!("maxpool_forward.wgsl"),
        elements: &[F32, F32, U32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "maxpool_backward",
        source: shader!("maxpool_backward.wgsl"),
        elements: &[Vec4F32, Vec4U32, Vec4F32],
        fits: channels_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "maxpool_backward",
        source: shader!("maxpool_backward.wgsl"),
        elements: &[F32, U32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "conv2d_maxpool_forward",
        source: shader!("conv2d_maxpool_forward_subgroup8.wgsl"),
        shared: &[LINEAR, WINDOW],
        elements: &[Vec4F32, Vec4F32, Vec4F32, Vec4F32, Vec4U32],
        tile: |op| vec![("TILE_I", window_rows(op))],
        fits: one_channel_by_lanes,
        invocations: |op| match op {
            Op::Conv2dMaxpoolForward(s) => {
                let tile = [window_rows(op), LANES as usize];
                s.conv.batch * tiles([s.pool.out_h, s.conv.out_c / 4], tile) * LANES as usize
            }
            _ => 0,
        },
        ..SUBGROUP8
    },
    Kernel {
        kind: "conv2d_maxpool_forward",
        source: shader!("conv2d_maxpool_forward.wgsl"),
        shared: &[LINEAR, WINDOW],
        elements: &[F32, Vec4F32, Vec4F32, Vec4F32, Vec4U32],
        fits: channels_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "conv2d_maxpool_forward",
        source: shader!("conv2d_maxpool_forward.wgsl"),
        shared: &[LINEAR, WINDOW],
        elements: &[F32, F32, F32, F32, U32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "conv2d_maxpool_backward_kernel",
        source: shader!("conv2d_maxpool_backward_kernel_subgroup8.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4U32, Vec4F32],
        fits: one_channel_by_lanes,
        invocations: |op| match op {
            Op::Conv2dMaxpoolBackwardKernel(s) => {
                (s.conv.out_c / 4).div_ceil(LANES as usize) * parts(op) * LANES as usize
            }
            _ => 0,
        },
        ..SUBGROUP8
    },
    Kernel {
        kind: "conv2d_maxpool_backward_kernel",
        source: shader!("conv2d_maxpool_backward_kernel.wgsl"),
        elements: &[F32, Vec4F32, Vec4U32, Vec4F32],
        fits: channels_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "conv2d_maxpool_backward_kernel",
        source: shader!("conv2d_maxpool_backward_kernel.wgsl"),
        elements: &[F32, F32, U32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "matmul",
        source: shader!("matmul_subgroup8.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        tile: |_| vec![("TILE_M", SUBGROUP_TILE_M)],
        fits: |op| matches!(op, Op::Matmul(s) if s.n % 4 == 0 && s.k % 4 == 0),
        invocations: |op| match op {
            Op::Matmul(s) => subgroups([s.m, s.n / 4]) * parts(op),
            _ => 0,
        },
        ..SUBGROUP8
    },
    Kernel {
        kind: "matmul",
        source: shader!("matmul_tile.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        tile: |_| tile(MATMUL_TILE),
        fits: |op| matches!(op, Op::Matmul(s) if s.n % 4 == 0 && s.k % 4 == 0),
        invocations: |op| match op {
            Op::Matmul(s) => tiles([s.m, s.n / 4], MATMUL_TILE) * parts(op),
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "matmul",
        source: shader!("matmul.wgsl"),
        elements: &[F32, Vec4F32, Vec4F32],
        fits: |op| matches!(op, Op::Matmul(s) if s.n % 4 == 0),
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "matmul",
        source: shader!("matmul.wgsl"),
        elements: &[F32, F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "matmul_at_b",
        source: shader!("matmul_at_b_subgroup8.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        fits: |op| matches!(op, Op::MatmulAtB { product: s, .. } if s.m % 4 == 0 && s.n % 4 == 0),
        invocations: |op| match op {
            &Op::MatmulAtB { product: s, bias } => subgroups([s.m + usize::from(bias), s.n / 4]) * parts(op),
            _ => 0,
        },
        ..SUBGROUP8
    },
    Kernel {
        kind: "matmul_at_b",
        source: shader!("matmul_at_b_tile.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        tile: |_| tile(AT_B_TILE),
        fits: |op| matches!(op, Op::MatmulAtB { product: s, .. } if s.m % 4 == 0 && s.n % 4 == 0),
        invocations: |op| match op {
            &Op::MatmulAtB { product: s, bias } => {
                tiles([(s.m + usize::from(bias)).div_ceil(4), s.n / 4], AT_B_TILE) * parts(op)
            }
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "matmul_at_b",
        source: shader!("matmul_at_b.wgsl"),
        elements: &[F32, Vec4F32, Vec4F32],
        fits: |op| matches!(op, Op::MatmulAtB { product: s, .. } if s.n % 4 == 0),
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "matmul_at_b",
        source: shader!("matmul_at_b.wgsl"),
        elements: &[F32, F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "matmul_a_bt",
        source: shader!("matmul_a_bt_subgroup8.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        tile: |_| vec![("TILE_M", SUBGROUP_TILE_M)],
        fits: |op| matches!(op, Op::MatmulABt(s) if s.n % 4 == 0 && s.k % 4 == 0),
        invocations: |op| match op {
            Op::MatmulABt(s) => subgroups([s.m, s.n / 4]) * parts(op),
            _ => 0,
        },
        ..SUBGROUP8
    },
    Kernel {
        kind: "matmul_a_bt",
        source: shader!("matmul_a_bt_tile.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        tile: |_| tile(A_BT_TILE),
        fits: |op| matches!(op, Op::MatmulABt(s) if s.n % 4 == 0 && s.k % 4 == 0),
        invocations: |op| match op {
            Op::MatmulABt(s) => tiles([s.m, s.n / 4], A_BT_TILE) * parts(op),
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "matmul_a_bt",
        source: shader!("matmul_a_bt.wgsl"),
        shared: &[LINEAR, SUM_VEC4],
        elements: &[Vec4F32, Vec4F32, F32],
        fits: |op| matches!(op, Op::MatmulABt(s) if s.k % 4 == 0),
        invocations: outputs,
        ..VEC4
    },
    Kernel {
        kind: "matmul_a_bt",
        source: shader!("matmul_a_bt.wgsl"),
        shared: &[LINEAR, SUM_SCALAR],
        elements: &[F32, F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "sum_partials",
        source: shader!("sum_partials.wgsl"),
        elements: &[Vec4F32, Vec4F32],
        fits: |op| matches!(op, Op::SumPartials { len, .. } if len % 4 == 0),
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "sum_partials",
        source: shader!("sum_partials.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "sum_partials_bias",
        source: shader!("sum_partials_bias.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        fits: |op| matches!(op, Op::SumPartialsBias { columns, .. } if columns % 4 == 0),
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "sum_partials_bias",
        source: shader!("sum_partials_bias.wgsl"),
        elements: &[F32, F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "dense_forward",
        source: shader!("dense_forward.wgsl"),
        elements: &[F32, Vec4F32, Vec4F32, Vec4F32],
        fits: |op| matches!(op, Op::DenseForward { product, .. } if product.n % 4 == 0),
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "dense_forward",
        source: shader!("dense_forward.wgsl"),
        elements: &[F32, F32, F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "dense_backward",
        source: shader!("dense_backward.wgsl"),
        elements: &[F32, F32, F32, F32, F32],
        invocations: |op| match op {
            Op::DenseBackward { product: s, .. } => (s.k + 1) * s.n + s.m * s.k,
            _ => 0,
        },
        ..SCALAR
    },
    Kernel {
        kind: "column_sum",
        source: shader!("column_sum.wgsl"),
        elements: &[Vec4F32, Vec4F32],
        fits: |op| matches!(op, Op::ColumnSum { columns, .. } if columns % 4 == 0),
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "column_sum",
        source: shader!("column_sum.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "bias_add",
        source: shader!("bias_add.wgsl"),
        elements: &[Vec4F32, Vec4F32],
        fits: |op| matches!(op, Op::BiasAdd { columns, .. } if columns % 4 == 0),
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "bias_add",
        source: shader!("bias_add.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "relu_forward",
        source: shader!("relu_forward.wgsl"),
        elements: &[Vec4F32],
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "relu_forward",
        source: shader!("relu_forward.wgsl"),
        elements: &[F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "relu_backward",
        source: shader!("relu_backward.wgsl"),
        elements: &[Vec4F32, Vec4F32],
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "relu_backward",
        source: shader!("relu_backward.wgsl"),
        elements: &[F32, F32],
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "softmax",
        source: shader!("softmax.wgsl"),
        elements: &[F32, F32],
        invocations: rows,
        ..SCALAR
    },
    Kernel {
        kind: "softmax_cross_entropy",
        source: shader!("softmax_cross_entropy.wgsl"),
        shared: &[LINEAR, STEP, FIRST_MAXIMUM],
        elements: &[F32, F32, F32, U32, F32],
        reads_step: true,
        invocations: rows,
        ..SCALAR
    },
    Kernel {
        kind: "softmax_cross_entropy_metrics",
        source: shader!("softmax_cross_entropy_metrics.wgsl"),
        shared: &[STEP, FIRST_MAXIMUM],
        elements: &[F32, F32, F32, F32, U32],
        workgroup: METRICS_LANES as u32,
        reads_step: true,
        invocations: |_| METRICS_LANES,
        ..SCALAR
    },
    Kernel {
        kind: "batch_metrics",
        source: shader!("batch_metrics.wgsl"),
        shared: &[STEP],
        elements: &[F32, U32, F32, U32],
        workgroup: METRICS_LANES as u32,
        reads_step: true,
        invocations: |_| METRICS_LANES,
        ..SCALAR
    },
    Kernel {
        kind: "rmsprop_update",
        source: shader!("rmsprop_update.wgsl"),
        shared: &[LINEAR, STEP],
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        reads_step: true,
        fits: outputs_by_4,
        invocations: quarter_outputs,
        ..VEC4
    },
    Kernel {
        kind: "rmsprop_update",
        source: shader!("rmsprop_update.wgsl"),
        shared: &[LINEAR, STEP],
        elements: &[F32, F32, F32],
        reads_step: true,
        invocations: outputs,
        ..SCALAR
    },
];

/// What decides, beside the step, which kernel runs it: two adapters of one class run the same kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AdapterClass {
    /// How many invocations run in step, where that is one fixed number.
    pub lanes: Option<u32>,
}

/// Every kernel that can run this step on adapters of a class.
pub fn variants(op: &Op, class: AdapterClass) -> impl Iterator<Item = &'static Kernel> {
    let op = *op;
    KERNELS.iter().filter(move |kernel| {
        let lanes = kernel.lanes.is_none() || kernel.lanes == class.lanes;
        kernel.kind == op.kind() && lanes && (kernel.fits)(&op)
    })
}

/// The kernel that runs this step: the first that fits. `None` only for a kind without a row.
pub fn choose(op: &Op, class: AdapterClass) -> Option<&'static Kernel> {
    variants(op, class).next()
}

/// Invocations of subgroups that cover an area of rows and Reals of columns.
fn subgroups(area: [usize; 2]) -> usize {
    tiles(area, [SUBGROUP_TILE_M, LANES as usize]) * LANES as usize
}

fn tile([m, n]: [usize; 2]) -> Vec<(&'static str, usize)> {
    vec![("TILE_M", m), ("TILE_N", n)]
}

/// Number of tiles that cover an area.
fn tiles(area: [usize; 2], tile: [usize; 2]) -> usize {
    area[0].div_ceil(tile[0]) * area[1].div_ceil(tile[1])
}

fn parts(op: &Op) -> usize {
    op.split().map_or(1, |split| split.parts)
}

/// Positions and vec4s of channels of one invocation of `conv2d_forward`: as few tiles to a row as the longest allows,
/// all of nearly the same length.
fn conv_tile(op: &Op) -> Option<[usize; 2]> {
    let Op::Conv2dForward(s) = op else { return None };
    Some([s.out_w.div_ceil(s.out_w.div_ceil(CONV_TILE_W)), CONV_TILE_C])
}

/// Elements of the last argument, which is what a kernel with one invocation per output writes.
fn outputs(op: &Op) -> usize {
    let last = op.args().pop();
    last.map_or(0, |arg| arg.shape.iter().product())
}

fn quarter_outputs(op: &Op) -> usize {
    outputs(op) / 4
}

fn outputs_by_4(op: &Op) -> bool {
    outputs(op).is_multiple_of(4)
}

fn rows(op: &Op) -> usize {
    match *op {
        Op::Softmax { rows, .. } | Op::SoftmaxCrossEntropy { rows, .. } => rows,
        _ => 0,
    }
}

/// Whether the channels that a kernel reads four at a time come in fours.
fn channels_by_4(op: &Op) -> bool {
    match op {
        Op::Conv2dForward(s) | Op::Conv2dBackwardInput(s) | Op::Conv2dBackwardKernel(s) => s.out_c % 4 == 0,
        Op::MaxpoolForward(s) | Op::MaxpoolBackward(s) => s.channels % 4 == 0,
        Op::Conv2dMaxpoolForward(s) | Op::Conv2dMaxpoolBackwardKernel(s) => s.conv.out_c % 4 == 0,
        _ => false,
    }
}

/// Whether a subgroup can hold a row of the image, a Real to a lane, and its registers the rest of the work.
fn one_channel_by_lanes(op: &Op) -> bool {
    match op {
        Op::Conv2dMaxpoolForward(s) | Op::Conv2dMaxpoolBackwardKernel(s) => {
            let row = s.conv.in_w.is_multiple_of(4) && s.conv.in_w <= 4 * LANES as usize;
            let window = s.conv.kernel_h * s.conv.kernel_w <= MOST_TAPS && s.none_won() <= MOST_ELEMENTS;
            s.conv.in_c == 1 && s.conv.out_c.is_multiple_of(4) && row && window
        }
        _ => false,
    }
}

/// Rows of windows that one subgroup goes through: as few tiles as the longest allows, all of nearly the same length.
fn window_rows(op: &Op) -> usize {
    let Op::Conv2dMaxpoolForward(s) = op else { return 1 };
    s.pool.out_h.div_ceil(s.pool.out_h.div_ceil(WINDOW_ROWS))
}
