// matmul, as a subgroup tile: the 8 lanes of a subgroup hold 8 neighbouring Reals of columns and compute TILE_M rows of
// one part together. Each lane loads its share of a, a Real of every eighth row, and hands it to the others by
// broadcast, so that a load feeds TILE_M / 8 times as many multiply-adds as in a tile of one invocation's own. K and N
// are multiples of 4; rows and columns past the edge are computed from the last ones and not stored.
//
// a       [M, K]
// b       [K, N]
// partial [PARTS, M, N]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const N_REALS = N / WIDTH;
const K_REALS = K / WIDTH;
const REALS_PER_PART = TERMS_PER_PART / WIDTH;
const TILES_M = (M + TILE_M - 1u) / TILE_M;
const TILES_N = (N_REALS + LANES - 1u) / LANES;
// Rows of a that one lane loads.
const SHARE = TILE_M / LANES;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let tile = index / LANES;
    let column = tile % TILES_N * LANES + lane;
    let row = tile / TILES_N % TILES_M * TILE_M;
    let part = tile / (TILES_N * TILES_M);
    let first = part * REALS_PER_PART;
    let end = min(first + REALS_PER_PART, K_REALS);
    let b_column = B_BASE + min(column, N_REALS - 1u);
    var a_rows: array<u32, SHARE>;
    for (var s = 0u; s < SHARE; s++) {
        a_rows[s] = A_BASE + min(row + s * LANES + lane, M - 1u) * K_REALS;
    }
    var sum: array<Real, TILE_M>;
    for (var t = first; t < end; t++) {
        var b_tile: array<Real, WIDTH>;
        for (var u = 0u; u < WIDTH; u++) {
            b_tile[u] = b[b_column + (t * WIDTH + u) * N_REALS];
        }
        for (var s = 0u; s < SHARE; s++) {
            let mine = a[a_rows[s] + t];
            for (var giver = 0u; giver < LANES; giver++) {
                let a_value = subgroupShuffle(mine, giver);
                var total = sum[s * LANES + giver];
                for (var u = 0u; u < WIDTH; u++) {
                    total += a_value[u] * b_tile[u];
                }
                sum[s * LANES + giver] = total;
            }
        }
    }
    for (var i = 0u; i < TILE_M; i++) {
        if row + i < M && column < N_REALS {
            partial[PARTIAL_BASE + (part * M + row + i) * N_REALS + column] = sum[i];
        }
    }
}
