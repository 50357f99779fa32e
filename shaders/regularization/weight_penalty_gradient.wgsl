// import shared/linear_index.wgsl

// weight_penalty_gradient: the gradient of weight_penalty, added in place: g <- g + L1*sign(w) + 2*L2*w, with the sign
// of 0 being 0. One invocation per Real.
//
// kernel   [len]
// gradient [len]

@group(0) @binding(0) var<storage, read> kernel: array<Real>;
@group(0) @binding(1) var<storage, read_write> gradient: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let w = kernel[KERNEL_BASE + index];
    gradient[GRADIENT_BASE + index] += L1 * sign(w) + (2.0 * L2) * w;
}
