// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl
// import shared/rmsprop.wgsl
// import shared/rmsprop_in_place.wgsl

// dense_rmsprop_update: the gradient of a dense layer's kernel and bias, and RMSprop with it at once, so that it never goes
// through memory:
//   g[i, j] = sum_t a[t, i] * b[t, j], with a column of ones after the last of a, whose sums are the bias's
// for a = the layer's input and b = the gradient of its output, then RMSprop (shared/rmsprop.wgsl) of the weights that
// begin at FIRST. One invocation per Real of the gradient.
//
// a         [K, M]
// b         [K, N]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// state     [slots, LEN]: v, then m when WITH_MOMENTUM, then a when CENTERED
// parameter [LEN], of which OUT_M * N from FIRST on are the layer's kernel and bias

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> state: array<Real>;
@group(0) @binding(5) var<storage, read_write> parameter: array<Real>;

const N_REALS = N / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    let j = index % N_REALS;
    let i = index / N_REALS;
    var g = Real();
    for (var t = 0u; t < K; t++) {
        var factor = 1.0;
        if i < M {
            factor = a[A_BASE + t * M + i];
        }
        g += factor * b[B_BASE + t * N_REALS + j];
    }
    update(g, FIRST / WIDTH + index);
    report();
}
