// import shared/linear_index.wgsl

// matmul_at_b, as a register tile: one invocation computes TILE_M Reals of rows by TILE_N Reals of columns of one
// part, so that each load feeds many multiply-adds. M and N are multiples of 4; the row past M is that of ones;
// what lies further past the edge is not stored.
//
// a       [K, M]
// b       [K, N]
// partial [PARTS, OUT_M, N]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const N_REALS = N / WIDTH;
const M_REALS = M / WIDTH;
const OUT_REALS = (OUT_M + WIDTH - 1u) / WIDTH;
const TILES_M = (OUT_REALS + TILE_M - 1u) / TILE_M;
const TILES_N = (N_REALS + TILE_N - 1u) / TILE_N;
const ROWS = TILE_M * WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let column = index % TILES_N * TILE_N;
    let row = index / TILES_N % TILES_M * TILE_M;
    let part = index / (TILES_N * TILES_M);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, K);
    var sum: array<array<Real, TILE_N>, ROWS>;
    for (var t = first; t < end; t++) {
        var b_tile: array<Real, TILE_N>;
        for (var j = 0u; j < TILE_N; j++) {
            b_tile[j] = b[B_BASE + t * N_REALS + min(column + j, N_REALS - 1u)];
        }
        for (var i = 0u; i < TILE_M; i++) {
            var a_value = Real(1.0);
            if row + i < M_REALS {
                a_value = a[A_BASE + t * M_REALS + row + i];
            }
            for (var u = 0u; u < WIDTH; u++) {
                for (var j = 0u; j < TILE_N; j++) {
                    sum[i * WIDTH + u][j] += a_value[u] * b_tile[j];
                }
            }
        }
    }
    for (var i = 0u; i < ROWS; i++) {
        for (var j = 0u; j < TILE_N; j++) {
            if row * WIDTH + i < OUT_M && column + j < N_REALS {
                partial[PARTIAL_BASE + (part * OUT_M + row * WIDTH + i) * N_REALS + column + j] = sum[i][j];
            }
        }
    }
}
