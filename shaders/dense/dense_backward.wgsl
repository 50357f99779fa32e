// import shared/linear_index.wgsl

// dense_backward, for small layers, both gradients at once:
//   gradient[t, j] = sum_i x[i, t] * dy[i, j], and gradient[K, j] = sum_i dy[i, j] for the bias;
//   dx[i, t] = sum_j dy[i, j] * kernel[t, j], and 0 where x[i, t] <= 0 if x came out of ReLU.
// One invocation per element of gradient, then one per element of dx.
//
// x, dx    [M, K]
// kernel   [K, N]
// dy       [M, N]
// gradient [K + 1, N]

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> kernel: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;

const OF_WEIGHTS = (K + 1u) * N;

fn of_weight(index: u32) {
    let j = index % N;
    let t = index / N;
    var sum = 0.0;
    for (var i = 0u; i < M; i++) {
        var factor = 1.0;
        if t < K {
            factor = x[X_BASE + i * K + t];
        }
        sum += factor * dy[DY_BASE + i * N + j];
    }
    gradient[GRADIENT_BASE + index] = sum;
}

fn of_input(index: u32) {
    let t = index % K;
    let i = index / K;
    var sum = 0.0;
    for (var j = 0u; j < N; j++) {
        sum += dy[DY_BASE + i * N + j] * kernel[KERNEL_BASE + t * N + j];
    }
    if RELU {
        sum = select(0.0, sum, x[X_BASE + index] > 0.0);
    }
    dx[DX_BASE + index] = sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    if index < OF_WEIGHTS {
        of_weight(index);
    } else {
        of_input(index - OF_WEIGHTS);
    }
}
