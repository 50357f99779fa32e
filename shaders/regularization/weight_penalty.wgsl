// import shared/linear_index.wgsl
// import shared/horizontal_{scalar,vec4}.wgsl

// weight_penalty: sum_i L1*|w[i]| + L2*w[i]^2, in parts: partial[s] sums the s-th range of TERMS_PER_PART weights.
// One invocation per part.
//
// kernel  [LEN]
// partial [parts]

@group(0) @binding(0) var<storage, read> kernel: array<Real>;
@group(0) @binding(1) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let end = min((index + 1u) * TERMS_PER_PART, LEN) / WIDTH;
    var total = Real();
    for (var i = index * (TERMS_PER_PART / WIDTH); i < end; i++) {
        let w = kernel[KERNEL_BASE + i];
        total += L1 * abs(w) + L2 * (w * w);
    }
    partial[PARTIAL_BASE + index] = horizontal(total);
}
