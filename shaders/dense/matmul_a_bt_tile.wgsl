// import shared/linear_index.wgsl

// matmul_a_bt, as a register tile: one invocation computes TILE_M rows by TILE_N Reals of columns of one part, so that
// each load feeds many multiply-adds. K and N are multiples of 4; rows and columns past the edge are computed from
// the last ones and not stored.
//
// a       [M, K]
// b       [N, K]
// partial [PARTS, M, N]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const N_REALS = N / WIDTH;
const K_REALS = K / WIDTH;
const REALS_PER_PART = TERMS_PER_PART / WIDTH;
const TILES_M = (M + TILE_M - 1u) / TILE_M;
const TILES_N = (N_REALS + TILE_N - 1u) / TILE_N;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let column = index % TILES_N * TILE_N;
    let row = index / TILES_N % TILES_M * TILE_M;
    let part = index / (TILES_N * TILES_M);
    let first = part * REALS_PER_PART;
    let end = min(first + REALS_PER_PART, K_REALS);
    var sum: array<array<Real, TILE_N>, TILE_M>;
    for (var t = first; t < end; t++) {
        var a_tile: array<Real, TILE_M>;
        for (var i = 0u; i < TILE_M; i++) {
            a_tile[i] = a[A_BASE + min(row + i, M - 1u) * K_REALS + t];
        }
        for (var j = 0u; j < TILE_N; j++) {
            for (var u = 0u; u < WIDTH; u++) {
                let b_row = min((column + j) * WIDTH + u, N - 1u);
                let b_value = b[B_BASE + b_row * K_REALS + t];
                for (var i = 0u; i < TILE_M; i++) {
                    sum[i][j][u] += dot(a_tile[i], b_value);
                }
            }
        }
    }
    for (var i = 0u; i < TILE_M; i++) {
        for (var j = 0u; j < TILE_N; j++) {
            if row + i < M && column + j < N_REALS {
                partial[PARTIAL_BASE + (part * M + row + i) * N_REALS + column + j] = sum[i][j];
            }
        }
    }
}
