// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl
// import shared/rmsprop.wgsl
// import shared/rmsprop_in_place.wgsl

// dense_rmsprop_update, as a register tile: one invocation computes the gradients of TILE_M Reals of rows by one Real of
// columns, so that each load feeds many multiply-adds, and updates those weights. M and N are multiples of 4; the row past
// M is that of the bias; what lies further past the edge is not stored.
//
// a         [K, M]
// b         [K, N]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// state     [slots, LEN]
// parameter [LEN]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> state: array<Real>;
@group(0) @binding(5) var<storage, read_write> parameter: array<Real>;

const N_REALS = N / WIDTH;
const M_REALS = M / WIDTH;
const ROWS = TILE_M * WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    let column = index % N_REALS;
    let row = index / N_REALS * TILE_M;
    var sum: array<Real, ROWS>;
    for (var t = 0u; t < K; t++) {
        let b_value = b[B_BASE + t * N_REALS + column];
        for (var i = 0u; i < TILE_M; i++) {
            var a_value = Real(1.0);
            if row + i < M_REALS {
                a_value = a[A_BASE + t * M_REALS + row + i];
            }
            for (var u = 0u; u < WIDTH; u++) {
                sum[i * WIDTH + u] += a_value[u] * b_value;
            }
        }
    }
    for (var i = 0u; i < ROWS; i++) {
        let weight_row = row * WIDTH + i;
        if weight_row < OUT_M {
            update(sum[i], FIRST / WIDTH + weight_row * N_REALS + column);
        }
    }
    report();
}
