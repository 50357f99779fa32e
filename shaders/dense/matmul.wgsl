// import shared/linear_index.wgsl

// matmul: c[i, j] = sum_t a[i, t] * b[t, j], in parts: partial[s] sums the s-th range of TERMS_PER_PART terms.
// One invocation per part, row and Real of columns.
//
// a       [M, K]
// b       [K, N]
// partial [PARTS, M, N]

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const N_REALS = N / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let j = index % N_REALS;
    let i = index / N_REALS % M;
    let part = index / (N_REALS * M);
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, K);
    var sum = Real();
    for (var t = first; t < end; t++) {
        sum += a[A_BASE + i * K + t] * b[B_BASE + t * N_REALS + j];
    }
    partial[PARTIAL_BASE + index] = sum;
}
