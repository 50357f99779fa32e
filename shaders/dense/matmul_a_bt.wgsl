// import shared/linear_index.wgsl
// import shared/horizontal_{scalar,vec4}.wgsl

// matmul_a_bt: c[i, j] = sum_t a[i, t] * b[j, t], in parts: partial[s] sums the s-th range of TERMS_PER_PART terms.
// One invocation per part and element of c; it sums Reals of terms.
//
// a       [M, K]
// b       [N, K]
// partial [PARTS, M, N]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

const K_REALS = K / WIDTH;
const REALS_PER_PART = TERMS_PER_PART / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let j = index % N;
    let i = index / N % M;
    let part = index / (N * M);
    let first = part * REALS_PER_PART;
    let end = min(first + REALS_PER_PART, K_REALS);
    var sum = Real();
    for (var t = first; t < end; t++) {
        sum += a[A_BASE + i * K_REALS + t] * b[B_BASE + j * K_REALS + t];
    }
    partial[PARTIAL_BASE + index] = horizontal(sum);
}
