// import shared/linear_index.wgsl

// dense_forward, for small layers: y[i, j] = bias[j] + sum_t x[i, t] * kernel[t, j], and max(y, 0) where ReLU is asked for.
// One invocation per row and Real of columns.
//
// x      [M, K]
// kernel [K, N]
// bias   [N]
// y      [M, N]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> kernel: array<Real>;
@group(0) @binding(2) var<storage, read> bias: array<Real>;
@group(0) @binding(3) var<storage, read_write> y: array<Real>;

const N_REALS = N / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let j = index % N_REALS;
    let i = index / N_REALS;
    var sum = Real();
    for (var t = 0u; t < K; t++) {
        sum += x[X_BASE + i * K + t] * kernel[KERNEL_BASE + t * N_REALS + j];
    }
    sum += bias[BIAS_BASE + j];
    if RELU {
        sum = select(sum, Real(), sum <= Real());
    }
    y[Y_BASE + index] = sum;
}
