// matmul_at_b, as a subgroup tile: the 8 lanes of a subgroup hold 8 neighbouring Reals of columns and compute 8 Reals of
// rows of one part together. Each lane loads one of the 8 Reals of a and hands it to the others, so that two loads feed
// 32 multiply-adds. M and N are multiples of 4; the row past M is that of ones; what lies further past the
// edge is not stored.
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
const TILES_M = (OUT_REALS + LANES - 1u) / LANES;
const TILES_N = (N_REALS + LANES - 1u) / LANES;

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
    let row = tile / TILES_N % TILES_M * LANES;
    let part = tile / (TILES_N * TILES_M);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, K);
    let a_row = A_BASE + min(row + lane, M_REALS - 1u);
    let ones = row + lane >= M_REALS;
    let b_column = B_BASE + min(column, N_REALS - 1u);
    var sum: array<Real, LANES * WIDTH>;
    for (var t = first; t < end; t++) {
        let mine = select(a[a_row + t * M_REALS], Real(1.0), ones);
        let b_value = b[b_column + t * N_REALS];
        for (var giver = 0u; giver < LANES; giver++) {
            let a_value = subgroupShuffle(mine, giver);
            for (var u = 0u; u < WIDTH; u++) {
                sum[giver * WIDTH + u] += a_value[u] * b_value;
            }
        }
    }
    for (var i = 0u; i < LANES * WIDTH; i++) {
        if row * WIDTH + i < OUT_M && column < N_REALS {
            partial[PARTIAL_BASE + (part * OUT_M + row * WIDTH + i) * N_REALS + column] = sum[i];
        }
    }
}
