// import shared/linear_index.wgsl
// import shared/horizontal_{scalar,vec4}.wgsl

// sum_of_squares: sum_i x[i]^2, in parts: partial[s] sums the s-th range of TERMS_PER_PART elements.
// One invocation per part.
//
// x       [LEN]
// partial [parts]

@group(0) @binding(0) var<storage, read> x: array<Real>;
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
        let value = x[X_BASE + i];
        total += value * value;
    }
    partial[PARTIAL_BASE + index] = horizontal(total);
}
