//! Matrix products and sums of columns and parts.

use super::convolution::forward_blocks;
use super::{
    BLOCK8, EIGHTS, EightF32, F32, Kernel, LANES, Real, SCALAR, TILE, VEC4, Vec4F32, outputs, parts, reals,
    shader, tiles,
};
use crate::plan::{MAX_ITERATIONS, Op};

/// Rows, and vec4s of columns, of one invocation of `matmul`.
const MATMUL_TILE: [usize; 2] = [8, 2];
/// Vec4s of rows, and of columns, of one invocation of `matmul_at_b`.
const AT_B_TILE: [usize; 2] = [4, 4];
/// Rows, and vec4s of columns, of one invocation of `matmul_a_bt`.
const A_BT_TILE: [usize; 2] = [16, 2];
/// Invocations along each side of a tile in workgroup memory; each computes 4 rows by 4 columns.
const SIDE: usize = 8;
/// Eights of terms of a block that stays in the registers of a subgroup, where nothing else is said.
const BLOCK_EIGHTS: usize = LANES as usize;
/// Most rows that pass by a block: enough to make up for loading it. Convolutions have more of them, and many blocks.
const MOST_ROWS: usize = 128;
const MOST_POSITIONS: usize = 256;
const MOST_KERNEL_ROWS: usize = 384;

/// A kernel whose workgroup shares tiles of both factors.
const WORKGROUP_TILE: Kernel = Kernel {
    variant: "workgroup",
    elements: &[Vec4F32, Vec4F32, Vec4F32],
    workgroup: (SIDE * SIDE) as u32,
    hardware: true,
    tile: |_| vec![("SIDE", SIDE)],
    ..VEC4
};

/// Kernels of this family; of those of one kind that fit a step, the first is taken.
pub(super) const KERNELS: &[Kernel] = &[
    Kernel {
        kind: "matmul",
        source: shader!("dense/matmul_workgroup.wgsl"),
        fits: |op| matches!(op, Op::Matmul(s) if s.n % 4 == 0 && s.k % 4 == 0),
        invocations: |op, _| match op {
            Op::Matmul(s) => workgroup_tiles(op, [s.m, s.n]),
            _ => 0,
        },
        ..WORKGROUP_TILE
    },
    Kernel {
        kind: "matmul",
        source: shader!("lanes/matmul_block8.wgsl"),
        elements: &[EightF32, EightF32, EightF32],
        tile: |op| match op {
            Op::Matmul(s) => along_tile(op, s.n, BLOCK_EIGHTS),
            _ => Vec::new(),
        },
        fits: |op| matches!(op, Op::Matmul(s) if s.n % EIGHTS == 0 && s.k % EIGHTS == 0 && whole_blocks(op)),
        invocations: |op, _| match op {
            Op::Matmul(s) => blocks(op, [s.m, s.n]),
            _ => 0,
        },
        ..BLOCK8
    },
    Kernel {
        kind: "matmul",
        source: shader!("dense/matmul_tile.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        tile: |_| tile(MATMUL_TILE),
        fits: |op| matches!(op, Op::Matmul(s) if s.n % 4 == 0 && s.k % 4 == 0),
        invocations: |op, _| match op {
            Op::Matmul(s) => tiles([s.m, s.n / 4], MATMUL_TILE) * parts(op),
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "matmul",
        source: shader!("dense/matmul.wgsl"),
        elements: &[F32, Real, Real],
        by_four: Some(|op| matches!(op, Op::Matmul(s) if s.n % 4 == 0)),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "matmul_at_b",
        source: shader!("dense/matmul_at_b_workgroup.wgsl"),
        fits: |op| matches!(op, Op::MatmulAtB { product: s, .. } if s.m % 4 == 0 && s.n % 4 == 0),
        invocations: |op, _| match op {
            &Op::MatmulAtB { product: s, bias } => workgroup_tiles(op, [s.m + usize::from(bias), s.n]),
            _ => 0,
        },
        ..WORKGROUP_TILE
    },
    Kernel {
        kind: "matmul_at_b",
        source: shader!("lanes/matmul_at_b_block8.wgsl"),
        elements: &[EightF32, EightF32, EightF32],
        tile: across_tile,
        fits: |op| matches!(op, Op::MatmulAtB { product: s, .. } if s.m % EIGHTS == 0 && s.n % EIGHTS == 0 && whole_blocks(op)),
        invocations: |op, _| match op {
            &Op::MatmulAtB { product: s, bias } => blocks(op, [s.m + usize::from(bias), s.n]),
            _ => 0,
        },
        ..BLOCK8
    },
    Kernel {
        kind: "matmul_at_b",
        source: shader!("dense/matmul_at_b_tile.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        tile: |_| tile(AT_B_TILE),
        fits: |op| matches!(op, Op::MatmulAtB { product: s, .. } if s.m % 4 == 0 && s.n % 4 == 0),
        invocations: |op, _| match op {
            &Op::MatmulAtB { product: s, bias } => {
                tiles([(s.m + usize::from(bias)).div_ceil(4), s.n / 4], AT_B_TILE) * parts(op)
            }
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "matmul_at_b",
        source: shader!("dense/matmul_at_b.wgsl"),
        elements: &[F32, Real, Real],
        by_four: Some(|op| matches!(op, Op::MatmulAtB { product: s, .. } if s.n % 4 == 0)),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "matmul_a_bt",
        source: shader!("dense/matmul_a_bt_workgroup.wgsl"),
        fits: |op| matches!(op, Op::MatmulABt(s) if s.n % 4 == 0 && s.k % 4 == 0),
        invocations: |op, _| match op {
            Op::MatmulABt(s) => workgroup_tiles(op, [s.m, s.n]),
            _ => 0,
        },
        ..WORKGROUP_TILE
    },
    Kernel {
        kind: "matmul_a_bt",
        source: shader!("lanes/matmul_a_bt_block8.wgsl"),
        elements: &[EightF32, EightF32, EightF32],
        tile: |op| match op {
            Op::MatmulABt(s) => along_tile(op, s.n, BLOCK_EIGHTS),
            _ => Vec::new(),
        },
        fits: |op| matches!(op, Op::MatmulABt(s) if s.n % EIGHTS == 0 && s.k % EIGHTS == 0 && whole_blocks(op)),
        invocations: |op, _| match op {
            Op::MatmulABt(s) => blocks(op, [s.m, s.n]),
            _ => 0,
        },
        ..BLOCK8
    },
    Kernel {
        kind: "matmul_a_bt",
        source: shader!("dense/matmul_a_bt_tile.wgsl"),
        elements: &[Vec4F32, Vec4F32, Vec4F32],
        tile: |_| tile(A_BT_TILE),
        fits: |op| matches!(op, Op::MatmulABt(s) if s.n % 4 == 0 && s.k % 4 == 0),
        invocations: |op, _| match op {
            Op::MatmulABt(s) => tiles([s.m, s.n / 4], A_BT_TILE) * parts(op),
            _ => 0,
        },
        ..TILE
    },
    Kernel {
        kind: "matmul_a_bt",
        source: shader!("dense/matmul_a_bt.wgsl"),
        elements: &[Real, Real, F32],
        by_four: Some(|op| matches!(op, Op::MatmulABt(s) if s.k % 4 == 0)),
        invocations: outputs,
        ..SCALAR
    },
    Kernel {
        kind: "sum_partials",
        source: shader!("dense/sum_partials.wgsl"),
        elements: &[Real, Real],
        by_four: Some(|op| matches!(op, Op::SumPartials { len, .. } if len % 4 == 0)),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "sum_partials_bias",
        source: shader!("dense/sum_partials_bias.wgsl"),
        elements: &[Real, Real, Real],
        by_four: Some(|op| matches!(op, Op::SumPartialsBias { columns, .. } if columns % 4 == 0)),
        invocations: reals,
        ..SCALAR
    },
    Kernel {
        kind: "column_sum",
        source: shader!("dense/column_sum.wgsl"),
        elements: &[Real, Real],
        by_four: Some(|op| matches!(op, Op::ColumnSum { columns, .. } if columns % 4 == 0)),
        invocations: reals,
        ..SCALAR
    },
];

fn tile([m, n]: [usize; 2]) -> Vec<(&'static str, usize)> {
    vec![("TILE_M", m), ("TILE_N", n)]
}

/// Invocations of workgroups that cover all parts of an area of rows and columns.
fn workgroup_tiles(op: &Op, area: [usize; 2]) -> usize {
    tiles(area, [4 * SIDE; 2]) * SIDE * SIDE * parts(op)
}

/// Rows that pass by one block: as few tiles as the longest allows, all of nearly the same length.
pub(super) fn block_rows(op: &Op) -> usize {
    let (rows, most) = match *op {
        Op::Matmul(s) | Op::MatmulABt(s) => (s.m, MOST_ROWS),
        Op::MatmulAtB { product, bias } => (product.m + usize::from(bias), MOST_ROWS),
        Op::DenseRmspropUpdate { product, .. } => (product.m + 1, MOST_ROWS),
        Op::Conv2dForward { conv: s, .. } => (s.positions(), short(MOST_POSITIONS, forward_blocks(&s))),
        Op::Conv2dBackwardKernel(s) => {
            let terms = s.row_split().terms_per_part * s.out_w;
            // A load for every eight rows beside the rows themselves.
            (s.terms(), short(MOST_KERNEL_ROWS, 2 * terms.div_ceil(BLOCK_EIGHTS * EIGHTS)))
        }
        _ => return 1,
    };
    // Some load eight rows at a time.
    rows.div_ceil(rows.div_ceil(most)).next_multiple_of(EIGHTS)
}

/// So many rows, or fewer where so many blocks would make an invocation's loops too long.
fn short(rows: usize, blocks: usize) -> usize {
    rows.min((MAX_ITERATIONS / blocks).max(2 * EIGHTS) - EIGHTS)
}

/// Lanes that take so many columns, eight each: a power of two, so that the lanes of several rows fill a subgroup.
pub(super) fn row_lanes(columns: usize) -> usize {
    columns.div_ceil(EIGHTS).next_power_of_two().min(LANES as usize)
}

/// How rows pass by a block of so many columns, and of so many eights of terms that lie along the rows.
pub(super) fn along_tile(op: &Op, columns: usize, block_eights: usize) -> Vec<(&'static str, usize)> {
    vec![("TILE_M", block_rows(op)), ("ROW_LANES", row_lanes(columns)), ("BLOCK_EIGHTS", block_eights)]
}

/// How rows pass by a block whose terms lie across them.
pub(super) fn across_tile(op: &Op) -> Vec<(&'static str, usize)> {
    vec![("TILE_M", block_rows(op)), ("BLOCK_EIGHTS", BLOCK_EIGHTS)]
}

/// Invocations of subgroups that cover all parts of an area of rows and columns.
pub(super) fn blocks(op: &Op, area: [usize; 2]) -> usize {
    let lanes = LANES as usize;
    tiles(area, [block_rows(op), EIGHTS * lanes]) * lanes * parts(op)
}

/// Whether parts are cut between blocks.
fn whole_blocks(op: &Op) -> bool {
    op.split().is_some_and(|split| split.parts == 1 || split.terms_per_part % (BLOCK_EIGHTS * EIGHTS) == 0)
}

/// Whether one block holds all terms.
pub(super) fn one_block(terms: usize) -> bool {
    terms <= BLOCK_EIGHTS * EIGHTS
}
