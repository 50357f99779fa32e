// import shared/workgroup_tile.wgsl

// matmul_a_bt, through workgroup memory: a workgroup computes one tile (shared/workgroup_tile.wgsl) of one part, so that
// what one invocation loads feeds a whole row or column of them. K and N are multiples of 4; rows, columns and terms past
// the edge count as zeros and are not stored.
//
// a       [M, K]
// b       [N, K]
// partial [PARTS, M, N]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const N_REALS = N / WIDTH;
const K_REALS = K / WIDTH;
const TILES_M = (M + WIDTH * SIDE - 1u) / (WIDTH * SIDE);
const TILES_N = (N_REALS + SIDE - 1u) / SIDE;

// WIDTH terms of one row of a.
fn a_terms(row: u32, term: u32, end: u32) -> Real {
    if row >= M || term >= end {
        return Real();
    }
    return a[A_BASE + row * K_REALS + term / WIDTH];
}

// WIDTH terms of one column of the result, which is a row of b.
fn b_terms(row: u32, term: u32, end: u32) -> Real {
    if row >= N || term >= end {
        return Real();
    }
    return b[B_BASE + row * K_REALS + term / WIDTH];
}

fn a_square(rows: u32, term: u32, end: u32) -> Square {
    let row = rows * WIDTH;
    return transpose(Square(
        a_terms(row, term, end),
        a_terms(row + 1u, term, end),
        a_terms(row + 2u, term, end),
        a_terms(row + 3u, term, end),
    ));
}

fn b_square(rows: u32, term: u32, end: u32) -> Square {
    let row = rows * WIDTH;
    return transpose(Square(
        b_terms(row, term, end),
        b_terms(row + 1u, term, end),
        b_terms(row + 2u, term, end),
        b_terms(row + 3u, term, end),
    ));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let tile = group.x + group.y * GROUPS_X;
    // Of whole groups, so that all invocations of a group meet at its barriers.
    if tile >= INVOCATIONS / WORKGROUP_SIZE {
        return;
    }
    let x = local % SIDE;
    let y = local / SIDE;
    let first_column = tile % TILES_N * SIDE;
    let first_row = tile / TILES_N % TILES_M * SIDE;
    let part = tile / (TILES_N * TILES_M);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, K);
    var sum: Sums;
    for (var t = first; t < end; t += TILE_TERMS) {
        // Until nobody reads the tiles before.
        workgroupBarrier();
        put(A_TILE, x, y, a_square(first_row + y, t + x * WIDTH, end));
        put(B_TILE, x, y, b_square(first_column + y, t + x * WIDTH, end));
        workgroupBarrier();
        add_products(&sum, y, x);
    }
    let column = first_column + x;
    for (var i = 0u; i < WIDTH; i++) {
        let row = (first_row + y) * WIDTH + i;
        if row < M && column < N_REALS {
            partial[PARTIAL_BASE + (part * M + row) * N_REALS + column] = sum[i];
        }
    }
}
