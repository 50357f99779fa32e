// import shared/linear_index.wgsl

// clip_by_norm: g <- g * LIMIT / max(norm, LIMIT) in place, norm = sqrt(square_sum); g stays as it is where the norm is
// within the limit. One invocation per Real.
//
// square_sum [1]: of these gradients, or of these and more
// gradient   [len]

@group(0) @binding(0) var<storage, read> square_sum: array<f32>;
@group(0) @binding(1) var<storage, read_write> gradient: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let norm = sqrt(square_sum[SQUARE_SUM_BASE]);
    if norm > LIMIT {
        gradient[GRADIENT_BASE + index] *= LIMIT / norm;
    }
}
